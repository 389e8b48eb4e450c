"""Who of a commune's crews and patrols is logged in, and on which device; a chef may end it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from storage.database import Connection, fetch, statement
from storage.errors import NotFoundError
from storage.model import Role

SHIFTS = frozenset({Role.DRIVER, Role.OFFICER})
"""Who works in shifts on a device of the town's; who has another role too is none of these."""

_LONGEST_DEVICE = 60


def device_of(told: str) -> str | None:
    """Return the name of a device as people typed it, on one line and not too long; None when it says nothing."""
    name = re.sub(r"\s+", " ", "".join(letter if letter.isprintable() else " " for letter in told)).strip()
    return name[:_LONGEST_DEVICE].strip() or None


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamSession:
    """Who is on which device, since when, and when it was last heard of; `is_bound`: the device has told its key."""

    session_id: UUID
    account_id: UUID
    display_name: str
    device: str | None
    is_bound: bool
    user_agent: str
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime
    roles: tuple[Role, ...]


def sessions(
    connection: Connection, commune_insee: str, roles: Collection[Role], *, now: datetime
) -> list[TeamSession]:
    """Return the sessions of who has one of `roles` in a commune and nothing but `SHIFTS` anywhere, by device."""
    asked = {"commune_insee": commune_insee, "roles": sorted(role.value for role in roles), "now": now}
    return fetch(connection, TeamSession, statement("teams", "sessions"), asked)


def end(connection: Connection, commune_insee: str, roles: Collection[Role], session_id: UUID) -> UUID:
    """End one of those `sessions` at once, and return whose it was. Raises NotFoundError when it is none of them."""
    asked = {"commune_insee": commune_insee, "roles": sorted(role.value for role in roles), "session_id": session_id}
    row = connection.execute(statement("teams", "end"), asked).fetchone()
    if row is None:
        raise NotFoundError("there is no such session of a crew or a patrol; it may have ended")
    return UUID(str(row[0]))


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedSession:
    """A session of anybody."""

    session_id: UUID
    name: str
    display_name: str
    device: str | None
    user_agent: str
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime


def every(connection: Connection, *, now: datetime, commune_insee: str | None = None) -> list[NamedSession]:
    """Return every session that has not ended, or those of who has a role in a commune, by account."""
    return fetch(connection, NamedSession, statement("teams", "every"), {"commune_insee": commune_insee, "now": now})


def end_any(connection: Connection, session_id: UUID) -> tuple[UUID, str]:
    """End a session at once; returns the account's id and name. Raises NotFoundError."""
    row = connection.execute(statement("teams", "end_any"), {"session_id": session_id}).fetchone()
    if row is None:
        raise NotFoundError(f"there is no session {session_id}: `voirie accounts sessions` tells which there are")
    return UUID(str(row[0])), str(row[1])
