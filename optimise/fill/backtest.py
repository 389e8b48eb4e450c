"""The past forecast as if it were the future, for bins as if they had no sensor. Pure.

Both are held out at once: the model is fitted on the time before a cut and on the other bins; it then forecasts the
held-out bins after the cut, knowing of them their place, their declared emptyings and what crews said before the cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from optimise.fill.baselines import Baseline
from optimise.fill.describe import NAMES
from optimise.fill.groups import Groups, groups_of
from optimise.fill.habits import habits_of
from optimise.fill.laws import Moments
from optimise.fill.model import TERMS, FillModel, fit_model
from optimise.fill.options import FillOptions
from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.slots import DAY_H
from optimise.fill.starts import known_emptyings, next_emptied
from optimise.fill.training import TrainingData

AHEAD_H = (1, 3, 6, 12, 18, 24, 30, 36, 48)
_LEAST_HOURS = 3 * DAY_H
_MOST_TEST_H = 10 * DAY_H
_TEST_SHARE = 0.35
_MOST_ISSUES = 100
_STEP_H = 29  # wanders through the hours of the day


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOut:
    """Forecasts and what happened, in columns of one length n.

    `fold`; `bin_row`; `at_s`, Unix seconds of the moment forecast, `ahead_h` hours after the forecast was made;
    `actual` and `expected` fill; `terms` (n, 6) and `table` (n, 7) as in `model.Outlook`; `group`, the bin's;
    `baselines`: name -> (n,).
    """

    fold: Ints
    bin_row: Ints
    at_s: Ints
    ahead_h: Ints
    actual: Floats
    expected: Floats
    terms: Floats
    table: Floats
    group: Ints
    baselines: dict[str, Floats]

    def moments(self) -> Moments:
        """Return what was forecast, without the law of its errors."""
        return Moments(expected=self.expected, terms=self.terms, table=self.table, group=self.group)


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """What is tried: which `baselines` beside the model, with which `kernel` (None: tuned anew), options and seed."""

    baselines: Sequence[Baseline]
    kernel: Kernel | None
    seed: int
    options: FillOptions


def hold_out_bins(
    data: TrainingData,
    trial: Trial,
    *,
    told: TrainingData | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> HeldOut:
    """Forecast every sensored bin with its sensor hidden, fold by fold.

    `told`, of the same bins and hours, is what the model is told instead of `data`, by which it is judged.
    """
    told = told or data
    fold_of = _folds(data, trial)
    parts = []
    for fold in range(trial.options.folds):
        rows = np.flatnonzero(fold_of == fold)
        # A town with fewer sensors than folds has nothing left to learn from.
        if len(rows) and fold_of.max() == trial.options.folds - 1:
            parts.append(_forecast_past(data, told.hiding(fold_of == fold), rows, trial))
        if progress:
            progress("held_out_bins", (fold + 1) / trial.options.folds)
    return _in_folds(_joined(parts, trial), fold_of, data)


def hold_out_time(data: TrainingData, trial: Trial) -> HeldOut:
    """Forecast every sensored bin from its own levels, for times after the model's; folds group bins as above."""
    fold_of = _folds(data, trial)
    return _in_folds(_forecast_past(data, data, np.flatnonzero(fold_of >= 0), trial), fold_of, data)


def cut_of(data: TrainingData) -> int:
    """Return the last moment, on a whole hour, that a model to be tested may have seen."""
    sensored = max(int(np.isfinite(data.hourly.level).any(axis=1).sum()), 1)
    # Few bins take more days to show how errors are distributed.
    most_h = _MOST_TEST_H * max(1, _MOST_ISSUES // sensored)
    test_h = min(most_h, int(data.hours * _TEST_SHARE))
    return data.start_s + (data.hours - test_h) * HOUR_S


def _folds(data: TrainingData, trial: Trial) -> Ints:
    """Return (bins,) the fold of each bin with levels, -1 for the others."""
    sensored = np.flatnonzero(np.isfinite(data.hourly.level).any(axis=1))
    fold_of = np.full(len(data.bins), -1)
    fold_of[np.random.default_rng(trial.seed).permutation(sensored)] = np.arange(len(sensored)) % trial.options.folds
    return fold_of


def _forecast_past(truth: TrainingData, seen: TrainingData, rows: Ints, trial: Trial) -> HeldOut:
    """Fit on what was `seen` before the cut; forecast `rows` from several moments after it."""
    if truth.hours < _LEAST_HOURS or not len(rows):
        return _joined([], trial)
    cut_s = cut_of(truth)
    model = fit_model(seen.at(cut_s), seed=trial.seed, options=trial.options, kernel=trial.kernel)
    until_s = truth.start_s + truth.hours * HOUR_S - HOUR_S
    rare = (until_s - cut_s) // HOUR_S // _STEP_H // _MOST_ISSUES * DAY_H
    issues = range(cut_s, until_s, (_STEP_H + rare) * HOUR_S)
    return _joined([_forecast_once(truth, seen.at(issue_s), model, rows, trial) for issue_s in issues], trial)


def _forecast_once(truth: TrainingData, known: TrainingData, model: FillModel, rows: Ints, trial: Trial) -> HeldOut:
    """Forecast `rows` from what was `known`; keep the moments before the bin's next emptying that were measured."""
    issue_h = (known.as_of_s - truth.start_s) // HOUR_S
    ahead = np.array([h for h in AHEAD_H if issue_h + h <= truth.hours], dtype=np.int64)
    valid_s = known.as_of_s + ahead * HOUR_S
    actual = truth.hourly.level[np.ix_(rows, issue_h + ahead)].astype(np.float64)
    use = np.isfinite(actual) & (valid_s[None, :] < next_emptied(truth, rows, known.as_of_s)[:, None])
    outlook = model.outlook(known, rows, valid_s)
    bins = [known.bins[row] for row in rows]
    times = [datetime.fromtimestamp(int(s), UTC) for s in valid_s]
    bin_row = np.broadcast_to(rows[:, None], use.shape)[use]
    return HeldOut(
        fold=np.zeros_like(bin_row),
        bin_row=bin_row,
        at_s=np.broadcast_to(valid_s, use.shape)[use],
        ahead_h=np.broadcast_to(ahead, use.shape)[use],
        actual=actual[use],
        expected=outlook.expected[use],
        terms=outlook.terms[use],
        table=outlook.table[use],
        group=np.zeros_like(bin_row),
        baselines={b.name: b.predict(known, bins, times)[use] for b in trial.baselines},
    )


def groups_of_town(data: TrainingData) -> Groups:
    """Return the groups of the bins in which intervals have to hold."""
    known = known_emptyings(data)
    habits = habits_of(known, len(data.bins))
    everyone = np.arange(len(data.bins))
    usual_h = habits.usual_h[habits.before(everyone, np.full(len(everyone), data.as_of_s))]
    return groups_of(data.bins, measured=data.has_sensor, usual_h=usual_h)


def _in_folds(held: HeldOut, fold_of: Ints, data: TrainingData) -> HeldOut:
    return replace(held, fold=fold_of[held.bin_row], group=groups_of_town(data).of_bin[held.bin_row])


def _joined(parts: Sequence[HeldOut], trial: Trial) -> HeldOut:
    none, nobody = np.zeros(0), np.zeros(0, np.int64)
    return HeldOut(
        fold=np.concatenate([nobody, *(part.fold for part in parts)]),
        bin_row=np.concatenate([nobody, *(part.bin_row for part in parts)]),
        at_s=np.concatenate([nobody, *(part.at_s for part in parts)]),
        ahead_h=np.concatenate([nobody, *(part.ahead_h for part in parts)]),
        actual=np.concatenate([none, *(part.actual for part in parts)]),
        expected=np.concatenate([none, *(part.expected for part in parts)]),
        terms=np.concatenate([np.zeros((0, len(TERMS))), *(part.terms for part in parts)]),
        table=np.concatenate([np.zeros((0, len(NAMES))), *(part.table for part in parts)]),
        group=np.concatenate([nobody, *(part.group for part in parts)]),
        baselines={b.name: np.concatenate([none, *(p.baselines[b.name] for p in parts)]) for b in trial.baselines},
    )
