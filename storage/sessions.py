"""Stays of vehicles in the database: what has to be made anew, the reports for it, and what was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from storage.database import Connection, fetch, statement
from storage.model import OccupancyPresent, OccupancySession

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES = (
    "text", "text", "timestamptz", "timestamptz", "bool", "timestamptz", "timestamptz", "text", "float8", "float4",
    "int4", "int8", "float8",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionsDue:
    """A place whose readings changed since `changed_since`, by event time."""

    place_id: str
    changed_since: datetime


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A stored reading as sessions are made of it; `series` is the place's index, `payload_bytes` -1: not known."""

    series: int
    at_us: int
    record_index: int
    device_id: int
    occupied: bool | None
    counter: int
    payload_bytes: int
    model: str | None


def lock(connection: Connection, commune_insee: str, *, wait: bool = False) -> bool:
    """Hold the commune's sessions until the transaction ends; False when another one holds them and we do not wait."""
    parameters = {"commune_insee": commune_insee}
    if wait:
        connection.execute(statement("sessions", "wait_for_lock"), parameters)
        return True
    row = connection.execute(statement("sessions", "lock"), parameters).fetchone()
    return bool(row and row[0])


def ask(connection: Connection, commune_insee: str, due: Iterable[SessionsDue]) -> None:
    """Have these places' sessions made anew: part of the transaction that changed what they are made of."""
    ours = list(due)
    if ours:
        parameters = {
            "commune_insee": commune_insee,
            "place_ids": [one.place_id for one in ours],
            "changed_since": [one.changed_since for one in ours],
        }
        connection.execute(statement("sessions", "ask"), parameters)


def take_due(connection: Connection, commune_insee: str) -> list[SessionsDue]:
    """Take away what is due, one row for each place; it is due again if the transaction fails."""
    return fetch(connection, SessionsDue, statement("sessions", "take_due"), {"commune_insee": commune_insee})


def reports(
    connection: Connection, commune_insee: str, places: Sequence[tuple[str, datetime]]
) -> list[list[ReportRow]]:
    """Return the readings of each of the places since its moment, by event time."""
    found: list[list[ReportRow]] = [[] for _ in places]
    parameters = {
        "commune_insee": commune_insee,
        "place_ids": [place_id for place_id, _ in places],
        "since": [since for _, since in places],
        "earliest": min((since for _, since in places), default=BEGINNING),
    }
    for row in connection.execute(statement("sessions", "reports"), parameters):
        found[row[0]].append(ReportRow(*row))
    return found


def replace(
    connection: Connection,
    commune_insee: str,
    *,
    after: Sequence[tuple[str, datetime]],
    sessions: Sequence[OccupancySession],
) -> None:
    """Put `sessions` in the place of those that began after each place's moment."""
    parameters = {
        "commune_insee": commune_insee,
        "place_ids": [place_id for place_id, _ in after],
        "after": [moment for _, moment in after],
        "earliest": min((moment for _, moment in after), default=BEGINNING),
    }
    connection.execute(statement("sessions", "forget_after"), parameters)
    if not sessions:
        return
    with connection.cursor() as cursor:
        cursor.execute(statement("sessions", "stage"))
        with cursor.copy(statement("sessions", "copy").removesuffix(";")) as copy:
            copy.set_types(_TYPES)
            for one in sessions:
                copy.write_row((commune_insee, *_values(one)))
        cursor.execute(statement("sessions", "take"))
        cursor.execute(statement("sessions", "unstage"))


def _values(one: OccupancySession) -> tuple[Any, ...]:
    return (
        one.place_id, one.started_at, one.started_after, one.start_seen, one.last_seen_at, one.ended_at,
        one.ended_by.value, one.dwell_s, one.certainty, one.reports, one.device_id,
        one.overstay_s,
    )  # fmt: skip


def save_present(connection: Connection, commune_insee: str, present: Iterable[OccupancyPresent]) -> None:
    """Store what the places' sensors last said."""
    rows = [asdict(one) | {"commune_insee": commune_insee} for one in present]
    with connection.cursor() as cursor:
        cursor.executemany(statement("sessions", "save_present"), rows)


def forget_present(connection: Connection, commune_insee: str, place_ids: Sequence[str]) -> None:
    """Forget what sensors said of places of which no reading is left."""
    if place_ids:
        parameters = {"commune_insee": commune_insee, "place_ids": list(place_ids)}
        connection.execute(statement("sessions", "forget_present"), parameters)


def of_place(
    connection: Connection, commune_insee: str, place_id: str, *, since: datetime, until: datetime, limit: int = 1000
) -> list[OccupancySession]:
    """Return the sessions at a place that touch [since, until), newest first."""
    parameters = {
        "commune_insee": commune_insee, "place_id": place_id, "since": since, "until": until, "limit": limit,
    }  # fmt: skip
    return fetch(connection, OccupancySession, statement("sessions", "of_place"), parameters)
