"""The times of one order of visits: forwards as early as possible, backwards as late as the end allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimise.rounds.engines.clock import Clock
from optimise.rounds.engines.steps import Step, rows_of, stay_s, windows_of
from optimise.rounds.parts import Window
from optimise.rounds.problem import Problem
from optimise.rounds.solution import VisitKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """A break in leg `leg` (0: the first), from `from_s` until `until_s`."""

    leg: int
    from_s: int
    until_s: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Timed:
    """A route's times: arriving at and leaving each of its n visits, and coming home. `work_s` counts work only."""

    start_s: int
    arrive_s: tuple[int, ...]
    depart_s: tuple[int, ...]
    end_s: int
    work_s: int
    rest: Rest | None

    @property
    def waited_s(self) -> int:
        """The time that is neither work nor rest."""
        rested_s = 0 if self.rest is None else self.rest.until_s - self.rest.from_s
        return self.end_s - self.start_s - rested_s - self.work_s


class Timetable:
    """One vehicle's order of visits, ready to be timed: n steps, n + 1 legs."""

    def __init__(self, problem: Problem, vehicle: int, steps: Sequence[Step]) -> None:
        self.who = problem.vehicles[vehicle]
        self._clock = Clock(problem.traffic)
        rows = rows_of(problem, vehicle, steps)
        self._leg_s: list[int] = problem.travel(vehicle).duration_s[rows[:-1], rows[1:]].tolist()
        self._stay_s = [stay_s(problem, step) for step in steps]
        self._windows = [windows_of(problem, step) for step in steps]
        self._released_s = _released(problem, steps)

    def forwards(self, start_s: int, *, rest_leg: int | None) -> Timed | None:
        """Return the earliest times from a departure on, None where a window or the end of the day is missed."""
        clock, legs = self._clock, len(self._leg_s)
        begin_s = max(start_s, self._released_s[0])
        free_s, arrives, departs, rest = begin_s, list[int](), list[int](), None
        work_s, arrive_s = sum(self._stay_s), begin_s
        for leg, base_s in enumerate(self._leg_s):
            leave_s = max(free_s, self._released_s[leg])
            if leg == rest_leg:
                rest = self._rest(leg, free_s, leave_s)
                if rest is None:
                    return None
                if leave_s > free_s:
                    # It waits at the site for the next trip's bins to be released: the crew rests meanwhile.
                    leave_s = rest.from_s
                done = min(clock.units(base_s), clock.covered(leave_s, rest.from_s))
                arrive_s = clock.arrival_s(rest.until_s, clock.units(base_s) - done)
                work_s += clock.arrival_s(leave_s, done) - leave_s + arrive_s - rest.until_s
            else:
                arrive_s = clock.arrival_s(leave_s, clock.units(base_s))
                work_s += arrive_s - leave_s
            if leg:
                departs.append(leave_s)
            if leg == legs - 1:
                break
            served_s = beginning(arrive_s, self._windows[leg])
            if served_s is None:
                return None
            arrives.append(arrive_s)
            free_s = served_s + self._stay_s[leg]
        if arrive_s > self.who.latest_end_s:
            return None
        return Timed(
            start_s=begin_s,
            arrive_s=tuple(arrives),
            depart_s=tuple(departs),
            end_s=arrive_s,
            work_s=work_s,
            rest=rest,
        )

    def free_s(self, start_s: int) -> list[int]:
        """Return when the vehicle is done at the start and at each visit, as far as windows let it come."""
        clock, free_s = self._clock, max(start_s, self._released_s[0])
        found = [free_s]
        for leg, windows in enumerate(self._windows):
            leave_s = max(free_s, self._released_s[leg])
            served_s = beginning(clock.arrival_s(leave_s, clock.units(self._leg_s[leg])), windows)
            if served_s is None:
                break
            free_s = served_s + self._stay_s[leg]
            found.append(free_s)
        return found

    def _rest(self, leg: int, free_s: int, leave_s: int) -> Rest | None:
        who = self.who
        from_s = max(free_s, who.break_from_s)
        if from_s > who.break_until_s - who.break_s:
            return None
        until_s = from_s + who.break_s
        return Rest(leg=leg, from_s=from_s, until_s=max(until_s, leave_s) if leave_s > free_s else until_s)

    def slack(self, *, rest_leg: int | None) -> tuple[list[int], list[int]]:
        """Return for each of the n + 1 legs when it can be left for at the earliest, and when it has to be done.

        The break, if any, comes first in its leg.
        """
        clock, who = self._clock, self.who
        leave_s, free_s = list[int](), who.shift_from_s
        for leg, base_s in enumerate(self._leg_s):
            now_s = max(free_s, self._released_s[leg])
            if leg == rest_leg:
                now_s = max(now_s, who.break_from_s) + who.break_s
            leave_s.append(now_s)
            if leg < len(self._windows):
                arrive_s = clock.arrival_s(now_s, clock.units(base_s))
                served_s = beginning(arrive_s, self._windows[leg])
                free_s = (arrive_s if served_s is None else served_s) + self._stay_s[leg]
        due_s = [who.latest_end_s]
        for leg in range(len(self._leg_s) - 1, 0, -1):
            latest_s = clock.latest_leave_s(due_s[-1], self._leg_s[leg])
            if leg == rest_leg:
                latest_s = min(latest_s - who.break_s, who.break_until_s - who.break_s)
            due_s.append(last_beginning(latest_s - self._stay_s[leg - 1], self._windows[leg - 1]))
        return leave_s, due_s[::-1]

    def latest_start_s(self, timed: Timed) -> int:
        """Return the latest departure, at or after the given one, that comes home at the same time."""
        clock, who = self._clock, self.who
        due_s = timed.end_s
        for leg in range(len(self._leg_s) - 1, -1, -1):
            if timed.rest is not None and timed.rest.leg == leg:
                leave_s = min(
                    clock.latest_leave_s(due_s - who.break_s, self._leg_s[leg]), who.break_until_s - who.break_s
                )
            else:
                leave_s = clock.latest_leave_s(due_s, self._leg_s[leg])
            if leg == 0:
                return max(timed.start_s, leave_s)
            due_s = last_beginning(leave_s - self._stay_s[leg - 1], self._windows[leg - 1])
        return timed.start_s


def beginning(arrive_s: int, windows: tuple[Window, ...]) -> int | None:
    """Return when service begins for who arrives then; None after the last window."""
    if not windows:
        return arrive_s
    for window in windows:
        if arrive_s <= window.until_s:
            return max(arrive_s, window.from_s)
    return None


def last_beginning(latest_s: int, windows: tuple[Window, ...]) -> int:
    """Return the latest moment up to `latest_s` at which service may begin; before all windows, `latest_s` itself."""
    for window in reversed(windows):
        if window.from_s <= latest_s:
            return min(latest_s, window.until_s)
    return latest_s


def _released(problem: Problem, steps: Sequence[Step]) -> list[int]:
    """Return for the start and after each step from when on the trip that begins there may set out."""
    released_s = [-(10**12)] * (len(steps) + 1)
    trip = 0
    release_s = problem.release_s
    for number, (kind, index) in enumerate(steps, start=1):
        if kind is VisitKind.DISPOSAL:
            trip = number
        elif release_s[index] > 0:
            released_s[trip] = max(released_s[trip], int(release_s[index]))
    return released_s
