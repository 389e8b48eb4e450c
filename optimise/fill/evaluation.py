"""Scores of forecasts against what happened. Pure. Fill is a fraction; errors are in points (hundredths) of fill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimise.fill.readings import Floats

POINTS = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """Scores over `n` rows of `bins` bins; `mae`, `pinball` and `width_80` in points of fill, `coverage_80` 0..1."""

    n: int
    bins: int
    mae: float
    pinball: float
    coverage_80: float
    width_80: float


def mean_absolute_error(actual: Floats, predicted: Floats) -> float:
    """Return the mean absolute error in points of fill over arrays of one shape."""
    return float(np.abs(actual - predicted).mean() * POINTS)


def pinball_losses(actual: Floats, quantiles: Floats, probabilities: tuple[float, ...]) -> Floats:
    """Return (...) the pinball loss of each row, the mean over k `probabilities`, as a fraction; see `pinball_loss`."""
    above = actual[..., None] - quantiles
    share = np.asarray(probabilities)
    result: Floats = np.maximum(share * above, (share - 1) * above).mean(axis=-1)
    return result


def pinball_loss(actual: Floats, quantiles: Floats, probabilities: tuple[float, ...]) -> float:
    """Return the mean pinball loss in points; `quantiles` are (..., k) for k `probabilities`, `actual` is (...)."""
    return float(pinball_losses(actual, quantiles, probabilities).mean() * POINTS)


def coverage(actual: Floats, lower: Floats, upper: Floats) -> float:
    """Return the share of `actual` within [lower, upper]."""
    return float(((lower <= actual) & (actual <= upper)).mean())


def score(actual: Floats, quantiles: Floats, probabilities: tuple[float, ...], *, bins: int) -> Scores | None:
    """Return all scores of `quantiles` (n, k) for `actual` (n,); None without rows. Needs 0.1, 0.5 and 0.9 among k."""
    if not actual.size:
        return None
    lower, middle, upper = (quantiles[..., probabilities.index(p)] for p in (0.1, 0.5, 0.9))
    return Scores(
        n=actual.size,
        bins=bins,
        mae=mean_absolute_error(actual, middle),
        pinball=pinball_loss(actual, quantiles, probabilities),
        coverage_80=coverage(actual, lower, upper),
        width_80=float((upper - lower).mean() * POINTS),
    )
