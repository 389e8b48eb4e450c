"""How many bins stand at a spot: a town that promises service has given its busiest spots more than one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.months.arrays import Floats

EMPTIED_H = 3
"""Hours after a day's beginning at which a bin is usually emptied."""
_WANDER_H = 2
"""By how much a bin's turn in the rounds comes earlier and later from day to day."""
_DAY_H = 24
_MOST_BINS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizing:
    """Bins are added, one at a time where most days overflow, until daily rounds leave this share of the budget.

    The budget is 1 - `service`, the bin-days that may overflow; emptied daily, the town overflows on at most `share`
    of it. `more_bin_s`: what one more bin at a spot adds to a stop.
    """

    service: float
    share: float = 0.1
    more_bin_s: ClassVar[float] = 20.0


def sized(deposits_l: NDArray[np.float64], full_l: Floats, *, options: Sizing) -> NDArray[np.int64]:
    """Return the number of bins at each of n spots, (n,), for deposits (n, h) and one bin's loose litres (n,)."""
    size = np.ones(len(full_l), dtype=np.int64)
    over = overflow_days(deposits_l, full_l, period_days=1, wander_h=_WANDER_H)
    allowed = options.share * (1 - options.service) * len(full_l) * (deposits_l.shape[1] // _DAY_H)
    while over.sum() > allowed and (size[over > 0] < _MOST_BINS).any():
        worst = int(np.argmax(np.where(size < _MOST_BINS, over, -1)))
        size[worst] += 1
        over[worst] = overflow_days(
            deposits_l[[worst]], size[[worst]] * full_l[[worst]], period_days=1, wander_h=_WANDER_H
        )[0]
    return size


def overflow_days(
    deposits_l: Floats | NDArray[np.float32], full_l: Floats, *, period_days: int, wander_h: int = 0
) -> Floats:
    """Return the days, (n,), on which deposits (n, h) found each bin full when it is emptied every `period_days`.

    The mean over the days on which its cycles may begin. Hour 0 is a morning's; bins are emptied EMPTIED_H after it,
    `wander_h` earlier and later by turns.
    """
    days = deposits_l.shape[1] // _DAY_H
    hourly = deposits_l[:, : days * _DAY_H].reshape(len(full_l), days, _DAY_H).astype(np.float64)
    turn = EMPTIED_H + wander_h * (-1) ** np.arange(days)
    before = np.arange(_DAY_H)[None, :] < turn[:, None]
    early, late = (hourly * before).sum(axis=2), (hourly * ~before).sum(axis=2)
    found = np.zeros(len(full_l))
    for offset in range(period_days):
        held_l = np.zeros(len(full_l))
        for day in range(days):
            held_l, over = _filled(held_l, early[:, day], full_l)
            if (day + offset) % period_days == 0:
                held_l = np.zeros(len(full_l))
            held_l, again = _filled(held_l, late[:, day], full_l)
            found += over | again
    return found / period_days


def _filled(held_l: Floats, more_l: Floats, full_l: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    return held_l + more_l, (more_l > 0) & (held_l + more_l > full_l)
