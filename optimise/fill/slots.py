"""Hours of the local week: what waste keeps to. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from optimise.fill.readings import HOUR_S, Ints

WEEK_H = 168
DAY_H = 24
_SATURDAY = 5
_DAY_S = DAY_H * HOUR_S
_MONDAY_S = 4 * _DAY_S  # 1970-01-05 was a Monday


@lru_cache(maxsize=64)
def local_slots(start_s: int, hours: int, time_zone: str) -> Ints:
    """Return (hours,) the local hour of the week, 0 = Monday 00:00-01:00, of each hour since `start_s`."""
    at_s = start_s + HOUR_S * np.arange(hours, dtype=np.int64)
    slots = (at_s + offsets_s(at_s, time_zone) - _MONDAY_S) // HOUR_S % WEEK_H
    slots.flags.writeable = False  # the cache hands the same array to everybody
    return slots


def offsets_s(at_s: Ints, time_zone: str) -> Ints:
    """Return (n,) by how many seconds the local clock is ahead of UTC at Unix seconds `at_s` (n,)."""
    if not len(at_s):
        return np.zeros(0, dtype=np.int64)
    day = at_s // _DAY_S
    days, where = np.unique(day, return_inverse=True)
    edges = {int(one): _offset_s(int(one) * _DAY_S, time_zone) for one in np.union1d(days, days + 1)}
    result = np.array([edges[int(one)] for one in days], dtype=np.int64)[where]
    # Only on the days on which clocks change does it take a look at each moment.
    changes = np.array([edges[int(one)] != edges[int(one) + 1] for one in days])[where]
    result[changes] = [_offset_s(int(moment), time_zone) for moment in at_s[changes]]
    return result


@lru_cache(maxsize=65_536)
def _offset_s(moment_s: int, time_zone: str) -> int:
    """Return the offset at one moment; a training asks for those of the same days thousands of times."""
    offset = datetime.fromtimestamp(moment_s, UTC).astimezone(ZoneInfo(time_zone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def day_class(slot: Ints) -> Ints:
    """Return 0 for Monday to Friday, 1 for Saturday, 2 for Sunday, for hours of the week of any shape."""
    return np.maximum(slot // DAY_H - _SATURDAY + 1, 0)


def coarse_slot(slot: Ints) -> Ints:
    """Return 0..23: three-hour blocks of working days, Saturdays and Sundays."""
    return day_class(slot) * 8 + slot % DAY_H // 3
