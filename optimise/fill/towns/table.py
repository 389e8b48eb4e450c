"""The rows of a town's file: read, or refused with their line and the reason. Pure: lines come in, columns go out."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from optimise.csv_columns import Column
from optimise.csv_rows import Refusal, Refusals, as_number, as_seconds, numbered_rows, quoted
from optimise.fill.readings import Floats, Ints, ordered_key
from optimise.fill.towns.columns import (
    BIN,
    EMPTIED_AT,
    FILL,
    KIND,
    LAT,
    LON,
    MEASURED_AT,
    VOLUME,
    find_columns,
)

_MOST_PERCENT = 150.0
_EARLIEST_S, _LATEST_S = 0.0, 4_102_444_800.0  # 1970 to 2100
_MOST_KEPT = 200_000


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a file says of a bin's place; NaN or None where it says nothing. `more`: name -> the text of its cell."""

    lon: float = math.nan
    lat: float = math.nan
    kind: str | None = None
    volume_l: float = math.nan
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """What was read: rows in columns of one length n, ordered by bin and time.

    `names`: the bins; `bin_row` (n,): index into them; `at_s` (n,): Unix seconds; `fill` (n,): fractions, 1.0 where the
    file says more than full. `places`: name -> what the rows say of its place. `refused` counts all refusals, of which
    the first thousand are listed.
    """

    names: tuple[str, ...]
    bin_row: Ints
    at_s: Ints
    fill: Floats
    places: dict[str, Place]
    refused: int
    refusals: tuple[Refusal, ...]
    columns: dict[str, str]


def read_table(
    lines: Iterable[str],
    *,
    emptyings: bool,
    time_zone: str = "UTC",
    mapping: dict[str, tuple[str, float]] | None = None,
) -> Table:
    """Read the rows of a file: levels, or with `emptyings` one row for each emptying.

    `time_zone` is that of times that name none. Raises InputError when there is no header, or a column is missing.
    """
    rows, header = numbered_rows(lines)
    columns = find_columns(header, emptyings=emptyings, mapping=mapping)
    reader = _Reader(columns, columns[EMPTIED_AT if emptyings else MEASURED_AT], ZoneInfo(time_zone))
    for line, row in rows:
        reader.take(line, row)
    return reader.table()


def read_places(lines: Iterable[str]) -> dict[str, Place]:
    """Read a file of places: a row for each bin with `bin_id`, the format's columns, and any others as features."""
    rows, header = numbered_rows(lines)
    columns = find_columns([*header, "measured_at", "fill_percent"], emptyings=False)
    taken = {column.index for column in columns.values()}
    others = [(index, name.strip()) for index, name in enumerate(header) if index not in taken and name.strip()]
    places: dict[str, Place] = {}
    for _, row in rows:
        cells = [cell.strip() for cell in row] + [""] * (len(header) - len(row))
        name = cells[columns[BIN].index]
        if name:
            places.setdefault(name, _place(cells, columns, tuple((other, cells[i]) for i, other in others)))
    return places


def _place(cells: Sequence[str], columns: dict[str, Column], more: tuple[tuple[str, str], ...] = ()) -> Place:
    def number(name: str, low: float, high: float) -> float:
        value = as_number(cells[columns[name].index]) if name in columns else math.nan
        return value if low <= value <= high else math.nan

    kind = cells[columns[KIND].index].strip() if KIND in columns else ""
    return Place(
        lon=number(LON, -180, 180),
        lat=number(LAT, -90, 90),
        kind=kind or None,
        volume_l=number(VOLUME, 1, 100_000),
        more=more,
    )


class _Reader:
    """Takes rows one by one into columns: a year of hourly levels as rows of text would fill the memory."""

    def __init__(self, columns: dict[str, Column], when: Column, zone: ZoneInfo) -> None:
        self._columns, self._zone = columns, zone
        self._name, self._when, self._fill = columns[BIN].index, when.index, columns[FILL].index
        self._factor = columns[FILL].factor
        self._last = max(self._name, self._when, self._fill)
        # Times and levels come again and again in a town's file: each text is read once.
        self._seconds: dict[str, float] = {}
        self._numbers: dict[str, float] = {}
        self._rows: dict[str, int] = {}
        self._places: dict[str, Place] = {}
        self._bin, self._at, self._percent, self._line = array("i"), array("d"), array("f"), array("I")
        self._refusals = Refusals()

    def take(self, line: int, row: list[str]) -> None:
        """Take or refuse a row; blank lines are nobody's fault."""
        if not self._refusals.admits(line, row, last=self._last):
            return
        name, when, level = row[self._name].strip(), row[self._when].strip(), row[self._fill]
        if not name:
            self._refusals.refuse(line, "names no bin")
            return
        at_s = self._kept(self._seconds, when, lambda text: as_seconds(text, self._zone))
        if not _EARLIEST_S < at_s < _LATEST_S:
            self._refusals.refuse(line, f"expected a date and time, got {quoted(when)}")
            return
        percent = self._kept(self._numbers, level, as_number) * self._factor
        if not 0 <= percent <= _MOST_PERCENT:
            self._refusals.refuse(line, f"expected 0 <= {FILL} <= {_MOST_PERCENT:g}, got {quoted(level)}")
            return
        number = self._rows.get(name)
        if number is None:
            number = self._rows[name] = len(self._rows)
            cells = [*row, *[""] * (max(c.index for c in self._columns.values()) + 1 - len(row))]
            self._places[name] = _place(cells, self._columns)
        self._bin.append(number)
        self._at.append(at_s)
        self._percent.append(percent)
        self._line.append(line)

    @staticmethod
    def _kept(known: dict[str, float], text: str, read: Callable[[str], float]) -> float:
        value = known.get(text)
        if value is None:
            if len(known) >= _MOST_KEPT:
                known.clear()
            value = known[text] = read(text)
        return value

    def table(self) -> Table:
        """Return what was taken, in order; of two rows of one bin and time the first stands."""
        names = sorted(self._rows)
        rank = np.zeros(len(names), dtype=np.int64)
        rank[[self._rows[name] for name in names]] = np.arange(len(names))
        bin_row = rank[np.frombuffer(self._bin, dtype=np.int32)] if self._bin else np.zeros(0, np.int64)
        at_s = np.frombuffer(self._at, dtype=np.float64).astype(np.int64) if self._at else np.zeros(0, np.int64)
        line = np.frombuffer(self._line, dtype=np.uint32) if self._line else np.zeros(0, np.uint32)
        # Rows came in the order of their lines, which a stable sort keeps.
        order = np.argsort(ordered_key(bin_row, at_s), kind="stable")
        bin_row, at_s, line = bin_row[order], at_s[order], line[order]
        percent = np.frombuffer(self._percent, dtype=np.float32)[order] if self._percent else np.zeros(0)
        fill = np.minimum(np.round(percent.astype(np.float64) / 100, 6), 1.0)
        again = np.zeros(len(order), dtype=bool)
        again[1:] = (bin_row[1:] == bin_row[:-1]) & (at_s[1:] == at_s[:-1])
        for row in np.flatnonzero(again):
            self._refusals.refuse(int(line[row]), "a second row of the same bin and time")
        return Table(
            names=tuple(names),
            bin_row=bin_row[~again],
            at_s=at_s[~again],
            fill=fill[~again],
            places=dict(self._places),
            refused=self._refusals.count,
            refusals=self._refusals.listed(),
            columns={ours: column.name for ours, column in self._columns.items()},
        )
