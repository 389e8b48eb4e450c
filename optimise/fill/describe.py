"""The moment at which a bin is forecast, in numbers: what tells how wrong its rate may be. Pure.

A bin that was left for longer than usual *until now* mostly fills slower than it was thought to; that it will be left
longer still, if nobody comes, tells nothing. So all that speaks of emptyings is of the moment of the forecast.
"""

from __future__ import annotations

import numpy as np

from optimise.fill.habits import Habits
from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.starts import Starts

NAMES = ("age_of_usual", "last_of_usual", "spread", "doubt", "expected", "gain_ahead", "town_now")
_MOST_EXPECTED = 2.0


def describe(
    *,
    habits: Habits,
    last: Ints,
    age_h: Floats,
    log_sd: Floats,
    expected_now: Floats,
    expected_then: Floats,
    town_now: Floats,
) -> Floats:
    """Return (..., 7), the `NAMES` of moments of bins; all arguments but `habits` broadcast against each other.

    `last` indexes the last emptying (-1: none) and `age_h` are the hours since it; `expected_now` is the fill to expect
    at the forecast, `expected_then` at the moment forecast; `log_sd` says how uncertain the bin's rate is, `town_now`
    how much fuller other bins are than their rates say.
    """
    usual_h = habits.usual_h[last]
    parts = [
        np.log((np.maximum(age_h, 0.0) + 1) / usual_h),
        np.log(habits.last_h[last] / usual_h),
        habits.spread[last],
        log_sd,
        np.minimum(expected_then, _MOST_EXPECTED),
        np.minimum(expected_then - expected_now, _MOST_EXPECTED),
        town_now,
    ]
    return np.stack(np.broadcast_arrays(*parts), axis=-1)


def fuller_than_thought(starts: Starts, rate_per_h: Floats) -> Floats:
    """Return (bins,) how much fuller the other bins with a sensor are, on the mean, than `rate_per_h` (bins,) says.

    Lockdowns and fairs show in it. Half a bin that knows nothing stands beside them: one alone is not to be trusted.
    """
    age_h = (starts.at_s - starts.emptied_s) / HOUR_S
    seen = starts.measured & (age_h > 0)
    excess = np.where(seen, np.minimum(starts.level, 1.0) - np.minimum(rate_per_h * np.maximum(age_h, 0.0), 1.0), 0.0)
    result: Floats = (excess.sum() - excess) / (seen.sum() - seen + 0.5)
    return result
