"""What a token must be to be believed: each rule is broken alone, the signature holds where it is not the rule."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from api.oidc import LoginRefusedError, OidcOptions, tokens
from storage.errors import SettingsError

ISSUER = "https://qui.noisy.example"
NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
NONCE = "n" * 43
KEY = ECKey.generate_key("P-256", auto_kid=True)
OTHER = ECKey.generate_key("P-256", auto_kid=True)
RSA = RSAKey.generate_key(2048, auto_kid=True)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "8d2f",
    "aud": "voirie",
    "iat": NOW_S - 1,
    "exp": NOW_S + 60,
    "nonce": NONCE,
}


def published(*keys: ECKey | RSAKey) -> KeySet:
    return tokens.read_keys({"keys": [key.as_dict(private=False) for key in keys]})


def options(**changes: Any) -> OidcOptions:
    return OidcOptions(
        issuer=ISSUER,
        client_id="voirie",
        client_secret="s3cret",
        redirect_uri="https://voirie.noisy.example/oidc",
        **changes,
    )


def signed(claims: dict[str, Any], key: ECKey | RSAKey = KEY, algorithm: str = "ES256") -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


def believed(token: str, *, keys: KeySet | None = None, access_token: str | None = "at", **changes: Any):
    return tokens.check_id_token(
        token,
        keys=keys or published(KEY),
        options=options(**changes),
        nonce=NONCE,
        access_token=access_token,
        now=NOW,
    )


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = (urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    return ".".join([*parts, ""])


def test_a_token_that_keeps_every_rule_is_believed():
    assert believed(signed(CLAIMS))["sub"] == "8d2f"
    assert believed(signed(CLAIMS | {"aud": ["voirie", "autre"], "azp": "voirie"}))
    assert believed(signed(CLAIMS, RSA, "PS256"), keys=published(KEY, RSA))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"iss": f"{ISSUER}/"}, "iss"),  # to the letter
        ({"iss": "https://autre.example"}, "iss"),
        ({"aud": "autre"}, "aud"),
        ({"aud": ["autre"]}, "aud"),
        ({"aud": ["voirie", "autre"]}, "azp"),  # for several, so it must say whose it is
        ({"azp": "autre"}, "azp"),
        ({"exp": NOW_S - 31}, "expired"),  # the leeway is 30 s
        ({"exp": "tomorrow"}, "exp"),
        ({"exp": float("inf")}, "exp"),
        ({"iat": NOW_S + 31}, "future"),
        ({"nbf": NOW_S + 31}, "not yet"),
        ({"nonce": "m" * 43}, "nonce"),
        ({"nonce": ["n" * 43]}, "nonce"),
        ({"sub": ""}, "sub"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": "a\nb"}, "subject"),
        ({"sub": 7}, "sub"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "at_hash"),  # the hash of another access token
    ],
)
def test_a_token_that_breaks_one_rule_is_refused(broken: dict[str, Any], says: str):
    with pytest.raises(LoginRefusedError, match=says):
        believed(signed(CLAIMS | broken))


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat", "nonce"])
def test_a_token_that_leaves_out_what_it_must_say_is_refused(name: str):
    with pytest.raises(LoginRefusedError, match=name):
        believed(signed({key: value for key, value in CLAIMS.items() if key != name}))


def test_a_token_by_a_key_that_is_not_the_providers_is_refused():
    with pytest.raises(tokens.UnknownKeyError):
        believed(signed(CLAIMS, OTHER))
    forged = jwt.encode({"alg": "ES256", "kid": KEY.kid}, CLAIMS, OTHER)
    with pytest.raises(LoginRefusedError, match="signature"):
        believed(forged)


def test_a_token_that_was_altered_is_refused():
    head, _, signature = signed(CLAIMS).split(".")
    body = urlsafe_b64encode(json.dumps(CLAIMS | {"sub": "admin"}).encode()).rstrip(b"=").decode()
    with pytest.raises(LoginRefusedError, match="signature"):
        believed(f"{head}.{body}.{signature}")


def test_a_token_that_nobody_signed_is_refused():
    with pytest.raises(LoginRefusedError):
        believed(unsigned({"alg": "none", "kid": KEY.kid}, CLAIMS))


def test_a_public_key_is_no_secret_to_sign_with():
    # By hand: the library refuses to make such a token.
    signing_input = unsigned({"alg": "HS256", "kid": RSA.kid}, CLAIMS).rstrip(".")
    mac = hmac.digest(RSA.as_pem(private=False), signing_input.encode(), "sha256")
    with pytest.raises(LoginRefusedError):
        believed(f"{signing_input}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}", keys=published(RSA))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "x" * 40_000, "e30.e30.e30", "[].[].[]"])
def test_what_is_no_token_is_refused(token: str):
    with pytest.raises(LoginRefusedError):
        believed(token)


def test_keys_that_are_not_for_signatures_or_not_known_are_left_out():
    usable = KEY.as_dict(private=False)
    for_secrets = {**OTHER.as_dict(private=False), "use": "enc"}
    shared = {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}
    strange: list[Any] = [for_secrets, shared, {"kty": "PQC"}, {"kty": "EC", "crv": "none"}, "text", None]
    assert [key.kid for key in tokens.read_keys({"keys": [*strange, usable]})] == [KEY.kid]
    assert not list(tokens.read_keys({"keys": "none"}))


def test_a_level_of_assurance_that_was_asked_for_must_be_reached():
    assert believed(signed(CLAIMS | {"acr": "eidas2"}), acr_values=("eidas2", "eidas3"))
    for weaker in ({"acr": "eidas1"}, {}, {"acr": ["eidas2"]}):
        with pytest.raises(LoginRefusedError, match="acr"):
            believed(signed(CLAIMS | weaker), acr_values=("eidas2", "eidas3"))


def test_userinfo_is_about_the_same_person_and_for_us():
    tokens.check_userinfo({"sub": "8d2f"}, subject="8d2f", options=options(), signed=False)
    for claims, is_signed in (
        ({"sub": "other"}, False),
        ({}, False),
        ({"sub": "8d2f", "iss": "https://autre.example"}, True),
        ({"sub": "8d2f", "aud": "autre"}, True),
    ):
        with pytest.raises(LoginRefusedError):
            tokens.check_userinfo(claims, subject="8d2f", options=options(), signed=is_signed)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issuer": "http://qui.noisy.example"}, "https"),
        ({"issuer": "https://qui.noisy.example?x=1"}, "query"),
        ({"redirect_uri": "http://10.0.0.7/oidc"}, "https"),
        ({"redirect_uri": "https://user@voirie.example/"}, "user"),
        ({"client_secret": ""}, "client_secret"),
        ({"scopes": ("profile",)}, "openid"),
        ({"algorithms": frozenset({"none"})}, "algorithms"),
        ({"algorithms": frozenset({"HS256"})}, "algorithms"),
        ({"leeway_s": 3600}, "leeway_s"),
        ({"patience_s": 0}, "patience_s"),
    ],
)
def test_options_that_are_not_safe_are_refused(changes: dict[str, Any], says: str):
    kept = {"issuer": ISSUER, "client_id": "voirie", "client_secret": "s3cret", "redirect_uri": "https://v.example/o"}
    with pytest.raises(SettingsError, match=says):
        OidcOptions(**(kept | changes))


def test_the_secret_is_not_in_what_logs_would_show():
    assert "s3cret" not in repr(options())
