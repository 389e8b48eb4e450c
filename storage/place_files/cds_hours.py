"""TEMPORALITE_CDS of the national schema: time spans after the Curb Data Specification. Pure.

Both are read: `times_of_day`, which is the national schema's own, and `time_of_day_start` / `time_of_day_end` of the
Curb Data Specification 1.1. What else a span may say is refused by name.
"""

from __future__ import annotations

import re
from datetime import time

from storage.errors import InputError
from storage.kerb.spans import Span, clock
from storage.model.kerb import EVERY_DAY
from storage.place_files.lines import json_of

_DAYS = {"mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?", re.ASCII)
_KNOWN = {"days_of_week", "times_of_day", "time_of_day_start", "time_of_day_end"}


def parse_cds_hours(text: str) -> tuple[Span, ...]:
    """Return the hours that a list of time spans says. Raises InputError."""
    told = json_of(text)
    if not isinstance(told, list) or not told:
        raise InputError("expected a list of time spans")
    return tuple(span for one in told for span in _spans(one))


def _spans(one: object) -> list[Span]:
    if not isinstance(one, dict):
        raise InputError('expected a time span like {"days_of_week": ["mon"], …}')
    unknown = sorted(set(one) - _KNOWN)
    if unknown:
        raise InputError(f"time spans with {', '.join(unknown)} cannot be read")
    days = one.get("days_of_week")
    if days is None:
        numbers: tuple[int, ...] = EVERY_DAY
    elif isinstance(days, list) and days and all(isinstance(day, str) and day in _DAYS for day in days):
        numbers = tuple(sorted({_DAYS[day] for day in days}))
    else:
        raise InputError(f"expected days_of_week of {', '.join(_DAYS)}, got {str(days)[:60]}")
    times = one.get("times_of_day")
    if times is None:
        times = [[one.get("time_of_day_start", "00:00"), one.get("time_of_day_end", "24:00")]]
    if not isinstance(times, list) or not times:
        raise InputError(f'expected times_of_day like [["08:00", "12:00"]], got {str(times)[:60]}')
    found = []
    for pair in times:
        if not isinstance(pair, list) or len(pair) != 2:  # noqa: PLR2004 - from, until
            raise InputError(f'expected times_of_day like [["08:00", "12:00"]], got {str(pair)[:60]}')
        starts, ends = (_time(side) for side in pair)
        found.append(Span(days=numbers, starts=starts, ends=ends))
    return found


def _time(text: object) -> time:
    found = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    told = None if found is None else clock(int(found[1]), int(found[2]), most=24)
    if told is None:
        raise InputError(f"expected a time like 08:00, got {str(text)[:60]!r}")
    return told
