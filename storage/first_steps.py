"""How far an installation has come on its way from empty to the first plan."""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Connection, fetch_one, statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Beginnings:
    """What of a commune is there. `device`: one is on a place; `message`: one came."""

    bins: bool
    kerb: bool
    device: bool
    message: bool
    reading: bool
    forecast: bool
    plan: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Accounts:
    """Whether anybody can log in, and whether one of them is an administrator."""

    any_account: bool
    administrator: bool


def of_commune(connection: Connection, commune_insee: str) -> Beginnings:
    """Return how far a commune has come."""
    found = fetch_one(connection, Beginnings, statement("first_steps", "of_commune"), {"commune_insee": commune_insee})
    assert found is not None
    return found


def accounts(connection: Connection) -> Accounts:
    """Return who could log in; needs a transaction that asks who somebody is."""
    found = fetch_one(connection, Accounts, statement("first_steps", "accounts"), {})
    assert found is not None
    return found
