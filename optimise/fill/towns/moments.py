"""What a bin's emptyings tell at a moment: how long ago the last was, and how often they come. Pure, and causal."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optimise.fill.readings import HOUR_S, Floats, Ints, ordered_key
from optimise.fill.towns.clock import WeekPace
from optimise.fill.towns.town import Town

_FORGET = 0.9
_PRIOR_WEIGHT = 1.5
_LEAST_H = 1.0
_USUAL_H = 72.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Cases:
    """Moments of bins to speak about, (n,): which bin, when, what its level was, and its last emptying's index.

    `last` indexes the town's emptyings: the last one known at the moment (before it, in a town of emptyings).
    """

    bin_row: Ints
    at_s: Ints
    actual: Floats
    last: Ints

    def __len__(self) -> int:
        return len(self.bin_row)

    def where(self, keep: Ints | np.typing.NDArray[np.bool_]) -> Cases:
        """Return the cases that `keep` (n,) marks or lists."""
        return Cases(bin_row=self.bin_row[keep], at_s=self.at_s[keep], actual=self.actual[keep], last=self.last[keep])

    @staticmethod
    def joined(parts: Sequence[Cases]) -> Cases:
        """Return the cases of all `parts`, one after the other."""
        return Cases(
            bin_row=np.concatenate([part.bin_row for part in parts]),
            at_s=np.concatenate([part.at_s for part in parts]),
            actual=np.concatenate([part.actual for part in parts]),
            last=np.concatenate([part.last for part in parts]),
        )


def last_emptying(town: Town, bin_row: Ints, at_s: Ints) -> Ints:
    """Return (n,) the index of the last emptying known at each moment, -1 without one."""
    if not len(town.emptied_s):
        return np.full(len(bin_row), -1)
    # In a town of emptyings the moment itself is an emptying: what it found is what is asked.
    side: Literal["left", "right"] = "left" if town.of_emptyings else "right"
    index = np.searchsorted(ordered_key(town.emptied_row, town.emptied_s), ordered_key(bin_row, at_s), side=side) - 1
    found = (index >= 0) & (town.emptied_row[np.maximum(index, 0)] == bin_row)
    return np.where(found, index, -1)


def choose_cases(town: Town, *, most: int, seed: int, apart_h: float = 5.5) -> Cases:
    """Return at most about `most` readings with an emptying before them, as many of each bin as may be.

    Readings of one bin are some hours apart, so that bursts do not count double; the rest is left to chance.
    """
    last = last_emptying(town, town.bin_row, town.at_s)
    rng = np.random.default_rng(seed)
    chosen: list[Ints] = []
    share = max(1, most // max(town.bins, 1))
    edges = np.searchsorted(town.bin_row, np.arange(town.bins + 1))
    for first, end in itertools.pairwise(edges):
        rows = first + _apart(town.at_s[first:end], apart_h * HOUR_S)
        rows = rows[last[rows] >= 0]
        if len(rows) > share:
            rows = np.sort(rng.choice(rows, share, replace=False))
        chosen.append(rows)
    rows = np.concatenate([np.zeros(0, np.int64), *chosen])
    return Cases(bin_row=town.bin_row[rows], at_s=town.at_s[rows], actual=town.fill[rows], last=last[rows])


def _apart(at_s: Ints, apart_s: float) -> Ints:
    """Return indices of moments that are at least `apart_s` apart, the first first."""
    kept: list[int] = []
    index = 0
    while index < len(at_s):
        kept.append(index)
        index = int(np.searchsorted(at_s, at_s[index] + apart_s))
    return np.array(kept, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Habit:
    """How often bins are emptied, as known just after each of the town's emptyings; all (m,).

    `usual_h`: the usual interval in paced hours, of which the recent ones weigh most; `last_h`: the last interval, NaN
    without one; `spread`: how much the logarithms of intervals scatter; `count`: intervals known.
    """

    usual_h: Floats
    last_h: Floats
    spread: Floats
    count: Floats


def learn_habit(town: Town, pace: WeekPace, until_s: float) -> Habit:
    """Learn every bin's habit from its own emptyings, starting from the town's (of its kind) up to `until_s`."""
    row, paced = town.emptied_row, pace.at(town.emptied_s)
    count = len(row)
    interval = np.full(count, np.nan)
    same = row[1:] == row[:-1]
    interval[1:][same] = np.maximum(np.diff(paced)[same], _LEAST_H)
    logs = np.log(interval)
    prior = _prior(town, logs, until_s)
    usual, spread, known = np.empty(count), np.empty(count), np.empty(count)
    total = square = weight = seen = 0.0
    for index in range(count):
        if index == 0 or row[index] != row[index - 1]:
            total, weight, seen = prior[row[index]] * _PRIOR_WEIGHT, _PRIOR_WEIGHT, 0.0
            square = 0.5**2 * _PRIOR_WEIGHT
        else:
            value = logs[index]
            square = square * _FORGET + (value - total / weight) ** 2
            total, weight, seen = total * _FORGET + value, weight * _FORGET + 1, seen + 1
        usual[index], spread[index], known[index] = total / weight, np.sqrt(square / weight), seen
    return Habit(usual_h=np.exp(usual), last_h=interval, spread=spread, count=known)


def _prior(town: Town, logs: Floats, until_s: float) -> Floats:
    """Return (bins,) the usual logarithm of an interval of the bin's kind, shrunk to the town's."""
    use = np.isfinite(logs) & (town.emptied_s <= until_s)
    if not use.any():
        return np.full(town.bins, np.log(_USUAL_H))
    # Bins weigh the same: one emptied daily would speak for all.
    sums = np.bincount(town.emptied_row[use], weights=logs[use], minlength=town.bins)
    counts = np.bincount(town.emptied_row[use], minlength=town.bins)
    has = counts > 0
    mean = sums[has] / counts[has]
    whole = float(mean.mean())
    result = np.full(town.bins, whole)
    for kind in range(len(town.kinds)):
        mine = town.kind[has] == kind
        result[town.kind == kind] = (mean[mine].sum() + 2 * whole) / (mine.sum() + 2)
    return result
