"""The weather of each date: it empties the streets of the whole town at once, and warms the sensors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulators.local_time import DAY_S, HOUR_S
from simulators.randomness import Stream, stream

_RAIN_OUT = 0.14
_FINE = 0.22
_UNIX_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, kw_only=True, slots=True)
class DayWeather:
    """One date: whether rain kept people in or sun drew them out, and how far it is from the season's temperature."""

    rain_out: bool
    fine: bool
    temperature_offset_c: float


@lru_cache(maxsize=4096)
def weather_of(seed: int, ordinal: int) -> DayWeather:
    """Return the weather of the date with this ordinal in this commune."""
    generator = stream(seed, Stream.WEATHER, ordinal)
    luck, offset = generator.random(), generator.normal(0.0, 2.5)
    rain_out = bool(luck < _RAIN_OUT)
    fine = bool(luck > 1.0 - _FINE)
    return DayWeather(rain_out=rain_out, fine=fine, temperature_offset_c=offset + 2.0 * fine - 1.5 * rain_out)


def temperatures_c(seed: int, at_s: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the air's temperature, (n,), at Unix seconds (n,): season, time of day and the date's own weather."""
    day = at_s // DAY_S
    season = 11.5 - 8.0 * np.cos(2 * np.pi * (day % 365.25 - 20.0) / 365.25)
    daily = -4.0 * np.cos(2 * np.pi * ((at_s % DAY_S) / HOUR_S - 3.0) / 24.0)
    dates, index = np.unique(day, return_inverse=True)
    offsets = np.array([weather_of(seed, _UNIX_EPOCH_ORDINAL + int(date)).temperature_offset_c for date in dates])
    celsius: NDArray[np.float64] = season + daily + offsets[index]
    return celsius
