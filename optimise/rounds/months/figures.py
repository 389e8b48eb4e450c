"""From days to figures: means over a town's days, confidence over towns, savings town by town."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from optimise.rounds.months.calibrate import Try
from optimise.rounds.months.contenders import Contender, dial_value
from optimise.rounds.months.options import MonthsOptions
from optimise.rounds.months.play import DayRecord

_CONFIDENCE = 0.95
_REFERENCE = "fixed"
_BEST = ("perfect", "informed")
REFERENCES = frozenset({"fixed_hot", "informed"})
"""What is played beside the policies that are compared."""

type _Figure = Callable[[Sequence[DayRecord], int, MonthsOptions], float]

FIGURES: dict[str, _Figure] = {
    "km_per_day": lambda days, _bins, _options: _mean(days, lambda day: day.km),
    "hours_per_day": lambda days, _bins, _options: _mean(days, lambda day: day.hours),
    "bins_per_day": lambda days, _bins, _options: _mean(days, lambda day: day.stops),
    "service_level": lambda days, bins, _options: 1 - _mean(days, lambda day: day.over_bins) / bins,
    "fill_at_emptying": lambda days, _bins, _options: _per_stop(days, lambda day: day.fill_sum),
    "overflow_litres_per_day": lambda days, _bins, _options: _mean(days, lambda day: day.over_l),
    "cost_per_day": lambda days, _bins, _options: _mean(days, lambda day: day.cost_eur),
    "co2_kg_per_day": lambda days, _bins, options: _mean(days, lambda day: day.km) * options.co2_kg_per_km,
    "vehicles_per_day": lambda days, _bins, _options: _mean(days, lambda day: day.vehicles),
    "litres_kept": lambda days, _bins, _options: _litres_kept(days),
    "emptied_before_full": lambda days, _bins, _options: 1 - _per_stop(days, lambda day: day.found_full),
}
"""The figures of a policy in one town: of its days, its number of bins and the options."""


def document(
    rows: Sequence[tuple[Contender, list[list[DayRecord]]]],
    tried: Mapping[str, Sequence[Try]],
    *,
    options: MonthsOptions,
    bins: Sequence[int],
) -> dict[str, Any]:
    """Return policies, savings and calibration of judged days: of each policy, of each town, each day's record."""
    of_town = {
        contender.name: [
            {name: figure(days, count, options) for name, figure in FIGURES.items()}
            for days, count in zip(towns, bins, strict=True)
        ]
        for contender, towns in rows
    }
    told = [_policy(contender, towns, of_town[contender.name]) for contender, towns in rows]
    return {
        "policies": [row for row in told if row["policy"] not in REFERENCES],
        "references": [row for row in told if row["policy"] in REFERENCES],
        "savings": savings(of_town),
        "calibration": [_calibration(contender, tried[contender.name], options) for contender, _ in rows],
    }


def _policy(contender: Contender, towns: list[list[DayRecord]], figures: list[dict[str, float]]) -> dict[str, Any]:
    fills = np.sum([day.fills for days in towns for day in days], axis=0)
    every = {name: [town[name] for town in figures] for name in FIGURES}
    return {
        "policy": contender.name,
        **{name: float(np.mean(values)) for name, values in every.items()},
        "ci95": {name: interval(values) for name, values in every.items()},
        "sensors": contender.sensors,
        "fill_histogram": [round(float(share), 5) for share in fills / max(1, fills.sum())],
        "by_seed": figures,
    }


def savings(of_town: Mapping[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
    """Return what each policy saves, given every policy's figures in each town; nothing without the fixed rounds."""
    if _REFERENCE not in of_town:
        return []
    return [_savings(name, of_town) for name in of_town if name != _REFERENCE]


def _savings(name: str, of_town: Mapping[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Return how much less a policy drives than the fixed rounds, and how much more than those who know more."""
    km = {who: np.array([town["km_per_day"] for town in towns]) for who, towns in of_town.items()}
    less = 1 - km[name] / km[_REFERENCE]
    found = {
        "policy": name,
        "km_less_than_fixed": float(less.mean()),
        "km_less_than_fixed_ci95": interval(less.tolist()),
    }
    for best in _BEST:
        if best in km:
            more = km[name] / km[best] - 1
            found[f"km_more_than_{best}"] = float(more.mean())
            found[f"km_more_than_{best}_ci95"] = interval(more.tolist())
    return found


def _calibration(contender: Contender, tries: Sequence[Try], options: MonthsOptions) -> dict[str, Any]:
    told = [{"value": dial_value(contender, one.dial, options), "overflow_share": one.overflow_share} for one in tries]
    return {"policy": contender.name, "dial": contender.dial, "chosen": told[-1]["value"], "tries": told}


def interval(values: Sequence[float]) -> list[float] | None:
    """Return the 95 % confidence interval of the mean over towns (Student's t); None of a single one."""
    count = len(values)
    if count < 2:  # noqa: PLR2004 - one town says nothing of the others
        return None
    half = float(student.ppf(0.5 + _CONFIDENCE / 2, count - 1)) * float(np.std(values, ddof=1)) / count**0.5
    return [float(np.mean(values)) - half, float(np.mean(values)) + half]


def _mean(days: Sequence[DayRecord], of: Callable[[DayRecord], float]) -> float:
    return float(np.mean([of(day) for day in days]))


def _litres_kept(days: Sequence[DayRecord]) -> float:
    return 1 - sum(day.over_l for day in days) / max(1.0, sum(day.thrown_l for day in days))


def _per_stop(days: Sequence[DayRecord], of: Callable[[DayRecord], float]) -> float:
    return float(sum(of(day) for day in days)) / max(1, sum(day.stops for day in days))
