"""What a bin's rate is before anybody looked at it, and after a few looks. Pure.

Of bins whose emptyings are known with what was found, rates are sums of fill over sums of paced hours. Their logarithms
are a Gaussian process over bins (`optimise.fill.rates`), which speaks of every bin as if it were left out. Looks at the
bin itself then move that: fill found is taken as Poisson in lumps, the rate as gamma, whose posterior is in closed form
(Gelman et al., Bayesian Data Analysis, 3rd edition, section 2.6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.rates import leave_one_out
from optimise.fill.readings import Floats, Ints
from optimise.fill.towns.clock import WeekPace
from optimise.fill.towns.moments import Habit
from optimise.fill.towns.town import Town

_LEAST_H = 1.0
_LEAST_FOUND = 0.05
_LEAST_LUMP, _MOST_LUMP = 0.01, 1.0
_FEWEST_INTERVALS = 3
_SEASONS = 5
_LOOKS = 10
_FORGETS = (1.0, 0.9, 0.8, 0.65)
_MOST_USUAL = 3.0
_BLIND_SD = 0.7
_BLIND_RATE = 0.01
_BLIND_LUMP = 0.2
_LEAST_VARIANCE = 0.1**2


@dataclass(frozen=True, kw_only=True, eq=False)
class Prior:
    """What other bins alone tell of every bin, (bins,) each.

    `rate`: fill per paced hour, and `rate_sd` of its logarithm; `found`: the level at which the bin is usually emptied,
    and its `found_sd`. `lump`: the variance of what is found over what the bin's rate foretells, as one lump of that
    size after another would make it; `found_variance`: of what is found at one bin about its own mean; `drift`: of a
    bin's log rate from one season to another; `forget`: what a look counts for, against the next newer one.
    """

    rate: Floats
    rate_sd: Floats
    found: Floats
    found_sd: Floats
    lump: float
    drift: float
    forget: float
    found_variance: float

    def rates(self, row: Ints, found: Floats, hours: Floats) -> tuple[Floats, Floats]:
        """Return rates (n,) and the spread of their logarithms, bins `row` having shown `found` over `hours` (n,)."""
        shape = 1 / self.rate_sd[row] ** 2
        lent = shape * self.lump
        # However much was found, it was found in another season.
        share = 1 / (1 + self.drift * found / self.lump)
        rate = (lent + share * found) / (lent / self.rate[row] + share * hours)
        return rate, 1 / np.sqrt(shape + share * found / self.lump)

    def levels(self, row: Ints, found: Floats, count: Floats) -> Floats:
        """Return (n,) the levels at which bins `row` are usually emptied, after `count` looks that found `found`."""
        precision = 1 / self.found_sd[row] ** 2
        result: Floats = (precision * self.found[row] + found / self.found_variance) / (
            precision + count / self.found_variance
        )
        return np.clip(result, 0.02, 1.0)


def look_hours(town: Town, pace: WeekPace, habit: Habit) -> Floats:
    """Return (m,) the paced hours that each emptying's fill took to come, NaN where unknown.

    An interval of several usual ones hides emptyings that nobody noticed: it counts as some usual ones.
    """
    if not len(town.emptied_s):
        return np.zeros(0)
    hours = np.append(np.nan, np.maximum(np.diff(pace.at(town.emptied_s)), _LEAST_H))
    most = np.append(np.nan, _MOST_USUAL * habit.usual_h[:-1])
    return np.where(np.append(False, np.diff(town.emptied_row) == 0), np.minimum(hours, most), np.nan)


def usable_looks(town: Town) -> NDArray[np.bool_]:
    """Return (m,) which emptyings can be looked at: their level is known, and when the bin was emptied before."""
    before = np.append(False, np.diff(town.emptied_row) == 0) if len(town.emptied_row) else np.zeros(0, dtype=bool)
    return before & np.isfinite(town.found)


def learn_prior(town: Town, hours_to: Floats, known: NDArray[np.bool_], until_s: float, seed: int = 0) -> Prior:
    """Learn from the emptyings of `known` bins (bins,) up to `until_s`, which took `hours_to` (m,) to come to."""
    use = np.flatnonzero(usable_looks(town) & (town.emptied_s < until_s))
    use = use[known[town.emptied_row[use]]]
    row, found, hours = town.emptied_row[use], town.found[use], hours_to[use]
    count = np.bincount(row, minlength=town.bins)
    total = np.bincount(row, weights=found, minlength=town.bins)
    passed = np.bincount(row, weights=hours, minlength=town.bins)
    seen = count >= _FEWEST_INTERVALS
    if not seen.any():
        return _blind(town.bins)
    rate = (total + _LEAST_FOUND) / np.maximum(passed, _LEAST_H)
    lump = _lump(row, found, hours, rate, seen)
    inputs = _inputs(town)
    drift = _drift(row, found, hours, _season(town.emptied_s[use]), lump)
    variance = np.where(seen, lump / np.maximum(total, lump) + drift, np.inf)
    log_rate, rate_sd = leave_one_out(inputs, np.log(rate), variance, seed=seed)
    mean = total / np.maximum(count, 1)
    often = seen[row]
    spare = max(int((count[seen] - 1).sum()), 1)
    found_variance = max(float(((found - mean[row])[often] ** 2).sum() / spare), _LEAST_VARIANCE)
    # In logarithms, as the kernel's scales are those of logarithms.
    log_found = np.log(np.maximum(mean, _LEAST_FOUND))
    relative = found_variance / np.maximum(mean, _LEAST_FOUND) ** 2 / np.maximum(count, 1)
    level, level_sd = leave_one_out(inputs, log_found, np.where(seen, relative, np.inf), seed=seed)
    usual = np.minimum(np.exp(level), 1.0)
    return Prior(
        rate=np.exp(log_rate),
        rate_sd=np.clip(rate_sd, 0.1, 1.5),
        found=usual,
        found_sd=np.maximum(usual * level_sd, 0.02),
        lump=lump,
        drift=drift,
        forget=_forget(row, found, hours),
        found_variance=found_variance,
    )


def _blind(bins: int) -> Prior:
    every = np.ones(bins)
    return Prior(
        rate=every * _BLIND_RATE,
        rate_sd=every * _BLIND_SD,
        found=every * 0.5,
        found_sd=every * 0.25,
        lump=_BLIND_LUMP,
        drift=0.0,
        forget=1.0,
        found_variance=0.04,
    )


def _lump(row: Ints, found: Floats, hours: Floats, rate: Floats, seen: NDArray[np.bool_]) -> float:
    """Return the variance over the mean of what was found."""
    due = np.bincount(row, weights=rate[row] * hours, minlength=len(rate))[seen]
    square = np.bincount(row, weights=(found - rate[row] * hours) ** 2, minlength=len(rate))[seen]
    count = np.bincount(row, minlength=len(rate))[seen]
    # Of the middle bin: emptyings that nobody noticed make wild ones. Each bin's rate took one of its looks.
    of_bin = square / np.maximum(due, 1e-9) * count / np.maximum(count - 1, 1)
    return float(np.clip(np.median(of_bin), _LEAST_LUMP, _MOST_LUMP))


def _forget(row: Ints, found: Floats, hours: Floats) -> float:
    """Return the weight of a look against the next newer one with which looks foretell the next best."""
    if len(row) <= _LOOKS:
        return 1.0
    back = np.arange(1, _LOOKS + 1)
    index = np.arange(len(row))[:, None] - back
    same = (index >= 0) & (row[np.maximum(index, 0)] == row[:, None])
    asked = same[:, _FEWEST_INTERVALS - 1]
    if not asked.any():
        return 1.0
    at, same = np.maximum(index[asked], 0), same[asked]
    _, owner, count = np.unique(row[asked], return_inverse=True, return_counts=True)
    weight = 1 / count[owner]

    def error(forget: float) -> float:
        share = forget**back * same
        rate = ((found[at] * share).sum(axis=1) + _LEAST_FOUND) / ((hours[at] * share).sum(axis=1) + _LEAST_H)
        missed = np.abs(np.minimum(rate * hours[asked], 1.0) - found[asked])
        return float(np.average(missed, weights=weight))

    return min(_FORGETS, key=error)


def _season(at_s: Ints) -> Ints:
    """Return (n,) in which fifth of the time each moment lies."""
    since_s = at_s - int(at_s.min())
    return np.asarray(np.minimum(since_s * _SEASONS // max(int(since_s.max()), 1), _SEASONS - 1))


def _drift(row: Ints, found: Floats, hours: Floats, season: Ints, lump: float) -> float:
    """Return the variance of bins' log rates from season to season, beyond what lumps make of it."""
    cell, where = np.unique(row * _SEASONS + season, return_inverse=True)
    count, total, passed = (np.bincount(where, weights=each) for each in (np.ones(len(row)), found, hours))
    use = (count >= _FEWEST_INTERVALS) & (total > lump)
    owner = cell[use] // _SEASONS
    seasons = np.bincount(owner)
    log_rate, noise = np.log(total[use] / passed[use]), lump / total[use]
    bins = np.flatnonzero(seasons > 1)
    if not len(bins):
        return 0.0
    mean = np.bincount(owner, weights=log_rate) / np.maximum(seasons, 1)
    square = np.bincount(owner, weights=(log_rate - mean[owner]) ** 2)[bins] / (seasons[bins] - 1)
    alone = np.bincount(owner, weights=noise)[bins] / seasons[bins]
    return float(np.clip(np.median(square - alone), 0.0, 0.5))


def _inputs(town: Town) -> Floats:
    """Return (bins, k + 3): features of the place, its position in km, the bin's number."""
    columns = []
    if len(town.kinds) > 1:
        columns.append(2.0 * np.eye(len(town.kinds))[town.kind])  # kinds differ more than shops do
    volume = np.log(town.volume_l)
    if np.isfinite(volume).any() and np.nanstd(volume) > 0:
        columns.append(np.nan_to_num((volume - np.nanmean(volume)) / np.nanstd(volume))[:, None])
    number = np.arange(town.bins, dtype=np.float64)[:, None]
    return np.hstack([*columns, town.features, np.nan_to_num(town.position_km), number])
