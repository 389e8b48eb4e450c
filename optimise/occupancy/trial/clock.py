"""Local time of many moments at once, right on the days on which clocks change. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from optimise.fill.readings import HOUR_S, Floats, Ints

DAY_S = 24 * HOUR_S
_FIRST_MONDAY_DAY = 4  # 1970-01-05
# Zones lie whole quarters of an hour apart, and change at them.
_STEP_S = HOUR_S // 4


def local_s(at_s: Ints | Floats, time_zone: str) -> Ints:
    """Return Unix seconds moved to the local clock, of the same shape."""
    moment = np.asarray(at_s).astype(np.int64)
    steps, where = np.unique(moment // _STEP_S, return_inverse=True)
    zone = ZoneInfo(time_zone)
    offsets = [datetime.fromtimestamp(int(step) * _STEP_S, UTC).astimezone(zone).utcoffset() for step in steps]
    shift = np.array([0 if offset is None else int(offset.total_seconds()) for offset in offsets], dtype=np.int64)
    return moment + (shift[where].reshape(moment.shape) if len(steps) else 0)


def weekday_of(day: Ints) -> Ints:
    """Return 0 (Monday) to 6 of local days since 1970."""
    return (day - _FIRST_MONDAY_DAY) % 7


def week_hour_of(local: Ints) -> Ints:
    """Return the hour of the local week, 0 (Monday 00:00) to 167."""
    return weekday_of(local // DAY_S) * 24 + local % DAY_S // HOUR_S
