"""What falls into each bin, hour by hour: visitors, regulars, markets, dumpings, under one weather."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from simulators.character import Character
from simulators.habits import ACTIVITIES, weather_factors, week_profiles
from simulators.local_time import WEEK_HOURS, local_hours
from simulators.randomness import Stream, stream
from simulators.weather import weather_of

_ITEM_L = 0.5
_ITEM_SHAPE = 1.2
_REGULAR_COMES = 0.85
_DUMPING_L = 28.0
_DUMPING_SIGMA = 0.6

MOST_FILL = 1.3
"""A heap above the rim holds this much; what comes then lies beside the bin."""


class FillProcess:
    """Litres thrown into each bin, a week at a time. A week depends on the seed and its number only."""

    def __init__(self, character: Character, *, seed: int, start: datetime, time_zone: str) -> None:
        self._character = character
        self._seed = seed
        self._start = start
        self._time_zone = time_zone
        self._profiles = week_profiles()

    def week_litres(self, week: int) -> NDArray[np.float64]:
        """Return the litres thrown in during each hour of week `week` since the start: (n, 168)."""
        who = self._character
        hours, dates = local_hours(self._start + timedelta(hours=week * WEEK_HOURS), WEEK_HOURS, self._time_zone)
        generator = stream(self._seed, Stream.DEPOSITS, week)
        expected = who.daily_l[:, None] * (who.mix @ (self._profiles[:, hours] * self._weather(dates)))
        expected = (expected + who.market_l[:, hours]) * self._day_factors(dates)
        items = generator.poisson(expected / _ITEM_L)
        # The sum of k items of Gamma(shape, scale) is Gamma(k * shape, scale).
        litres: NDArray[np.float64] = generator.gamma(items * _ITEM_SHAPE + 1e-12, _ITEM_L / _ITEM_SHAPE)
        comes = who.regular_hours[:, hours] & (generator.random((len(who.regular_l), WEEK_HOURS)) < _REGULAR_COMES)
        np.add.at(litres, who.regular_bin, comes * who.regular_l[:, None])
        dumpings = generator.poisson(np.repeat(who.dumping_rate[:, None] / 24.0, WEEK_HOURS, axis=1))
        places, moments = np.nonzero(dumpings)
        litres[places, moments] += generator.lognormal(np.log(_DUMPING_L), _DUMPING_SIGMA, len(places))
        return litres

    def first_litres(self) -> NDArray[np.float64]:
        """Return what each bin holds at the start, (n,): some hours' worth since an emptying nobody recorded."""
        generator = stream(self._seed, Stream.DEPOSITS)
        return self._character.daily_l * generator.uniform(0.0, 2.0, len(self._character.daily_l))

    def level(self, bins: NDArray[np.int64], litres: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fill fraction, (k,), of bins (k,) holding these loose litres (k,).

        A layer dx under a weight x takes exp(-c x) dx, so litres u, in volumes, stand (1 - exp(-c u)) / c high.
        """
        height = litres / self._character.volume_l[bins]
        press = self._character.compaction[bins]
        pressed = -np.expm1(-press * height) / np.where(press > 0, press, 1.0)
        return np.minimum(np.where(press > 0, pressed, height), MOST_FILL)

    def _weather(self, dates: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the weather's factors, (activities, hours)."""
        factors = np.empty((len(ACTIVITIES), len(dates)))
        for date in np.unique(dates):
            weather = weather_of(self._seed, int(date))
            factors[:, dates == date] = weather_factors(rain_out=weather.rain_out, fine=weather.fine)[:, None]
        return factors

    def _day_factors(self, dates: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return each bin's own luck of each date, (n, hours): what a timetable does not tell."""
        sigma = self._character.restlessness
        factors = np.empty((len(sigma), len(dates)))
        for date in np.unique(dates):
            luck = stream(self._seed, Stream.DEPOSITS, int(date), 1).normal(0.0, 1.0, len(sigma))
            factors[:, dates == date] = np.exp(sigma * luck - sigma**2 / 2)[:, None]
        return factors
