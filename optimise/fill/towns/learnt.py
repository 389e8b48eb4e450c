"""What is learnt from the bins whose levels may be seen, before any forest grows. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats, Ints
from optimise.fill.towns.around import (
    Activity,
    LevelGrid,
    bin_rates,
    distances_km,
    learn_activity,
    nearest_weights,
    paced_age,
    smoothed,
    unlikeness,
)
from optimise.fill.towns.clock import WeekPace, learn_pace
from optimise.fill.towns.moments import Cases, Habit, learn_habit
from optimise.fill.towns.prior import Prior, learn_prior, look_hours
from optimise.fill.towns.town import Town

_ALIKE = 3
_NEAR = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """What is learnt from the levels of `known` bins up to `until_s`, before any forest grows.

    `rates` (bins,): fill per paced hour, NaN where unknown; `kind_rate` (bins,): of the bin's kind, itself left out;
    `usual_found` (bins,): the level at which other bins of its kind are emptied.
    """

    known: NDArray[np.bool_]
    until_s: float
    pace: WeekPace
    habit: Habit
    rates: Floats
    kind_rate: Floats
    alike_rate: Floats
    near_rate: Floats
    usual_found: Floats
    prior: Prior
    hours_to: Floats
    activity: Activity
    near_level: Floats
    town_level: Floats


def learn(town: Town, cases: Cases, grid: LevelGrid, known: NDArray[np.bool_], until_s: float) -> Learnt:
    """Learn rates, pace and habits from the `cases` of `known` bins (bins,) up to `until_s`."""
    pace = learn_pace(town, known, until_s)
    habit = learn_habit(town, pace, until_s)
    hours_to = look_hours(town, pace, habit)
    seen = cases.where(known[cases.bin_row] & (cases.at_s < until_s))
    age_h = paced_age(town, seen, pace)
    rates = bin_rates(seen, age_h, town.bins)
    logs = np.log(rates)
    near = nearest_weights(distances_km(town), known, _NEAR)
    alike = nearest_weights(unlikeness(town), known, _ALIKE)
    level = np.where(known[:, None], grid.level, np.nan)
    return Learnt(
        known=known,
        until_s=until_s,
        pace=pace,
        habit=habit,
        rates=rates,
        kind_rate=np.exp(_of_kind(logs, town.kind)),
        alike_rate=np.exp(smoothed(alike, logs, known)),
        near_rate=np.exp(smoothed(near, logs, known)),
        usual_found=_of_kind(_usual_found(town, known, until_s), town.kind),
        prior=learn_prior(town, hours_to, known, until_s, seen_at=None if town.of_emptyings else (seen, age_h)),
        hours_to=hours_to,
        activity=learn_activity(grid, rates, pace, known),
        near_level=smoothed(near, level, known),
        town_level=_others_mean(level),
    )


def _of_kind(value: Floats, kind: Ints) -> Floats:
    """Return (bins,) the mean of the others of the same kind, shrunk to that of all others; NaN without any."""
    seen = np.isfinite(value)
    filled = np.where(seen, value, 0.0)
    others = seen.sum() - seen
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = (filled.sum() - filled) / others
    same = kind[:, None] == kind[None, :]
    total, count = same @ filled - filled, same @ seen.astype(np.float64) - seen
    return np.asarray((total + np.nan_to_num(whole)) / (count + 1)) + np.where(others > 0, 0.0, np.nan)


def _usual_found(town: Town, known: NDArray[np.bool_], until_s: float) -> Floats:
    use = known[town.emptied_row] & (town.emptied_s < until_s) & np.isfinite(town.found)
    total = np.bincount(town.emptied_row[use], weights=town.found[use], minlength=town.bins)
    count = np.bincount(town.emptied_row[use], minlength=town.bins)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _others_mean(level: Floats) -> Floats:
    """Return (bins, k) the mean level of the other bins at each moment of the grid, NaN without any."""
    seen = np.isfinite(level)
    filled = np.where(seen, level, 0.0)
    count = seen.sum(axis=0)[None, :] - seen
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, (filled.sum(axis=0)[None, :] - filled) / count, np.nan)
