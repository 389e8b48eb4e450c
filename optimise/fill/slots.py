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


@lru_cache(maxsize=64)
def local_slots(start_s: int, hours: int, time_zone: str) -> Ints:
    """Return (hours,) the local hour of the week, 0 = Monday 00:00-01:00, of each hour since `start_s`."""
    zone = ZoneInfo(time_zone)
    moments = (datetime.fromtimestamp(start_s + hour * HOUR_S, UTC).astimezone(zone) for hour in range(hours))
    slots = np.fromiter((m.weekday() * DAY_H + m.hour for m in moments), dtype=np.int64, count=hours)
    slots.flags.writeable = False  # the cache hands the same array to everybody
    return slots


def day_class(slot: Ints) -> Ints:
    """Return 0 for Monday to Friday, 1 for Saturday, 2 for Sunday, for hours of the week of any shape."""
    return np.maximum(slot // DAY_H - _SATURDAY + 1, 0)


def coarse_slot(slot: Ints) -> Ints:
    """Return 0..23: three-hour blocks of working days, Saturdays and Sundays."""
    return day_class(slot) * 8 + slot % DAY_H // 3
