"""What sensors that speak seldom or coarsely say of rates: levels since emptyings, not hourly gains. Pure.

Between two words of such a sensor a bin may have become full, and what came then is not seen: gains would say too
little. So each interval between emptyings says how full the bin had become after how many paced hours, and "full" says
that as much or more came (`likelihood`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimise.fill.likelihood import learn_likelihood, summed
from optimise.fill.pace import Pace
from optimise.fill.rates import Evidence
from optimise.fill.readings import Floats, Ints, ordered_key, usual_gap_s
from optimise.fill.starts import known_emptyings
from optimise.fill.training import TrainingData

_FULL = 0.9
_LEAST_H = 1.0
_FINE = 0.01
_COARSE = 0.05
_MOST_STEPS = 26


def speaks_seldom(data: TrainingData, longest_gap_s: float) -> NDArray[np.bool_]:
    """Return (bins,) whose sensor is usually silent for longer than `longest_gap_s`, or tells only coarse steps."""
    seldom = usual_gap_s(data.readings, len(data.bins)) > longest_gap_s
    if _step(data.readings.fill) > _COARSE:
        seldom = data.has_sensor
    return seldom


def level_evidence(data: TrainingData, pace: Pace, which: NDArray[np.bool_]) -> Evidence:
    """Return what levels of the bins `which` (bins,) say of their log rates, in litres an hour; of the others nothing.

    `pace` is that of all bins.
    """
    bins = len(data.bins)
    nothing = Evidence(log_rate=np.zeros(bins), variance=np.full(bins, np.inf))
    readings, known = data.readings.where(which[data.readings.bin_row]), known_emptyings(data)
    if not len(readings) or not len(known):
        return nothing
    key = ordered_key(known.bin_row, known.at_s)
    last = np.searchsorted(key, ordered_key(readings.bin_row, readings.at_s), side="right") - 1
    since = (last >= 0) & (known.bin_row[np.maximum(last, 0)] == readings.bin_row)
    age_h = pace.between(readings.bin_row, known.at_s[np.maximum(last, 0)], readings.at_s)
    use = _last_of_each(last, since & (age_h >= _LEAST_H), readings.fill)
    row, found, hours = readings.bin_row[use], readings.fill[use], age_h[use]
    if not len(row):
        return nothing
    likelihood = learn_likelihood(row, found, hours, np.ones(len(row), dtype=bool), _step(readings.fill))
    log_rate, variance = likelihood.evidence(summed(likelihood.log, row, bins))
    return Evidence(log_rate=log_rate + np.log(data.volume_l), variance=variance)


def joined(sensed: Evidence, seldom: Evidence, which: NDArray[np.bool_]) -> Evidence:
    """Return `seldom` for the bins `which` (bins,), and what was `sensed` for the others."""
    return Evidence(
        log_rate=np.where(which & np.isfinite(seldom.variance), seldom.log_rate, sensed.log_rate),
        variance=np.where(which, seldom.variance, sensed.variance),
    )


def _last_of_each(interval: Ints, usable: NDArray[np.bool_], fill: Floats) -> Ints:
    """Return the indices of the last level below full in each interval; where all are full, of the first."""
    index = np.flatnonzero(usable)
    below = fill[index] < _FULL
    # The last of those below full, else the first of the full ones: in order of time within the interval.
    rank = np.where(below, index + len(fill), len(fill) - index)
    order = index[np.lexsort((rank, interval[index]))]
    newest = np.append(np.diff(interval[order]) != 0, True) if len(order) else np.zeros(0, dtype=bool)
    result: Ints = order[newest]
    return result


def _step(fill: Floats) -> float:
    """Return the distance of the levels that sensors tell apart."""
    some = fill[:: max(1, len(fill) // 20_000)]
    values = np.unique(np.round(some, 4))
    if not 1 < len(values) <= _MOST_STEPS:
        return _FINE
    return float(max(np.median(np.diff(values)), _FINE))
