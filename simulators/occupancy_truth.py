"""The truth about bays and spaces: who stood where from when until when. Grows by weeks, as they are asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from simulators.local_time import HOUR_S, WEEK_HOURS, local_hours
from simulators.randomness import Stream, stream
from simulators.scenario_day import FixedStay
from simulators.visits import Attempts

_WEEK_S = WEEK_HOURS * HOUR_S
_GAP_S = 45
"""The least time between a departure and the next arrival at the same place."""
_FAR_S = 2**40
_FIRST_OCCUPIED = 0.5
_FIRST_STAY_S = 6 * HOUR_S

AttemptsOfWeek = Callable[[NDArray[np.int64], NDArray[np.int64], np.random.Generator], Attempts]
"""(local hours of the week (168,), their Unix seconds (168,), generator) -> attempts."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sessions:
    """k sessions sorted by place, then by time: `place` (k,), `arrive_s` (k,), `depart_s` (k,), int64 Unix seconds."""

    place: NDArray[np.int64]
    arrive_s: NDArray[np.int64]
    depart_s: NDArray[np.int64]


class OccupancyTruth:
    """Sessions at n places. A week depends on the seed and the weeks before it only. Safe for several threads."""

    def __init__(
        self,
        places: int,
        attempts: AttemptsOfWeek,
        *,
        seed: int,
        purpose: Stream,
        start_s: int,
        time_zone: str,
        fixed: Sequence[FixedStay] = (),
    ) -> None:
        """Let `fixed` stays take place whoever else wanted to: who is there before them leaves in time."""
        if any(one.arrive_s < start_s for one in fixed):
            raise ValueError(f"expected fixed stays from {start_s} on, got {min(one.arrive_s for one in fixed)}")
        self._fixed: dict[int, list[FixedStay]] = {}
        for one in sorted(fixed, key=lambda one: one.arrive_s):
            self._fixed.setdefault(one.place, []).append(one)
        self._places = places
        self._attempts = attempts
        self._seed = seed
        self._purpose = purpose
        self._start_s = start_s
        self._time_zone = time_zone
        self._lock = threading.RLock()
        self._weeks = 0
        self._free_from_s = np.full(places, start_s, dtype=np.int64)
        self._found: list[tuple[int, int, int]] = []
        self._sessions = Sessions(
            place=np.zeros(0, np.int64), arrive_s=np.zeros(0, np.int64), depart_s=np.zeros(0, np.int64)
        )
        self._keys = np.zeros(0, dtype=np.int64)
        self._start_with_some()

    def __len__(self) -> int:
        return self._places

    def sessions_until(self, until_s: int) -> Sessions:
        """Return all sessions that begin before `until_s`, and perhaps some that begin after it.

        Those from before the start, one at most a place, begin at `start_s - 3600`.
        """
        with self._lock:
            while self._start_s + self._weeks * _WEEK_S < until_s or self._weeks == 0:
                self._add_week()
            return self._sessions

    def occupied(self, places: NDArray[np.int64], at_s: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether places (k,) are occupied at moments (k,)."""
        return self.occupied_since_s(places, at_s) >= 0

    def occupied_since_s(self, places: NDArray[np.int64], at_s: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return since when places (k,) are occupied at moments (k,), Unix seconds; -1 where free."""
        if len(places) == 0:
            return np.zeros(0, dtype=np.int64)
        with self._lock:
            sessions = self.sessions_until(int(at_s.max()) + 1)
            last = np.searchsorted(self._keys, places * _FAR_S + at_s, side="right") - 1
            there = (last >= 0) & (sessions.place[last] == places) & (sessions.depart_s[last] > at_s)
            return np.where(there, sessions.arrive_s[last], -1)

    def changes_until(self, places: NDArray[np.int64], at_s: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often places (k,) changed state from the beginning up to and at moments (k,)."""
        if len(places) == 0:
            return np.zeros(0, dtype=np.int64)
        with self._lock:
            sessions = self.sessions_until(int(at_s.max()) + 1)
            last = np.searchsorted(self._keys, places * _FAR_S + at_s, side="right") - 1
            first = np.searchsorted(self._keys, places * _FAR_S, side="left")
            begun = last - first + 1
            still_there = (begun > 0) & (sessions.depart_s[last] > at_s)
            changes: NDArray[np.int64] = 2 * begun - still_there
            return changes

    def _start_with_some(self) -> None:
        """Put somebody in half of the places, so that the first day does not begin in an empty town."""
        generator = stream(self._seed, self._purpose)
        there = generator.random(self._places) < _FIRST_OCCUPIED
        stay = (generator.random(self._places) * _FIRST_STAY_S).astype(np.int64) + 60
        for place in np.flatnonzero(there):
            depart = self._start_s + int(stay[place])
            self._found.append((int(place), self._start_s - HOUR_S, depart))
            self._free_from_s[place] = depart + _GAP_S

    def _starts_s(self, week: int) -> int:
        return self._start_s + week * _WEEK_S

    def attempts_in(self, week: int) -> Attempts:
        """Return who wants a place in the week of this number, from 0, whether they find one or not."""
        week_s = self._starts_s(week)
        hours, _ = local_hours(datetime.fromtimestamp(week_s, UTC), WEEK_HOURS, self._time_zone)
        starts = week_s + np.arange(WEEK_HOURS, dtype=np.int64) * HOUR_S
        return self._attempts(hours, starts, stream(self._seed, self._purpose, week))

    def _add_week(self) -> None:
        attempts = self.attempts_in(self._weeks)
        order = np.lexsort((attempts.dwell_s, attempts.arrive_s, attempts.place))
        free_from = self._free_from_s.tolist()
        for place, arrive, dwell in zip(
            attempts.place[order].tolist(),
            attempts.arrive_s[order].tolist(),
            attempts.dwell_s[order].tolist(),
            strict=True,
        ):
            self._impose_until(place, arrive + 1, free_from)
            # Who finds the place taken drives on: no queue, as on a real street.
            if arrive >= free_from[place]:
                self._found.append((place, arrive, arrive + dwell))
                free_from[place] = arrive + dwell + _GAP_S
        for place in self._fixed:
            self._impose_until(place, self._starts_s(self._weeks + 1), free_from)
        self._free_from_s = np.array(free_from, dtype=np.int64)
        self._weeks += 1
        table = np.array(sorted(self._found), dtype=np.int64).reshape(-1, 3)
        self._sessions = Sessions(place=table[:, 0], arrive_s=table[:, 1], depart_s=table[:, 2])
        self._keys = table[:, 0] * _FAR_S + table[:, 1]

    def _impose_until(self, place: int, until_s: int, free_from: list[int]) -> None:
        waiting = self._fixed.get(place, [])
        while waiting and waiting[0].arrive_s < until_s:
            self._impose(waiting.pop(0), free_from)

    def _impose(self, stay: FixedStay, free_from: list[int]) -> None:
        """Have somebody stand there, and who is there before leave in time."""
        leaves_s = stay.arrive_s - _GAP_S
        if free_from[stay.place] > stay.arrive_s:
            self._found = [
                (place, arrive, min(depart, leaves_s) if place == stay.place else depart)
                for place, arrive, depart in self._found
                if place != stay.place or arrive < leaves_s
            ]
        self._found.append((stay.place, stay.arrive_s, stay.depart_s))
        free_from[stay.place] = max(stay.depart_s, stay.arrive_s) + _GAP_S
