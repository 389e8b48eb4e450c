"""Which provider is asked, as whom, and what its answers are worth here."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from api.oidc.identity import GrantRule
from storage.errors import SettingsError

ALGORITHMS = frozenset(f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512))
"""Signatures by a key that the provider alone has. Not `none`, and not HS*: who knows our secret could sign for it."""


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, so that plain HTTP leaves nothing on a network."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_plain_http(name: str, url: str) -> None:
    """Raise SettingsError unless `url` is an https URL, or an http one of this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise SettingsError(f"expected {name} to be a URL, got {url!r}") from error
    if not host or parts.username is not None or parts.fragment:
        raise SettingsError(f"expected {name} to be a URL with a host, without user and fragment, got {url!r}")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise SettingsError(f"expected {name} to be an https URL (http on this machine alone), got {url!r}")


@dataclass(frozen=True, kw_only=True)
class OidcOptions:
    """One provider; refuses nonsense with SettingsError.

    `issuer` is the provider's name for itself, to the letter; `redirect_uri` and `post_logout_redirect_uri` are ours,
    as they were registered there. `scopes` are asked for. With `acr_values` only log-ins of these levels of assurance
    are accepted. `name_claims` are joined to what colleagues read. `rules` say what claims grant. `leeway_s` is how far
    the provider's clock may be from ours.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    post_logout_redirect_uri: str | None = None
    client_authentication: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    acr_values: tuple[str, ...] = ()
    algorithms: frozenset[str] = ALGORITHMS
    name_claims: tuple[str, ...] = ("name",)
    rules: tuple[GrantRule, ...] = ()
    leeway_s: int = 30
    timeout_s: float = 5.0
    patience_s: int = 600
    """How long somebody may take at the provider."""

    def __post_init__(self) -> None:
        """Refuse what cannot work or is not safe."""
        self._check_urls()
        for name in ("client_id", "client_secret"):
            if not getattr(self, name):
                raise SettingsError(f"expected {name}, got an empty one")
        if "openid" not in self.scopes:
            raise SettingsError(f"expected scopes to contain openid, got {' '.join(self.scopes)!r}")
        if not self.algorithms or not self.algorithms <= ALGORITHMS:
            raise SettingsError(
                f"expected algorithms out of {', '.join(sorted(ALGORITHMS))}, got {', '.join(sorted(self.algorithms))}"
            )
        if not self.name_claims:
            raise SettingsError("expected name_claims, got none")
        if not 0 <= self.leeway_s <= 300:  # noqa: PLR2004 - the bound is the rule
            raise SettingsError(f"expected leeway_s of 0 to 300, got {self.leeway_s}")
        for name in ("timeout_s", "patience_s"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"expected {name} > 0, got {getattr(self, name)}")

    def _check_urls(self) -> None:
        for name in ("issuer", "redirect_uri", "post_logout_redirect_uri"):
            url = getattr(self, name)
            if url is not None:
                refuse_plain_http(name, url)
        if urlsplit(self.issuer).query:
            raise SettingsError(f"expected issuer to have no query, got {self.issuer!r}")
