"""The simple forecasts that the model has to beat, behind one protocol. Pure.

Each sees exactly what the model sees, and speaks about the same thing: fill at a moment if nobody empties until then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from optimise.fill.features import positions_km
from optimise.fill.options import FillOptions
from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.slots import WEEK_H, local_slots
from optimise.fill.starts import starts_of
from optimise.fill.training import TrainingData
from storage.model import Bin

_NEAREST = 3
_SOME_LEVEL = 0.3


class Baseline(Protocol):
    """A simple forecast."""

    @property
    def name(self) -> str:
        """The baseline's name in scores."""
        ...

    def predict(self, data: TrainingData, bins: Sequence[Bin], times: Sequence[datetime]) -> Floats:
        """Return fill (bins, times) of `bins`, which are among `data.bins`, from what `data` knows."""
        ...


@dataclass(frozen=True, kw_only=True)
class GlobalMean:
    """The mean of all levels measured."""

    name: str = "global_mean"

    def predict(self, data: TrainingData, bins: Sequence[Bin], times: Sequence[datetime]) -> Floats:
        """Return the same level for all."""
        return np.full((len(bins), len(times)), _mean_level(data))


@dataclass(frozen=True, kw_only=True)
class WeekdayHourMean:
    """The mean of all levels measured at the same hour of the local week."""

    name: str = "weekday_hour_mean"

    def predict(self, data: TrainingData, bins: Sequence[Bin], times: Sequence[datetime]) -> Floats:
        """Return one level for each moment."""
        slot = local_slots(data.start_s, data.hours + 1, data.time_zone)
        seen = np.isfinite(data.hourly.level)
        total = np.bincount(slot, weights=np.where(seen, data.hourly.level, 0.0).sum(axis=0), minlength=WEEK_H)
        count = np.bincount(slot, weights=seen.sum(axis=0), minlength=WEEK_H)
        mean = np.where(count > 0, total / np.maximum(count, 1), _mean_level(data))
        wanted = [int(local_slots(int(t.timestamp()) // HOUR_S * HOUR_S, 1, data.time_zone)[0]) for t in times]
        return np.tile(mean[wanted], (len(bins), 1))


@dataclass(frozen=True, kw_only=True)
class KindRate:
    """Time since the last known emptying, times the mean rate of sensored bins of the same kind."""

    name: str = "time_since_emptying_x_kind_rate"

    def predict(self, data: TrainingData, bins: Sequence[Bin], times: Sequence[datetime]) -> Floats:
        """Return levels growing by the kind's rate in litres an hour."""
        rate, seen = _rates_l_per_h(data)
        kinds = np.array([item.bin_kind for item in data.bins], dtype=object)
        mean = rate[seen].mean() if seen.any() else FillOptions().prior_rate_l_per_h
        of_kind = {k: rate[seen & (kinds == k)].mean() if (seen & (kinds == k)).any() else mean for k in set(kinds)}
        return _grown(data, bins, times, np.array([of_kind[k] for k in kinds], dtype=np.float64))


@dataclass(frozen=True, kw_only=True)
class NearestRate:
    """Time since the last known emptying, times the mean rate of the three nearest sensored bins."""

    name: str = "time_since_emptying_x_nearest_rate"

    def predict(self, data: TrainingData, bins: Sequence[Bin], times: Sequence[datetime]) -> Floats:
        """Return levels growing by the neighbours' rate in litres an hour."""
        rate, seen = _rates_l_per_h(data)
        if not seen.any():
            return KindRate().predict(data, bins, times)
        return _grown(data, bins, times, _of_nearest(data, rate, seen))


@dataclass(frozen=True, kw_only=True)
class NearestLevel:
    """The mean of the last levels of the three nearest sensored bins, kept."""

    name: str = "nearest_level"

    def predict(self, data: TrainingData, bins: Sequence[Bin], times: Sequence[datetime]) -> Floats:
        """Return one level for each bin."""
        last = np.full(len(data.bins), np.nan)
        last[data.readings.bin_row] = data.readings.fill
        seen = np.isfinite(last)
        if not seen.any():
            return GlobalMean().predict(data, bins, times)
        return np.tile(_of_nearest(data, last, seen)[_rows(data, bins), None], (1, len(times)))


@dataclass(frozen=True, kw_only=True)
class Persistence:
    """The last level measured or, emptied since, nothing; kept. For bins with a sensor."""

    name: str = "persistence"

    def predict(self, data: TrainingData, bins: Sequence[Bin], times: Sequence[datetime]) -> Floats:
        """Return one level for each bin; the global mean for bins that were never measured."""
        starts = starts_of(data, FillOptions())
        level = np.where(data.has_sensor, starts.level, _mean_level(data))
        return np.tile(level[_rows(data, bins), None], (1, len(times)))


UNSENSORED: tuple[Baseline, ...] = (GlobalMean(), WeekdayHourMean(), KindRate(), NearestRate(), NearestLevel())
"""What a forecast for bins without a sensor has to beat."""

SENSORED: tuple[Baseline, ...] = (GlobalMean(), WeekdayHourMean(), KindRate(), Persistence())
"""What a forecast for bins with a sensor has to beat."""


def _rows(data: TrainingData, bins: Sequence[Bin]) -> Ints:
    row_of = {item.place_id: row for row, item in enumerate(data.bins)}
    return np.array([row_of[item.place_id] for item in bins], dtype=np.int64)


def _mean_level(data: TrainingData) -> float:
    return float(data.readings.fill.mean()) if len(data.readings) else _SOME_LEVEL


def _rates_l_per_h(data: TrainingData) -> tuple[Floats, np.typing.NDArray[np.bool_]]:
    """Return (bins,) the mean gain of each bin in litres an hour and whether a day of it was seen."""
    hours = np.isfinite(data.hourly.gained).sum(axis=1)
    total = np.nansum(data.hourly.gained, axis=1) * data.volume_l
    return np.maximum(total / np.maximum(hours, 1), 0.0), hours >= WEEK_H / 7


def _of_nearest(data: TrainingData, value: Floats, seen: np.typing.NDArray[np.bool_]) -> Floats:
    """Return (bins,) the mean `value` of the three nearest `seen` bins, never a bin's own."""
    where, known = positions_km(data.bins), np.flatnonzero(seen)
    index = cKDTree(where[known]).query(where, k=np.arange(1, _NEAREST + 2))[1]
    index = np.where(index < len(known), index, 0)
    near = known[index]
    other = near != np.arange(len(where))[:, None]
    # Of four candidates, take the first three that are not the bin itself.
    taken = other & (np.cumsum(other, axis=1) <= _NEAREST)
    taken[~taken.any(axis=1), 0] = True
    result: Floats = (value[near] * taken).sum(axis=1) / taken.sum(axis=1)
    return result


def _grown(data: TrainingData, bins: Sequence[Bin], times: Sequence[datetime], rate_l_per_h: Floats) -> Floats:
    """Return (bins, times) the levels after growing at a constant rate since the last emptying known of."""
    rows = _rows(data, bins)
    starts = starts_of(data, FillOptions())
    elapsed_h = (np.array([t.timestamp() for t in times])[None, :] - starts.at_s[rows, None]) / HOUR_S
    gain = rate_l_per_h[rows, None] * np.maximum(elapsed_h, 0.0) / data.volume_l[rows, None]
    result: Floats = starts.level[rows, None] + gain
    return result
