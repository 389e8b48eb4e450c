"""Attempts that only their own browser finishes, and claims that grant what the rules say and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.oidc import Attempt, GrantRule, IdentityGrant, LoginRefusedError, identity, local_path
from api.oidc.provider import Provider, discovery_url
from storage.errors import SettingsError

NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)
ISSUER = "https://qui.noisy.example"
DOCUMENT: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}


def test_an_attempt_comes_back_from_its_cookie_as_it_was():
    begun = Attempt.begin(now=NOW, return_path="/93051/carte?jour=2026-11-28")
    text = begun.to_text()
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert Attempt.from_text(text) == begun


def test_each_attempt_has_secrets_of_its_own_that_logs_do_not_show():
    first, second = Attempt.begin(now=NOW), Attempt.begin(now=NOW)
    told = {first.state, first.nonce, first.code_verifier, second.state, second.nonce, second.code_verifier}
    assert len(told) == 6
    assert min(len(secret) for secret in told) >= 43  # RFC 7636 asks that much of the verifier
    assert first.state not in repr(first)
    assert first.code_verifier not in repr(first)


def test_the_challenge_is_that_of_the_rfc():
    # RFC 7636, appendix B.
    attempt = Attempt(
        state="s",
        nonce="n",
        code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        return_path="/",
        begun_at=NOW,
    )
    assert attempt.code_challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_an_answer_with_another_state_or_too_late_is_refused():
    attempt = Attempt.begin(now=NOW)
    attempt.check(state=attempt.state, now=NOW + TEN_MINUTES, patience=TEN_MINUTES)
    for state in ("", attempt.state[:-1], Attempt.begin(now=NOW).state, "é"):
        with pytest.raises(LoginRefusedError, match="state"):
            attempt.check(state=state, now=NOW, patience=TEN_MINUTES)
    for late in (TEN_MINUTES + timedelta(seconds=1), timedelta(seconds=-1)):
        with pytest.raises(LoginRefusedError, match="within"):
            attempt.check(state=attempt.state, now=NOW + late, patience=TEN_MINUTES)


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))))
def test_a_cookie_that_is_not_ours_is_refused_and_nothing_worse(text: str):
    with pytest.raises(LoginRefusedError):
        Attempt.from_text(text)


@pytest.mark.parametrize(
    "path",
    [None, "", "carte", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/a\r\nb",
     "/é", "javascript:alert(1)", "/" + "a" * 2000, "/a\\b"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_a_log_in(path: str | None):
    assert local_path(path) == "/"


def test_the_page_that_was_asked_for_is_kept():
    assert local_path("/93051/carte?x=1#y") == "/93051/carte?x=1#y"


RULE = GrantRule(claim="groups", value="cheffes", roles=("dispatcher", "data_reader"), communes=("93051", "93048"))


def test_a_rule_grants_its_roles_in_its_communes():
    assert identity.granted({"groups": ["agents", "cheffes"]}, [RULE]) == {
        IdentityGrant(commune_insee=commune, role=role)
        for commune in ("93051", "93048")
        for role in ("dispatcher", "data_reader")
    }


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"groups": []},
        {"groups": ["cheffes2"]},
        {"groups": "les cheffes"},  # not a part of a text
        {"groups": {"cheffes": True}},
        {"groups": [["cheffes"]]},
        {"groups": "CHEFFES"},
        {"Groups": ["cheffes"]},
        {"groups": None},
    ],
)
def test_claims_that_do_not_say_it_grant_nothing(claims: dict[str, Any]):
    assert identity.granted(claims, [RULE]) == frozenset()


def test_a_claim_is_found_by_its_path_and_by_a_name_with_dots():
    rule = GrantRule(claim="realm_access.roles", value="voirie", roles=("driver",), communes=("93051",))
    assert rule.grants({"realm_access": {"roles": ["voirie"]}})
    assert rule.grants({"realm_access.roles": "voirie"})
    assert not rule.grants({"realm_access": ["voirie"]})


@pytest.mark.parametrize(
    "changes", [{"claim": ""}, {"value": ""}, {"roles": ()}, {"communes": ()}, {"communes": ("Noisy",)}]
)
def test_a_rule_that_says_nothing_is_refused(changes: dict[str, Any]):
    kept: dict[str, Any] = {"claim": "groups", "value": "x", "roles": ("driver",), "communes": ("93051",)}
    with pytest.raises(SettingsError):
        GrantRule(**(kept | changes))


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"given_name": "Amina", "usual_name": "Benali"}, "Amina Benali"),
        ({"given_name": " Amina\n\u202e", "usual_name": 7}, "Amina"),  # nothing that turns a line around
        ({"email": "a@noisy.example"}, "a@noisy.example"),
        ({"email": "a@noisy.example", "email_verified": False}, "8d2f"),  # an address that nobody verified names nobody
        ({}, "8d2f"),
    ],
)
def test_people_are_called_by_what_the_provider_says(claims: dict[str, Any], name: str):
    assert identity.display_name({"sub": "8d2f", **claims}, ("given_name", "usual_name")) == name


def test_a_provider_is_read_from_its_document():
    provider = Provider.read({**DOCUMENT, "authorization_response_iss_parameter_supported": True}, issuer=ISSUER)
    assert provider.token_endpoint == f"{ISSUER}/token"
    assert provider.userinfo_endpoint is None
    assert provider.names_itself_in_answers
    assert discovery_url(f"{ISSUER}/") == f"{ISSUER}/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issuer": "https://autre.example"}, "call itself"),
        ({"issuer": f"{ISSUER}/"}, "call itself"),
        ({"token_endpoint": "http://qui.noisy.example/token"}, "https"),
        ({"jwks_uri": None}, "jwks_uri"),
        ({"userinfo_endpoint": ["x"]}, "userinfo_endpoint"),
        ({"end_session_endpoint": "javascript:alert(1)"}, "end_session_endpoint"),
        ({"code_challenge_methods_supported": ["plain"]}, "S256"),
    ],
)
def test_a_provider_that_is_another_or_not_safe_is_refused(changes: dict[str, Any], says: str):
    with pytest.raises(SettingsError, match=says):
        Provider.read(DOCUMENT | changes, issuer=ISSUER)
