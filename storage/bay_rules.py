"""What a delivery bay's rule says of what its sensor says. Pure: the rooms that show, count or judge bays share it.

A rule is in force on its ISO weekdays between two local hours; everything else is computed on UTC moments, so a stay
over a change to or from daylight-saving time lasts as long as it really does. Windows and stays are half-open: a
vehicle is over its limit from exactly `max_stay_s + grace_s` on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage.model import SENSOR_SILENT_AFTER, BayNow, BayState

NEAR_LIMIT_S = 300.0
"""A stay is near its limit during its last five minutes (or its last quarter, when that is shorter) and its grace."""

# Windows that adjoin (a rule in force day and night) are one window; looking further than a week on either side would
# change nothing that a person can act on.
_FARTHEST_NEIGHBOUR_DAYS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A stretch [starts_at, ends_at) during which a rule is in force without interruption; both UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class BayAssessment:
    """A bay at a moment. `occupied` is None when unknown; the times are None when nothing is counted.

    `counted_since` is when the limit began to count: the arrival, or the start of the rule's window for a vehicle that
    was there before. `remaining_s` is the time left until the limit (0 during grace), `overstay_s` the time beyond it.
    """

    state: BayState
    occupied: bool | None
    occupied_since: datetime | None = None
    window: Window | None = None
    counted_since: datetime | None = None
    remaining_s: float | None = None
    overstay_s: float | None = None


def known_occupancy(*, heard_at: datetime | None, occupied: bool | None, now: datetime) -> bool | None:
    """Return what a sensor last said, None when it said nothing or has been silent for SENSOR_SILENT_AFTER."""
    if heard_at is None or now - heard_at > SENSOR_SILENT_AFTER:
        return None
    return occupied


def window_in_force(
    *, enforced_days: tuple[int, ...], enforced_from: time, enforced_until: time, zone: ZoneInfo, now: datetime
) -> Window | None:
    """Return the window that `now` falls into, joined with those that adjoin it, or None.

    A window belongs to the day it starts on; one whose `enforced_until` is not after its `enforced_from` runs past
    midnight (equal hours: a whole day).
    """

    def of_day(day: date) -> Window | None:
        if day.isoweekday() not in enforced_days:
            return None
        last_day = day if enforced_until > enforced_from else day + timedelta(days=1)
        return Window(
            starts_at=datetime.combine(day, enforced_from, zone).astimezone(UTC),
            ends_at=datetime.combine(last_day, enforced_until, zone).astimezone(UTC),
        )

    today = now.astimezone(zone).date()
    days = [today + timedelta(days=offset) for offset in range(-_FARTHEST_NEIGHBOUR_DAYS, _FARTHEST_NEIGHBOUR_DAYS + 1)]
    joined: Window | None = None
    for window in filter(None, map(of_day, days)):
        if joined is not None and window.starts_at <= joined.ends_at:
            joined = Window(starts_at=joined.starts_at, ends_at=window.ends_at)
            continue
        if joined is not None and joined.starts_at <= now < joined.ends_at:
            return joined
        joined = window
    return joined if joined is not None and joined.starts_at <= now < joined.ends_at else None


def assess(bay: BayNow, *, zone: ZoneInfo, now: datetime) -> BayAssessment:
    """Judge a bay at `now` (UTC) by its rule, in the commune's time zone, and by its last known occupancy.

    Outside the rule's hours the state is RULE_NOT_IN_FORCE whatever stands there; inside them a silent or failing
    sensor makes it UNKNOWN, never FREE. A stay whose limit comes only after the window's end has no limit.
    """
    occupied = known_occupancy(heard_at=bay.heard_at, occupied=bay.occupied, now=now)
    occupied_since = bay.occupied_since if occupied else None
    window = window_in_force(
        enforced_days=bay.enforced_days,
        enforced_from=bay.enforced_from,
        enforced_until=bay.enforced_until,
        zone=zone,
        now=now,
    )
    if window is None:
        return BayAssessment(state=BayState.RULE_NOT_IN_FORCE, occupied=occupied, occupied_since=occupied_since)
    if occupied is None or (occupied and occupied_since is None):
        return BayAssessment(state=BayState.UNKNOWN, occupied=occupied, window=window)
    if occupied_since is None:
        return BayAssessment(state=BayState.FREE, occupied=False, window=window)
    counted_since = max(occupied_since, window.starts_at)
    limit_at = counted_since + timedelta(seconds=bay.max_stay_s)
    has_limit = limit_at < window.ends_at
    remaining_s = (limit_at - now).total_seconds()
    if has_limit and now >= limit_at + timedelta(seconds=bay.grace_s):
        state = BayState.OVER_LIMIT
    elif has_limit and remaining_s <= min(NEAR_LIMIT_S, bay.max_stay_s / 4):
        state = BayState.NEAR_LIMIT
    else:
        state = BayState.WITHIN_LIMIT
    return BayAssessment(
        state=state,
        occupied=True,
        occupied_since=occupied_since,
        window=window,
        counted_since=counted_since,
        remaining_s=max(0.0, remaining_s) if has_limit else None,
        overstay_s=-remaining_s if state is BayState.OVER_LIMIT else None,
    )
