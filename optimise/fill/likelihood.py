"""What a look at a bin says of its rate: a likelihood on a grid, since full bins hide how much came. Pure.

What is found after some paced hours is the rate times them, scattered by lumps and by days that differ, and told in
steps. "Full" says that as much or more came; "empty" that hardly anything did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from optimise.fill.readings import Floats, Ints

_REACH, _POINTS = 4.0, 81
_FULL = 0.97
_LEAST_HALF_STEP = 0.02
_DAY_VARIANCE = 0.05
_FLOOR = 0.03**2
_WRONG = 0.06
_LEAST_LUMP, _MOST_LUMP = 0.01, 0.6
_VAGUE = 1.5**2
_TELLS_LITTLE = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Likelihood:
    """`log` (m, g): of each look, up to a constant, at the logarithms `grid` (g,) of rates (fill per paced hour).

    `lump`: the variance of what is found over what the rate foretells; `step`: of the levels told apart.
    """

    grid: Floats
    log: NDArray[np.float32]
    lump: float
    step: float

    def of(self, found: Floats, hours: Floats) -> NDArray[np.float32]:
        """Return (k, g) what other looks say, that `found` so much after `hours` (k,)."""
        return _log(found, hours, self.grid, self.lump, self.step)

    def posterior(self, total: Floats, mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
        """Return means and spreads (n,) of log rates, by summed likelihoods (n, g) and priors `mean`, `sd` (n,)."""
        total = total - (self.grid[None, :] - mean[:, None]) ** 2 / (2 * sd[:, None] ** 2)
        weight = np.exp(total - total.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        found = weight @ self.grid
        return found, np.sqrt(np.maximum(weight @ self.grid**2 - found**2, 1e-4))

    def evidence(self, total: Floats) -> tuple[Floats, Floats]:
        """Return one observation of each log rate (n,) and its variance (inf: none) that say the same as `total`."""
        centre = np.full(len(total), self.grid.mean())
        mean, sd = self.posterior(total, centre, np.full(len(total), np.sqrt(_VAGUE)))
        precision = 1 / sd**2 - 1 / _VAGUE
        told = precision > _TELLS_LITTLE
        precision = np.where(told, precision, 1.0)
        return centre + (mean - centre) / sd**2 / precision, np.where(told, 1 / precision, np.inf)


def learn_likelihood(row: Ints, found: Floats, hours: Floats, taught: NDArray[np.bool_], step: float) -> Likelihood:
    """Return what looks (m,) at bins `row` say; how much levels scatter is learnt from those `taught` (m,) alone.

    `found` and `hours` are NaN where a look says nothing.
    """
    usable = np.isfinite(found) & np.isfinite(hours)
    taught = taught & usable
    total, passed = np.bincount(row[taught], weights=found[taught]), np.bincount(row[taught], weights=hours[taught])
    rates = total[total > 0] / passed[total > 0]
    middle = float(np.log(np.median(rates))) if len(rates) else np.log(0.01)
    grid = middle + np.linspace(-_REACH, _REACH, _POINTS)
    lump = 0.1
    for _ in range(2):  # rates tell how much levels scatter, and that how much looks tell of rates
        log = _log(np.where(taught, found, np.nan), hours, grid, lump, step)
        best = grid[summed(log, row, int(row.max(initial=-1)) + 1).argmax(axis=1)]
        lump = _lump(row, found, hours, np.exp(best), taught & (found < _FULL))
    return Likelihood(grid=grid, log=_log(found, hours, grid, lump, step), lump=lump, step=step)


def summed(log: NDArray[np.floating[Any]], row: Ints, bins: int) -> Floats:
    """Return (bins, g) the sums of the rows of `log` (m, g) that belong to each bin; `row` is in order."""
    total = np.zeros((bins, log.shape[1]))
    first = np.flatnonzero(np.append(True, np.diff(row) != 0)) if len(row) else np.zeros(0, np.int64)
    if len(first):
        total[row[first]] = np.add.reduceat(log.astype(np.float64), first, axis=0)
    return total


def _log(found: Floats, hours: Floats, grid: Floats, lump: float, step: float) -> NDArray[np.float32]:
    usable = np.flatnonzero(np.isfinite(found) & np.isfinite(hours))
    log = np.zeros((len(found), len(grid)), dtype=np.float32)
    half = max(step / 2, _LEAST_HALF_STEP)
    for part in np.array_split(usable, max(1, len(usable) // 20_000)):
        level = np.minimum(hours[part, None] * np.exp(grid)[None, :], 4.0)
        spread = np.sqrt(_FLOOR + lump * level + _DAY_VARIANCE * level**2)
        lower = np.where(found[part] <= half, -np.inf, found[part] - half)[:, None]
        upper = np.where(found[part] >= _FULL, np.inf, found[part] + half)[:, None]
        likely = ndtr((upper - level) / spread) - ndtr((lower - level) / spread)
        # Emptyings that nobody noticed make looks tell of other times than we think.
        log[part] = np.log((1 - _WRONG) * likely + _WRONG * half)
    return log


def _lump(row: Ints, found: Floats, hours: Floats, rate: Floats, use: NDArray[np.bool_]) -> float:
    """Return the variance over the mean of what was found, of the middle bin: missed emptyings make wild ones."""
    due = rate[row[use]] * hours[use]
    square = np.bincount(row[use], weights=np.maximum((found[use] - due) ** 2 - _DAY_VARIANCE * due**2, 0.0))
    mean, count = np.bincount(row[use], weights=due), np.bincount(row[use])
    often = count > 2  # noqa: PLR2004 - each bin's rate took one
    if not often.any():
        return 0.1
    of_bin = square[often] / np.maximum(mean[often], 1e-9) * count[often] / (count[often] - 1)
    return float(np.clip(np.median(of_bin), _LEAST_LUMP, _MOST_LUMP))
