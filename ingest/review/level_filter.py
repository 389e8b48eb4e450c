"""The level with the noise taken out: a local-level Kalman filter that follows believed jumps at once.

The filter's own value is the causal level, for "now"; smoothing backwards gives the settled one, for history (Rauch,
Tung and Striebel, 1965, AIAA Journal 3). A change beyond three standard deviations of what was expected is taken over
as it is (the trusted readings are already free of spikes), by widening the walk of that one step. All series run side
by side, one step of each at a time.
"""

from __future__ import annotations

import numpy as np

from ingest.review.columns import begins
from ingest.review.measured import Measured
from ingest.review.options import HOUR_S, ReviewOptions
from storage.signal_table import Flags, Floats

_GATE = 3.0
_LEAST_GAP_S = 60.0


def filter_levels(
    trusted: Measured, *, emptied: Flags, options: ReviewOptions
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return for trusted readings (n,) in order: causal level and its deviation, settled level and its deviation.

    `emptied` (n,) marks the first reading after an emptying.
    """
    series, at_s, level = trusted.series, trusted.at_s, trusted.level
    size = len(series)
    causal, causal_var = np.zeros(size), np.zeros(size)
    ahead_var = np.zeros(size)  # of the prediction made for each reading
    if size == 0:
        return causal, causal_var, causal.copy(), causal_var.copy()
    first = np.flatnonzero(begins(series))
    lengths = np.diff(np.append(first, size))
    step_h = np.zeros(size)
    step_h[1:] = np.maximum(at_s[1:] - at_s[:-1], _LEAST_GAP_S) / HOUR_S
    walk = options.wander_fraction**2 * step_h
    error = trusted.habits.noise_fraction**2
    for step in range(int(lengths.max())):
        row = first[lengths > step] + step
        if step == 0:
            causal[row], causal_var[row] = level[row], error[row]
            continue
        predicted_var = causal_var[row - 1] + walk[row]
        surprise = level[row] - causal[row - 1]
        wide = emptied[row] | (surprise**2 > _GATE**2 * (predicted_var + error[row]))
        predicted_var = np.where(wide, predicted_var + surprise**2, predicted_var)
        gain = predicted_var / (predicted_var + error[row])
        # After a jump nothing of the old level is left to average with.
        gain = np.where(wide, 1.0, gain)
        causal[row] = causal[row - 1] + gain * surprise
        causal_var[row] = np.where(wide, error[row], (1 - gain) * predicted_var)
        ahead_var[row] = predicted_var
    settled, settled_var = causal.copy(), causal_var.copy()
    last = first + lengths - 1
    for step in range(1, int(lengths.max())):
        row = last[lengths > step] - step
        share = causal_var[row] / np.maximum(ahead_var[row + 1], 1e-12)
        settled[row] = causal[row] + share * (settled[row + 1] - causal[row])
        settled_var[row] = causal_var[row] + share**2 * (settled_var[row + 1] - ahead_var[row + 1])
    low = np.maximum(settled, 0.0)
    return np.maximum(causal, 0.0), np.sqrt(causal_var), low, np.sqrt(np.maximum(settled_var, 0.0))
