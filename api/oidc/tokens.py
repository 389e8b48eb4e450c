"""Whether a token is the provider's, for us, for this log-in and of now (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from api.oidc.errors import LoginRefusedError
from api.oidc.options import OidcOptions

_LONGEST_TOKEN = 32_768
_LONGEST_SUBJECT = 255  # section 2 of OpenID Connect Core bounds it so


class UnknownKeyError(LoginRefusedError):
    """The token names a key that the provider has not published; it may have changed its keys since we looked."""


def read_keys(document: Mapping[str, Any]) -> KeySet:
    """Return the keys for signatures of a JWK set (RFC 7517); kinds that we do not know are left out (section 5)."""
    keys: list[Key] = []
    entries = document.get("keys")
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or entry.get("kty") not in {"RSA", "EC"}:
            continue
        try:
            keys.append(JWKRegistry.import_key(entry))
        except (JoseError, ValueError, TypeError):
            continue
    return KeySet(keys)


def verified(token: str, *, keys: KeySet, options: OidcOptions) -> tuple[str, dict[str, Any]]:
    """Return the algorithm and the claims of a signed token; raise LoginRefusedError unless the signature holds."""
    if len(token) > _LONGEST_TOKEN:
        raise LoginRefusedError(f"expected a token of at most {_LONGEST_TOKEN} characters, got {len(token)}")
    try:
        decoded = jwt.decode(token, keys, algorithms=sorted(options.algorithms))
    except InvalidKeyIdError as error:
        raise UnknownKeyError from error
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise LoginRefusedError(f"the token's signature does not hold: {type(error).__name__}") from error
    return str(decoded.header["alg"]), decoded.claims


def unverified(token: str) -> dict[str, Any]:
    """Return the claims of a token that was verified before and kept by us, an empty object when it is none."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, IndexError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def check_id_token(
    token: str, *, keys: KeySet, options: OidcOptions, nonce: str, access_token: str | None, now: datetime
) -> dict[str, Any]:
    """Return the claims of an id token; raise LoginRefusedError when it breaks a rule."""
    algorithm, claims = verified(token, keys=keys, options=options)
    registry = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=options.leeway_s,
        iss={"essential": True, "value": options.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": options.client_id},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        registry.validate(claims)
    except JoseError as error:
        raise LoginRefusedError(f"the id token is not acceptable: {error}") from error
    _check_subject(claims)
    audience = claims["aud"]
    party = claims.get("azp")
    if (isinstance(audience, list) and len(audience) > 1 and party is None) or party not in {None, options.client_id}:
        raise LoginRefusedError("the id token was issued to another party (azp)")
    told = claims.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(told.encode(), nonce.encode()):
        raise LoginRefusedError("the id token's nonce is not that of this log-in")
    if "at_hash" in claims and (access_token is None or claims["at_hash"] != _half_hash(access_token, algorithm)):
        raise LoginRefusedError("the id token belongs to another access token (at_hash)")
    if options.acr_values and claims.get("acr") not in options.acr_values:
        raise LoginRefusedError("the log-in's level of assurance (acr) is not one of oidc.acr_values")
    return claims


def check_userinfo(claims: Mapping[str, Any], *, subject: str, options: OidcOptions, signed: bool) -> None:
    """Raise LoginRefusedError unless `claims` are about `subject`, and for us where they are signed (section 5.3.2)."""
    if claims.get("sub") != subject:
        raise LoginRefusedError("the userinfo is about somebody else than the id token")
    if not signed:
        return
    audience = claims.get("aud", options.client_id)
    if claims.get("iss", options.issuer) != options.issuer or options.client_id not in (
        audience if isinstance(audience, list) else [audience]
    ):
        raise LoginRefusedError("the signed userinfo is another provider's, or for another party")


def _check_subject(claims: Mapping[str, Any]) -> None:
    subject = claims["sub"]
    if not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise LoginRefusedError(f"expected a subject of 1 to {_LONGEST_SUBJECT} printable characters")


def _half_hash(text: str, algorithm: str) -> str:
    digest = hashlib.new(f"sha{algorithm[2:]}", text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")
