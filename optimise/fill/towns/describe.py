"""A bin's moment in numbers, for bins whose levels nobody sees: its emptyings, its place, what others say. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.slots import DAY_H
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
from optimise.fill.towns.clock import WeekPace, learn_pace, week_hour
from optimise.fill.towns.moments import Cases, Habit, learn_habit
from optimise.fill.towns.town import Town

_ALIKE = 3
_NEAR = 3
_DAYS = 365.25


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
    activity: Activity
    near_level: Floats
    town_level: Floats


def learn(town: Town, cases: Cases, grid: LevelGrid, known: NDArray[np.bool_], until_s: float) -> Learnt:
    """Learn rates, pace and habits from the `cases` of `known` bins (bins,) up to `until_s`."""
    pace = learn_pace(town, known, until_s)
    seen = cases.where(known[cases.bin_row] & (cases.at_s < until_s))
    rates = bin_rates(seen, paced_age(town, seen, pace), town.bins)
    logs = np.log(rates)
    near = nearest_weights(distances_km(town), known, _NEAR)
    alike = nearest_weights(unlikeness(town), known, _ALIKE)
    level = np.where(known[:, None], grid.level, np.nan)
    return Learnt(
        known=known,
        until_s=until_s,
        pace=pace,
        habit=learn_habit(town, pace, until_s),
        rates=rates,
        kind_rate=np.exp(_of_kind(logs, town.kind)),
        alike_rate=np.exp(smoothed(alike, logs, known)),
        near_rate=np.exp(smoothed(near, logs, known)),
        usual_found=_of_kind(_usual_found(town, known, until_s), town.kind),
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Description:
    """`table` (n, k) of numbers, and which columns each `view` of them has, by its name."""

    table: Floats
    views: dict[str, tuple[int, ...]]


def describe(town: Town, learnt: Learnt, cases: Cases) -> Description:
    """Describe `cases` without any level of their own bins."""
    age = paced_age(town, cases, learnt.pace)
    habit, last, row = learnt.habit, cases.last, cases.bin_row
    usual = habit.usual_h[last]
    grid_slot = learnt.activity.grid.slot(cases.at_s)
    week = week_hour(cases.at_s, town.time_zone)
    one = np.zeros(town.bins, dtype=np.int64)
    rhythm = {
        "age_of_usual": np.log((age + 1) / usual),
        "last_of_usual": np.log(np.nan_to_num(habit.last_h[last], nan=1.0) / usual),
        "spread": habit.spread[last],
        "expected_by_habit": np.minimum(learnt.usual_found[row] * age / usual, 1.5),
        "town_activity": learnt.activity.around(cases, one),
    }
    amount = {
        "age_h": np.log1p(age),
        "usual_h": np.log(usual),
        "expected_by_kind": np.minimum(learnt.kind_rate[row] * age, 1.5),
        "expected_by_alike": np.minimum(learnt.alike_rate[row] * age, 1.5),
        "kind_rate": np.log(learnt.kind_rate[row]),
        "kind_activity": learnt.activity.around(cases, town.kind),
        "usual_found": learnt.usual_found[row],
        "intervals": np.minimum(habit.count[last], 20.0),
    }
    place = {
        "weekday": week // DAY_H,
        "hour": week % DAY_H,
        "season": np.cos(2 * np.pi * cases.at_s / HOUR_S / DAY_H / _DAYS),
        "expected_by_near": np.minimum(learnt.near_rate[row] * age, 1.5),
        "near_level": learnt.near_level[row, grid_slot],
        "town_level": learnt.town_level[row, grid_slot],
        "east_km": town.position_km[row, 0],
        "north_km": town.position_km[row, 1],
        "volume": np.log(town.volume_l[row]),
    }
    place |= {f"kind={name}": (town.kind[row] == index) * 1.0 for index, name in enumerate(town.kinds)}
    place |= {name: town.features[row, index] for index, name in enumerate(town.feature_names)}
    columns = rhythm | amount | place
    ends = np.cumsum([len(rhythm), len(amount), len(place)]).tolist()
    names = ("rhythm", "amount", "place")
    return Description(
        table=np.column_stack(list(columns.values())) if len(cases) else np.zeros((0, len(columns))),
        views={name: tuple(range(end)) for name, end in zip(names, ends, strict=True)},
    )
