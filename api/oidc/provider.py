"""What a provider says about itself (OpenID Connect Discovery 1.0), as far as we use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from api.oidc.options import refuse_plain_http
from storage.errors import SettingsError


def discovery_url(issuer: str) -> str:
    """Return where the provider `issuer` describes itself (section 4)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """A provider's endpoints and abilities; made by `read`, which refuses what is not safe with SettingsError."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    names_itself_in_answers: bool
    reads_claims_parameter: bool

    @classmethod
    def read(cls, document: Mapping[str, Any], *, issuer: str) -> Self:
        """Return the provider that `document` describes; it must call itself `issuer`, to the letter (section 4.3)."""
        named = document.get("issuer")
        if named != issuer:
            raise SettingsError(
                f"expected the provider to call itself {issuer!r}, it says {named!r}: set oidc.issuer so"
            )
        methods = document.get("code_challenge_methods_supported")
        if isinstance(methods, list) and "S256" not in methods:
            raise SettingsError(f"expected the provider {issuer} to know PKCE with S256, it names {methods!r}")
        endpoints: dict[str, str | None] = {}
        for name, needed in (
            ("authorization_endpoint", True),
            ("token_endpoint", True),
            ("jwks_uri", True),
            ("userinfo_endpoint", False),
            ("end_session_endpoint", False),
        ):
            url = document.get(name)
            if url is None and not needed:
                endpoints[name] = None
                continue
            if not isinstance(url, str):
                raise SettingsError(f"expected the provider {issuer} to name its {name}, got {url!r}")
            refuse_plain_http(f"{name} of {issuer}", url)
            endpoints[name] = url
        return cls(
            issuer=issuer,
            authorization_endpoint=str(endpoints["authorization_endpoint"]),
            token_endpoint=str(endpoints["token_endpoint"]),
            jwks_uri=str(endpoints["jwks_uri"]),
            userinfo_endpoint=endpoints["userinfo_endpoint"],
            end_session_endpoint=endpoints["end_session_endpoint"],
            names_itself_in_answers=document.get("authorization_response_iss_parameter_supported") is True,
            reads_claims_parameter=document.get("claims_parameter_supported") is True,
        )
