"""What a bin's rate is before anybody looked at it, and after a few looks. Pure.

What was found at the emptyings of known bins tells their rates (`likelihood`). The logarithms of these are a Gaussian
process over bins (`optimise.fill.rates`), which speaks of every bin as if it were left out: an empirical prior (Gelman
et al., Bayesian Data Analysis, 3rd edition, chapter 5). Looks at the bin itself then move that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.features import usual_intervals
from optimise.fill.likelihood import Likelihood, learn_likelihood, summed
from optimise.fill.rates import leave_one_out
from optimise.fill.readings import Floats, Ints
from optimise.fill.towns.clock import WeekPace
from optimise.fill.towns.moments import Cases, Habit
from optimise.fill.towns.town import Town

_LEAST_H = 1.0
_LEAST_FOUND = 0.05
_FEWEST_INTERVALS = 3
_LOOKS = 10
_FULL = 0.9
_FORGETS = (1.0, 0.9, 0.8, 0.65)
_MOST_USUAL = 3.0
_BLIND_SD = 0.7
_LEAST_VARIANCE = 0.1**2


@dataclass(frozen=True, kw_only=True, eq=False)
class Prior:
    """What other bins alone tell of every bin, (bins,) each.

    `log_rate`: of fill per paced hour, and its `log_rate_sd`; `found`: the level at which the bin is usually emptied,
    and its `found_sd`; `found_variance`: of what is found at one bin about its own mean. `forget`: what a look counts
    for, against the next newer one. `likelihood`: what each of the town's emptyings, if looked at, says of the rate.
    """

    log_rate: Floats
    log_rate_sd: Floats
    found: Floats
    found_sd: Floats
    found_variance: float
    forget: float
    likelihood: Likelihood

    def rates(self, row: Ints, emptying: Ints, weight: Floats) -> tuple[Floats, Floats]:
        """Return rates (n,) of bins `row` and the spread of their logarithms, after looks at `emptying` (n, k).

        `weight` (n, k): what each look counts for, 0 where there is none.
        """
        total = np.zeros((len(row), len(self.likelihood.grid)))
        for look in range(emptying.shape[1]):
            seen = np.flatnonzero(weight[:, look] > 0)
            total[seen] += weight[seen, look, None] * self.likelihood.log[emptying[seen, look]]
        mean, sd = self.likelihood.posterior(total, self.log_rate[row], self.log_rate_sd[row])
        return np.exp(mean), sd

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


def learn_prior(
    town: Town,
    hours_to: Floats,
    known: NDArray[np.bool_],
    until_s: float,
    *,
    seen_at: tuple[Cases, Floats] | None = None,
    seed: int = 0,
) -> Prior:
    """Learn from the emptyings of `known` bins (bins,) up to `until_s`, which took `hours_to` (m,) to come to.

    `seen_at`: cases of known bins, whose levels sensors saw, and their paced ages (n,). These say of a bin that is
    always full how soon it was half full.
    """
    usable = usable_looks(town)
    taught = usable & known[town.emptied_row] & (town.emptied_s < until_s)
    every_row, every_found = town.emptied_row, np.where(usable, town.found, np.nan)
    likelihood = learn_likelihood(every_row, every_found, hours_to, taught, town.step)
    row, found, hours = every_row[taught], every_found[taught], hours_to[taught]
    count = np.bincount(row, minlength=town.bins)
    seen = count >= _FEWEST_INTERVALS
    if not seen.any():
        return _blind(town.bins, likelihood)
    inputs = _inputs(town, hours_to, until_s)
    log, log_row = likelihood.log[taught], row
    if seen_at is not None and len(seen_at[0]):
        last = _last_below_full(*seen_at)
        log_row, log = seen_at[0].bin_row[last], likelihood.of(seen_at[0].actual[last], seen_at[1][last])
    told, variance = likelihood.evidence(summed(log, log_row, town.bins))
    variance = np.where(seen, variance, np.inf)
    if not np.isfinite(variance).any():
        return _blind(town.bins, likelihood)
    log_rate, log_rate_sd = leave_one_out(inputs, told, variance, seed=seed)
    mean = np.bincount(row, weights=found, minlength=town.bins) / np.maximum(count, 1)
    spare = max(int((count[seen] - 1).sum()), 1)
    found_variance = max(float(((found - mean[row])[seen[row]] ** 2).sum() / spare), _LEAST_VARIANCE)
    # In logarithms, as the kernel's scales are those of logarithms.
    log_found = np.log(np.maximum(mean, _LEAST_FOUND))
    relative = found_variance / np.maximum(mean, _LEAST_FOUND) ** 2 / np.maximum(count, 1)
    level, level_sd = leave_one_out(inputs, log_found, np.where(seen, relative, np.inf), seed=seed)
    usual = np.minimum(np.exp(level), 1.0)
    return Prior(
        log_rate=log_rate,
        log_rate_sd=np.clip(log_rate_sd, 0.1, 1.5),
        found=usual,
        found_sd=np.maximum(usual * level_sd, 0.02),
        found_variance=found_variance,
        forget=_forget(row, found, hours),
        likelihood=likelihood,
    )


def _last_below_full(cases: Cases, age_h: Floats) -> Ints:
    """Return the indices of the oldest case below full of each interval between emptyings, bins in order."""
    below = np.flatnonzero(cases.actual < _FULL)
    order = below[np.lexsort((age_h[below], cases.last[below]))]  # emptyings are ordered by bin
    newest = np.append(np.diff(cases.last[order]) != 0, True) if len(order) else np.zeros(0, dtype=bool)
    return order[newest & (age_h[order] >= _LEAST_H)]


def _blind(bins: int, likelihood: Likelihood) -> Prior:
    every = np.ones(bins)
    return Prior(
        log_rate=every * likelihood.grid.mean(),
        log_rate_sd=every * _BLIND_SD,
        found=every * 0.5,
        found_sd=every * 0.25,
        found_variance=0.04,
        forget=1.0,
        likelihood=likelihood,
    )


def _forget(row: Ints, found: Floats, hours: Floats) -> float:
    """Return the weight of a look against the next newer one with which looks foretell the next best."""
    if len(row) <= _LOOKS:
        return 1.0
    back = np.arange(1, _LOOKS + 1)
    index = np.arange(len(row))[:, None] - back
    same = (index >= 0) & (row[np.maximum(index, 0)] == row[:, None])
    asked = same[:, _FEWEST_INTERVALS - 1] & (found < _FULL)
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


def _inputs(town: Town, hours_to: Floats, until_s: float) -> Floats:
    """Return (bins, k + 4) as `bins_kernel` takes them, of what was known before `until_s`."""
    use = np.isfinite(hours_to) & (town.emptied_s < until_s)
    columns = [usual_intervals(town.emptied_row[use], hours_to[use], town.bins)[:, None]]
    if len(town.kinds) > 1:
        columns.append(2.0 * np.eye(len(town.kinds))[town.kind])  # kinds differ more than shops do
    volume = np.log(town.volume_l)
    if np.isfinite(volume).any() and np.nanstd(volume) > 0:
        columns.append(np.nan_to_num((volume - np.nanmean(volume)) / np.nanstd(volume))[:, None])
    number = np.arange(town.bins, dtype=np.float64)[:, None]
    return np.hstack([*columns, town.features, np.nan_to_num(town.position_km), number])
