"""Local hours of moments, and the pace of the week: how much of a week's waste comes in each of its hours. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.slots import DAY_H, WEEK_H
from optimise.fill.towns.town import Town

_DAY_S = DAY_H * HOUR_S
_MONDAY_S = 4 * _DAY_S  # 1970-01-05 was a Monday
_HOURLY_GAP_H = 4.0
_LONGEST_GAP_H = 36.0
_LEAST_PACE = 0.05
_PRIOR_WEEKS = 2.0


def local_s(at_s: Ints | Floats, time_zone: str) -> Ints:
    """Return Unix seconds moved to the local clock; the zone's offset is that of the day's first hour in UTC."""
    day = np.asarray(at_s).astype(np.int64) // _DAY_S
    days, where = np.unique(day, return_inverse=True)
    zone = ZoneInfo(time_zone)
    offsets = [datetime.fromtimestamp(int(d) * _DAY_S, UTC).astimezone(zone).utcoffset() for d in days]
    shift = np.array([0 if offset is None else int(offset.total_seconds()) for offset in offsets], dtype=np.int64)
    return np.asarray(at_s).astype(np.int64) + (shift[where].reshape(day.shape) if len(days) else 0)


def week_hour(at_s: Ints | Floats, time_zone: str) -> Floats:
    """Return hours since the local Monday 00:00, 0 <= h < 168."""
    result: Floats = ((local_s(at_s, time_zone) - _MONDAY_S) / HOUR_S) % WEEK_H
    return result


@dataclass(frozen=True, kw_only=True, eq=False)
class WeekPace:
    """`passed` (169,): paced hours since Monday 00:00 at each hour of the local week; 168 of them make a week."""

    passed: Floats
    time_zone: str

    def at(self, at_s: Ints | Floats) -> Floats:
        """Return paced hours since a fixed Monday."""
        hours = (local_s(at_s, self.time_zone) - _MONDAY_S) / HOUR_S
        weeks = np.floor(hours / WEEK_H)
        result: Floats = weeks * WEEK_H + np.interp(hours - weeks * WEEK_H, np.arange(WEEK_H + 1), self.passed)
        return result


def even_pace(time_zone: str) -> WeekPace:
    """Return the pace of a town in which every hour is alike."""
    return WeekPace(passed=np.arange(WEEK_H + 1, dtype=np.float64), time_zone=time_zone)


def learn_pace(town: Town, known: NDArray[np.bool_], until_s: float) -> WeekPace:
    """Learn the pace from what `known` (bins,) bins gained between readings up to `until_s`.

    Readings a day apart tell of days, not of hours. Each slot starts from two weeks of a town without rhythm.
    """
    if town.of_emptyings:
        return even_pace(town.time_zone)
    use = known[town.bin_row] & (town.at_s <= until_s)
    row, at_s, fill = town.bin_row[use], town.at_s[use], town.fill[use]
    gap_h = np.diff(at_s) / HOUR_S
    hourly = town.gap_h <= _HOURLY_GAP_H
    longest = 2 * _HOURLY_GAP_H if hourly else _LONGEST_GAP_H
    rose = (np.diff(row) == 0) & (gap_h > 0) & (gap_h <= longest) & (fill[:-1] < 0.95) & (np.diff(fill) > -0.1)  # noqa: PLR2004 - neither full nor emptied
    if rose.sum() < WEEK_H:
        return even_pace(town.time_zone)
    middle = week_hour(at_s[:-1][rose] + gap_h[rose] * HOUR_S / 2, town.time_zone)
    slot = middle.astype(np.int64) if hourly else (middle // DAY_H).astype(np.int64)
    slots = WEEK_H if hourly else 7
    gained = np.bincount(slot, weights=np.diff(fill)[rose], minlength=slots)
    passed_h = np.bincount(slot, weights=gap_h[rose], minlength=slots)
    rate = max(gained.sum() / passed_h.sum(), 1e-9)
    prior_h = _PRIOR_WEEKS * WEEK_H / slots * max(1, int(known.sum()) // 4)
    pace = np.maximum((gained / rate + prior_h) / (passed_h + prior_h), _LEAST_PACE)
    pace = np.repeat(pace, WEEK_H // slots)
    return WeekPace(passed=np.concatenate([[0.0], np.cumsum(pace / pace.mean())]), time_zone=town.time_zone)
