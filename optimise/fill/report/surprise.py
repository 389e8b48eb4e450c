"""How far crews' looks were from what the model expects: which bins it misjudges, though no sensor says so. Pure."""

from __future__ import annotations

import numpy as np

from optimise.fill.intervals import FULL
from optimise.fill.model import FillModel
from optimise.fill.readings import HOUR_S, Floats
from optimise.fill.starts import known_emptyings, previous
from optimise.fill.training import TrainingData

_SHRINK_LOOKS = 4.0
_LEAST_LOOK_H = 2.0


def surprise(data: TrainingData, model: FillModel) -> Floats:
    """Return (bins,) how many times the town's usual error crews found at each bin; 1 where they said nothing.

    Few looks are shrunk to 1: four looks of the town count beside a bin's own.
    """
    bins, declared = len(data.bins), data.declared
    said = np.isfinite(declared.found)
    row, at_s, found = declared.bin_row[said], declared.at_s[said], declared.found[said]
    hours = (at_s - previous(known_emptyings(data), row, at_s)) / HOUR_S
    usable = hours >= _LEAST_LOOK_H
    row, found, hours = row[usable], found[usable], hours[usable]
    if not len(row):
        return np.ones(bins)
    level = np.exp(model.rates.log_rate[row]) * hours / data.volume_l[row]
    error = np.abs(np.minimum(found, FULL) - np.minimum(level, FULL))
    mean = max(float(error.mean()), 1e-9)
    total, looks = np.bincount(row, weights=error, minlength=bins), np.bincount(row, minlength=bins)
    return np.asarray((total / mean + _SHRINK_LOOKS) / (looks + _SHRINK_LOOKS))
