"""A trained forecaster: the model, the law of its errors, its honest scores; and the table that it makes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships neither types nor stubs

from optimise.fill.backtest import HeldOut, Trial, groups_of_town, hold_out_bins, hold_out_time
from optimise.fill.baselines import SENSORED, UNSENSORED
from optimise.fill.curves import Curves, curves_of
from optimise.fill.evaluation import mean_absolute_error, score
from optimise.fill.groups import Groups
from optimise.fill.intervals import FULL
from optimise.fill.laws import ErrorLaw, learn_error_law
from optimise.fill.model import FillModel, Outlook, fit_model
from optimise.fill.options import FillOptions
from optimise.fill.readings import Floats, Ints
from optimise.fill.training import TrainingData

PROBABILITIES = (0.05, 0.1, 0.5, 0.9, 0.95)

OVERFLOWING = 1.1
"""From here on waste lies beside the bin: a tenth of its volume more than it holds was thrown in."""

_SILENT_AFTER = 3.0

type Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class ForecastTable:
    """Forecasts of all bins: `quantiles` (bins, times, 5) of fill at `PROBABILITIES`, `probability_full` (bins, times).

    `probability_overflow` (bins, times): that `OVERFLOWING` was thrown in, whether or not a level could show it. Along
    times nothing falls, and along quantiles neither.
    """

    quantiles: Floats
    probability_full: Floats
    probability_overflow: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecaster:
    """What training yields. `scores` were made on bins and times that the scored model and law had not seen.

    `unmeasured` and `measured` are the laws of errors without a sensor and with one, by the `groups` of the bins.
    """

    model: FillModel
    groups: Groups
    unmeasured: ErrorLaw
    measured: ErrorLaw
    scores: dict[str, Any]

    def forecast(self, data: TrainingData, valid_s: Ints) -> ForecastTable:
        """Forecast every bin of `data` at ascending `valid_s` (times,), Unix seconds, if nobody empties until then."""
        outlook = self.model.outlook(data, np.arange(len(data.bins)), valid_s)
        shape = outlook.expected.shape
        quantiles, full, overflow = np.zeros((*shape, len(PROBABILITIES))), np.zeros(shape), np.zeros(shape)
        silent = without_sensor(outlook.silence)
        for rows, first, second in (
            (silent <= 0, self.measured, None),
            (silent >= 1, self.unmeasured, None),
            ((silent > 0) & (silent < 1), self.measured, self.unmeasured),
        ):
            found = self._curves(first, outlook.of(rows), rows)
            if second is not None:
                found = found.blended(self._curves(second, outlook.of(rows), rows), silent[rows])
            quantiles[rows], (full[rows], overflow[rows]) = found.quantiles, found.reaching
        quantiles = np.minimum(quantiles, self.model.options.most_fill)
        # Fill never falls between emptyings, so neither does any quantile of it, nor the chance of being full.
        full = np.clip(np.maximum.accumulate(full, axis=1), 0.0, 1.0)
        return ForecastTable(
            quantiles=np.maximum.accumulate(quantiles, axis=1),
            probability_full=full,
            probability_overflow=np.clip(np.maximum.accumulate(overflow, axis=1), 0.0, full),
        )

    def _curves(self, law: ErrorLaw, outlook: Outlook, rows: NDArray[np.bool_]) -> Curves:
        return curves_of(
            law, outlook, self.groups.of_bin[rows], probabilities=PROBABILITIES, levels=(FULL, OVERFLOWING)
        )


def without_sensor(silence: Floats) -> Floats:
    """Return (bins,) from 0, a sensor speaks, to 1, it says no more than none would, by its `silence` (`Starts`).

    In between, the forecast passes from one law of errors to the other without a jump.
    """
    return np.clip((silence - 1) / (_SILENT_AFTER - 1), 0.0, 1.0)


def train(
    data: TrainingData, *, seed: int, options: FillOptions | None = None, progress: Progress | None = None
) -> Forecaster:
    """Fit the model, calibrate its intervals on held-out bins and times, and score both; the same seed does the same.

    The kernel's five numbers are tuned once on all bins; everything else is learnt anew without the held-out ones.
    """
    # One thread: matrices of a town gain nothing from more, and the order of sums no longer depends on the machine.
    with threadpool_limits(1):
        return _train(
            data, seed=seed, options=options or FillOptions(), report=progress or (lambda _stage, _share: None)
        )


def _train(data: TrainingData, *, seed: int, options: FillOptions, report: Progress) -> Forecaster:
    report("fitting", 0.0)
    model = fit_model(data, seed=seed, options=options)
    report("fitting", 1.0)
    trial = Trial(baselines=UNSENSORED, kernel=model.kernel, seed=seed, options=options)
    bins_out = hold_out_bins(data, trial, progress=report)
    time_out = hold_out_time(data, replace(trial, baselines=SENSORED))
    report("held_out_times", 1.0)
    groups = groups_of_town(data)
    return Forecaster(
        model=model,
        groups=groups,
        unmeasured=law_of(bins_out, groups=len(groups.names), seed=seed),
        measured=law_of(time_out, groups=len(groups.names), seed=seed),
        scores={"unsensored": honest_scores(bins_out, groups), "sensored": honest_scores(time_out, groups)},
    )


def honest_scores(held: HeldOut, groups: Groups) -> dict[str, Any] | None:
    """Return scores of forecast and baselines, each fold by the law that the other folds taught; None without rows.

    Levels above full are compared as full: what sensors say of heaps is no yardstick. `coverage_by_group` is of the
    80 % interval in each of the `groups` of bins.
    """
    if not held.actual.size:
        return None
    actual = np.minimum(held.actual, FULL)
    quantiles = np.minimum(honest_quantiles(held)[0], FULL)
    found = score(actual, quantiles, PROBABILITIES, bins=len(np.unique(held.bin_row)))
    assert found is not None  # there are rows
    baselines = {name: mean_absolute_error(actual, np.minimum(level, FULL)) for name, level in held.baselines.items()}
    best = min(baselines, key=lambda name: baselines[name])
    simple: dict[str, Any] = {"baselines": baselines, "best_baseline": best, "best_baseline_mae": baselines[best]}
    low, high = (quantiles[:, PROBABILITIES.index(share)] for share in (0.1, 0.9))
    inside = (low <= actual) & (actual <= high)
    by_group = {
        groups.names[index]: {
            "bins": len(np.unique(held.bin_row[held.group == index])),
            "coverage_80": float(inside[held.group == index].mean()),
        }
        for index in np.unique(held.group).tolist()
    }
    simple["coverage_by_group"] = by_group
    return asdict(found) | simple | {"skill_vs_best": 1 - found.mae / max(baselines[best], 1e-9)}


def honest_quantiles(held: HeldOut) -> tuple[Floats, Floats]:
    """Return fill (n, 5) at `PROBABILITIES` and the probability of full (n,), each fold by the law of the others."""
    quantiles, full = np.zeros((len(held.actual), len(PROBABILITIES))), np.zeros(len(held.actual))
    groups = int(held.group.max(initial=0)) + 1
    for fold in np.unique(held.fold):
        out = held.fold == fold
        law, moments = law_of(held, groups=groups, use=~out), held.moments().where(out)
        quantiles[out], full[out] = law.quantiles(moments, PROBABILITIES), law.probability_reaching(FULL, moments)
    return quantiles, full


def law_of(held: HeldOut, *, groups: int, seed: int = 0, use: NDArray[np.bool_] | None = None) -> ErrorLaw:
    """Return the law that the forecasts of the past teach, those alone that `use` (n,) marks."""
    use = np.ones(len(held.actual), dtype=bool) if use is None else use
    return learn_error_law(
        held.moments().where(use),
        held.actual[use],
        bin_row=held.bin_row[use],
        fold=held.fold[use],
        groups=groups,
        seed=seed,
    )
