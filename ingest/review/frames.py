"""Frames that never came, read from the holes in a device's frame counter."""

from __future__ import annotations

import numpy as np

from ingest.review.columns import begins, grouped_median
from storage.signal_table import Floats, Ints

_WRAP = 2**16
"""Older networks count frames in 16 bits (LoRaWAN 1.0.x lets them)."""
_NEAR_WRAP = 4096
_MORE_THAN_TIME_ALLOWS = 3.0
_SPARE = 8


def lost_frames(device: Ints, gap_s: Floats, counter: Ints) -> Floats:
    """Return (f,) how many frames are missing before each of f frames, ordered by `device` and time.

    `gap_s` (f,) is the time since the device's frame before, NaN for the first; `counter` (f,) is -1 when unknown. A
    counter that falls began again (the device joined anew), unless it wrapped at 16 bits; one that leaps by more than
    the time allows was set, not counted. Neither says anything of what was lost.
    """
    lost = np.zeros(len(device))
    if len(device) == 0:
        return lost
    _, number = np.unique(device, return_inverse=True)
    usual_s = grouped_median(number, gap_s, int(number.max()) + 1)[number]
    before = np.roll(counter, 1)
    known = ~begins(device) & (counter >= 0) & (before >= 0)
    step = counter - before
    wrapped = (step < 0) & (before < _WRAP) & (before >= _WRAP - _NEAR_WRAP) & (counter < _NEAR_WRAP)
    step = np.where(wrapped, step + _WRAP, step)
    possible = np.nan_to_num(_MORE_THAN_TIME_ALLOWS * gap_s / np.maximum(usual_s, 1.0)) + _SPARE
    counted = known & (step > 1) & (step - 1 <= possible)
    lost[counted] = step[counted] - 1
    return lost
