"""What other bins tell about a bin: their rates, and what their sensors say now. Pure.

`known` bins are those whose levels may be seen. What is told about a bin never comes from the bin itself, so that a
known bin is described, while learning, exactly as a bin whose levels nobody sees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from optimise.fill.readings import HOUR_S, Floats, Ints, ordered_key
from optimise.fill.towns.causal import emptied_since_s
from optimise.fill.towns.clock import WeekPace
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.town import Town

RATES = np.geomspace(2e-4, 0.5, 90)
_GRID_H = 6
_STALE_H = 48.0
_FEWEST = 10
_FADE_KM = 0.5


def paced_age(town: Town, cases: Cases, pace: WeekPace) -> Floats:
    """Return (n,) paced hours since the last emptying known of."""
    return np.maximum(pace.at(cases.at_s) - pace.at(town.emptied_s)[cases.last], 0.0)


def bin_rates(cases: Cases, age_h: Floats, bins: int) -> Floats:
    """Return (bins,) fill per paced hour, the one that leaves the least absolute error until full; NaN where unseen."""
    rates = np.full(bins, np.nan)
    count = np.bincount(cases.bin_row, minlength=bins)
    for row in np.flatnonzero(count >= _FEWEST):
        mine = cases.bin_row == row
        rates[row] = least_absolute_rate(age_h[mine], cases.actual[mine])
    return rates


def least_absolute_rate(age_h: Floats, actual: Floats, weight: Floats | None = None) -> float:
    """Return the rate of fill per hour that leaves the least absolute error until full."""
    error = np.abs(np.minimum(RATES[:, None] * age_h[None, :], 1.0) - actual[None, :])
    return float(RATES[np.argmin(np.average(error, axis=1, weights=weight))])


@dataclass(frozen=True, kw_only=True, eq=False)
class LevelGrid:
    """The last level of each bin at moments `start_s` + k x `step_s`; arrays are (bins, k), NaN where it is stale.

    `level`; `at_s`, when it was measured; `since_s`, when the bin had been emptied before that, as known then.
    """

    start_s: int
    step_s: int
    level: Floats
    at_s: Floats
    since_s: Floats

    def slot(self, at_s: Ints) -> Ints:
        """Return (n,) the last moment of the grid not after `at_s`."""
        return np.clip((at_s - self.start_s) // self.step_s, 0, self.level.shape[1] - 1)


def level_grid(town: Town) -> LevelGrid:
    """Return what every sensor last said, on a grid; a level outlives two days, or three usual gaps."""
    step_s = _GRID_H * HOUR_S
    if not len(town.at_s):
        nothing = np.full((town.bins, 1), np.nan)
        return LevelGrid(start_s=0, step_s=step_s, level=nothing, at_s=nothing, since_s=nothing)
    start_s = int(town.at_s.min()) // step_s * step_s
    slots = (int(town.at_s.max()) - start_s) // step_s + 1
    moments = start_s + np.arange(slots, dtype=np.int64) * step_s
    key = ordered_key(town.bin_row, town.at_s)
    stale_s = max(_STALE_H, 3 * town.gap_h) * HOUR_S
    since = emptied_since_s(town)
    level, at_s, since_s = (np.full((town.bins, slots), np.nan) for _ in range(3))
    for row in range(town.bins):
        index = np.searchsorted(key, ordered_key(np.full_like(moments, row), moments), side="right") - 1
        at = np.maximum(index, 0)
        fresh = (index >= 0) & (town.bin_row[at] == row) & (moments - town.at_s[at] <= stale_s)
        level[row] = np.where(fresh, town.fill[at], np.nan)
        at_s[row] = np.where(fresh, town.at_s[at], np.nan)
        since_s[row] = np.where(fresh, since[at], np.nan)
    return LevelGrid(start_s=start_s, step_s=step_s, level=level, at_s=at_s, since_s=since_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Activity:
    """How much fuller sensored bins are than their rates say, at moments of the grid: sums and counts over bins.

    `of_bin` (bins, k), NaN where unknown; the rows of bins that are not known are NaN.
    """

    grid: LevelGrid
    of_bin: Floats

    def around(self, cases: Cases, group: Ints) -> Floats:
        """Return (n,) the mean over the known bins of each case's `group` (bins,), the bin itself left out; 0: none."""
        slot = self.grid.slot(cases.at_s)
        result = np.zeros(len(cases))
        seen = np.isfinite(self.of_bin)
        value = np.where(seen, self.of_bin, 0.0)
        for name in np.unique(group[cases.bin_row]) if len(cases) else []:
            mine = group[cases.bin_row] == name
            members = group == name
            total, count = value[members].sum(axis=0), seen[members].sum(axis=0)
            at, row = slot[mine], cases.bin_row[mine]
            others = count[at] - seen[row, at]
            # Half a bin that knows nothing: one neighbour alone is not to be trusted with the whole.
            result[mine] = (total[at] - value[row, at]) / (others + 0.5)
        return result


def learn_activity(grid: LevelGrid, rates: Floats, pace: WeekPace, known: NDArray[np.bool_]) -> Activity:
    """Return how much fuller `known` bins were when last measured than `rates` (bins,) say."""
    age = pace.at(np.nan_to_num(grid.at_s)) - pace.at(np.nan_to_num(grid.since_s))
    expected = np.minimum(rates[:, None] * np.maximum(age, 0.0), 1.0)
    of_bin = np.where(np.isfinite(grid.since_s) & known[:, None], grid.level - expected, np.nan)
    return Activity(grid=grid, of_bin=of_bin)


def nearest_weights(distance: Floats, known: NDArray[np.bool_], neighbours: int) -> Floats:
    """Return (bins, bins) weights of the `neighbours` nearest known others by `distance` (bins, bins), rows sum to 1.

    Rows of bins without any neighbour at a known distance are NaN.
    """
    usable = np.where(known[None, :] & ~np.eye(len(known), dtype=bool), distance, np.inf)
    usable = np.where(np.isnan(usable), np.inf, usable)
    order = np.argsort(usable, axis=1, kind="stable")[:, :neighbours]
    rows = np.arange(len(known))[:, None]
    weights = np.zeros_like(usable)
    weights[rows, order] = np.isfinite(usable[rows, order])
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, weights / np.where(total > 0, total, 1.0), np.nan)


def kriging_weights(distance_km: Floats, known: NDArray[np.bool_], length_km: float, nugget: float = 0.3) -> Floats:
    """Return (bins, bins) weights of ordinary kriging with an exponential covariance; a bin never counts for itself.

    Source: Cressie, Statistics for Spatial Data (1993), section 3.2. Rows of bins without a position are NaN.
    """
    bins = len(known)
    weights = np.full((bins, bins), np.nan)
    located = np.isfinite(np.diag(distance_km))
    for row in np.flatnonzero(located):
        others = np.flatnonzero(known & located & (np.arange(bins) != row))
        others = others[np.argsort(distance_km[row, others], kind="stable")[:64]]  # the far ones are screened
        if not len(others):
            continue
        system = np.ones((len(others) + 1, len(others) + 1))
        system[:-1, :-1] = np.exp(-distance_km[np.ix_(others, others)] / length_km)
        system[np.arange(len(others)), np.arange(len(others))] += nugget
        system[-1, -1] = 0.0
        right = np.append(np.exp(-distance_km[row, others] / length_km), 1.0)
        weights[row] = 0.0
        weights[row, others] = np.linalg.solve(system, right)[:-1]
    return weights


def distances_km(town: Town) -> Floats:
    """Return (bins, bins) distances in kilometres, NaN where a position is unknown."""
    return np.asarray(cdist(town.position_km, town.position_km))


def unlikeness(town: Town) -> Floats:
    """Return (bins, bins) how unlike two bins' places are: kind, volume, features, and a little their distance."""
    columns = [np.eye(len(town.kinds))[town.kind] * 2.0]
    volume = np.log(town.volume_l)
    if np.isfinite(volume).any() and np.nanstd(volume) > 0:
        columns.append(np.nan_to_num((volume - np.nanmean(volume)) / np.nanstd(volume))[:, None])
    if town.features.shape[1]:
        columns.append(town.features / np.sqrt(town.features.shape[1]))
    table = np.hstack(columns)
    result = cdist(table, table)
    apart = distances_km(town)
    return np.asarray(result + np.where(np.isnan(apart), 0.0, 1 - np.exp(-apart / _FADE_KM)))


def smoothed(weights: Floats, value: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return (bins, ...) `weights` (bins, bins) applied to `value` (bins, ...), over what is known; NaN without any."""
    usable = np.isfinite(value) & (known if value.ndim == 1 else known[:, None])
    filled = np.where(usable, value, 0.0)
    plain = np.nan_to_num(weights)
    share = plain @ usable.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = np.where(share > 0.2, (plain @ filled) / share, np.nan)  # noqa: PLR2004 - too little to go by
    return result
