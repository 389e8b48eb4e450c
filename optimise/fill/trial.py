"""A new model beside the one in service, on the last day, which neither saw. Pure.

Every model is trained without the day before its training. The next one is judged on that day against the one that
serves: both forecast the same bins from the same moments, with their sensors and as if they had none. Bins are the
units that differ by chance, so the difference of their mean losses, bin by bin, tells what is beyond noise.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from optimise.fill.evaluation import POINTS, pinball_loss, pinball_losses
from optimise.fill.forecast import PROBABILITIES, Forecaster
from optimise.fill.intervals import FULL
from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.starts import next_emptied
from optimise.fill.training import TrainingData

HELD_OUT_H = 24
_LEAST_HISTORY_H = 4 * 24
_STEP_H = 6
_FEWEST_BINS = 8
_FEWEST_ROWS = 100
_SURE = 2.0
_MATERIAL = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Losses in points of fill over the trial's rows: pinball loss and mean absolute error, and the 80 % coverage."""

    pinball: float
    mae: float
    coverage_80: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """How a candidate did beside the model in service: `rows` levels of `bins` bins in the last `hours` hours.

    `worse_points`: by how much its pinball loss is higher, on the mean over bins, give or take `noise_points` (one
    standard error).
    """

    hours: int
    bins: int
    rows: int
    candidate: Loss
    serving: Loss
    worse_points: float
    noise_points: float

    @property
    def is_worse(self) -> bool:
        """Whether the candidate is worse beyond noise, and by enough to matter."""
        material = _MATERIAL * self.serving.pinball
        return self.worse_points > max(_SURE * self.noise_points, material)

    def document(self) -> dict[str, Any]:
        """Return what the registry keeps."""
        return asdict(self) | {"is_worse": self.is_worse}


def cut_of(data: TrainingData) -> int:
    """Return until when, in Unix seconds, a model trained now may see; all in a town with less than four days."""
    if data.hours < _LEAST_HISTORY_H:
        return data.as_of_s
    return data.start_s + (data.hours - HELD_OUT_H) * HOUR_S


def compare(
    candidate: Forecaster, serving: Forecaster, data: TrainingData, *, since_s: int, seed: int
) -> Comparison | None:
    """Compare both on levels measured after `since_s`, which neither may have seen; None when they are too few.

    Both must be of `data`'s bins in their order.
    """
    hours = (data.as_of_s - since_s) // HOUR_S
    rows: list[tuple[Ints, Floats, Floats, Floats]] = []
    sensored = np.flatnonzero(np.isfinite(data.hourly.level).any(axis=1))
    if len(sensored) < _FEWEST_BINS:
        return None
    half = np.zeros(len(data.bins), dtype=bool)
    half[np.random.default_rng(seed).permutation(sensored)[: len(sensored) // 2]] = True
    told = (data, data.hiding(half), data.hiding(~half))
    judged = (np.isin(np.arange(len(data.bins)), sensored), half, ~half & np.isin(np.arange(len(data.bins)), sensored))
    for ahead_from in range(0, hours - 1, _STEP_H):
        issue_s = since_s + ahead_from * HOUR_S
        for known, of_bins in zip(told, judged, strict=True):
            rows.append(_forecasts(candidate, serving, data, known.at(issue_s), np.flatnonzero(of_bins)))
    owner = np.concatenate([part[0] for part in rows]) if rows else np.zeros(0, dtype=np.int64)
    if len(owner) < _FEWEST_ROWS or len(np.unique(owner)) < _FEWEST_BINS:
        return None
    actual, new, old = (np.concatenate([part[column] for part in rows]) for column in (1, 2, 3))
    bins, row_of = np.unique(owner, return_inverse=True)
    worse = pinball_losses(actual, new, PROBABILITIES) - pinball_losses(actual, old, PROBABILITIES)
    by_bin = np.bincount(row_of, weights=worse) / np.bincount(row_of)
    return Comparison(
        hours=int(hours),
        bins=len(bins),
        rows=len(owner),
        candidate=_loss(actual, new),
        serving=_loss(actual, old),
        worse_points=float(by_bin.mean() * POINTS),
        noise_points=float(by_bin.std(ddof=1) / np.sqrt(len(bins)) * POINTS),
    )


def _forecasts(
    candidate: Forecaster, serving: Forecaster, truth: TrainingData, known: TrainingData, rows: Ints
) -> tuple[Ints, Floats, Floats, Floats]:
    """Return bin (n,), level (n,) and both models' quantiles (n, k), of levels before each bin's next emptying."""
    issue_h = (known.as_of_s - truth.start_s) // HOUR_S
    ahead = np.arange(1, truth.hours - issue_h + 1)
    valid_s = known.as_of_s + ahead * HOUR_S
    actual = truth.hourly.level[np.ix_(rows, issue_h + ahead)].astype(np.float64)
    use = np.isfinite(actual) & (valid_s[None, :] < next_emptied(truth, rows, known.as_of_s)[:, None])
    owner = np.broadcast_to(rows[:, None], use.shape)[use]
    new, old = (model.forecast(known, valid_s).quantiles[rows][use] for model in (candidate, serving))
    return owner, np.minimum(actual[use], FULL), np.minimum(new, FULL), np.minimum(old, FULL)


def _loss(actual: Floats, quantiles: Floats) -> Loss:
    low, middle, high = (quantiles[:, PROBABILITIES.index(p)] for p in (0.1, 0.5, 0.9))
    return Loss(
        pinball=pinball_loss(actual, quantiles, PROBABILITIES),
        mae=float(np.abs(actual - middle).mean() * POINTS),
        coverage_80=float(((low <= actual) & (actual <= high)).mean()),
    )
