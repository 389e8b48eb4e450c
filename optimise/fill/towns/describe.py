"""A bin's moment in numbers, for bins whose levels nobody sees: its emptyings, its place, what others say. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimise.fill.forest import Expected
from optimise.fill.readings import HOUR_S, Floats
from optimise.fill.slots import DAY_H
from optimise.fill.towns.around import paced_age
from optimise.fill.towns.clock import week_hour
from optimise.fill.towns.learnt import Learnt
from optimise.fill.towns.looks import Looks, told
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.town import Town
from optimise.fill.towns.weather import weather_between

_DAYS = 365.25
_LEAST_SCALE = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Description:
    """`table` (n, k) of numbers, which columns each `view` of them has, by its name, and what the rate foretells."""

    table: Floats
    views: dict[str, tuple[int, ...]]
    expected: Expected


def describe(town: Town, learnt: Learnt, cases: Cases, looks: Looks) -> Description:
    """Describe `cases` without any level of their own bins but what `looks` found."""
    age = paced_age(town, cases, learnt.pace)
    habit, last, row = learnt.habit, cases.last, cases.bin_row
    usual = habit.usual_h[last]
    grid_slot = learnt.activity.grid.slot(cases.at_s)
    week = week_hour(cases.at_s, town.time_zone)
    one = np.zeros(town.bins, dtype=np.int64)
    said = told(town, learnt.hours_to, looks)
    weight = said.weights(learnt.prior.forget)
    count = weight.sum(axis=1)
    rate, doubt = learnt.prior.rates(row, looks.emptying, weight)
    mean_found = learnt.prior.levels(row, (weight * said.found).sum(axis=1), count)
    expected = rate * age
    scale = np.sqrt((expected * doubt) ** 2 + expected * learnt.prior.likelihood.lump + _LEAST_SCALE**2)
    rhythm = {
        "age_of_usual": np.log((age + 1) / usual),
        "expected": np.minimum(expected, 2.0),
        "expected_of_found": np.minimum(expected / np.maximum(mean_found, 0.1), 3.0),
        "last_of_usual": np.log(np.nan_to_num(habit.last_h[last], nan=1.0) / usual),
        "spread": habit.spread[last],
        "expected_by_habit": np.minimum(mean_found * age / usual, 1.5),
        "town_activity": learnt.activity.around(cases, one),
        "doubt": doubt,
    }
    amount = {
        "age_h": np.log1p(age),
        "usual_h": np.log(usual),
        "expected_by_kind": np.minimum(learnt.kind_rate[row] * age, 1.5),
        "expected_by_alike": np.minimum(learnt.alike_rate[row] * age, 1.5),
        "rate": np.log(rate),
        "kind_activity": learnt.activity.around(cases, town.kind),
        "mean_found": mean_found,
        "most_found": np.where(count > 0, said.found.max(axis=1, initial=0.0), np.nan),
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
    place |= weather_between(town, town.emptied_s[last], cases.at_s)
    columns = rhythm | amount | place
    ends = np.cumsum([len(rhythm), len(amount), len(place)]).tolist()
    names = ("rhythm", "amount", "place")
    return Description(
        table=np.column_stack(list(columns.values())) if len(cases) else np.zeros((0, len(columns))),
        views={name: tuple(range(end)) for name, end in zip(names, ends, strict=True)},
        expected=Expected(fill=expected, scale=scale),
    )
