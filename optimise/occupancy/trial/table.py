"""The rows of a file of free or taken places: read, or refused with their line and the reason. Pure."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np

from optimise.csv_columns import Column, match_columns
from optimise.csv_rows import Refusal, Refusals, as_moments, as_number, numbered_rows, quoted
from optimise.fill.readings import Floats, Ints
from optimise.occupancy.trial.columns import CAPACITY, FREE, KNOWN, LAT, LON, OBSERVED_AT, OCCUPIED, PLACE, find_columns

_FREE_WORDS = frozenset({"free", "unoccupied", "vacant", "available", "empty"})
_TAKEN_WORDS = frozenset({"occupied", "present", "taken", "busy", "full"})
_TRUE_WORDS, _FALSE_WORDS = frozenset({"true", "yes"}), frozenset({"false", "no"})
_EARLIEST_S, _LATEST_S = 0.0, 4_102_444_800.0  # 1970 to 2100
_MOST_CAPACITY = 1_000_000
# Counters at a gate drift, so that a full car park counts a few below none: as full. Further off a count is nonsense.
_DRIFT = 0.2
_MOST_KEPT = 200_000


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a file says of a place besides its readings; NaN where it says nothing."""

    lon: float = math.nan
    lat: float = math.nan
    capacity: float = math.nan


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """What was read: rows in columns of one length n, ordered by place and time.

    `names`: the places; `place_row` (n,): index into them; `at_s` (n,): Unix seconds; `free` (n,): places, 0 to
    `capacity` (n,); `lon`, `lat` (places,): degrees, NaN where unknown. `refused` counts all refusals, of which the
    first thousand are listed. `capacity_guessed`: the file has no capacity, the most ever counted stands for it.
    """

    names: tuple[str, ...]
    place_row: Ints
    at_s: Ints
    free: Floats
    capacity: Floats
    lon: Floats
    lat: Floats
    refused: int
    refusals: tuple[Refusal, ...]
    columns: dict[str, str]
    capacity_guessed: bool


def read_table(
    lines: Iterable[str],
    *,
    time_zone: str = "UTC",
    mapping: dict[str, tuple[str, float]] | None = None,
    sites: dict[str, Site] | None = None,
) -> Table:
    """Read the rows of a file of readings; `sites` complete what it says of places.

    `time_zone` is that of times that name none. Where clocks are put back, an hour comes twice: there the second of
    two same times of a place, in the order of the file, is the later one. Raises InputError when there is no header,
    or a column is missing.
    """
    rows, header = numbered_rows(lines)
    reader = _Reader(find_columns(header, mapping), ZoneInfo(time_zone))
    for line, row in rows:
        reader.take(line, row)
    return reader.table(sites or {})


def has_column(lines: Iterable[str], name: str) -> bool:
    """Whether the header names a column so."""
    _, header = numbered_rows(lines)
    return name.strip().lower() in {cell.strip().lower() for cell in header}


def read_sites(lines: Iterable[str], *, capacity_column: str | None = None) -> dict[str, Site]:
    """Read a file of places: a row for each, with `place_id` and maybe `lon`, `lat`, `capacity`."""
    rows, header = numbered_rows(lines)
    mapping = None if capacity_column is None else {CAPACITY: (capacity_column, 1.0)}
    columns = match_columns(
        header, KNOWN, needed=(PLACE,), optional=(LON, LAT, CAPACITY), mapping=mapping, example="place_id=id"
    )
    sites: dict[str, Site] = {}
    for _, row in rows:
        cells = [cell.strip() for cell in row] + [""] * (len(header) - len(row))
        if name := cells[columns[PLACE].index]:
            sites.setdefault(name, _site(cells, columns))
    return sites


def _site(cells: list[str], columns: dict[str, Column]) -> Site:
    def number(name: str, low: float, high: float) -> float:
        value = as_number(cells[columns[name].index]) if name in columns else math.nan
        return value if low <= value <= high else math.nan

    return Site(lon=number(LON, -180, 180), lat=number(LAT, -90, 90), capacity=number(CAPACITY, 1, _MOST_CAPACITY))


def _count(text: str, *, of_free: bool) -> tuple[float, bool]:
    """Return the number that a cell says and whether it counts free places; words are those of single bays."""
    word = text.strip().lower()
    if word in _FREE_WORDS or word in _TAKEN_WORDS:
        return float(word in _FREE_WORDS), True
    if word in _TRUE_WORDS or word in _FALSE_WORDS:
        return float(word in _TRUE_WORDS), of_free
    return as_number(text), of_free


@dataclass
class _Columns:
    place: array[int] = field(default_factory=lambda: array("i"))
    at_s: array[float] = field(default_factory=lambda: array("d"))
    count: array[float] = field(default_factory=lambda: array("d"))
    of_free: array[int] = field(default_factory=lambda: array("b"))
    capacity: array[float] = field(default_factory=lambda: array("d"))
    line: array[int] = field(default_factory=lambda: array("q"))


class _Reader:
    """Takes rows one by one into columns: a year of readings as rows of text would fill the memory."""

    def __init__(self, columns: dict[str, Column], zone: ZoneInfo) -> None:
        self._columns, self._zone = columns, zone
        self._of_free = FREE in columns
        self._counted = columns[FREE if self._of_free else OCCUPIED]
        self._name, self._when = columns[PLACE].index, columns[OBSERVED_AT].index
        self._last = max(self._name, self._when, self._counted.index)
        self._capacity = columns.get(CAPACITY)
        self._moments: dict[str, tuple[float, float]] = {}
        self._rows: dict[str, int] = {}
        self._latest: list[float] = []
        self._sites: dict[str, Site] = {}
        self._taken = _Columns()
        self._refusals = Refusals()

    def take(self, line: int, row: list[str]) -> None:
        """Take or refuse a row; blank lines are nobody's fault."""
        if not self._refusals.admits(line, row, last=self._last):
            return
        name, when, cell = row[self._name].strip(), row[self._when].strip(), row[self._counted.index]
        if not name:
            self._refusals.refuse(line, "names no place")
            return
        first, second = self._moment(when)
        if not _EARLIEST_S < first < _LATEST_S:
            self._refusals.refuse(line, f"expected a date and time, got {quoted(when)}")
            return
        count, of_free = _count(cell, of_free=self._of_free)
        if not math.isfinite(count):
            self._refusals.refuse(line, f"expected a number of places, got {quoted(cell)}")
            return
        capacity = self._capacity_of(row)
        if capacity <= 0:
            self._refusals.refuse(line, f"expected {CAPACITY} > 0, got {capacity:g}")
            return
        number = self._rows.get(name)
        if number is None:
            number = self._rows[name] = len(self._rows)
            self._latest.append(-math.inf)
            width = max(column.index for column in self._columns.values()) + 1
            self._sites[name] = _site([*row, *[""] * (width - len(row))], self._columns)
        at_s = second if first <= self._latest[number] < second else first
        self._latest[number] = at_s
        taken = self._taken
        taken.place.append(number)
        taken.at_s.append(at_s)
        taken.count.append(count * self._counted.factor)
        taken.of_free.append(of_free)
        taken.capacity.append(capacity)
        taken.line.append(line)

    def _moment(self, text: str) -> tuple[float, float]:
        moments = self._moments.get(text)
        if moments is None:
            if len(self._moments) >= _MOST_KEPT:
                self._moments.clear()
            moments = self._moments[text] = as_moments(text, self._zone)
        return moments

    def _capacity_of(self, row: list[str]) -> float:
        if self._capacity is None or len(row) <= self._capacity.index:
            return math.nan
        return as_number(row[self._capacity.index]) * self._capacity.factor

    def table(self, sites: dict[str, Site]) -> Table:
        """Return what was taken, in order; of two rows of one place and time the first stands."""
        names = sorted(self._rows)
        rank = np.zeros(len(names), dtype=np.int64)
        rank[[self._rows[name] for name in names]] = np.arange(len(names))
        taken = self._taken
        place = rank[np.array(taken.place, dtype=np.int64)]
        at_s, line = np.array(taken.at_s, dtype=np.float64).astype(np.int64), np.array(taken.line, dtype=np.int64)
        count, of_free = np.array(taken.count, dtype=np.float64), np.array(taken.of_free, dtype=bool)
        capacity = np.array(taken.capacity, dtype=np.float64)
        told = _told_capacity(place, capacity, names, sites)
        guessed = not np.isfinite(capacity).any() and not np.isfinite(told).any()
        if guessed:
            told = np.ones(len(names))
            np.maximum.at(told, place, count)
        capacity = np.where(np.isfinite(capacity), capacity, told[place])
        free = np.where(of_free, count, capacity - count)
        order = np.lexsort((line, at_s, place))
        again = np.zeros(len(order), dtype=bool)
        again[1:] = (np.diff(place[order]) == 0) & (np.diff(at_s[order]) == 0)
        unknown = ~np.isfinite(capacity[order])
        nonsense = ~unknown & (np.abs(free[order] / capacity[order] - 0.5) > 0.5 + _DRIFT)
        for bad, reason in (
            (unknown, f"its place has no {CAPACITY}"),
            (nonsense & ~unknown, f"expected 0 to {CAPACITY} places, give or take {_DRIFT:.0%}"),
            (again & ~unknown & ~nonsense, "a second row of the same place and time"),
        ):
            for row in np.flatnonzero(bad):
                self._refusals.refuse(int(line[order[row]]), reason)
        keep = order[~(unknown | nonsense | again)]
        where = [self._sites[name] for name in names]
        elsewhere = [sites.get(name, Site()) for name in names]
        return Table(
            names=tuple(names),
            place_row=place[keep],
            at_s=at_s[keep],
            free=np.clip(free[keep], 0, capacity[keep]),
            capacity=capacity[keep],
            lon=np.array([b.lon if math.isnan(a.lon) else a.lon for a, b in zip(where, elsewhere, strict=True)]),
            lat=np.array([b.lat if math.isnan(a.lat) else a.lat for a, b in zip(where, elsewhere, strict=True)]),
            refused=self._refusals.count,
            refusals=self._refusals.listed(),
            columns={ours: column.name for ours, column in self._columns.items()},
            capacity_guessed=guessed,
        )


def _told_capacity(place: Ints, capacity: Floats, names: list[str], sites: dict[str, Site]) -> Floats:
    """Return (places,) what the file of places says, otherwise what the place's other rows say, otherwise NaN."""
    told = np.array([sites.get(name, Site()).capacity for name in names], dtype=np.float64)
    known = np.isfinite(capacity)
    latest = np.full(len(names), np.nan)
    latest[place[known]] = capacity[known]
    return np.where(np.isfinite(told), told, latest)
