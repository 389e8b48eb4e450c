"""What a protocol's tested forecasts come to: errors, coverage on the whole and by group, against the baselines. Pure.

Fill is a fraction inside; figures are in points (hundredths) of fill, coverages are fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimise.fill.conformal import interval
from optimise.fill.evaluation import POINTS, mean_absolute_error, pinball_loss
from optimise.fill.forest import middle
from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.towns.setting import Setting, Tested

PROBABILITIES = (0.05, 0.1, 0.5, 0.9, 0.95)
_SLACK = 1e-9
_FEWEST_IN_GROUP = 30
_FEWEST_BINS = 4
_FULL = 0.9
_NOMINAL = 0.8
_SURE = 2.0


def quantiles(tested: Tested, marks: Floats) -> Floats:
    """Return (n, 5) fill at `PROBABILITIES`, ascending: the ends of the 90 % and 80 % intervals around the median."""
    low90, high90 = interval(tested.distribution, tested.reach(0.9), marks)
    low80, high80 = interval(tested.distribution, tested.reach(0.8), marks)
    median = middle(tested.distribution, marks)
    return np.maximum.accumulate(np.column_stack([low90, low80, median, high80, high90]), axis=1)


def score(setting: Setting, parts: Sequence[Tested]) -> dict[str, Any]:
    """Return the figures of all `parts` together, which have the same baselines."""
    actual = np.concatenate([part.actual for part in parts])
    row = np.concatenate([part.bin_row for part in parts])
    forecast = np.concatenate([quantiles(part, setting.marks) for part in parts])
    low90, low80, median, high80, high90 = forecast.T
    inside80 = (low80 - _SLACK <= actual) & (actual <= high80 + _SLACK)
    inside90 = (low90 - _SLACK <= actual) & (actual <= high90 + _SLACK)
    baselines = {
        name: mean_absolute_error(actual, np.concatenate([part.simple[name] for part in parts]))
        for name in parts[0].simple
    }
    best = min(baselines, key=lambda name: baselines[name])
    mae = mean_absolute_error(actual, median)
    # Whole steps alone can be taken in or left out: what the interval would hold without those at its two ends.
    edge = setting.town.step / 2
    inner80 = ((low80 + edge < actual) & (actual < high80 - edge)) | (np.abs(actual - median) < _SLACK)
    groups: dict[str, dict[str, Any]] = {}
    for index, name in enumerate(setting.groups):
        mine = setting.group[row] == index
        if mine.sum() >= _FEWEST_IN_GROUP:
            groups[name] = {
                "n": int(mine.sum()),
                "bins": len(np.unique(row[mine])),
                "mae": mean_absolute_error(actual[mine], median[mine]),
                "coverage_80": float(inside80[mine].mean()),
                "coverage_90": float(inside90[mine].mean()),
                "coverage_80_error": luck(row[mine], inside80[mine]),
            }
    # Of very few bins, what is seen is their luck.
    judged = {name: found for name, found in groups.items() if found["bins"] >= _FEWEST_BINS} or groups
    worst = max(judged, key=lambda name: abs(judged[name]["coverage_80"] - 0.8), default=None)
    return {
        "n": len(actual),
        "mae": mae,
        "rmse": float(np.sqrt(np.mean((actual - median) ** 2)) * POINTS),
        "pinball": pinball_loss(actual, forecast, PROBABILITIES),
        "coverage_80": float(inside80.mean()),
        "coverage_90": float(inside90.mean()),
        "coverage_80_error": luck(row, inside80),
        "coverage_80_inner": float((inside80 & inner80).mean()),
        "width_80": float((high80 - low80).mean() * POINTS),
        "width_90": float((high90 - low90).mean() * POINTS),
        "worst_group_coverage_80": None if worst is None else groups[worst]["coverage_80"],
        "worst_group": worst,
        "coverage_by_group": groups,
        "baselines": baselines,
        "best_baseline": best,
        "skill_vs_best": 1 - mae / max(baselines[best], 1e-9),
        "time_of_full": _time_of_full(parts, median),
        "bins": len(np.unique(row)),
        "tuned_baselines": [part.variants for part in parts],
        "pool": [part.weights for part in parts],
    }


def luck(row: Ints, value: NDArray[np.bool_] | Floats) -> float | None:
    """Return the standard error of the mean of `value` (n,) over bins: levels of one are inside or outside together."""
    _, owner, count = np.unique(row, return_inverse=True, return_counts=True)
    bins = len(count)
    if bins < 2:  # noqa: PLR2004 - one bin tells of no scatter
        return None
    # Of a ratio of sums over clusters (Cochran, Sampling Techniques, 3rd edition, section 9.7).
    left = np.bincount(owner, weights=value - value.mean())
    return float(np.sqrt((left**2).sum() * bins / (bins - 1)) / len(row))


def _time_of_full(parts: Sequence[Tested], median: Floats) -> dict[str, Any] | None:
    """Return the error, in hours, of when a bin gets `_FULL`, of the model and of each baseline; None where few do.

    Counted are intervals between emptyings that were seen below and then at it; who foretells it too late, or not at
    all, errs at least until the last level of the interval.
    """
    if any(part.interval is None for part in parts):
        return None
    at_s = np.concatenate([part.at_s for part in parts])
    actual = np.concatenate([part.actual for part in parts])
    interval = np.concatenate([np.asarray(part.interval) for part in parts])
    order = np.lexsort((at_s, interval))
    first = np.flatnonzero(np.append(True, np.diff(interval[order]) != 0))
    ends = np.append(first[1:], len(order))
    forecasts = {"model": median} | {
        name: np.concatenate([part.simple[name] for part in parts]) for name in parts[0].simple
    }
    errors: dict[str, list[float]] = {name: [] for name in forecasts}
    for start, end in zip(first, ends, strict=True):
        rows = order[start:end]
        full = np.flatnonzero(actual[rows] >= _FULL - _SLACK)
        if not len(full) or full[0] == 0:
            continue
        for name, forecast in forecasts.items():
            said = np.flatnonzero(forecast[rows] >= _FULL - _SLACK)
            reached = said[0] if len(said) else len(rows) - 1
            errors[name].append(abs(float(at_s[rows[reached]] - at_s[rows[full[0]]])) / HOUR_S)
    if len(errors["model"]) < _FEWEST_IN_GROUP:
        return None
    mean = {name: float(np.mean(values)) for name, values in errors.items()}
    return {"intervals": len(errors["model"]), "mae_h": mean.pop("model"), "baselines": mean}


def floor_of(scores: dict[str, Any], own_curve: float) -> dict[str, Any]:
    """Return what stops the figures of a protocol, beside them: `own_curve` points of error, and luck in coverage.

    Who minds the day as well as the bin's own curve may err less than `own_curve`.

    `coverage_80` and `worst_group_coverage_80` are two standard errors; `steps` says whether 0.8 lies between what the
    interval holds with the levels at its ends and without them, so that a step less at both ends is too little.
    """
    worst = scores["coverage_by_group"].get(scores["worst_group"], {}).get("coverage_80_error")
    error = scores["coverage_80_error"]
    return {
        "mae": own_curve,
        "mae_above": scores["mae"] - own_curve,
        "coverage_80": None if error is None else _SURE * error,
        "worst_group_coverage_80": None if worst is None else _SURE * worst,
        "steps": bool(scores["coverage_80_inner"] <= _NOMINAL <= scores["coverage_80"]),
    }


def own_curve_floor(parts: Sequence[Tested], age_h: Floats) -> float:
    """Return the error of one who knew each bin's own median level at each age, from the test itself, in points.

    What this leaves is what differs from one interval to the next, which no rate, however well known, foretells.
    """
    actual = np.concatenate([part.actual for part in parts])
    row = np.concatenate([part.bin_row for part in parts])
    error = np.zeros(len(actual))
    for index in np.unique(row):
        mine = np.flatnonzero(row == index)
        order = mine[np.argsort(age_h[mine], kind="stable")]
        for piece in np.array_split(order, max(1, min(12, len(order) // 25))):
            error[piece] = np.abs(actual[piece] - np.median(actual[piece]))
    return float(error.mean() * POINTS)
