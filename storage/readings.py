"""What collectors take in: one batch, one transaction; and the measured levels that forecasting reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from psycopg.types.json import Jsonb

from storage import refusals
from storage.database import Connection, fetch, fetch_one, statement
from storage.level_table import LevelTable
from storage.model import IntakeBatch, IntakeResult, IntakeTally, Quality, RefusalReason

_FILL_TYPES = (
    "text", "int8", "text", "timestamptz", "int2", "timestamptz", "text", "float4", "int4", "float4", "float4", "bool",
    "int8", "bytea", "timestamptz", "float4", "bool", "bool", "float4", "float4", "text",
)  # fmt: skip
_OCCUPANCY_TYPES = (
    "text", "int8", "text", "timestamptz", "int2", "timestamptz", "text", "bool", "float4", "float4", "int8", "bytea",
    "timestamptz", "float4", "float4", "float4", "text",
)  # fmt: skip


def take_in(connection: Connection, batch: IntakeBatch) -> IntakeResult:
    """Store a batch in the caller's transaction: readings idempotently, refusals whole, one row of the ledger.

    The caller commits, and acknowledges only afterwards.
    """
    offered = len(batch.fill_readings) + len(batch.occupancy_readings) + len(batch.device_events)
    stored = 0
    if batch.fill_readings:
        fill_rows = (
            (
                r.commune_insee, r.device_id, r.place_id, r.measured_at, r.record_index, r.received_at, r.quality.value,
                r.fill_fraction, r.distance_mm, r.temperature_c, r.battery_percent, r.tilted, r.frame_counter,
                r.payload, r.network_time, r.battery_v, r.fire, r.full, r.rssi_dbm, r.snr_db,
                r.network,
            )
            for r in batch.fill_readings
        )  # fmt: skip
        stored += _copy_new(connection, "fill", _FILL_TYPES, fill_rows)
    if batch.occupancy_readings:
        occupancy_rows = (
            (
                r.commune_insee, r.device_id, r.place_id, r.measured_at, r.record_index, r.received_at, r.quality.value,
                r.occupied, r.temperature_c, r.battery_percent, r.frame_counter, r.payload, r.network_time, r.battery_v,
                r.rssi_dbm, r.snr_db, r.network,
            )
            for r in batch.occupancy_readings
        )  # fmt: skip
        stored += _copy_new(connection, "occupancy", _OCCUPANCY_TYPES, occupancy_rows)
    if batch.device_events:
        events = [asdict(event) | {"detail": Jsonb(event.detail)} for event in batch.device_events]
        with connection.cursor() as cursor:
            cursor.executemany(statement("readings", "take_event"), events)
            stored += cursor.rowcount
    newly_refused = refusals.keep(connection, batch.commune_insee, batch.refused) if batch.refused else 0
    offered += len(batch.refused) - newly_refused
    result = IntakeResult(stored=stored, duplicates=offered - stored, refused=newly_refused)
    ledger = {"commune_insee": batch.commune_insee, "collector": batch.collector, "messages": batch.messages}
    connection.execute(statement("readings", "tally_batch"), ledger | asdict(result))
    if stored:
        for kind, taken in (("fill", batch.fill_readings), ("occupancy", batch.occupancy_readings)):
            if taken:
                connection.execute(statement("readings", f"review_{kind}"), {"commune_insee": batch.commune_insee})
        notice = {"kind": "readings", "commune_insee": batch.commune_insee, "stored": stored}
        connection.execute(statement("readings", "notify"), {"message": msgspec.json.encode(notice).decode()})
    return result


def _copy_new(connection: Connection, kind: str, types: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> int:
    """Copy rows to a temporary table and take over those whose key is new; return their number."""
    with connection.cursor() as cursor:
        cursor.execute(statement("readings", f"stage_{kind}"))
        with cursor.copy(statement("readings", f"copy_{kind}").removesuffix(";")) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
        return cursor.execute(statement("readings", f"take_{kind}")).rowcount


def tally(connection: Connection, commune_insee: str) -> IntakeTally:
    """Return the sum of the collectors' ledger."""
    found = fetch_one(connection, IntakeTally, statement("readings", "tally"), {"commune_insee": commune_insee})
    assert found is not None  # an aggregate always has a row
    return found


def levels(connection: Connection, commune_insee: str, *, since: datetime, until: datetime) -> LevelTable:
    """Return the levels measured in [since, until), by place and event time."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until}
    rows = connection.execute(statement("readings", "levels"), parameters).fetchall()
    places, seconds, fractions = zip(*rows, strict=True) if rows else ((), (), ())
    return LevelTable(
        place_id=np.array(places, dtype=object),
        measured_at_s=np.array(seconds, dtype=np.int64),
        fill_fraction=np.array(fractions, dtype=np.float32),
    )


def last_measured_at(connection: Connection, commune_insee: str) -> datetime | None:
    """Return the event time of the commune's newest reading, None before the first."""
    row = connection.execute(statement("readings", "last_measured_at"), {"commune_insee": commune_insee}).fetchone()
    return None if row is None else row[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredLevel:
    """One measurement of a bin as people see it in its history."""

    measured_at: datetime
    fill_fraction: float | None
    quality: Quality
    distance_mm: int | None
    temperature_c: float | None
    battery_percent: float | None


def history_of_bin(
    connection: Connection, commune_insee: str, place_id: str, *, since: datetime, until: datetime
) -> list[MeasuredLevel]:
    """Return one bin's measurements in [since, until), by event time."""
    parameters = {"commune_insee": commune_insee, "place_id": place_id, "since": since, "until": until}
    return fetch(connection, MeasuredLevel, statement("readings", "history_of_bin"), parameters)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusalCount:
    """How many messages were refused for one reason."""

    reason: RefusalReason
    messages: int
    last_received_at: datetime


def refusals_by_reason(connection: Connection, commune_insee: str) -> list[RefusalCount]:
    """Return the refused messages counted by reason, most frequent first."""
    parameters = {"commune_insee": commune_insee}
    return fetch(connection, RefusalCount, statement("readings", "refusals_by_reason"), parameters)


def reading_keys(connection: Connection, commune_insee: str) -> set[tuple[str, float]]:
    """Return (eui, event time in Unix seconds) of everything stored: what a test of loss compares with."""
    rows = connection.execute(statement("readings", "reading_keys"), {"commune_insee": commune_insee})
    return {(eui, measured_at_s) for eui, measured_at_s in rows}


def reading_records(connection: Connection, commune_insee: str) -> list[tuple[str, int, int]]:
    """Return (eui, event time in Unix microseconds, record index) of every row of both tables of readings."""
    rows = connection.execute(statement("readings", "reading_records"), {"commune_insee": commune_insee}).fetchall()
    return [(eui, measured_us, record_index) for eui, measured_us, record_index in rows]


def refused_digests(connection: Connection, commune_insee: str) -> Counter[str]:
    """Return how often each refused message came, by SHA-256 (hex) of topic + payload, for the same purpose.

    Messages that a replay took in after all are among them: they are kept with what became of them.
    """
    rows = connection.execute(statement("readings", "refused_digests"), {"commune_insee": commune_insee})
    return Counter(dict(rows.fetchall()))
