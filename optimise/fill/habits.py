"""How often each bin is emptied, as it was known just after each emptying. Pure, and causal.

Crews come where bins fill, so that a bin's own rhythm tells of its rate; and a bin that is left for longer than usual
mostly fills slower than it was thought to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimise.fill.readings import HOUR_S, Floats, Ints, ordered_key
from optimise.fill.training import Emptyings

_FORGET = 0.9
_LENT = 1.5
_LENT_SPREAD = 0.5
_USUAL_H = 72.0
_ONE_VISIT_H = 4.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Habits:
    """What was known after each of n emptyings, ordered by bin and time; the (m + 1)th stands for bins without any.

    `usual_h`: the usual interval, the recent ones weighing most, starting from the town's; `last_h`: the last one, the
    usual without one; `spread`: how much the logarithms of intervals scatter.
    """

    bin_row: Ints
    at_s: Ints
    usual_h: Floats
    last_h: Floats
    spread: Floats

    def before(self, bin_row: Ints, at_s: Ints | Floats) -> Ints:
        """Return (n,) the index of the last emptying of `bin_row` at or before `at_s`, -1 without one."""
        if not len(self.bin_row):
            return np.full(len(bin_row), -1)
        wanted = ordered_key(bin_row, np.asarray(at_s).astype(np.int64))
        index = np.searchsorted(ordered_key(self.bin_row, self.at_s), wanted, side="right") - 1
        found = (index >= 0) & (self.bin_row[np.maximum(index, 0)] == bin_row)
        return np.where(found, index, -1)


def habits_of(known: Emptyings, bins: int) -> Habits:
    """Learn each bin's habit from the emptyings `known` of it, ordered by bin and time; one may be there twice."""
    row, at_s = known.bin_row, known.at_s
    again = (np.diff(row, prepend=-1) == 0) & (np.diff(at_s, prepend=0) < _ONE_VISIT_H * HOUR_S)
    row, at_s = row[~again], at_s[~again]
    same = np.diff(row, prepend=-1) == 0
    interval_h = np.where(same, np.diff(at_s, prepend=0) / HOUR_S, np.nan)
    logs = np.log(np.maximum(interval_h, 1.0))
    town = float(np.median(logs[same])) if same.any() else float(np.log(_USUAL_H))
    usual, spread = np.full(len(row) + 1, town), np.full(len(row) + 1, _LENT_SPREAD)
    total, square, weight = np.full(bins, town * _LENT), np.full(bins, _LENT_SPREAD**2 * _LENT), np.full(bins, _LENT)
    first = np.flatnonzero(~same)
    rank = np.arange(len(row)) - np.repeat(first, np.diff(np.append(first, len(row))))
    by_rank = np.argsort(rank, kind="stable")
    # All bins take their k-th emptying together: there are far more bins than emptyings of one.
    for index in np.split(by_rank, np.flatnonzero(np.diff(rank[by_rank])) + 1) if len(row) else []:
        of = row[index]
        if same[index[0]]:
            value = logs[index]
            square[of] = square[of] * _FORGET + (value - total[of] / weight[of]) ** 2
            total[of], weight[of] = total[of] * _FORGET + value, weight[of] * _FORGET + 1
        usual[index], spread[index] = total[of] / weight[of], np.sqrt(square[of] / weight[of])
    usual_h = np.exp(usual)
    return Habits(
        bin_row=row,
        at_s=at_s,
        usual_h=usual_h,
        last_h=np.append(np.where(same, np.exp(logs), usual_h[:-1]), usual_h[-1]),
        spread=spread,
    )
