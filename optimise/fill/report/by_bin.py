"""How wrong the forecast of each bin was, and what sets the bins apart that it knows best and worst. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from optimise.fill.evaluation import POINTS
from optimise.fill.features import positions_km
from optimise.fill.readings import HOUR_S, Floats
from optimise.fill.report.exposure import usual_interval_h
from optimise.fill.report.tried import Tried
from optimise.fill.slots import DAY_H
from optimise.fill.training import TrainingData

_FEWEST_ROWS = 5
_SEEN_SAME_S = 3 * HOUR_S
_MOST_REASONS = 3
_HIGH = 0.75
_FEWEST_DAYS = 3

_MORE_IS_WORSE = {
    "nearest_sensor_m": True,
    "crew_looks": False,
    "undeclared_share": True,
    "heard_share": False,
    "irregularity": True,
    "fill_per_day": True,
    "interval_h": True,
}
_WORSE_FROM = {"nearest_sensor_m": 150.0, "undeclared_share": 0.05, "heard_share": 0.85}
"""What is only a reason when it is so bad by itself: in a town of dense sensors the farthest is near."""
_NEVER_HELPS = {"heard_share", "undeclared_share", "interval_h"}


@dataclass(frozen=True, kw_only=True)
class BinError:
    """One held-out bin: mean absolute error and bias (forecast less truth) in points, how often inside 80 %."""

    row: int
    n: int
    mae: float
    bias: float
    simple_mae: float
    coverage_80: float
    reasons: tuple[tuple[str, float], ...] = ()
    """What sets this bin apart: a name of `facts`, and its value."""


def errors_by_bin(made: Tried) -> list[BinError]:
    """Return the errors of all bins that were forecast at least some times, least error first."""
    inside, signed = made.inside(0.8), (made.middle - made.actual) * POINTS
    found = []
    for row in np.unique(made.bin_row):
        mine = made.bin_row == row
        if mine.sum() < _FEWEST_ROWS:
            continue
        found.append(
            BinError(
                row=int(row),
                n=int(mine.sum()),
                mae=float(made.error[mine].mean()),
                bias=float(signed[mine].mean()),
                simple_mae=float(made.simple_error[mine].mean()),
                coverage_80=float(inside[mine].mean()),
            )
        )
    return sorted(found, key=lambda one: (one.mae, one.row))


def facts(data: TrainingData, *, otherwise_interval_h: float) -> dict[str, Floats]:
    """Return facts about each bin, (bins,), that may make it easy or hard to forecast; NaN where unknown.

    `nearest_sensor_m` to the next bin with a sensor; `crew_looks`: how often crews said how full it was;
    `undeclared_share` of the emptyings that its sensor saw; `heard_share` of the hours since its sensor's first
    reading; `irregularity`: deviation of days' amounts by their mean; `fill_per_day`; `interval_h` between emptyings.
    """
    bins = len(data.bins)
    looks = np.bincount(data.declared.bin_row[np.isfinite(data.declared.found)], minlength=bins).astype(np.float64)
    daily = _daily_fill(data)
    seen = np.isfinite(daily)
    days = seen.sum(axis=1)
    mean = np.where(days > 0, np.where(seen, daily, 0.0).sum(axis=1) / np.maximum(days, 1), np.nan)
    square = np.where(seen, daily - mean[:, None], 0.0) ** 2
    spread = np.sqrt(square.sum(axis=1) / np.maximum(days - 1, 1))
    known = (days >= _FEWEST_DAYS) & (mean > 0)
    return {
        "nearest_sensor_m": _nearest_sensor_m(data),
        "crew_looks": looks,
        "undeclared_share": _undeclared_share(data),
        "heard_share": _heard_share(data),
        "irregularity": np.where(known, spread / np.where(known, mean, 1.0), np.nan),
        "fill_per_day": np.where(days >= _FEWEST_DAYS, mean, np.nan),
        "interval_h": usual_interval_h(data, otherwise_interval_h),
    }


def reasons_of(row: int, known: dict[str, Floats], among: Floats, *, worst: bool) -> tuple[tuple[str, float], ...]:
    """Return up to three facts that set bin `row` apart, on the side that makes it hard (`worst`) or easy.

    A fact counts when it is among the quarter that is hardest or easiest of the bins `among` (rows).
    """
    found = []
    rows = np.asarray(among, dtype=np.int64)
    for name, values in known.items():
        value, others = values[row], values[rows]
        others = others[np.isfinite(others)]
        if not np.isfinite(value) or not len(others) or others.min() == others.max():
            continue
        rank = float(((others < value).sum() + (others == value).sum() / 2) / len(others))
        hardness = rank if _MORE_IS_WORSE[name] else 1 - rank
        side = hardness if worst else 1 - hardness
        if worst:
            limit = _WORSE_FROM.get(name)
            counts = limit is None or (value >= limit if _MORE_IS_WORSE[name] else value <= limit)
        else:
            counts = name not in _NEVER_HELPS
        if counts and side >= _HIGH:
            found.append((side, name, float(value)))
    found.sort(key=lambda one: (-one[0], one[1]))
    return tuple((name, value) for _, name, value in found[:_MOST_REASONS])


def _daily_fill(data: TrainingData) -> Floats:
    """Return (bins, days) what each bin gained in a day, NaN unless most of its hours were seen."""
    days = data.hours // DAY_H
    gained = data.hourly.gained[:, : days * DAY_H].reshape(len(data.bins), days, DAY_H)
    seen = np.isfinite(gained).sum(axis=2)
    total = np.where(np.isfinite(gained), gained, 0.0).sum(axis=2)
    return np.where(seen >= _HIGH * DAY_H, total * DAY_H / np.maximum(seen, 1), np.nan)


def _nearest_sensor_m(data: TrainingData) -> Floats:
    where, sensed = positions_km(data.bins) * 1000, np.flatnonzero(data.has_sensor)
    if len(sensed) < 2:  # noqa: PLR2004 - a bin is not its own neighbour
        return np.full(len(data.bins), np.nan)
    distance, index = cKDTree(where[sensed]).query(where, k=2)
    own = sensed[index[:, 0]] == np.arange(len(where))
    result = np.where(own, distance[:, 1], distance[:, 0])
    return np.asarray(result)


def _undeclared_share(data: TrainingData) -> Floats:
    """Return (bins,) the share of emptyings seen that nobody declared within three hours; NaN where none was seen."""
    bins, seen, declared = len(data.bins), data.detected, data.declared
    if not len(seen):
        return np.full(bins, np.nan)
    key = np.sort((declared.bin_row << 34) + declared.at_s)
    wanted = (seen.bin_row << 34) + seen.at_s
    last = np.searchsorted(key, wanted + _SEEN_SAME_S, side="right") - 1
    near = (
        (last >= 0) & (key[np.maximum(last, 0)] >= wanted - _SEEN_SAME_S) if len(key) else np.zeros(len(wanted), bool)
    )
    count = np.bincount(seen.bin_row, minlength=bins)
    missed = np.bincount(seen.bin_row[~near], minlength=bins)
    return np.where(count > 0, missed / np.maximum(count, 1), np.nan)


def _heard_share(data: TrainingData) -> Floats:
    heard = np.isfinite(data.hourly.level)
    any_heard = heard.any(axis=1)
    hours = heard.shape[1] - heard.argmax(axis=1)
    return np.where(any_heard, heard.sum(axis=1) / np.maximum(hours, 1), np.nan)
