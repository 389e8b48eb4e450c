"""Batteries: low by percent, or by volts where the model's chemistry is known; and when the trend ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.review.alarm_options import AlarmOptions
from ingest.review.options import DAY_S
from storage.signal_table import Floats


@dataclass(frozen=True, kw_only=True, slots=True)
class Chemistry:
    """Volts below which a battery is low, and above which it is well again."""

    low_v: float
    well_v: float


# Cells of 3.6 V hold their voltage nearly to the end, so that what falls below is near it. Two alkaline cells sink
# steadily from 3.2 V.
LITHIUM_THIONYL = Chemistry(low_v=3.2, well_v=3.35)
TWO_ALKALINE = Chemistry(low_v=2.4, well_v=2.6)

CHEMISTRIES = {
    "dragino-": LITHIUM_THIONYL,
    "netvox-": LITHIUM_THIONYL,
    "dingtek-": LITHIUM_THIONYL,
    "pepperl-fuchs-": LITHIUM_THIONYL,
    "decentlab-": TWO_ALKALINE,
}
"""By the beginning of the model's name; the volts of any other model are shown and not judged."""


def chemistry_of(model: str) -> Chemistry | None:
    """Return what the model's battery is made of, None when that is not known."""
    return next((chemistry for start, chemistry in CHEMISTRIES.items() if model.startswith(start)), None)


def battery_is_low(
    *, percent: float | None, volts: float | None, chemistry: Chemistry | None, was_low: bool, options: AlarmOptions
) -> bool | None:
    """Return whether the battery is low, given that it `was_low`; None when nothing is known of it."""
    if percent is not None:
        return percent < options.battery_well_percent if was_low else percent <= options.battery_low_percent
    if volts is not None and chemistry is not None:
        return volts < chemistry.well_v if was_low else volts <= chemistry.low_v
    return None


def empty_in_s(day_s: Floats, percent: Floats, options: AlarmOptions) -> float | None:
    """Return the seconds from the last day until the battery is empty, if a trend can be told.

    `day_s` (d,) Unix seconds of days, `percent` (d,) their medians. The trend is the median slope of all pairs of days
    (Theil, 1950; Sen, 1968, JASA 63): a device's percentage jumps with the temperature.
    """
    known = np.isfinite(percent)
    day_s, percent = day_s[known], percent[known]
    if len(percent) < options.battery_trend_days:
        return None
    if np.median(percent[:3]) - np.median(percent[-3:]) < options.battery_trend_points:
        return None
    first, second = np.triu_indices(len(percent), k=1)
    slope = float(np.median((percent[second] - percent[first]) / (day_s[second] - day_s[first])))
    left = float(np.median(percent[-3:])) - options.battery_empty_percent
    if slope >= 0:
        return None
    return min(max(left, 0.0) / -slope, 3650 * DAY_S)
