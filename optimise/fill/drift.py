"""How yesterday's forecasts held: errors and coverages by group, against what sensors and crews then said. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimise.fill.evaluation import POINTS
from optimise.fill.intervals import FULL
from optimise.fill.readings import HOUR_S, Floats, Ints, ordered_key
from optimise.fill.starts import known_emptyings
from optimise.fill.training import TrainingData
from storage.model import ForecastScore
from storage.told_table import Told

AHEAD_H = (6, 24, 72)
"""The hours ahead at which forecasts are judged; runs keep these."""

_NOMINAL = 0.8
_FEWEST_BINS = 10
_SURE = 3.0
_HALF_STEP = 0.125
_NEAR_S = 2 * HOUR_S
_P05, _P10, _P50, _P90, _P95 = range(5)


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftOptions:
    """Coverage of the 80 % interval is in its band within `band` of 0.8, or within three standard errors over bins."""

    band: float = 0.1

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if not 0 < self.band < _NOMINAL:
            raise ValueError(f"expected 0 < band < {_NOMINAL}, got {self.band}")


def score_day(
    day: date, told: dict[int, Told], data: TrainingData, *, since_s: int, options: DriftOptions
) -> list[ForecastScore]:
    """Return the scores of the local `day`, which began at `since_s`, of what was `told` by hours ahead.

    `data` is what is known at the day's end, with the days before it in which forecasts were made.
    """
    scores: list[ForecastScore] = []
    for ahead_h, predicted in told.items():
        judged = _against_levels(predicted, data)
        for group, rows in _groups(predicted, data, judged):
            one = _Judged(index=judged.index[rows], actual=judged.actual[rows])
            scores.append(ForecastScore(day=day, ahead_h=ahead_h, bin_group=group, **_score(predicted, one, options)))
        looks = _against_crews(predicted, data, since_s=since_s)
        if len(looks.index):
            scores.append(ForecastScore(day=day, ahead_h=ahead_h, bin_group="crews", **_score_looks(predicted, looks)))
    return scores or [ForecastScore(day=day, ahead_h=AHEAD_H[0], bin_group="all", levels=0, bins=0)]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Judged:
    """`index` (n,) into what was told, and the `actual` (n,) fill."""

    index: Ints
    actual: Floats


def _rows_of(predicted: Told, data: TrainingData) -> Ints:
    """Return (n,) the bin's row in `data`, -1 for bins that are gone."""
    row_of = {item.place_id: row for row, item in enumerate(data.bins)}
    return np.array([row_of.get(place_id, -1) for place_id in predicted.place_id.tolist()], dtype=np.int64)


def _against_levels(predicted: Told, data: TrainingData) -> _Judged:
    row = _rows_of(predicted, data)
    hour = (predicted.valid_s - data.start_s) // HOUR_S
    inside = (row >= 0) & (hour >= 0) & (hour <= data.hours)
    actual = np.full(len(row), np.nan)
    actual[inside] = data.hourly.level[row[inside], hour[inside]]
    # A forecast says what comes if nobody empties the bin. A fall is seen up to an hour late.
    emptied = _emptied_between(data, row, predicted.as_of_s, predicted.valid_s + HOUR_S)
    index = np.flatnonzero(np.isfinite(actual) & ~emptied)
    return _Judged(index=index, actual=np.minimum(actual[index], FULL))


def _emptied_between(data: TrainingData, row: Ints, since_s: Ints, until_s: Ints) -> NDArray[np.bool_]:
    """Return (n,) whether an emptying of the bin's is known in (since, until]."""
    known = known_emptyings(data)
    if not len(known):
        return np.zeros(len(row), dtype=bool)
    key, at = ordered_key(known.bin_row, known.at_s), np.maximum(row, 0)
    first, last = (np.searchsorted(key, ordered_key(at, moment), side="right") for moment in (since_s, until_s))
    found: NDArray[np.bool_] = last > first
    return found


def _against_crews(predicted: Told, data: TrainingData, *, since_s: int) -> _Judged:
    """Return the prediction nearest to each look of a crew at a bin without a sensor, at most two hours from it."""
    looks = data.declared.where(
        np.isfinite(data.declared.found)
        & (data.declared.at_s >= since_s)
        & ~data.has_sensor[data.declared.bin_row]
    )  # fmt: skip
    row = _rows_of(predicted, data)
    index, actual = [], []
    for bin_row, at_s, found in zip(looks.bin_row.tolist(), looks.at_s.tolist(), looks.found.tolist(), strict=True):
        of_bin = np.flatnonzero((row == bin_row) & (predicted.as_of_s < at_s))
        if not len(of_bin):
            continue
        nearest = of_bin[np.abs(predicted.valid_s[of_bin] - at_s).argmin()]
        # A prediction that an earlier emptying has overtaken says nothing any more.
        before = data.declared.at_s[(data.declared.bin_row == bin_row) & (data.declared.at_s < at_s)]
        overtaken = (before > predicted.as_of_s[nearest]).any()
        if abs(int(predicted.valid_s[nearest]) - at_s) <= _NEAR_S and not overtaken:
            index.append(int(nearest))
            actual.append(found)
    return _Judged(index=np.array(index, dtype=np.int64), actual=np.array(actual, dtype=np.float64))


def _groups(predicted: Told, data: TrainingData, judged: _Judged) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each group's name and which of the judged (n,) are in it."""
    if not len(judged.index):
        return
    yield "all", np.ones(len(judged.index), dtype=bool)
    evidence = predicted.evidence[judged.index]
    for name in sorted(set(evidence.tolist())):
        yield f"evidence:{name}", evidence == name
    kind_of = {item.place_id: item.bin_kind for item in data.bins}
    kinds = np.array([kind_of[place_id] for place_id in predicted.place_id[judged.index].tolist()], dtype=object)
    for kind in sorted(set(kinds.tolist())):
        yield f"kind:{kind}", kinds == kind


def _score(predicted: Told, judged: _Judged, options: DriftOptions) -> dict[str, Any]:
    index, actual = judged.index, judged.actual
    q = np.minimum(predicted.quantiles[index], FULL)
    held = (q[:, _P10] <= actual) & (actual <= q[:, _P90])
    _, owner = np.unique(predicted.place_id[index].astype(str), return_inverse=True)
    by_bin = np.bincount(owner, weights=held) / np.bincount(owner)
    coverage = float(held.mean())
    in_band = None
    if len(by_bin) >= _FEWEST_BINS:
        # Levels of one bin hold or fail together: bins are what chance is counted in.
        noise = max(float(by_bin.std(ddof=1)), np.sqrt(_NOMINAL * (1 - _NOMINAL)) / 2) / np.sqrt(len(by_bin))
        in_band = bool(abs(coverage - _NOMINAL) <= max(options.band, _SURE * noise))
    return {
        "levels": len(actual),
        "bins": len(by_bin),
        "mae_points": float(np.abs(actual - q[:, _P50]).mean() * POINTS),
        "bias_points": float((actual - q[:, _P50]).mean() * POINTS),
        "coverage_80": coverage,
        "coverage_90": float(((q[:, _P05] <= actual) & (actual <= q[:, _P95])).mean()),
        "width_80_points": float((q[:, _P90] - q[:, _P10]).mean() * POINTS),
        "in_band": in_band,
    }


def _score_looks(predicted: Told, looks: _Judged) -> dict[str, Any]:
    """Score against coarse classes: an interval holds when it meets the class. Too kind to raise an alarm by."""
    q = np.minimum(predicted.quantiles[looks.index], FULL)
    low, high = looks.actual - _HALF_STEP, looks.actual + _HALF_STEP
    return {
        "levels": len(looks.index),
        "bins": len(np.unique(predicted.place_id[looks.index].astype(str))),
        "mae_points": float(np.abs(looks.actual - q[:, _P50]).mean() * POINTS),
        "bias_points": float((looks.actual - q[:, _P50]).mean() * POINTS),
        "coverage_80": float(((q[:, _P10] <= high) & (low <= q[:, _P90])).mean()),
        "coverage_90": float(((q[:, _P05] <= high) & (low <= q[:, _P95])).mean()),
        "width_80_points": float((q[:, _P90] - q[:, _P10]).mean() * POINTS),
    }
