"""Readings that tell something, looked up at any moment, and what is usual at each place by then. Pure.

What is usual on a day is learnt from days that ended before the day before it, so that nothing asked at a moment knows
what came after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.occupancy.trial.clock import DAY_S, local_s, weekday_of
from optimise.occupancy.trial.table import Table

SLOTS = 48
SLOT_S = DAY_S // SLOTS
_SAME_CLASS, _OTHER_CLASS, _DECAY = 0.3, 0.03, 0.97
_LEAST_WEIGHT = 0.02
_SATURDAY = 5
_LEAST_AGE_S, _MOST_AGE_S, _MOST_HELD_S = 45 * 60, 12 * HOUR_S, DAY_S
_UNEVEN, _SELDOM, _FEW_PLACES = 0.6, 0.05, 5

type Marks = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """Readings in order of place and time, (n,), as fractions of free places, with what is usual.

    `fresh_s` (places,): the age up to which a place's last reading tells its present. `even`: readings come at an even
    pace rather than when something changes. `usual` (places, days * SLOTS): free fraction of each half hour of the
    local clock, as earlier days tell it, NaN where none does; `first_day`: the local day since 1970 of its first
    column.
    `slot_mean` has the shape of `usual`: what was measured.
    """

    names: tuple[str, ...]
    place_row: Ints
    at_s: Ints
    free: Floats
    capacity: Floats
    fraction: Floats
    lon: Floats
    lat: Floats
    fresh_s: Floats
    even: bool
    time_zone: str
    first_day: int
    usual: NDArray[np.float32]
    slot_mean: NDArray[np.float32]

    def before(self, place_row: Ints, at_s: Ints) -> Ints:
        """Return (k,) the index of each place's last reading at or before a moment, -1 where there is none."""
        key = _key(self.place_row, self.at_s)
        found = np.searchsorted(key, _key(place_row, at_s), side="right") - 1
        there = (found >= 0) & (self.place_row[np.maximum(found, 0)] == place_row)
        return np.where(there, found, -1)

    def at(self, place_row: Ints, at_s: Ints) -> Floats:
        """Return (k,) the free fraction at moments as the last reading tells it, NaN where that is too old."""
        found = self.before(place_row, at_s)
        known = (found >= 0) & (at_s - self.at_s[found] <= self.fresh_s[place_row])
        return np.where(known, self.fraction[found], np.nan)

    def usually(self, place_row: Ints, at_s: Ints) -> Floats:
        """Return (k,) the free fraction that is usual at moments, NaN where nothing tells."""
        position = (local_s(at_s, self.time_zone) - self.first_day * DAY_S) / SLOT_S - 0.5
        last = self.usual.shape[1] - 1
        low = np.clip(np.floor(position).astype(np.int64), 0, last)
        high = np.minimum(low + 1, last)
        share = np.clip(position - low, 0, 1)
        a, b = (self.usual[place_row, each].astype(np.float64) for each in (low, high))
        mixed = (1 - share) * a + share * b
        result: Floats = np.where(np.isnan(mixed), np.where(np.isnan(a), b, a), mixed)
        return result


def build_field(table: Table, dead: NDArray[np.bool_], places: Ints, *, time_zone: str) -> Field:
    """Return the field of some `places` (rows of the table) without the readings that are `dead`."""
    number = np.full(len(table.names), -1, dtype=np.int64)
    number[places] = np.arange(len(places))
    keep = ~dead & (number[table.place_row] >= 0)
    row, at_s = number[table.place_row[keep]], table.at_s[keep]
    free, capacity = table.free[keep], table.capacity[keep]
    local_day = local_s(at_s, time_zone) // DAY_S
    first_day, last_day = int(local_day.min()), int(local_day.max())
    shape = (len(places), last_day - first_day + 1)
    even = _even(row, at_s, free, capacity)
    field = Field(
        names=tuple(table.names[place] for place in places),
        place_row=row,
        at_s=at_s,
        free=free,
        capacity=capacity,
        fraction=free / capacity,
        lon=table.lon[places],
        lat=table.lat[places],
        fresh_s=_fresh_s(row, at_s, len(places), even=even),
        even=even,
        time_zone=time_zone,
        first_day=first_day,
        usual=np.zeros((0, 0), dtype=np.float32),
        slot_mean=np.zeros((0, 0), dtype=np.float32),
    )
    measured = _slot_means(field, *shape)
    return replace(field, slot_mean=measured, usual=usual_of(measured, first_day))


def _key(place_row: Ints, at_s: Ints) -> Ints:
    key: Ints = place_row.astype(np.int64) * (1 << 33) + at_s
    return key


def _even(row: Ints, at_s: Ints, free: Floats, capacity: Floats) -> bool:
    """Whether readings come on their own clock. Single bays are often told of when they change, counts rarely."""
    same = np.diff(row) == 0
    if not same.any():
        return True
    quarter, half, most = np.quantile(np.diff(at_s)[same], [0.25, 0.5, 0.75])
    uneven = most - quarter > _UNEVEN * half
    repeated = float(np.mean(np.diff(free)[same] == 0))
    return not (uneven and (repeated < _SELDOM or np.median(capacity) < _FEW_PLACES))


def _fresh_s(row: Ints, at_s: Ints, places: int, *, even: bool) -> Floats:
    edges = np.searchsorted(row, np.arange(places + 1))
    fresh = np.full(places, float(_LEAST_AGE_S))
    for place, (start, end) in enumerate(pairwise(edges)):
        gaps = np.diff(at_s[start:end])
        if len(gaps) and even:
            fresh[place] = np.clip(3 * np.median(gaps), _LEAST_AGE_S, _MOST_AGE_S)
        elif len(gaps):
            # What tells changes alone is silent for as long as nothing changes.
            fresh[place] = np.clip(np.quantile(gaps, 0.98), _LEAST_AGE_S, _MOST_HELD_S)
    return fresh


def _slot_means(field: Field, places: int, days: int) -> NDArray[np.float32]:
    """Return (places, days * SLOTS) the mean of what was measured in each half hour, or of what still held then."""
    slot = (local_s(field.at_s, field.time_zone) - field.first_day * DAY_S) // SLOT_S
    flat = field.place_row * (days * SLOTS) + slot
    total = np.bincount(flat, weights=field.fraction, minlength=places * days * SLOTS)
    count = np.bincount(flat, minlength=places * days * SLOTS)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32).reshape(places, -1)
    if field.even:
        return mean
    # Where a feed tells changes alone, what was told last holds until it is too old.
    filled = np.maximum.accumulate(np.where(np.isnan(mean), -1, np.arange(mean.shape[1])[None, :]), axis=1)
    held = np.take_along_axis(mean, np.maximum(filled, 0), axis=1)
    age_s = (np.arange(mean.shape[1])[None, :] - filled) * SLOT_S
    return np.where((filled >= 0) & (age_s <= field.fresh_s[:, None]), held, np.nan).astype(np.float32)


def usual_of(measured: NDArray[np.float32], first_day: int) -> NDArray[np.float32]:
    """Return what is usual in each half hour: a mean over earlier days, recent ones and those of its weekday first."""
    places, width = measured.shape
    days = width // SLOTS
    day = np.arange(days)
    weekday = weekday_of(day + first_day)
    same = weekday[:, None] == weekday[None, :]
    alike = (weekday[:, None] >= _SATURDAY) == (weekday[None, :] >= _SATURDAY)
    ago = day[:, None] - day[None, :]
    weight = np.where(same, 1.0, np.where(alike, _SAME_CLASS, _OTHER_CLASS)) * _DECAY ** np.maximum(ago, 0)
    weight = np.where(ago >= 2, weight, 0).astype(np.float32)  # noqa: PLR2004 - yesterday ended after some of today's questions were put
    usual = np.empty_like(measured)
    for place in range(places):
        seen = measured[place].reshape(days, SLOTS)
        known = ~np.isnan(seen)
        total = weight @ np.where(known, seen, 0).astype(np.float32)
        share = weight @ known.astype(np.float32)
        usual[place] = np.where(share >= _LEAST_WEIGHT, total / np.maximum(share, 1e-6), np.nan).reshape(-1)
    return usual
