"""The simple forecasts that the method has to beat, each tuned on the same held-out cases as the method. Pure.

A baseline is a set of variants (mean or median, one neighbour or five, their levels or their rates); the variant with
the least error on validation is the one that is compared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats
from optimise.fill.slots import WEEK_H
from optimise.fill.towns.around import (
    distances_km,
    kriging_weights,
    least_absolute_rate,
    nearest_weights,
    paced_age,
    smoothed,
    unlikeness,
)
from optimise.fill.towns.clock import week_hour
from optimise.fill.towns.learnt import Learnt
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.town import Town

_NEIGHBOURS = (1, 3, 5)
_LENGTHS_KM = (0.3, 1.0, 3.0)
_CELL = 5.0

type Variants = dict[str, Floats]


def means(town: Town, taught: Cases, cases: Cases) -> dict[str, Variants]:
    """Return forecasts of `cases` (n,) by the levels of `taught`: of all of them, and of their hour of the week."""
    level = taught.actual
    middle = {"mean": float(level.mean()), "median": float(np.median(level))}
    slot = week_hour(taught.at_s, town.time_zone).astype(np.int64)
    wanted = week_hour(cases.at_s, town.time_zone).astype(np.int64)
    by_hour: Variants = {}
    for per, name in ((1, "hour of the week"), (24, "weekday")):
        groups = WEEK_H // per
        owner = slot // per
        count = np.bincount(owner, minlength=groups)
        mean = (np.bincount(owner, weights=level, minlength=groups) + _CELL * middle["mean"]) / (count + _CELL)
        median = np.array(
            [np.median(level[owner == g]) if count[g] > _CELL else middle["median"] for g in range(groups)]
        )
        by_hour[f"mean by {name}"] = mean[wanted // per]
        by_hour[f"median by {name}"] = median[wanted // per]
    return {
        "global_mean": {name: np.full(len(cases), value) for name, value in middle.items()},
        "weekday_hour_mean": by_hour,
    }


def by_place(
    town: Town, learnt: Learnt, taught: Cases, cases: Cases, *, age_h: Floats | None = None
) -> dict[str, Variants]:
    """Return forecasts of `cases` (n,) by age and kind, by the nearest bins, by places alike, and by kriging.

    `age_h` (n,) are the paced hours since the last emptying when the level is asked for: now, unless given.
    """
    age = paced_age(town, cases, learnt.pace) if age_h is None else age_h
    row = cases.bin_row
    fallback = float(np.median(taught.actual))
    result = {"time_since_emptying_x_kind_rate": _kind_rates(town, learnt, taught, cases, age)}
    apart = distances_km(town)
    smoothers: dict[str, dict[str, Floats]] = {"knn_place_features": _nearest(unlikeness(town), learnt.known)}
    if np.isfinite(np.diag(apart)).any():
        smoothers["nearest_bins"] = _nearest(apart, learnt.known)
        smoothers["kriging"] = {
            f"{length:g} km": kriging_weights(apart, learnt.known, length) for length in _LENGTHS_KM
        }
    slot = learnt.activity.grid.slot(cases.at_s)
    level = np.where(learnt.known[:, None], learnt.activity.grid.level, np.nan)
    mean = _bin_means(taught, town.bins)
    for name, variants in smoothers.items():
        result[name] = {}
        for variant, weights in variants.items():
            now = smoothed(weights, level, learnt.known)[row, slot]
            rate = np.exp(smoothed(weights, np.log(learnt.rates), learnt.known))[row]
            told = {
                "levels now": now,
                "mean levels": smoothed(weights, mean, learnt.known)[row],
                "rates": np.minimum(rate * age, 1.0),
            }
            result[name] |= {
                f"{variant}, {what}": np.clip(np.where(np.isfinite(value), value, fallback), 0.0, 1.0)
                for what, value in told.items()
            }
    return result


def _nearest(distance: Floats, known: NDArray[np.bool_]) -> dict[str, Floats]:
    return {f"{count} bins": nearest_weights(distance, known, count) for count in _NEIGHBOURS}


def _kind_rates(town: Town, learnt: Learnt, taught: Cases, cases: Cases, age: Floats) -> Variants:
    """Return the age times the rate of the kind: the mean of its bins' rates, or what errs least on all its cases."""
    row = cases.bin_row
    taught_age = paced_age(town, taught, learnt.pace)
    best = np.zeros(town.bins)
    for kind in range(len(town.kinds)):
        mine = town.kind[taught.bin_row] == kind
        mine = mine if mine.any() else np.ones(len(taught), dtype=bool)
        best[town.kind == kind] = least_absolute_rate(taught_age[mine], taught.actual[mine])
    return {
        "mean of bins": np.minimum(np.nan_to_num(learnt.kind_rate[row]) * age, 1.0),
        "least error": np.minimum(best[row] * age, 1.0),
    }


def _bin_means(taught: Cases, bins: int) -> Floats:
    count = np.bincount(taught.bin_row, minlength=bins)
    total = np.bincount(taught.bin_row, weights=taught.actual, minlength=bins)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
