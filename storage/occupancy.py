"""The present state of parking spaces."""

from __future__ import annotations

from storage.database import Connection, fetch, statement
from storage.model import SpaceNow


def spaces_now(connection: Connection, commune_insee: str) -> list[SpaceNow]:
    """Return every parking space with its last known occupancy, by id."""
    return fetch(connection, SpaceNow, statement("occupancy", "spaces_now"), {"commune_insee": commune_insee})
