"""What the rules say of who stands at a place: at a moment, and of a whole stay. Pure.

Everything is computed on UTC moments: a stay over a change of clocks lasts as long as it really does. A vehicle is over
its limit from exactly `max_stay_s + grace_s` on, counted from its arrival or from when limits began to hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.kerb.timetable import Stretch, Timetable
from storage.model.kerb import Rule
from storage.model.kinds import BayState

NEAR_LIMIT_S = 300.0
"""A stay is near its limit during its last five minutes (or its last quarter, when that is shorter) and its grace."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of a place at a moment: None for `occupied` is unknown.

    `since` is since when that is so: of an unknown state, when its sensor last told one (None: never).
    """

    occupied: bool | None
    since: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A place at a moment. `since` is since when the state holds, None when nobody knows.

    `rule` holds now (None: nothing is ruled) until `rule_until` (None: for a week and longer). `counted_since` is when
    the limit began to count: the arrival, or the start of limits for who was there before. `remaining_s` is the time
    until the limit (0 during grace), `overstay_s` the time beyond it; None when nothing is counted.
    """

    state: BayState
    since: datetime | None
    occupied: bool | None
    rule: Rule | None
    rule_until: datetime | None
    counted_since: datetime | None = None
    limit_at: datetime | None = None
    remaining_s: float | None = None
    overstay_s: float | None = None


def known_at(
    now: datetime,
    *,
    measured_at: datetime | None,
    occupied: bool | None,
    since: datetime | None,
    silent_after_s: float,
) -> Known:
    """Return what a sensor's last word still tells at `now`: nothing once it has been silent for `silent_after_s`.

    A sensor that is heard but measures nothing tells nothing either: `measured_at` is its last state's time.
    """
    if measured_at is None or occupied is None or (now - measured_at).total_seconds() > silent_after_s:
        return Known(occupied=None, since=measured_at)
    return Known(occupied=occupied, since=since)


def stand(known: Known, *, timetable: Timetable, now: datetime) -> Standing:
    """Judge a place at `now` (UTC). Unknown is never free.

    Where nothing is ruled the state is RULE_NOT_IN_FORCE, whatever stands there; `occupied` says what does.
    """
    stretch = timetable.at(now)
    rule = stretch.rule
    if rule is None:
        return Standing(
            state=BayState.RULE_NOT_IN_FORCE,
            since=stretch.starts_at if stretch.begins else None,
            occupied=known.occupied,
            rule=None,
            rule_until=_end(stretch),
        )
    if known.occupied is None or (known.occupied and known.since is None):
        return _plain(BayState.UNKNOWN, known, stretch, known.since)
    if not known.occupied:
        return _plain(BayState.FREE, known, stretch, known.since)
    assert known.since is not None
    limit = _limit(stretch, known.since)
    if limit is None:
        return _plain(BayState.WITHIN_LIMIT, known, stretch, known.since)
    counted_since, limit_at = limit
    remaining_s = (limit_at - now).total_seconds()
    over_at = limit_at + timedelta(seconds=rule.grace_s)
    near_at = limit_at - timedelta(seconds=min(NEAR_LIMIT_S, (limit_at - counted_since).total_seconds() / 4))
    state, since = BayState.WITHIN_LIMIT, known.since
    if now >= over_at:
        state, since = BayState.OVER_LIMIT, over_at
    elif now >= near_at:
        state, since = BayState.NEAR_LIMIT, near_at
    return Standing(
        state=state,
        since=max(since, stretch.starts_at) if state is BayState.OVER_LIMIT else since,
        occupied=True,
        rule=rule,
        rule_until=_end(stretch),
        counted_since=counted_since,
        limit_at=limit_at,
        remaining_s=max(0.0, remaining_s),
        overstay_s=-remaining_s if state is BayState.OVER_LIMIT else None,
    )


def overstay_s(timetable: Timetable, *, arrived_at: datetime, left_at: datetime) -> float | None:
    """Return for how long a stay was beyond a limit, seconds; None when no limit was ever counted.

    Time within the limit's grace counts once the grace is over, as it does for who looks at the place then.
    """
    total_s, limited = 0.0, False
    for stretch in timetable.between(arrived_at, left_at):
        limit = _limit(stretch, arrived_at)
        if limit is None or stretch.rule is None:
            continue
        limited = True
        until = min(left_at, stretch.ends_at)
        if until >= limit[1] + timedelta(seconds=stretch.rule.grace_s):
            total_s += max(0.0, (until - max(limit[1], stretch.starts_at)).total_seconds())
    return total_s if limited else None


def _limit(stretch: Stretch, arrived_at: datetime) -> tuple[datetime, datetime] | None:
    """Return (when the limit began to count, when it is reached); None when limits end before that."""
    if stretch.rule is None or stretch.rule.max_stay_s is None or stretch.counts_from is None:
        return None
    assert stretch.counts_until is not None
    counted_since = max(arrived_at, stretch.counts_from)
    limit_at = counted_since + timedelta(seconds=stretch.rule.max_stay_s)
    return (counted_since, limit_at) if limit_at < stretch.counts_until else None


def _end(stretch: Stretch) -> datetime | None:
    return stretch.ends_at if stretch.ends else None


def _plain(state: BayState, known: Known, stretch: Stretch, since: datetime | None) -> Standing:
    counted = None
    if state is BayState.WITHIN_LIMIT and since is not None:
        counted = max(since, stretch.counts_from or stretch.starts_at)
    return Standing(
        state=state,
        since=since,
        occupied=known.occupied,
        rule=stretch.rule,
        rule_until=_end(stretch),
        counted_since=counted,
    )
