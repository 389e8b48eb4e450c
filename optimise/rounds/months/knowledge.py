"""What the product was told of a town so far, and the forecast that it makes of it: its own, trained on that alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimise.fill.forecast import Forecaster, ForecastTable, train
from optimise.fill.options import FillOptions
from optimise.fill.readings import ReadingOptions, Readings, find_emptyings, mend_spikes, on_hours
from optimise.fill.training import Emptyings, TrainingData
from optimise.rounds.months.arrays import HOUR_S, Floats
from optimise.rounds.months.town import Town

_QUARTERS = 4
_HISTORY_DAYS = 42
_READINGS = ReadingOptions()


class Knowledge:
    """Sensors' hourly levels of some bins, and what crews declared of all. Grows day by day."""

    def __init__(self, town: Town, sensed: NDArray[np.int64]) -> None:
        self._town = town
        self._sensed = sensed
        self._levels = np.full((len(sensed), town.days * 24), np.nan, dtype=np.float32)
        self._rows: list[NDArray[np.int64]] = []
        self._times: list[NDArray[np.int64]] = []
        self._found: list[Floats] = []
        self._forecaster: Forecaster | None = None
        self._trained_on = -1

    def copy(self) -> Knowledge:
        """Return what is known now, to be told other things from here on."""
        twin = object.__new__(Knowledge)
        twin._town, twin._sensed, twin._levels = self._town, self._sensed, self._levels.copy()
        twin._rows, twin._times, twin._found = list(self._rows), list(self._times), list(self._found)
        twin._forecaster, twin._trained_on = self._forecaster, self._trained_on
        return twin

    def hear(self, day: int, fills: Floats) -> None:
        """Take in what sensors said during a day: `fills` (bins, 24), true at the hours' beginnings."""
        hours = slice(day * 24, day * 24 + 24)
        heard = self._town.heard[self._sensed, hours]
        said = fills[self._sensed] + self._town.echo[self._sensed, hours]
        self._levels[:, hours] = np.where(heard, np.clip(said, 0.0, None), np.nan)

    def declare(self, bins: NDArray[np.int64], at_s: NDArray[np.int64], found: Floats) -> None:
        """Take in that crews emptied bins (k,) at moments (k,), and what fill they found, (k,): NaN, nothing said."""
        self._rows.append(bins)
        self._times.append(at_s)
        self._found.append(found)

    def last_levels(self, day: int) -> Floats:
        """Return the level last heard of each bin in the day before `day`, (n,), NaN when there was none."""
        levels = np.full(len(self._town.bins), np.nan)
        recent = self._levels[:, max(0, day * 24 - 24) : day * 24]
        for column in recent.T:
            levels[self._sensed] = np.where(np.isfinite(column), column, levels[self._sensed])
        return levels

    def learn(self, day: int, *, folds: int) -> None:
        """Train the forecast on what is known on the morning of `day`."""
        self._forecaster = train(self.data(day), seed=self._town.seed, options=FillOptions(folds=folds))
        self._trained_on = day

    def forecast(self, day: int, valid_s: NDArray[np.int64], *, retrain_days: int, folds: int) -> ForecastTable:
        """Forecast every bin at `valid_s` from what is known on the morning of `day`, training when that is due."""
        if self._forecaster is None or day - self._trained_on >= retrain_days:
            self.learn(day, folds=folds)
        assert self._forecaster is not None
        return self._forecaster.forecast(self.data(day), valid_s)

    def data(self, day: int) -> TrainingData:
        """Return what is known on the morning of `day` as the forecast takes it: the last six weeks."""
        town = self._town
        first = max(0, day - _HISTORY_DAYS)
        start_s, as_of_s = town.start_s + first * 24 * HOUR_S, town.start_s + day * 24 * HOUR_S
        levels = self._levels[:, first * 24 : day * 24]
        which, hour = np.nonzero(np.isfinite(levels))
        readings = mend_spikes(
            Readings(
                bin_row=self._sensed[which],
                at_s=start_s + hour * HOUR_S,
                fill=np.minimum(levels[which, hour].astype(np.float64), 1.5),
            ),
            spike=_READINGS.spike,
        )
        declared = self._declared(start_s)
        fell_row, fell_s = find_emptyings(readings, _READINGS)
        return TrainingData(
            bins=town.bins,
            time_zone=town.time_zone,
            as_of_s=as_of_s,
            start_s=start_s,
            readings=readings,
            hourly=on_hours(
                readings,
                emptied_row=np.concatenate([declared.bin_row, fell_row]),
                emptied_s=np.concatenate([declared.at_s, fell_s]),
                bins=len(town.bins),
                start_s=start_s,
                hours=(day - first) * 24,
                options=_READINGS,
            ),
            declared=declared,
            detected=Emptyings(bin_row=fell_row, at_s=fell_s, found=np.full(len(fell_row), np.nan)),
            planned=True,
        )

    def _declared(self, since_s: int) -> Emptyings:
        nobody = np.zeros(0, dtype=np.int64)
        row = np.concatenate([nobody, *self._rows])
        at_s = np.concatenate([nobody, *self._times])
        found = np.concatenate([np.zeros(0), *self._found])
        order = np.lexsort((at_s, row))
        every = Emptyings(bin_row=row[order], at_s=at_s[order], found=found[order])
        return every.where(every.at_s >= since_s)


def in_quarters(fraction: Floats) -> Floats:
    """Return the quarters of 0..1, (k,), that people would say."""
    return np.clip(np.rint(_QUARTERS * fraction), 0, _QUARTERS) / _QUARTERS
