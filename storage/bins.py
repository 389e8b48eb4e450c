"""Bins, their present state, and what agents declare at them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from storage import review
from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import NotFoundError
from storage.model import Bin, BinNow, Emptying, PlaceKind, ServiceEvent, ServiceEventKind


def save(connection: Connection, bins: Iterable[Bin]) -> None:
    """Insert or update bins."""
    rows = [asdict(item) | {"kind": PlaceKind.BIN, "surroundings": Jsonb(item.surroundings)} for item in bins]
    with connection.cursor() as cursor:
        cursor.executemany(statement("places", "upsert_place"), rows)
        cursor.executemany(statement("bins", "upsert_bin"), rows)


def every(connection: Connection, commune_insee: str) -> list[Bin]:
    """Return the commune's bins by id."""
    return fetch(connection, Bin, statement("bins", "every"), {"commune_insee": commune_insee})


def now(connection: Connection, commune_insee: str, *, at: datetime) -> list[BinNow]:
    """Return every bin with what is measured, declared and predicted for it at `at` (the commune's present)."""
    return fetch(
        connection, BinNow, statement("bins", "now"), {"commune_insee": commune_insee, "now": at, "place_id": None}
    )


def one_now(connection: Connection, commune_insee: str, place_id: str, *, at: datetime) -> BinNow:
    """Return one bin as `now` does; NotFoundError when the commune has no such bin."""
    parameters = {"commune_insee": commune_insee, "now": at, "place_id": place_id}
    found = fetch_one(connection, BinNow, statement("bins", "now"), parameters)
    if found is None:
        raise NotFoundError(f"commune {commune_insee} has no bin {place_id!r}")
    return found


def declare(connection: Connection, events: Iterable[ServiceEvent]) -> int:
    """Store what agents declared and tell the live listeners; return how many were new.

    An event sent twice is stored once.
    """
    rows = [asdict(event) for event in events]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(statement("bins", "declare"), rows)
        new = cursor.rowcount
    if new:
        for commune_insee in sorted({row["commune_insee"] for row in rows}):
            notice = {"kind": "service_events", "commune_insee": commune_insee}
            connection.execute(statement("readings", "notify"), {"message": msgspec.json.encode(notice).decode()})
            # What a sensor saw around an emptying is looked at again in the light of it.
            emptied = [
                review.Due(kind="declared", device_id=0, place_id=row["place_id"], changed_since=row["happened_at"])
                for row in rows
                if row["commune_insee"] == commune_insee and row["kind"] == ServiceEventKind.EMPTIED
            ]
            review.ask(connection, commune_insee, emptied)
    return new


def known_ids(connection: Connection, commune_insee: str, place_ids: Iterable[str]) -> set[str]:
    """Return those of `place_ids` that are bins of the commune."""
    parameters = {"commune_insee": commune_insee, "place_ids": list(place_ids)}
    return {place_id for (place_id,) in connection.execute(statement("bins", "known_ids"), parameters)}


def emptyings(
    connection: Connection, commune_insee: str, *, since: datetime, until: datetime, place_id: str | None = None
) -> list[Emptying]:
    """Return declared emptyings in [since, until), of all bins or of one, by place and time."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until, "place_id": place_id}
    return fetch(connection, Emptying, statement("bins", "emptyings"), parameters)


def events_of_plan(connection: Connection, commune_insee: str, plan_id: UUID) -> list[ServiceEvent]:
    """Return what agents declared while driving a plan, by time."""
    parameters = {"commune_insee": commune_insee, "plan_id": plan_id}
    return fetch(connection, ServiceEvent, statement("bins", "events_of_plan"), parameters)
