"""The devices' days and their health: what is usual for each, and how it is now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from storage.database import Connection, fetch, statement
from storage.model import DeviceHealth, PlaceKind
from storage.signal_table import DayTable

_DAY_TYPES = (
    "text", "int8", "date", "int4", "int4", "int4", "float4", "float4", "int4", "int4", "float4", "float4", "float4",
    "float4", "float4", "float4",
)  # fmt: skip
_COUNTS = ("readings", "frames", "lost", "repeats", "changes")
_FIGURES = (
    "median_gap_s", "longest_gap_s", "noise_fraction", "step_fraction", "battery_percent", "battery_v", "rssi_dbm",
    "snr_db",
)  # fmt: skip
_FIRST_DAY = date(1970, 1, 1)


def save_days(connection: Connection, commune_insee: str, days: DayTable) -> None:
    """Store days of devices, in place of what was known of them."""
    if len(days) == 0:
        return
    order = (
        "readings", "frames", "lost", "median_gap_s", "longest_gap_s", "repeats", "changes", "noise_fraction",
        "step_fraction", "battery_percent", "battery_v", "rssi_dbm", "snr_db",
    )  # fmt: skip
    columns = [_with_nones(getattr(days, name)) for name in order]
    with connection.cursor() as cursor:
        cursor.execute(statement("health", "stage_days"))
        with cursor.copy(statement("health", "copy_days").removesuffix(";")) as copy:
            copy.set_types(_DAY_TYPES)
            for device_id, day, *rest in zip(days.device_id.tolist(), days.day.tolist(), *columns, strict=True):
                copy.write_row((commune_insee, device_id, _FIRST_DAY + timedelta(days=day), *rest))
        cursor.execute(statement("health", "take_days"))
        cursor.execute(statement("health", "unstage_days"))


def _with_nones(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float | None]:
    if values.dtype.kind != "f":
        return list(values.tolist())
    return [value if known else None for value, known in zip(values.tolist(), np.isfinite(values), strict=True)]


def days(connection: Connection, device_ids: Sequence[int], *, most: int) -> DayTable:
    """Return the last `most` days on which each of the devices was heard, by device and day."""
    rows = connection.execute(statement("health", "days"), {"device_ids": list(device_ids), "most": most}).fetchall()
    names = ("device_id", "day", *_COUNTS, *_FIGURES)
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [() for _ in names]
    arrays: dict[str, Any] = {
        name: np.array(column, dtype=np.float64 if name in _FIGURES else np.int64)
        for name, column in zip(names, columns, strict=True)
    }
    return DayTable(**arrays)


def save(connection: Connection, commune_insee: str, health: Iterable[DeviceHealth]) -> None:
    """Store how these devices are now; a network once known stays known, and so does an excuse."""
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("health", "save"), [asdict(one) | {"commune_insee": commune_insee} for one in health]
        )


def excuse(connection: Connection, commune_insee: str, networks: Iterable[str], *, until: datetime) -> None:
    """Excuse the devices of these networks (empty: of no known one) for having been silent until now."""
    parameters = {"commune_insee": commune_insee, "networks": list(networks), "excused_until": until}
    connection.execute(statement("health", "excuse"), parameters)


def of_commune(connection: Connection, commune_insee: str) -> list[DeviceHealth]:
    """Return the health of every device that was ever heard."""
    return fetch(connection, DeviceHealth, statement("health", "of_commune"), {"commune_insee": commune_insee})


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchedDevice:
    """A device that is on a place now, with its health; None where nothing is known, as of one that never spoke.

    `checks_right` and `checks_wrong`: how often officers found it so within 90 days (storage/checks.py).
    """

    device_id: int
    eui: str
    model: str
    place_id: str
    place_kind: PlaceKind
    mounted_at: datetime
    heard_at: datetime | None
    heard_before_at: datetime | None
    silent_after_s: float | None
    excused_until: datetime | None
    network: str | None
    period_s: float | None
    battery_percent: float | None
    battery_v: float | None
    battery_empty_at: datetime | None
    rssi_dbm: float | None
    snr_db: float | None
    loss_fraction: float | None
    checks_right: int
    checks_wrong: int


def watched(connection: Connection, commune_insee: str, *, at: datetime) -> list[WatchedDevice]:
    """Return every device that should speak at `at`, by id."""
    return fetch(connection, WatchedDevice, statement("health", "watched"), {"commune_insee": commune_insee, "now": at})


def models(connection: Connection, commune_insee: str) -> dict[int, str]:
    """Return the model of every device by its id."""
    rows = connection.execute(statement("health", "models"), {"commune_insee": commune_insee}).fetchall()
    return dict(rows)
