"""What is told of vehicles on the road, and what repairs of rounds are made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from storage.database import Connection, fetch, statement
from storage.model import ServiceEvent, VehicleEvent, VehiclePosition


def declare(connection: Connection, events: Iterable[VehicleEvent]) -> int:
    """Store what happened to vehicles; return how many events were new. One sent twice is stored once."""
    rows = [asdict(event) for event in events]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(statement("vehicle_events", "declare"), rows)
        return cursor.rowcount


def place(connection: Connection, position: VehiclePosition) -> bool:
    """Keep where a vehicle is, unless something newer is known; return whether it is kept.

    The one before is replaced; only the metres between the two are added to what the vehicle drove.
    """
    return connection.execute(statement("vehicle_events", "place"), asdict(position)).rowcount > 0


def between(connection: Connection, commune_insee: str, *, since: datetime, until: datetime) -> list[VehicleEvent]:
    """Return what happened to vehicles from `since` to `until`, by time."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until}
    return fetch(connection, VehicleEvent, statement("vehicle_events", "between"), parameters)


def positions(connection: Connection, commune_insee: str) -> list[VehiclePosition]:
    """Return where each vehicle said last that it is."""
    key = {"commune_insee": commune_insee}
    return fetch(connection, VehiclePosition, statement("vehicle_events", "positions"), key)


def forget_positions(connection: Connection, commune_insee: str, *, now: datetime) -> int:
    """Delete where vehicles were whose shift ended 45 minutes ago or more; return of how many.

    The metres that their positions told are kept, by vehicle and day.
    """
    parameters = {"commune_insee": commune_insee, "now": now}
    row = connection.execute(statement("vehicle_events", "forget_positions"), parameters).fetchone()
    return 0 if row is None else int(row[0])


def at_bins(connection: Connection, commune_insee: str, *, since: datetime, until: datetime) -> list[ServiceEvent]:
    """Return what was declared at bins from `since` to `until`, by time."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until}
    return fetch(connection, ServiceEvent, statement("vehicle_events", "at_bins"), parameters)


def weighed(connection: Connection, commune_insee: str, plan_id: UUID) -> frozenset[str]:
    """Return the names of what happened that a plan has answered, or that a repair found to change nothing."""
    key = {"commune_insee": commune_insee, "plan_id": plan_id}
    return frozenset(row[0] for row in connection.execute(statement("vehicle_events", "weighed"), key))


def note_weighed(connection: Connection, commune_insee: str, plan_id: UUID, names: Iterable[str]) -> None:
    """Note what a plan has answered."""
    key = {"commune_insee": commune_insee, "plan_id": plan_id}
    connection.execute(statement("vehicle_events", "note_weighed"), key | {"weighed": Jsonb(sorted(names))})
