"""The numbers that describe a bin to the model, whether or not it has a sensor. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimise.fill.readings import Floats, Ints
from storage.model import Bin

_EARTH_M_PER_DEG = 111_195.0
_MIN_SPREAD = 1e-9
_RARE = 3


def place_features(bins: Sequence[Bin]) -> Floats:
    """Return (bins, k) standardised features: surroundings (log1p: counts and distances are skewed), volume and kind.

    A number that a bin's surroundings lack takes the others' median. Columns without variety are left out: k may be 0.
    """
    names = sorted({name for item in bins for name in item.surroundings})
    columns = [np.array([item.surroundings.get(name, np.nan) for item in bins], dtype=np.float64) for name in names]
    columns = [np.log1p(np.maximum(np.where(np.isnan(c), np.nanmedian(c), c), 0.0)) for c in columns]
    columns.append(np.log(np.array([item.volume_l for item in bins], dtype=np.float64)))
    for kind in sorted({item.bin_kind for item in bins}):
        indicator = np.array([item.bin_kind == kind for item in bins], dtype=np.float64)
        if indicator.sum() >= _RARE:
            columns.append(indicator)
    varied = [(c - c.mean()) / c.std() for c in columns if c.size and c.std() > _MIN_SPREAD]
    return np.column_stack(varied) if varied else np.zeros((len(bins), 0))


def usual_intervals(bin_row: Ints, hours: Floats, bins: int) -> Floats:
    """Return (bins,) the standardised logarithm of how long each bin is usually left; 0 where that is unknown.

    `hours` (n,) are intervals between emptyings of `bin_row`. Crews come sooner where a bin fills sooner, and when they
    come is known of bins without a sensor too.
    """
    count = np.bincount(bin_row, minlength=bins)
    if not len(bin_row):
        return np.zeros(bins)
    logs = np.log(np.maximum(hours, 1.0))
    total = np.bincount(bin_row, weights=logs, minlength=bins)
    # One interval of the town is lent to each bin: a single one of its own may have hidden an emptying.
    usual = (total + logs.mean()) / (count + 1)
    spread = float(usual.std())
    return np.asarray((usual - usual.mean()) / spread) if spread > _MIN_SPREAD else np.zeros(bins)


def positions_km(bins: Sequence[Bin]) -> Floats:
    """Return (bins, 2) positions on a local plane, in kilometres east and north of the bins' middle."""
    degrees = np.array([(item.longitude_deg, item.latitude_deg) for item in bins], dtype=np.float64).reshape(-1, 2)
    if not len(degrees):
        return degrees
    middle = degrees.mean(axis=0)
    scale = np.array([np.cos(np.radians(middle[1])), 1.0]) * _EARTH_M_PER_DEG / 1000
    result: Floats = (degrees - middle) * scale
    return result
