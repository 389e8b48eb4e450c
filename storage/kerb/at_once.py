"""`stand` for thousands of places at one moment: what depends on the rules alone is computed once. Pure.

A test holds it to `stand`, place by place.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from storage.kerb.standing import NEAR_LIMIT_S
from storage.kerb.timetable import Timetable
from storage.model.kinds import BayState

type Judged = tuple[BayState, datetime | None, datetime | None]
"""The state, since when it holds, and when the limit is reached (None: none is counted)."""


class AtOnce:
    """One timetable at one moment."""

    def __init__(self, timetable: Timetable, now: datetime) -> None:
        stretch = timetable.at(now)
        rule = stretch.rule
        self.ruled = rule is not None
        self._none: Judged = (BayState.RULE_NOT_IN_FORCE, stretch.starts_at if stretch.begins else None, None)
        self._now = now
        self._starts_at = stretch.starts_at
        self._counts_from = stretch.counts_from
        self._counts_until = stretch.counts_until
        max_stay_s = 0 if rule is None or rule.max_stay_s is None else rule.max_stay_s
        self._max_stay = timedelta(seconds=max_stay_s)
        self._grace = timedelta(seconds=0 if rule is None else rule.grace_s)
        self._near = timedelta(seconds=min(NEAR_LIMIT_S, max_stay_s / 4))

    def judge(self, *, occupied: bool | None, since: datetime | None) -> Judged:
        """Judge one place by what is known of it (`Known`)."""
        if not self.ruled:
            return self._none
        if occupied is None or (occupied and since is None):
            return BayState.UNKNOWN, since, None
        if not occupied or since is None:
            return BayState.FREE, since, None
        return self._judge_stay(since)

    def _judge_stay(self, since: datetime) -> Judged:
        counts_from, counts_until = self._counts_from, self._counts_until
        if counts_from is None or counts_until is None:
            return BayState.WITHIN_LIMIT, since, None
        limit_at = max(counts_from, since) + self._max_stay
        if limit_at >= counts_until:
            return BayState.WITHIN_LIMIT, since, None
        if self._now >= limit_at + self._grace:
            return BayState.OVER_LIMIT, max(limit_at + self._grace, self._starts_at), limit_at
        near_at = limit_at - self._near
        near = self._now >= near_at
        return (BayState.NEAR_LIMIT, near_at, limit_at) if near else (BayState.WITHIN_LIMIT, since, limit_at)
