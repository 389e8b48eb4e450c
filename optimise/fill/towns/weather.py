"""The weather of the days between two moments, in numbers. Pure.

The numbers are those that the service learns from (`optimise.fill.calendar`). Weather of a moment's own day counts as
told, as a good forecast would tell it; nothing is said of days after it.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from optimise.fill.calendar import WEATHER_NAMES, TownCalendar, day_weather
from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.slots import DAY_H
from optimise.fill.towns.clock import local_s
from optimise.fill.towns.town import Town

NAMES = (*WEATHER_NAMES, *(f"{name}_then" for name in WEATHER_NAMES))

_DAY_S = DAY_H * HOUR_S
_EPOCH = date(1970, 1, 1).toordinal()


def weather_between(town: Town, since_s: Ints, until_s: Ints) -> dict[str, Floats]:
    """Return the `NAMES` (n,): means over the local days from `since_s` to `until_s` (n,), and those of the last day.

    NaN where nobody told; no names at all where the town has no weather.
    """
    if not town.weather:
        return {}
    first, last = (local_s(moment, town.time_zone) // _DAY_S for moment in (since_s, until_s))
    start = int(first.min()) if len(first) else 0
    days = int(last.max(initial=start)) - start + 1
    told = day_weather(
        [date.fromordinal(_EPOCH + start + day) for day in range(days)], TownCalendar(weather=town.weather)
    )
    seen = np.isfinite(told)
    total, count = (
        np.concatenate([np.zeros((1, told.shape[1])), np.cumsum(part, axis=0)])
        for part in (np.where(seen, told, 0.0), seen.astype(np.float64))
    )
    begin, end = first - start, last - start + 1
    passed = count[end] - count[begin]
    with np.errstate(invalid="ignore"):
        mean = np.where(passed > 0, (total[end] - total[begin]) / np.maximum(passed, 1), np.nan)
    return dict(zip(NAMES, np.column_stack([mean, told[last - start]]).T, strict=True))
