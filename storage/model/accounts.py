"""Who may do what: accounts, what they were granted, their sessions, and keys for machines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What somebody does for a commune; the table in `api/access.py` says which routes each needs."""

    DISPATCHER = "dispatcher"
    DRIVER = "driver"
    OFFICER = "officer"
    PARKING_MANAGER = "parking_manager"
    DATA_READER = "data_reader"
    INTEGRATOR = "integrator"
    ADMINISTRATOR = "administrator"
    TERRITORY_READER = "territory_reader"
    """Figures of several communes, summed up: what follows from a territory that was granted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A role in a commune."""

    commune_insee: str
    role: Role


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A person who may log in. `name` is what they type, in lower case; `display_name` is what colleagues read."""

    account_id: UUID
    name: str
    display_name: str
    created_at: datetime
    disabled_at: datetime | None = None
    has_password: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginSession:
    """A log-in that has not ended. `session_id` names it to people; the token itself is nowhere but in the browser.

    `device` is what its crew calls the tablet or vehicle, where they told it.
    """

    session_id: UUID
    account_id: UUID
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime
    idle_s: int
    user_agent: str
    device: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key for a machine, in one commune. `prefix` is its beginning, by which people find it again."""

    key_id: UUID
    prefix: str
    name: str
    commune_insee: str
    roles: tuple[Role, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
