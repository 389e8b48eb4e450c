"""What adding one bin to finished rounds would take: the test behind "left out because", and a plan's last polish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.problem import Flags, Integers, Problem
from optimise.rounds.solution import Route, Solution, VisitKind


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Gaps:
    """Every place in the rounds where a bin could go in, k of them, each an array (k,).

    Between rows `before` and `after` of the travel matrices; `room_l` is left in that trip, `spare_s` in that shift;
    `route` and `position` (an index into the visits) say where.
    """

    before: Integers
    after: Integers
    room_l: Integers
    spare_s: Integers
    route: Integers
    position: Integers


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Insertions:
    """Adding bin j of n at gap i of k: arrays (n, k). `fits` is `has_room & has_time`."""

    detour_m: Integers
    detour_s: Integers
    cost: Integers
    has_room: Flags
    has_time: Flags

    @property
    def fits(self) -> Flags:
        """Whether the bin can go in there."""
        return self.has_room & self.has_time


def gaps(problem: Problem, solution: Solution) -> Gaps:
    """Return the places where a bin could be added: before any bin or disposal site of any route."""
    rows: list[tuple[int, int, int, int, int, int]] = []
    for number, route in enumerate(solution.routes):
        who = problem.vehicles[route.vehicle]
        spare_s = who.shift_until_s - route.end_s
        room = _room_of_trips(problem, route)
        at = who.depot
        for position, visit in enumerate(route.visits):
            if visit.kind is VisitKind.BREAK:
                continue
            stop = visit.kind is VisitKind.STOP
            row = int(problem.location[visit.index]) if stop else problem.disposals[visit.index].location
            rows.append((at, row, room[position], spare_s, number, position))
            at = row
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    return Gaps(
        before=columns[0],
        after=columns[1],
        room_l=columns[2],
        spare_s=columns[3],
        route=columns[4],
        position=columns[5],
    )


def _room_of_trips(problem: Problem, route: Route) -> list[int]:
    """Return for each visit how many litres its trip, until the next disposal site, has left."""
    capacity_l = problem.vehicles[route.vehicle].capacity_l
    rooms: list[int] = []
    load_l, begin = 0, 0
    for position, visit in enumerate(route.visits):
        if visit.kind is VisitKind.STOP:
            load_l += int(problem.demand_l[visit.index])
        if visit.kind is VisitKind.DISPOSAL or position == len(route.visits) - 1:
            rooms += [capacity_l - load_l] * (position + 1 - begin)
            load_l, begin = 0, position + 1
    return rooms


def insertions(problem: Problem, where: Gaps, stops: Sequence[int] | NDArray[np.int64]) -> Insertions:
    """Return what adding each of `stops` at each gap would take."""
    chosen = np.asarray(stops, dtype=np.int64)
    rows = problem.location[chosen]

    def detour(matrix: Integers) -> Integers:
        there = matrix[where.before[None, :], rows[:, None]]
        back = matrix[rows[:, None], where.after[None, :]]
        return np.asarray(there + back - matrix[where.before, where.after][None, :], dtype=np.int64)

    detour_m = detour(problem.distance_m)
    detour_s = detour(problem.duration_s) + problem.service_s[chosen][:, None]
    return Insertions(
        detour_m=detour_m,
        detour_s=detour_s,
        cost=detour_m * problem.prices.per_metre + detour_s * problem.prices.per_second,
        has_room=problem.demand_l[chosen][:, None] <= where.room_l[None, :],
        has_time=detour_s <= where.spare_s[None, :],
    )
