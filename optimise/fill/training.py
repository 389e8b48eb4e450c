"""All that a forecast made at one moment may know, on an hourly grid; smaller views of it for honest tests. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from optimise.fill.calendar import TownCalendar
from optimise.fill.readings import (
    HOUR_S,
    Floats,
    HourlyLevels,
    Ints,
    ReadingOptions,
    Readings,
    find_emptyings,
    mend_spikes,
    on_hours,
)
from storage.level_table import LevelTable
from storage.model import Bin, Emptying

_MOST_FILL = 1.5
_TWICE_DECLARED_S = 20 * 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Emptyings:
    """Emptyings in columns of one length n, ordered by bin and time: `bin_row`, `at_s` int64; `found` float64.

    `found` is how full the crew said the bin was, NaN when it said nothing.
    """

    bin_row: Ints
    at_s: Ints
    found: Floats

    def __len__(self) -> int:
        return len(self.bin_row)

    def where(self, keep: NDArray[np.bool_] | Ints) -> Emptyings:
        """Return the emptyings that `keep` marks (n,) or lists."""
        return Emptyings(bin_row=self.bin_row[keep], at_s=self.at_s[keep], found=self.found[keep])


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingData:
    """What is known at `as_of_s` about `bins`; rows of arrays are bins, columns hours since `start_s`.

    `declared` are the crews' emptyings, `detected` those that the sensors saw (which nobody may have declared).
    `planned`: rounds were planned lately and declared stop by stop, so where nobody declared, nobody came. `calendar`
    is what is known of days, also of those to come.
    """

    bins: tuple[Bin, ...]
    time_zone: str
    as_of_s: int
    start_s: int
    readings: Readings
    hourly: HourlyLevels
    declared: Emptyings
    detected: Emptyings
    planned: bool = False
    calendar: TownCalendar = field(default_factory=TownCalendar)

    @property
    def hours(self) -> int:
        """The number of whole hours between `start_s` and `as_of_s`."""
        return int(self.hourly.gained.shape[1])

    @property
    def has_sensor(self) -> NDArray[np.bool_]:
        """(bins,) whether anything measured the bin so far."""
        seen = np.zeros(len(self.bins), dtype=bool)
        seen[self.readings.bin_row] = True
        return seen

    @property
    def volume_l(self) -> Floats:
        """(bins,) litres."""
        return np.array([item.volume_l for item in self.bins], dtype=np.float64)

    def at(self, as_of_s: int) -> TrainingData:
        """Return what was known at the earlier moment `as_of_s`."""
        if as_of_s > self.as_of_s:
            raise ValueError(f"expected as_of_s <= {self.as_of_s}, got {as_of_s}")
        hours = max(0, (as_of_s - self.start_s) // HOUR_S)
        hourly = HourlyLevels(level=self.hourly.level[:, : hours + 1], gained=self.hourly.gained[:, :hours])
        return replace(
            self,
            as_of_s=as_of_s,
            readings=self.readings.where(self.readings.at_s <= as_of_s),
            hourly=hourly,
            declared=self.declared.where(self.declared.at_s <= as_of_s),
            detected=self.detected.where(self.detected.at_s <= as_of_s),
        )

    def hiding(self, hidden: NDArray[np.bool_]) -> TrainingData:
        """Return the data as if the `hidden` (bins,) had no sensor; what crews declared at them stays."""
        level, gained = self.hourly.level.copy(), self.hourly.gained.copy()
        level[hidden], gained[hidden] = np.nan, np.nan
        return replace(
            self,
            readings=self.readings.where(~hidden[self.readings.bin_row]),
            hourly=HourlyLevels(level=level, gained=gained),
            detected=self.detected.where(~hidden[self.detected.bin_row]),
        )


def assemble(
    *,
    bins: Sequence[Bin],
    levels: LevelTable,
    emptyings: Sequence[Emptying],
    as_of: datetime,
    time_zone: str = "Europe/Paris",
    options: ReadingOptions | None = None,
    calendar: TownCalendar | None = None,
) -> TrainingData:
    """Put levels and declared emptyings up to `as_of` on an hourly grid; those of unknown bins are left aside."""
    options = options or ReadingOptions()
    row_of = {item.place_id: row for row, item in enumerate(bins)}
    as_of_s = int(as_of.timestamp())
    declared = _declared(row_of, emptyings, as_of_s)
    readings = mend_spikes(_in_order(row_of, levels, as_of_s), spike=options.spike)
    fell_row, fell_s = find_emptyings(readings, options)
    detected = Emptyings(bin_row=fell_row, at_s=fell_s, found=np.full(len(fell_row), np.nan))
    first_s = min([as_of_s - HOUR_S, *_earliest(readings.at_s), *_earliest(declared.at_s)])
    start_s = first_s // HOUR_S * HOUR_S
    hourly = on_hours(
        readings,
        emptied_row=np.concatenate([declared.bin_row, detected.bin_row]),
        emptied_s=np.concatenate([declared.at_s, detected.at_s]),
        bins=len(bins),
        start_s=start_s,
        hours=(as_of_s - start_s) // HOUR_S,
        options=options,
    )
    return TrainingData(
        bins=tuple(bins),
        time_zone=time_zone,
        as_of_s=as_of_s,
        start_s=start_s,
        readings=readings,
        hourly=hourly,
        declared=declared,
        detected=detected,
        calendar=calendar or TownCalendar(),
    )


def whole_hours(as_of: datetime, horizon_h: int) -> list[datetime]:
    """Return the first `horizon_h` whole hours after `as_of`."""
    hour = as_of.replace(minute=0, second=0, microsecond=0)
    return [hour + timedelta(hours=ahead) for ahead in range(1, horizon_h + 1)]


def _earliest(at_s: Ints) -> list[int]:
    return [int(at_s.min())] if len(at_s) else []


def _in_order(row_of: dict[str, int], levels: LevelTable, as_of_s: int) -> Readings:
    # Rows come in runs of one place: one look-up a run instead of one a row.
    place = levels.place_id
    starts = np.flatnonzero(np.append(True, place[1:] != place[:-1])) if len(place) else np.zeros(0, np.int64)
    rows = np.array([row_of.get(place[start], -1) for start in starts], dtype=np.int64)
    bin_row = np.repeat(rows, np.diff(np.append(starts, len(place))))
    fill = np.clip(levels.fill_fraction.astype(np.float64), 0.0, _MOST_FILL)
    keep = (bin_row >= 0) & (levels.measured_at_s <= as_of_s) & np.isfinite(fill)
    bin_row, at_s, fill = bin_row[keep], levels.measured_at_s[keep], fill[keep]
    order = np.lexsort((at_s, bin_row))
    return Readings(bin_row=bin_row[order], at_s=at_s[order], fill=fill[order])


def _declared(row_of: dict[str, int], emptyings: Sequence[Emptying], as_of_s: int) -> Emptyings:
    known = [item for item in emptyings if item.place_id in row_of]
    bin_row = np.array([row_of[item.place_id] for item in known], dtype=np.int64)
    at_s = np.array([int(item.emptied_at.timestamp()) for item in known], dtype=np.int64)
    found = np.array([np.nan if item.found_fraction is None else item.found_fraction for item in known])
    order = np.lexsort((at_s, bin_row))
    ordered = Emptyings(bin_row=bin_row[order], at_s=at_s[order], found=found[order].astype(np.float64))
    again = np.zeros(len(order), dtype=bool)
    again[1:] = (np.diff(ordered.bin_row) == 0) & (np.diff(ordered.at_s) < _TWICE_DECLARED_S)
    return ordered.where((ordered.at_s <= as_of_s) & ~again)
