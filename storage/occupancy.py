"""The present state of delivery bays and parking spaces."""

from __future__ import annotations

from storage.database import Connection, fetch, statement
from storage.model import BayNow, SpaceNow


def bays_now(connection: Connection, commune_insee: str) -> list[BayNow]:
    """Return every delivery bay with its rule and last known occupancy, by id."""
    return fetch(connection, BayNow, statement("occupancy", "bays_now"), {"commune_insee": commune_insee})


def spaces_now(connection: Connection, commune_insee: str) -> list[SpaceNow]:
    """Return every parking space with its last known occupancy, by id."""
    return fetch(connection, SpaceNow, statement("occupancy", "spaces_now"), {"commune_insee": commune_insee})
