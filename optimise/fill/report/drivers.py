"""What the forecast of bins without a sensor is driven by: how much worse it is when the model is not told. Pure.

Each kind of knowledge is withheld from the model, from its training and from its forecasts alike, and the same held-out
bins are forecast again. The difference is what that knowledge is worth beside all the others; kinds that say the same
thing twice may each seem worth little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships neither types nor stubs

from optimise.fill.backtest import HeldOut, Trial, hold_out_bins
from optimise.fill.model import fit_model
from optimise.fill.readings import Floats, HourlyLevels, ordered_key
from optimise.fill.report.tried import Tried, tried
from optimise.fill.training import TrainingData

_DRAWS = 400


@dataclass(frozen=True, kw_only=True)
class Driver:
    """How many points the error grows without a kind of knowledge, with an 80 % interval over bins."""

    name: str
    mae: float
    worse_by: float
    low: float
    high: float


def withheld(data: TrainingData, *, seed: int) -> dict[str, TrainingData]:
    """Return the data without each kind of knowledge in turn."""
    random = np.random.default_rng(seed)
    declared = data.declared
    silent = replace(declared, found=np.full(len(declared), np.nan))
    order = random.permutation(len(data.bins))
    moved = tuple(
        replace(item, longitude_deg=data.bins[other].longitude_deg, latitude_deg=data.bins[other].latitude_deg)
        for item, other in zip(data.bins, order, strict=True)
    )
    half = np.zeros(len(data.bins), dtype=bool)
    sensed = np.flatnonzero(data.has_sensor)
    half[random.permutation(sensed)[: len(sensed) // 2]] = True
    none = np.zeros(0, dtype=np.int64)
    return {
        "crew_looks": replace(data, declared=silent),
        "emptying_times": replace(data, declared=declared.where(none)),
        "surroundings": replace(data, bins=tuple(replace(item, surroundings={}) for item in data.bins)),
        "neighbours": replace(data, bins=moved),
        "rhythm": replace(data, hourly=_without_rhythm(data.hourly)),
        "half_of_sensors": data.hiding(half),
    }


def drivers(
    data: TrainingData,
    trial: Trial,
    whole: Tried,
    own: Tried | None,
    *,
    progress: Callable[[str, float], None],
) -> list[Driver]:
    """Return what each kind of knowledge is worth, the most first; `own` are forecasts of the bins by their sensors."""
    found = []
    kinds = withheld(data, seed=trial.seed)
    if own is not None:
        # Read the other way round: what a bin's own sensor adds is what it is worth.
        found.append(_driver("own_sensor", better=own, worse=whole, seed=trial.seed))
    for step, (name, told) in enumerate(kinds.items()):
        with threadpool_limits(1):
            without = tried(_held(data, trial, told))
        if without is not None:
            found.append(_driver(name, better=whole, worse=without, seed=trial.seed))
        progress("withheld", (step + 1) / len(kinds))
    return sorted((one for one in found if one is not None), key=lambda one: -one.worse_by)


def _held(data: TrainingData, trial: Trial, told: TrainingData) -> HeldOut:
    # As in training the kernel is tuned once, on all bins: with less known, other lengths and variances serve better.
    kernel = fit_model(told, seed=trial.seed, options=trial.options).kernel
    return hold_out_bins(data, replace(trial, kernel=kernel), told=told)


def _driver(name: str, *, better: Tried, worse: Tried, seed: int) -> Driver | None:
    """Return the mean difference of errors on the forecasts that both made; None when there are none."""
    _, mine, other = np.intersect1d(_keys(better), _keys(worse), assume_unique=True, return_indices=True)
    if not len(mine):
        return None
    difference = worse.error[other] - better.error[mine]
    low, high = _over_bins(difference, better.bin_row[mine], seed=seed)
    mean = float(difference.mean())
    return Driver(name=name, mae=float(worse.error[other].mean()), worse_by=mean, low=low, high=high)


def _keys(made: Tried) -> np.typing.NDArray[np.int64]:
    return ordered_key(made.bin_row, made.at_s) * 64 + made.ahead_h % 64


def _over_bins(difference: Floats, bin_row: np.typing.NDArray[np.int64], *, seed: int) -> tuple[float, float]:
    """Return the 80 % interval of the mean under redrawing of bins (bootstrap; bins, not rows, are independent)."""
    _, owner, count = np.unique(bin_row, return_inverse=True, return_counts=True)
    total = np.bincount(owner, weights=difference)
    drawn = np.random.default_rng(seed).integers(0, len(count), (_DRAWS, len(count)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.1, 0.9])
    return float(low), float(high)


def _without_rhythm(hourly: HourlyLevels) -> HourlyLevels:
    """Return gains spread evenly over the hours in which they were seen: what comes stays, when it came goes."""
    seen = np.isfinite(hourly.gained)
    total = np.where(seen, hourly.gained, 0.0).sum(axis=1, keepdims=True)
    mean = total / np.maximum(seen.sum(axis=1, keepdims=True), 1)
    return HourlyLevels(level=hourly.level, gained=np.where(seen, mean, np.nan).astype(np.float32))
