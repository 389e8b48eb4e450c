"""When people throw things away: one profile of the local week for each activity around a bin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.local_time import WEEK_HOURS

ACTIVITIES = ("home", "shopping", "meals", "transit", "school", "leisure")

_DAYS = {
    # Monday ... Sunday: how busy the day is
    "home": (1.0, 1.0, 1.0, 1.0, 1.0, 1.1, 1.0),
    "shopping": (0.7, 0.95, 1.1, 1.0, 1.15, 1.7, 0.4),
    "meals": (0.8, 0.95, 1.0, 1.05, 1.3, 1.3, 0.6),
    "transit": (1.15, 1.2, 1.15, 1.2, 1.15, 0.65, 0.5),
    "school": (1.4, 1.4, 0.8, 1.4, 1.4, 0.1, 0.05),
    "leisure": (0.6, 0.65, 1.1, 0.7, 0.8, 1.5, 1.65),
}
_HOURS = {
    # local hours 0..23: relative; nights are quiet everywhere
    "home": (1, 0, 0, 0, 0, 1, 4, 8, 7, 4, 4, 5, 6, 5, 4, 4, 6, 8, 9, 8, 6, 5, 4, 2),
    "shopping": (0, 0, 0, 0, 0, 0, 0, 1, 3, 7, 10, 11, 9, 8, 10, 12, 13, 13, 11, 6, 1, 0, 0, 0),
    "meals": (3, 1, 1, 0, 0, 0, 1, 4, 5, 3, 3, 9, 17, 15, 6, 4, 4, 5, 7, 9, 10, 9, 7, 5),
    "transit": (1, 0, 0, 0, 0, 2, 6, 13, 14, 7, 4, 4, 6, 6, 5, 5, 9, 13, 12, 8, 4, 3, 2, 2),
    "school": (0, 0, 0, 0, 0, 0, 0, 5, 14, 3, 5, 10, 9, 7, 3, 4, 17, 10, 5, 2, 0, 0, 0, 0),
    "leisure": (1, 1, 0, 0, 0, 0, 1, 2, 3, 4, 6, 7, 8, 7, 9, 11, 13, 12, 9, 7, 6, 4, 3, 2),
}
_RAIN = {"home": 0.85, "shopping": 0.6, "meals": 0.6, "transit": 0.9, "school": 0.85, "leisure": 0.2}
_SUN = {"home": 1.0, "shopping": 1.08, "meals": 1.15, "transit": 1.0, "school": 1.0, "leisure": 1.55}


def week_profiles() -> NDArray[np.float64]:
    """Return the profiles, shape (activities, 168), by local hour of the week from Monday; each sums to 7 days."""
    rows = []
    for activity in ACTIVITIES:
        week = np.outer(_DAYS[activity], np.asarray(_HOURS[activity]) + 0.05).reshape(WEEK_HOURS)
        rows.append(7.0 * week / week.sum())
    return np.array(rows)


def weather_factors(*, rain_out: bool, fine: bool) -> NDArray[np.float64]:
    """Return how each activity takes the day's weather, shape (activities,)."""
    answers = _RAIN if rain_out else _SUN if fine else dict.fromkeys(ACTIVITIES, 1.0)
    return np.array([answers[activity] for activity in ACTIVITIES])
