"""The commune's local hours: people live by these, while truth and storage count UTC seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

HOUR_S = 3600
DAY_S = 24 * HOUR_S
WEEK_HOURS = 7 * 24


def local_hours(start: datetime, hours: int, time_zone: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each of `hours` hours from `start`, the local hour of the week and the local date's ordinal.

    Both int64 (hours,); hour 0 is Monday's first. A time zone's fraction of an hour is cut.
    """
    zone = ZoneInfo(time_zone)
    moments = [(start + timedelta(hours=hour)).astimezone(zone) for hour in range(hours)]
    return (
        np.array([moment.weekday() * 24 + moment.hour for moment in moments], dtype=np.int64),
        np.array([moment.toordinal() for moment in moments], dtype=np.int64),
    )


def at_local(ordinal: int, seconds: float, time_zone: str) -> datetime:
    """Return the UTC moment `seconds` after local midnight (by the wall clock) of the date with this ordinal."""
    midnight = datetime.fromordinal(ordinal).replace(tzinfo=ZoneInfo(time_zone))
    return (midnight + timedelta(seconds=seconds)).astimezone(UTC)
