"""Forecasts of the past beside what happened, with the intervals that they would have had. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.backtest import HeldOut
from optimise.fill.evaluation import POINTS
from optimise.fill.forecast import PROBABILITIES, honest_quantiles
from optimise.fill.intervals import FULL
from optimise.fill.readings import Floats, Ints

_MIDDLE = PROBABILITIES.index(0.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tried:
    """n forecasts of bins, each by a law that the bin did not teach; levels above full count as full.

    `actual` (n,) and `quantiles` (n, 5) are fill, `full` (n,) is the probability of being full; `simple` (n,) is what
    the best simple method, `simple_name`, said.
    """

    bin_row: Ints
    at_s: Ints
    ahead_h: Ints
    actual: Floats
    quantiles: Floats
    full: Floats
    simple: Floats
    simple_name: str

    def __len__(self) -> int:
        return len(self.bin_row)

    @property
    def middle(self) -> Floats:
        """(n,) the median."""
        result: Floats = self.quantiles[:, _MIDDLE]
        return result

    @property
    def error(self) -> Floats:
        """(n,) the absolute error of the median, in points of fill."""
        return np.abs(self.actual - self.middle) * POINTS

    @property
    def simple_error(self) -> Floats:
        """(n,) the absolute error of the best simple method, in points of fill."""
        return np.abs(self.actual - self.simple) * POINTS

    def inside(self, share: float) -> NDArray[np.bool_]:
        """(n,) whether the level lay in the interval of this `share`, 0.8 or 0.9."""
        low, high = PROBABILITIES.index(round((1 - share) / 2, 3)), PROBABILITIES.index(round((1 + share) / 2, 3))
        return (self.quantiles[:, low] <= self.actual) & (self.actual <= self.quantiles[:, high])


def tried(held: HeldOut) -> Tried | None:
    """Return the forecasts with their intervals, None when nothing could be held out."""
    if not held.actual.size:
        return None
    quantiles, full = honest_quantiles(held)
    actual = np.minimum(held.actual, FULL)
    simple = {name: np.minimum(level, FULL) for name, level in held.baselines.items()}
    best = min(simple, key=lambda name: float(np.abs(simple[name] - actual).mean()))
    return Tried(
        bin_row=held.bin_row,
        at_s=held.at_s,
        ahead_h=held.ahead_h,
        actual=actual,
        quantiles=np.minimum(quantiles, FULL),
        full=full,
        simple=simple[best],
        simple_name=best,
    )
