"""Reviewed levels of bins, the emptyings that sensors saw, and how they compare with what crews declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np

from storage.database import Connection, fetch, statement
from storage.level_table import LevelTable
from storage.model import BinLevel, DeclaredCheck, DetectedEmptying, Quality
from storage.review import Due, moment
from storage.signal_table import QUALITIES, Flags, Floats, Ints, SignalTable, VerdictTable

# PostgreSQL's binary COPY (documentation of COPY, "Binary Format"): a header without extension, rows whose fields each
# follow their length, and a trailer; all big-endian.
_COPY_HEADER, _COPY_TRAILER = 19, 2
_LEVEL_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("place_bytes", ">i4"),
        ("place", ">i4"),
        ("measured_bytes", ">i4"),
        ("measured_at_s", ">i8"),
        ("fill_bytes", ">i4"),
        ("fill_fraction", ">f4"),
    ]
)

_TYPES = ("text", "int8", "text", "timestamptz", "int2", "text", "text", "float4", "float4")


def save_verdicts(
    connection: Connection,
    commune_insee: str,
    due: Sequence[Due],
    *,
    table: SignalTable,
    verdicts: VerdictTable,
    changed: Flags,
) -> None:
    """Store the verdicts on the readings that `changed` (n,) marks; `due` names the device and place of each series."""
    rows = np.flatnonzero(changed)
    if len(rows) == 0:
        return
    columns = zip(
        rows.tolist(),
        table.series[rows].tolist(),
        table.measured_us[rows].tolist(),
        table.record_index[rows].tolist(),
        verdicts.quality[rows].tolist(),
        verdicts.filtered_fraction[rows].tolist(),
        verdicts.filtered_sd[rows].tolist(),
        np.isfinite(verdicts.filtered_fraction[rows]).tolist(),
        strict=True,
    )
    qualities = [quality.value for quality in QUALITIES]
    with connection.cursor() as cursor:
        cursor.execute(statement("levels", "stage"))
        with cursor.copy(statement("levels", "copy").removesuffix(";")) as copy:
            copy.set_types(_TYPES)
            for row, series, measured_us, record_index, quality, filtered, deviation, known in columns:
                one = due[series]
                copy.write_row(
                    (
                        commune_insee, one.device_id, one.place_id, moment(measured_us), record_index,
                        qualities[quality], verdicts.reasons.get(row), filtered if known else None,
                        deviation if known else None,
                    )
                )  # fmt: skip
        cursor.execute(statement("levels", "take"))
        cursor.execute(statement("levels", "unstage"))


def forget_displaced(connection: Connection, due: Sequence[Due]) -> None:
    """Forget the verdicts on readings that are no longer on these places."""
    if due:
        parameters = _of_due(due) | {"earliest": min(one.changed_since for one in due)}
        connection.execute(statement("levels", "forget_displaced"), parameters)


def save_bin_levels(connection: Connection, commune_insee: str, levels: Iterable[BinLevel]) -> None:
    """Store the last trusted level of each bin."""
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("levels", "save_bin_level"),
            [asdict(level) | {"commune_insee": commune_insee} for level in levels],
        )


def forget_bin_levels(connection: Connection, commune_insee: str, gone: Sequence[Due]) -> None:
    """Forget the levels of bins that none of their device's readings is on any more."""
    if gone:
        connection.execute(statement("levels", "forget_bin_levels"), _of_due(gone) | {"commune_insee": commune_insee})


def bin_levels(connection: Connection, commune_insee: str, *, place_ids: Sequence[str] | None = None) -> list[BinLevel]:
    """Return the last trusted level of every bin, or of these, by place."""
    parameters = {"commune_insee": commune_insee, "place_ids": None if place_ids is None else list(place_ids)}
    return fetch(connection, BinLevel, statement("levels", "bin_levels"), parameters)


def trusted(connection: Connection, commune_insee: str, *, since: datetime, until: datetime) -> LevelTable:
    """Return the measured levels in [since, until) that the review trusts, by place and event time.

    What is not reviewed yet is trusted as far as intake judged it.
    """
    parameters = {"commune_insee": commune_insee, "since": since, "until": until}
    found = connection.execute(statement("levels", "trusted_places"), parameters).fetchall()
    places = np.array([place_id for (place_id,) in found], dtype=object)
    content = bytearray()
    with (
        connection.cursor() as cursor,
        cursor.copy(statement("levels", "copy_trusted").removesuffix(";"), parameters) as copy,
    ):
        for block in copy:
            content += block
    rows = np.frombuffer(content, dtype=_LEVEL_ROW, offset=_COPY_HEADER, count=_rows_in(len(content)))
    return LevelTable(
        place_id=places[rows["place"]] if len(rows) else np.zeros(0, dtype=object),
        measured_at_s=rows["measured_at_s"].astype(np.int64),
        fill_fraction=rows["fill_fraction"].astype(np.float32),
    )


def _rows_in(length: int) -> int:
    """Return how many rows of levels a binary COPY of so many bytes holds."""
    rows, rest = divmod(length - _COPY_HEADER - _COPY_TRAILER, _LEVEL_ROW.itemsize)
    assert rest == 0, "rows of levels have a fixed width, since none of their columns is null"
    return rows


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewedLevel:
    """One measurement of a bin with its verdict; `filtered_fraction` is None where the reading is not trusted.

    `reviewed` is False while intake's is the only judgement.
    """

    measured_at: datetime
    fill_fraction: float | None
    quality: Quality
    reason: str | None
    filtered_fraction: float | None
    filtered_sd: float | None
    reviewed: bool


def of_bin(
    connection: Connection, commune_insee: str, place_id: str, *, since: datetime, until: datetime
) -> list[ReviewedLevel]:
    """Return one bin's measurements in [since, until) with their verdicts, by event time."""
    parameters = {"commune_insee": commune_insee, "place_id": place_id, "since": since, "until": until}
    return fetch(connection, ReviewedLevel, statement("levels", "of_bin"), parameters)


def replace_emptyings(
    connection: Connection, commune_insee: str, due: Sequence[Due], found: Iterable[DetectedEmptying]
) -> None:
    """Store the emptyings seen on these places since each one's `changed_since`, in place of what was there."""
    connection.execute(statement("levels", "forget_emptyings"), _of_due(due) | {"commune_insee": commune_insee})
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("levels", "save_emptying"), [asdict(one) | {"commune_insee": commune_insee} for one in found]
        )


def save_checks(connection: Connection, commune_insee: str, checks: Iterable[DeclaredCheck]) -> None:
    """Store what sensors say of declared emptyings."""
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("levels", "save_check"), [asdict(one) | {"commune_insee": commune_insee} for one in checks]
        )


def emptyings(
    connection: Connection, commune_insee: str, *, since: datetime, until: datetime, place_id: str | None = None
) -> list[DetectedEmptying]:
    """Return the emptyings that sensors saw in [since, until), of all bins or of one, by place and time."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until, "place_id": place_id}
    return fetch(connection, DetectedEmptying, statement("levels", "emptyings"), parameters)


def checks(
    connection: Connection, commune_insee: str, *, since: datetime, until: datetime, place_id: str | None = None
) -> list[DeclaredCheck]:
    """Return what sensors say of the emptyings declared in [since, until), by place and time."""
    parameters = {"commune_insee": commune_insee, "since": since, "until": until, "place_id": place_id}
    return fetch(connection, DeclaredCheck, statement("levels", "checks"), parameters)


def leftovers(connection: Connection, commune_insee: str, due: Sequence[Due]) -> tuple[Ints, Floats, Floats]:
    """Return what the last five emptyings before each one's `changed_since` left: series, Unix seconds, levels."""
    parameters = _of_due(due) | {"commune_insee": commune_insee}
    rows = connection.execute(statement("levels", "leftovers"), parameters).fetchall()
    series, at_s, left = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(series, dtype=np.int64), np.array(at_s, dtype=np.float64), np.array(left, dtype=np.float64)


def _of_due(due: Sequence[Due]) -> dict[str, list[object]]:
    return {
        "device_ids": [one.device_id for one in due],
        "place_ids": [one.place_id for one in due],
        "since": [one.changed_since for one in due],
    }
