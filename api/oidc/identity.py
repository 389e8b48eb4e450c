"""Who the provider says that somebody is, and what its claims grant here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storage.errors import SettingsError

_INSEE = re.compile(r"[0-9][0-9AB][0-9]{3}")
_LONGEST_NAME = 120
_LONGEST_EMAIL = 254


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityGrant:
    """A role in a commune, by the provider's word."""

    commune_insee: str
    role: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantRule:
    """Whoever has `value` in the claim `claim` has `roles` in `communes`.

    `claim` is a name, or a path of names with dots (`realm_access.roles`) where no claim has the whole as its name. A
    claim that is a list is looked through; only texts are compared, to the letter.
    """

    claim: str
    value: str
    roles: tuple[str, ...]
    communes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a rule that grants nothing, or to everybody by accident."""
        for name in ("claim", "value", "roles", "communes"):
            if not getattr(self, name):
                raise SettingsError(f"expected {name} in a rule of grants, got an empty one")
        for commune in self.communes:
            if not _INSEE.fullmatch(commune):
                raise SettingsError(f"expected communes by INSEE code like '93051', got {commune!r}")

    def grants(self, claims: Mapping[str, Any]) -> frozenset[IdentityGrant]:
        """Return what `claims` are granted by this rule."""
        found = _look_up(claims, self.claim)
        values = found if isinstance(found, list) else [found]
        if not any(isinstance(value, str) and value == self.value for value in values):
            return frozenset()
        return frozenset(
            IdentityGrant(commune_insee=commune, role=role) for commune in self.communes for role in self.roles
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Somebody whom the provider knows.

    `issuer` and `subject` together name them for good: neither the name nor the address does, since a provider may give
    an address to somebody else. `id_token` is what the provider's log-out asks for.
    """

    issuer: str
    subject: str
    display_name: str
    email: str | None
    acr: str | None
    authenticated_at: datetime
    grants: frozenset[IdentityGrant]
    id_token: str = field(repr=False)


def granted(claims: Mapping[str, Any], rules: Sequence[GrantRule]) -> frozenset[IdentityGrant]:
    """Return all that `rules` grant to `claims`; without a rule that fits, nothing."""
    return frozenset(grant for rule in rules for grant in rule.grants(claims))


def display_name(claims: Mapping[str, Any], name_claims: Sequence[str]) -> str:
    """Return what colleagues read: the name claims that there are, or the address, or the subject."""
    parts = [_text(claims, name) for name in name_claims]
    joined = " ".join(part for part in parts if part)
    return joined[:_LONGEST_NAME] or email(claims) or str(claims["sub"])[:_LONGEST_NAME]


def email(claims: Mapping[str, Any]) -> str | None:
    """Return the address, unless it is none or the provider says that nobody verified it."""
    text = _text(claims, "email")
    if "@" not in text or len(text) > _LONGEST_EMAIL or claims.get("email_verified") is False:
        return None
    return text


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        return ""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in value).split())


def _look_up(claims: Mapping[str, Any], path: str) -> object:
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found
