"""How wrong the middle is: intervals calibrated on bins that the model never saw. Pure.

Errors are divided by a spread that grows with what could have gone wrong since the start; the quantiles of these
normalised errors on held-out bins carry over (split conformal prediction with normalised residuals; Lei et al.,
Distribution-Free Predictive Inference for Regression, JASA 2018; here bins are the exchangeable units, not rows).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.stats import norm

from optimise.fill.model import TERMS
from optimise.fill.readings import Floats, Ints

FULL = 1.0

_PROBABILITIES = np.concatenate([[0.005, 0.01], np.linspace(0.02, 0.98, 97), [0.99, 0.995]])
_FEWEST_BINS = 20
_BLIND = np.array([1.0, 4.0, 0.05, 0.05, 1.0, 0.05**2])
_ALWAYS = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
_LEAST_SPREAD = 0.01
_CAUTION = 1.25
_ROUNDS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """The law of errors: `factors` (6,) of the variance terms, and `errors` (99,), normalised, at `probabilities`."""

    factors: Floats
    probabilities: Floats
    errors: Floats

    def scale(self, terms: Floats) -> Floats:
        """Return (...,) the spread in points of fill for `terms` (..., 6)."""
        return np.maximum(np.sqrt(terms @ self.factors), _LEAST_SPREAD)

    def quantiles(self, expected: Floats, terms: Floats, probabilities: tuple[float, ...]) -> Floats:
        """Return (..., len(probabilities)) quantiles of fill, never negative, rising with the probability."""
        error = np.interp(probabilities, self.probabilities, self.errors)
        return np.maximum(expected[..., None] + error * self.scale(terms)[..., None], 0.0)

    def probability_reaching(self, level: float, expected: Floats, terms: Floats) -> Floats:
        """Return (...,) the probability that fill is at least `level`."""
        # Beyond the farthest error seen the law is not known to end: let it fade over one more spread.
        errors = np.concatenate([[self.errors[0] - 1], self.errors, [self.errors[-1] + 1]])
        below = np.concatenate([[0.0], self.probabilities, [1.0]])
        return 1 - np.asarray(np.interp((level - expected) / self.scale(terms), errors, below))


def blind_spread() -> Spread:
    """Return a wide law for a town in which too few bins were measured to learn one."""
    return Spread(factors=_BLIND, probabilities=_PROBABILITIES, errors=_CAUTION * norm.ppf(_PROBABILITIES))


def learn_spread(*, expected: Floats, terms: Floats, actual: Floats, bin_row: Ints) -> Spread:
    """Learn the law from held-out rows (n,) with `terms` (n, 6); every bin weighs the same, however often seen.

    Too few bins give the wide law: a 5 % tail cannot be read off fewer than twenty. Sensors hardly see a heap above the
    rim: a level of `FULL` says that as much or more was thrown in, and an expectation beyond it counts as met.
    """
    actual = np.where((actual >= FULL) & (expected > actual), expected, actual)
    bins, owner, count = np.unique(bin_row, return_inverse=True, return_counts=True)
    if len(bins) < _FEWEST_BINS:
        return blind_spread()
    weight = 1 / count[owner]
    error = actual - expected
    factors = _variance_factors(terms, error, weight)
    scale = np.maximum(np.sqrt(terms @ factors), _LEAST_SPREAD)
    normalised = error / scale
    # One more bin, of which nothing is known, stands for the bin to come.
    wanted = 0.5 + (_PROBABILITIES - 0.5) * (len(bins) + 1) / len(bins)
    errors = _weighted_quantiles(normalised, weight, np.clip(wanted, 0.0, 1.0))
    return Spread(factors=factors, probabilities=_PROBABILITIES, errors=np.maximum.accumulate(errors))


def _variance_factors(terms: Floats, error: Floats, weight: Floats) -> Floats:
    """Return (6,) non-negative factors by reweighted least squares of squared errors on the variance terms."""
    assert terms.shape[1] == len(TERMS)
    fitted = np.maximum(terms @ _BLIND, _LEAST_SPREAD**2)
    factors = _BLIND
    for _ in range(_ROUNDS):
        # A few wild bins (an emptying nobody declared) would own the fit; the quantiles account for them later.
        square = np.minimum(error**2, 9 * fitted)
        row_weight = np.sqrt(weight) / fitted
        factors, _ = nnls(terms * row_weight[:, None], square * row_weight)
        # What the calibration rows never show must stay: rates told by less, and starts unknown.
        factors = np.maximum(factors, 0.1 * _ALWAYS)
        factors[TERMS.index("unknown_start")] = 1.0
        fitted = np.maximum(terms @ factors, _LEAST_SPREAD**2)
    return factors


def _weighted_quantiles(values: Floats, weight: Floats, probabilities: Floats) -> Floats:
    order = np.argsort(values)
    values, weight = values[order], weight[order]
    middle = (np.cumsum(weight) - weight / 2) / weight.sum()
    return np.asarray(np.interp(probabilities, middle, values))
