"""What adding one bin to finished rounds would take: the test behind "left out because", and a plan's last polish.

Where nothing in a route is bound to an hour, the time left in the shift decides. Else each gap knows when the vehicle
can leave its first place and when it has to be at its second one; the break then stays in the leg where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.engines.steps import Step, location, orders_of, windows_of
from optimise.rounds.engines.timetable import Timetable
from optimise.rounds.problem import Flags, Integers, Problem
from optimise.rounds.solution import Route, Solution, VisitKind

_PLENTY = 10**12


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Gaps:
    """Every place in the rounds where a bin could go in, k of them, each an array (k,).

    Between rows `before` and `after` of the travel matrices of `vehicle`; `room_l` and `room_kg` are left in that
    trip and day, `spare_s` in that shift, `spare_m` in that charge; `spare_stops` in that day. `leave_s` is when the
    vehicle can leave `before`, `due_s` when it has to be at `after`, `set_out_s` when that trip sets out; `bound`:
    whether the route has windows or releases. `route` and `position` (an index into the visits, at most their number)
    say where.
    """

    before: Integers
    after: Integers
    vehicle: Integers
    room_l: Integers
    room_kg: Integers
    spare_s: Integers
    spare_m: Integers
    spare_stops: Integers
    leave_s: Integers
    due_s: Integers
    set_out_s: Integers
    late_s: Integers
    bound: Flags
    route: Integers
    position: Integers


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Insertions:
    """Adding bin j of n at gap i of k: arrays (n, k). `fits` when nothing bars it."""

    detour_m: Integers
    detour_s: Integers
    cost: Integers
    has_access: Flags
    has_room: Flags
    has_range: Flags
    has_time: Flags
    in_window: Flags

    @property
    def fits(self) -> Flags:
        """Whether the bin can go in there."""
        return self.has_access & self.has_room & self.has_range & self.has_time & self.in_window


def gaps(problem: Problem, solution: Solution) -> Gaps:
    """Return the places where a bin could be added: before any visit, and before home where it need not be empty."""
    rows = [
        row
        for number, (route, (_, steps)) in enumerate(zip(solution.routes, orders_of(solution), strict=True))
        for row in _gaps_of(problem, number, route, steps)
    ]
    columns = np.array(rows, dtype=np.int64).reshape(-1, 15).T
    return Gaps(
        before=columns[0],
        after=columns[1],
        vehicle=columns[2],
        room_l=columns[3],
        room_kg=columns[4],
        spare_s=columns[5],
        spare_m=columns[6],
        spare_stops=columns[7],
        leave_s=columns[8],
        due_s=columns[9],
        set_out_s=columns[10],
        late_s=columns[11],
        bound=columns[12].astype(np.bool_),
        route=columns[13],
        position=columns[14],
    )


def _gaps_of(problem: Problem, number: int, route: Route, steps: list[Step]) -> Iterator[tuple[int, ...]]:
    who, travel = problem.vehicles[route.vehicle], problem.travel(route.vehicle)
    rows = [who.depot, *(location(problem, step) for step in steps), who.home]
    rooms = _rooms(problem, route.vehicle, steps)
    positions = [position for position, visit in enumerate(route.visits) if visit.kind is not VisitKind.BREAK]
    rest_leg = next(
        (position - before for before, position in enumerate(_rests(route))),
        None,
    )
    leave_s, due_s = Timetable(problem, route.vehicle, steps).slack(rest_leg=rest_leg)
    bound = any(windows_of(problem, step) for step in steps) or any(
        kind is VisitKind.STOP and problem.release_s[index] > 0 for kind, index in steps
    )
    driven_m = int(travel.distance_m[rows[:-1], rows[1:]].sum())
    spare_m = _PLENTY if who.range_m is None else who.range_m - driven_m
    spare_stops = _PLENTY if who.day_stops is None else who.day_stops - len(route.stops)
    set_out_s = route.start_s
    for leg in range(len(steps) + 1):
        if leg and steps[leg - 1][0] is VisitKind.DISPOSAL:
            set_out_s = route.visits[positions[leg - 1]].depart_s
        # Whoever has unloaded for the last time goes home.
        if leg == len(steps) and problem.unloads_before_home(route.vehicle):
            return
        yield (
            rows[leg],
            rows[leg + 1],
            route.vehicle,
            *rooms[leg],
            who.latest_end_s - route.end_s,
            spare_m,
            spare_stops,
            leave_s[leg],
            due_s[leg],
            set_out_s,
            route.end_s - who.shift_until_s,
            int(bound),
            number,
            positions[leg] if leg < len(steps) else len(route.visits),
        )


def _rests(route: Route) -> list[int]:
    return [position for position, visit in enumerate(route.visits) if visit.kind is VisitKind.BREAK]


def _rooms(problem: Problem, vehicle: int, steps: list[Step]) -> list[tuple[int, int]]:
    """Return for each leg how many litres and kilograms its trip, until the next disposal site, has left."""
    who = problem.vehicles[vehicle]
    day_l = sum(int(problem.demand_l[index]) for kind, index in steps if kind is VisitKind.STOP)
    spare_l = _PLENTY if who.day_l is None else who.day_l - day_l
    capacity_kg = _PLENTY if who.capacity_kg is None else who.capacity_kg
    rooms: list[tuple[int, int]] = []
    load_l = load_kg = begin = 0
    for leg in range(len(steps) + 1):
        kind, index = steps[leg] if leg < len(steps) else (VisitKind.DISPOSAL, 0)
        if kind is VisitKind.STOP:
            load_l += int(problem.demand_l[index])
            load_kg += int(problem.demand_kg[index])
        else:
            rooms += [(min(who.capacity_l - load_l, spare_l), capacity_kg - load_kg)] * (leg + 1 - begin)
            load_l, load_kg, begin = 0, 0, leg + 1
    return rooms


def insertions(problem: Problem, where: Gaps, stops: Sequence[int] | NDArray[np.int64]) -> Insertions:
    """Return what adding each of `stops` at each gap would take."""
    chosen = np.asarray(stops, dtype=np.int64)
    service_s = problem.service_s[chosen][:, None]
    there_m, back_m, saved_m = _legs(problem, where, chosen, "distance_m")
    there_s, back_s, saved_s = _legs(problem, where, chosen, "duration_s")
    detour_m = there_m + back_m - saved_m
    detour_s = there_s + back_s - saved_s + service_s
    arrive_s = where.leave_s[None, :] + there_s
    begin_s = _beginnings(problem, chosen, arrive_s)
    windowed = np.array([bool(problem.windows[stop]) for stop in chosen.tolist()], dtype=np.bool_)[:, None]
    in_time = arrive_s + service_s + back_s <= where.due_s[None, :]
    released = problem.release_s[chosen][:, None] <= where.set_out_s[None, :]
    begins_in_time = (begin_s >= 0) & (begin_s + service_s + back_s <= where.due_s[None, :])
    return Insertions(
        detour_m=detour_m,
        detour_s=detour_s,
        cost=_cost(problem, where, chosen, detour_m, detour_s),
        has_access=problem.allowed[np.ix_(chosen, where.vehicle)],
        has_room=(problem.demand_l[chosen][:, None] <= where.room_l[None, :])
        & (problem.demand_kg[chosen][:, None] <= where.room_kg[None, :])
        & (where.spare_stops[None, :] >= 1),
        has_range=detour_m <= where.spare_m[None, :],
        has_time=np.where(where.bound[None, :], in_time, detour_s <= where.spare_s[None, :]),
        in_window=(~windowed | begins_in_time) & released,
    )


def _legs(problem: Problem, where: Gaps, chosen: Integers, name: str) -> tuple[Integers, Integers, Integers]:
    """Return travel from each gap's first place to each bin, from there to its second place, and between the two."""
    rows = problem.location[chosen]
    there = np.zeros((len(chosen), len(where.before)), dtype=np.int64)
    back, saved = there.copy(), there.copy()
    for vehicle in np.unique(where.vehicle).tolist():
        matrix = getattr(problem.travel(vehicle), name)
        mine = np.flatnonzero(where.vehicle == vehicle)
        there[:, mine] = matrix[where.before[mine][None, :], rows[:, None]]
        back[:, mine] = matrix[rows[:, None], where.after[mine][None, :]]
        saved[:, mine] = matrix[where.before[mine], where.after[mine]][None, :]
    return there, back, saved


def _beginnings(problem: Problem, chosen: Integers, arrive_s: Integers) -> Integers:
    """Return when each bin's service would begin, -1 after its last window."""
    begin_s = arrive_s.copy()
    for row, stop in enumerate(chosen.tolist()):
        windows = problem.windows[stop]
        if windows:
            begin_s[row] = -1
            for window in reversed(windows):
                early = arrive_s[row] <= window.until_s
                begin_s[row] = np.where(early, np.maximum(arrive_s[row], window.from_s), begin_s[row])
    return begin_s


def _cost(problem: Problem, where: Gaps, chosen: Integers, detour_m: Integers, detour_s: Integers) -> Integers:
    """Return what the detours cost: metres, seconds, overtime, and a crew that does not know the sector."""
    fleet = range(len(problem.vehicles))
    prices = [problem.prices_of(vehicle) for vehicle in fleet]
    per_metre = np.array([price.per_metre for price in prices], dtype=np.int64)[where.vehicle]
    per_second = np.array([price.per_second for price in prices], dtype=np.int64)[where.vehicle]
    per_overtime = np.array([price.per_overtime_second for price in prices], dtype=np.int64)[where.vehicle]
    late_s = np.maximum(0, where.late_s[None, :] + detour_s) - np.maximum(0, where.late_s)[None, :]
    cost = detour_m * per_metre[None, :] + detour_s * per_second[None, :] + late_s * per_overtime[None, :]
    if problem.wishes.per_unfamiliar_stop:
        for vehicle in fleet:
            known = problem.vehicles[vehicle].sectors
            sector = problem.sector[chosen]
            strange = (sector >= 0) & ~np.isin(sector, list(known)) if known else np.zeros(len(chosen), dtype=np.bool_)
            cost[np.ix_(strange, where.vehicle == vehicle)] += problem.wishes.per_unfamiliar_stop
    return np.asarray(cost, dtype=np.int64)
