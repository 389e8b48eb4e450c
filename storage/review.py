"""What the review has to look at, and the readings for it in columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from storage.database import Connection, fetch, statement
from storage.signal_table import QUALITIES, Floats, Ints, SignalTable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POSTGRES_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts from 2000."""

_HEADER_BYTES = 19
_COLUMNS = (
    ("series", ">i8"), ("measured_us", ">i8"), ("record_index", ">i8"), ("heard_us", ">i8"), ("quality", ">i8"),
    ("fill_fraction", ">f8"), ("distance_mm", ">f8"), ("empty_distance_mm", ">f8"), ("temperature_c", ">f8"),
    ("battery_percent", ">f8"), ("battery_v", ">f8"), ("rssi_dbm", ">f8"), ("snr_db", ">f8"), ("frame_counter", ">i8"),
    ("tilted", ">i8"), ("fire", ">i8"), ("full", ">i8"), ("reviewed_quality", ">i8"), ("reviewed_fraction", ">f8"),
)  # fmt: skip
# A row of COPY's binary form: the number of fields, then each with its length.
_ROW = np.dtype(
    [("fields", ">i2")] + [part for name, kind in _COLUMNS for part in ((f"{name}_bytes", ">i4"), (name, kind))]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """One device on one place whose readings (or declarations) changed since `changed_since`, by event time."""

    kind: str
    device_id: int
    place_id: str
    changed_since: datetime
    network: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Signals:
    """Readings in columns, with what an earlier review said of each: `quality` int64 (-1: nothing), `filtered`."""

    table: SignalTable
    quality: Ints
    filtered: Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredEmptying:
    """An emptying that a crew declared, by its event."""

    event_id: UUID
    place_id: str
    happened_at: datetime
    found_fraction: float | None


def lock(connection: Connection, commune_insee: str, *, wait: bool = False) -> bool:
    """Hold the commune's review until the transaction ends; False when another one holds it and we do not `wait`."""
    parameters = {"commune_insee": commune_insee}
    if wait:
        connection.execute(statement("review", "wait_for_lock"), parameters)
        return True
    row = connection.execute(statement("review", "lock"), parameters).fetchone()
    return bool(row and row[0])


def ask(connection: Connection, commune_insee: str, due: Iterable[Due]) -> None:
    """Have these readings reviewed (again): part of the transaction that changed them. `device_id` 0: a declaration."""
    by_kind: dict[str, list[Due]] = {}
    for one in due:
        by_kind.setdefault(one.kind, []).append(one)
    for kind, ours in by_kind.items():
        parameters = {
            "commune_insee": commune_insee,
            "kind": kind,
            "device_ids": [one.device_id for one in ours if one.kind != "declared"],
            "place_ids": [one.place_id for one in ours],
            "changed_since": [one.changed_since for one in ours],
            "networks": [one.network for one in ours],
        }
        connection.execute(statement("review", "ask"), parameters)


def is_due(connection: Connection, commune_insee: str) -> bool:
    """Whether anything of the commune waits for a review."""
    row = connection.execute(statement("review", "is_due"), {"commune_insee": commune_insee}).fetchone()
    return bool(row and row[0])


def take_due(connection: Connection, commune_insee: str) -> list[Due]:
    """Take away what waits, one row for each device on a place; it waits again if the transaction fails."""
    return fetch(connection, Due, statement("review", "take_due"), {"commune_insee": commune_insee})


def fill_signals(connection: Connection, commune_insee: str, due: Sequence[Due]) -> Signals:
    """Return the bins' readings since each one's `changed_since`; the series is its index."""
    return _signals(connection, "fill_signals", commune_insee, due)


def occupancy_signals(connection: Connection, commune_insee: str, due: Sequence[Due]) -> Signals:
    """Return the bays' and spaces' readings in the same form, without levels."""
    return _signals(connection, "occupancy_signals", commune_insee, due)


def _signals(connection: Connection, query: str, commune_insee: str, due: Sequence[Due]) -> Signals:
    parameters = {
        "commune_insee": commune_insee,
        "qualities": [quality.value for quality in QUALITIES],
        "device_ids": [one.device_id for one in due],
        "place_ids": [one.place_id for one in due],
        "since": [one.changed_since for one in due],
        "earliest": min((one.changed_since for one in due), default=_EPOCH),
    }
    with (
        connection.cursor() as cursor,
        cursor.copy(statement("review", query).removesuffix(";"), parameters) as copy,
    ):
        data = b"".join(bytes(block) for block in copy)
    # Two bytes at the end say that it is the end.
    rows = np.frombuffer(data, dtype=_ROW, offset=_HEADER_BYTES, count=(len(data) - _HEADER_BYTES) // _ROW.itemsize)
    columns: dict[str, Any] = {
        name: rows[name].astype(np.int64 if kind == ">i8" else np.float64) for name, kind in _COLUMNS
    }
    for name in ("measured_us", "heard_us"):
        columns[name] += _POSTGRES_EPOCH_US
    for name in ("tilted", "fire", "full"):
        columns[name] = columns[name] == 1
    quality, filtered = columns.pop("reviewed_quality"), columns.pop("reviewed_fraction")
    return Signals(table=SignalTable(**columns), quality=quality, filtered=filtered)


def declared(
    connection: Connection, commune_insee: str, place_ids: Sequence[str], *, earliest: datetime
) -> list[DeclaredEmptying]:
    """Return the declared emptyings of these places since `earliest`, by place and time."""
    parameters = {"commune_insee": commune_insee, "place_ids": list(place_ids), "earliest": earliest}
    return fetch(connection, DeclaredEmptying, statement("review", "declared"), parameters)


def moment(micros: int) -> datetime:
    """Return Unix microseconds as UTC."""
    return _EPOCH + timedelta(microseconds=micros)
