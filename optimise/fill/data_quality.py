"""What the data of a town is worth to a model: sensors that fell silent or froze, gaps, declarations. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from optimise.fill.options import FillOptions
from optimise.fill.readings import HOUR_S, Ints, ordered_key
from optimise.fill.training import TrainingData

_NAMED = 50
_FROZEN_H = 72
_FEWEST_READINGS = 12
_SAME_EMPTYING_S = 6 * HOUR_S


def data_quality(data: TrainingData, options: FillOptions) -> dict[str, Any]:
    """Return counts of what is known and what is wrong with it; at most 50 bins are named for each fault.

    A sensor is silent when it said nothing for `options.fresh_h`, frozen when three days of its readings are one level.
    """
    bins = len(data.bins)
    heard = data.has_sensor
    last_s = np.full(bins, -np.inf)
    last_s[data.readings.bin_row] = data.readings.at_s
    silent = heard & (data.as_of_s - last_s > options.fresh_h * HOUR_S)
    level = data.hourly.level[heard]
    declared = np.bincount(data.declared.bin_row, minlength=bins)
    at_sensors = data.declared.where(heard[data.declared.bin_row])
    seen = _near(at_sensors.bin_row, at_sensors.at_s, data.detected.bin_row, data.detected.at_s)
    told = _near(data.detected.bin_row, data.detected.at_s, data.declared.bin_row, data.declared.at_s)
    return {
        "bins": bins,
        "bins_ever_measured": int(heard.sum()),
        "sensors_silent": int(silent.sum()),
        "sensors_silent_bins": _names(data, silent),
        "sensors_frozen": int(_frozen(data).sum()),
        "sensors_frozen_bins": _names(data, _frozen(data)),
        "measured_hours_share": round(float(np.isfinite(level).mean()), 4) if level.size else None,
        "bins_never_declared_emptied": int((declared == 0).sum()),
        "bins_nothing_is_known_of": int(((declared == 0) & ~heard).sum()),
        "emptyings_declared": len(data.declared),
        "emptyings_declared_at_sensors": len(at_sensors),
        "emptyings_declared_and_detected": int(seen.sum()),
        "emptyings_detected": len(data.detected),
        "emptyings_detected_not_declared": int((~told).sum()),
        "looks_of_crews": int(np.isfinite(data.declared.found).sum()),
    }


def _frozen(data: TrainingData) -> np.typing.NDArray[np.bool_]:
    """Return (bins,) whether the last three days of readings are many and all one level."""
    recent = data.readings.where(data.readings.at_s > data.as_of_s - _FROZEN_H * HOUR_S)
    bins = len(data.bins)
    highest, lowest = np.full(bins, -np.inf), np.full(bins, np.inf)
    np.maximum.at(highest, recent.bin_row, recent.fill)
    np.minimum.at(lowest, recent.bin_row, recent.fill)
    many = np.bincount(recent.bin_row, minlength=bins) >= _FEWEST_READINGS
    frozen: np.typing.NDArray[np.bool_] = many & (highest == lowest)
    return frozen


def _near(row: Ints, at_s: Ints, other_row: Ints, other_s: Ints) -> np.typing.NDArray[np.bool_]:
    """Return (n,) whether one of the others (m,), ordered by bin and time, is of the same bin within six hours."""
    if not len(other_row):
        return np.zeros(len(row), dtype=bool)
    key = ordered_key(other_row, other_s)
    index = np.searchsorted(key, ordered_key(row, at_s))
    found = np.zeros(len(row), dtype=bool)
    for at in (np.maximum(index - 1, 0), np.minimum(index, len(key) - 1)):
        found |= (other_row[at] == row) & (np.abs(other_s[at] - at_s) <= _SAME_EMPTYING_S)
    return found


def _names(data: TrainingData, which: np.typing.NDArray[np.bool_]) -> list[str]:
    return [data.bins[row].place_id for row in np.flatnonzero(which)[:_NAMED]]
