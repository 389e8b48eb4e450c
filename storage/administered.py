"""Accounts as an administrator of some communes sees them, and what they may do with each.

A password, a second factor and a disabled account count everywhere: they are for who administers every commune in which
the account has a role. Otherwise who administers one commune would enter another by resetting a colleague's password.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import NotFoundError
from storage.model import Role


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldRole:
    """A role in a commune, granted by `hand` or by the provider's `claims`."""

    commune_insee: str
    role: Role
    granted_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Administered:
    """An account, its roles and how it logs in; never a secret of it."""

    account_id: UUID
    name: str
    display_name: str
    disabled_at: datetime | None
    has_password: bool
    has_second_factor: bool
    email: str | None
    of_provider: bool
    of_territory: bool
    open_sessions: int
    grants: tuple[HeldRole, ...]

    @property
    def communes(self) -> frozenset[str]:
        """Where it has a role."""
        return frozenset(grant.commune_insee for grant in self.grants)

    def is_seen_by(self, administered: Collection[str]) -> bool:
        """Whether it has a role in one of the communes, or none anywhere: somebody who has just come."""
        return not (self.communes or self.of_territory) or not self.communes.isdisjoint(administered)

    def is_theirs(self, administered: Collection[str]) -> bool:
        """Whether it has no role beyond the communes, and no territory."""
        return not self.of_territory and self.communes <= set(administered)


def seen(connection: Connection, administered: Collection[str], *, now: datetime) -> list[Administered]:
    """Return the accounts that who administers these communes sees, by the name that people read."""
    rows = fetch(connection, Administered, statement("administered", "accounts"), {"account_id": None, "now": now})
    return [account for account in rows if account.is_seen_by(administered)]


def one(connection: Connection, administered: Collection[str], account_id: UUID, *, now: datetime) -> Administered:
    """Return one of those. Raises NotFoundError when it is none."""
    found = fetch_one(
        connection, Administered, statement("administered", "accounts"), {"account_id": account_id, "now": now}
    )
    if found is None or not found.is_seen_by(administered):
        raise NotFoundError(f"there is no account {account_id} in the communes that you administer")
    return found
