"""The trials of any town's file, as `voirie evaluate fill` makes them, as forecasts to report on. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships neither types nor stubs

from optimise.fill.intervals import FULL
from optimise.fill.readings import Floats
from optimise.fill.report.tried import Tried
from optimise.fill.towns import sensored, unsensored
from optimise.fill.towns.evaluate import HORIZONS_H, TrialOptions, too_little
from optimise.fill.towns.present import history_of
from optimise.fill.towns.scores import quantiles
from optimise.fill.towns.setting import Setting, Tested, set_up
from optimise.fill.towns.town import Town

_FEWEST_BINS = 6


def try_town(
    town: Town, options: TrialOptions, *, progress: Callable[[str, float], None]
) -> tuple[Tried | None, Tried | None]:
    """Return forecasts of bins held out (of the present, 0 h ahead) and of bins from their own levels, both with truth.

    None for what the data cannot support. `progress` is told (stage, share 0..1).
    """
    if too_little(town) is not None:
        return None, None
    with threadpool_limits(1):
        setting = set_up(town, folds=options.folds, seed=options.seed, most=options.moments)
        return _unsensored(setting, progress), _sensored(setting, options, progress)


def _unsensored(setting: Setting, progress: Callable[[str, float], None]) -> Tried | None:
    if len(np.unique(setting.cases.bin_row)) < _FEWEST_BINS:
        return None
    held = unsensored.forecast_scenes(setting, lambda share: progress("held_out_bins", share))
    parts = unsensored.run(setting, held)
    return _joined(setting, [(0, part) for part in parts])


def _sensored(setting: Setting, options: TrialOptions, progress: Callable[[str, float], None]) -> Tried | None:
    if setting.town.of_emptyings:
        return None
    history, learnt = history_of(setting.town), sensored.learnings(setting)
    parts = []
    for done, hours in enumerate(HORIZONS_H):
        part = sensored.run(setting, history, learnt, hours, most=options.moments)
        if part is not None:
            parts.append((hours, part))
        progress("held_out_times", (done + 1) / len(HORIZONS_H))
    return _joined(setting, parts)


def _joined(setting: Setting, parts: Sequence[tuple[int, Tested]]) -> Tried | None:
    """Return the parts, each so many hours ahead, as one; None without any."""
    if not parts:
        return None
    actual = np.concatenate([part.actual for _, part in parts])
    simple = {
        name: np.concatenate([part.simple[name] for _, part in parts])
        for name in parts[0][1].simple
        if all(name in part.simple for _, part in parts)
    }
    best = min(simple, key=lambda name: float(np.abs(simple[name] - actual).mean()))
    return Tried(
        bin_row=np.concatenate([part.bin_row for _, part in parts]),
        at_s=np.concatenate([part.at_s for _, part in parts]),
        ahead_h=np.concatenate([np.full(len(part.actual), hours, dtype=np.int64) for hours, part in parts]),
        actual=np.minimum(actual, FULL),
        quantiles=np.concatenate([np.minimum(quantiles(part, setting.marks), FULL) for _, part in parts]),
        full=np.concatenate([_chance_of_full(part.distribution, setting.marks) for _, part in parts]),
        simple=np.minimum(simple[best], FULL),
        simple_name=best,
    )


def _chance_of_full(distribution: Floats, marks: Floats) -> Floats:
    """Return (n,) the probability of full, by the mass of the distribution (n, g) below the first full mark."""
    below = marks < 0.97  # noqa: PLR2004 - a sensor hardly sees the last centimetres
    if not below.any():
        return np.ones(len(distribution))
    result: Floats = np.clip(1 - distribution[:, int(np.flatnonzero(below)[-1])], 0.0, 1.0)
    return result
