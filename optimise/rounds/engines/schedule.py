"""From an order of visits to times: leave when the shift starts, wait for nothing, rest when the window allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from optimise.rounds.problem import DayVehicle, Problem
from optimise.rounds.solution import Route, Solution, Visit, VisitKind

type Step = tuple[VisitKind, int]
"""A bin or a disposal site by its index in the problem."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """Metres and seconds at work (driving, serving and unloading, without the break) of an order of visits."""

    distance_m: int
    work_s: int


def location(problem: Problem, step: Step) -> int:
    """Return the row of the travel matrices where a step takes place."""
    kind, index = step
    return int(problem.location[index]) if kind is VisitKind.STOP else problem.disposals[index].location


def stay_s(problem: Problem, step: Step) -> int:
    """Return how long a step keeps the vehicle."""
    kind, index = step
    return int(problem.service_s[index]) if kind is VisitKind.STOP else problem.disposals[index].unload_s


def totals(problem: Problem, vehicle: int, steps: Sequence[Step]) -> Totals:
    """Return what an order of visits takes from leaving the depot to coming back."""
    depot = problem.vehicles[vehicle].depot
    rows = [depot, *(location(problem, step) for step in steps), depot]
    pairs = list(pairwise(rows))
    return Totals(
        distance_m=sum(int(problem.distance_m[a, b]) for a, b in pairs),
        work_s=sum(int(problem.duration_s[a, b]) for a, b in pairs) + sum(stay_s(problem, step) for step in steps),
    )


def schedule(problem: Problem, vehicle: int, steps: Sequence[Step]) -> Route | None:
    """Return the route with its times, None when it does not fit the shift."""
    who = problem.vehicles[vehicle]
    start_s = departure_s(who)
    timed, end_s = _without_break(problem, vehicle, steps)
    if _needs_break(who, end_s):
        timed, end_s = _with_break(who, timed, end_s)
    if end_s > who.shift_until_s:
        return None
    return Route(vehicle=vehicle, start_s=start_s, end_s=end_s, visits=tuple(timed))


def departure_s(who: DayVehicle) -> int:
    """Return when a vehicle leaves: when its shift starts, or after a break that can only be taken before leaving."""
    if who.break_s and who.break_until_s - who.break_s < who.shift_from_s:
        return min(who.shift_until_s, max(who.shift_from_s, who.break_from_s + who.break_s))
    return who.shift_from_s


def _without_break(problem: Problem, vehicle: int, steps: Sequence[Step]) -> tuple[list[Visit], int]:
    who = problem.vehicles[vehicle]
    at, now_s, load_l = who.depot, departure_s(who), 0
    visits = []
    for step in steps:
        kind, index = step
        row = location(problem, step)
        arrive_s = now_s + int(problem.duration_s[at, row])
        now_s = arrive_s + stay_s(problem, step)
        load_l = load_l + int(problem.demand_l[index]) if kind is VisitKind.STOP else 0
        visits.append(Visit(kind=kind, index=index, arrive_s=arrive_s, depart_s=now_s, load_l=load_l))
        at = row
    return visits, now_s + int(problem.duration_s[at, who.depot])


def _needs_break(who: DayVehicle, end_s: int) -> bool:
    """Whether the crew cannot rest at the depot before leaving or after coming back."""
    rested_before = who.break_from_s + who.break_s <= departure_s(who)
    rests_after = end_s <= who.break_until_s - who.break_s
    return who.break_s > 0 and not rested_before and not rests_after


def _with_break(who: DayVehicle, visits: list[Visit], end_s: int) -> tuple[list[Visit], int]:
    """Put the break in: after the first visit that ends within the window, else on the way, else before a long stay."""
    latest_s = who.break_until_s - who.break_s
    for position, visit in enumerate(visits):
        if who.break_from_s <= visit.depart_s <= latest_s:
            return _shifted(visits, end_s, position + 1, visit.depart_s, who.break_s)
    # No visit ends within the window: it opens and closes within one leg or one stay.
    position = next((k for k, visit in enumerate(visits) if visit.depart_s > latest_s), len(visits))
    left_s = visits[position - 1].depart_s if position else who.shift_from_s
    return _shifted(visits, end_s, position, max(who.break_from_s, left_s), who.break_s)


def _shifted(visits: list[Visit], end_s: int, position: int, break_at_s: int, break_s: int) -> tuple[list[Visit], int]:
    before, after = visits[:position], visits[position:]
    # A stay that had begun when the break starts now begins after it, and with it all that follows.
    waited_s = max(0, break_at_s - after[0].arrive_s) if after else 0
    later_s = break_s + waited_s
    load_l = before[-1].load_l if before else 0
    rest = Visit(kind=VisitKind.BREAK, index=0, arrive_s=break_at_s, depart_s=break_at_s + break_s, load_l=load_l)
    moved = [
        Visit(kind=v.kind, index=v.index, arrive_s=v.arrive_s + later_s, depart_s=v.depart_s + later_s, load_l=v.load_l)
        for v in after
    ]
    return [*before, rest, *moved], end_s + later_s


def paid_s(problem: Problem, route: Route) -> int:
    """Return for how long a route is paid: all of it but the break that the crew has to take."""
    rested_s = sum(visit.depart_s - visit.arrive_s for visit in route.visits if visit.kind is VisitKind.BREAK)
    return route.end_s - route.start_s - min(rested_s, problem.vehicles[route.vehicle].break_s)


def solution_of(problem: Problem, orders: Iterable[tuple[int, Sequence[Step]]], *, engine: str) -> Solution:
    """Return the solution that drives `orders`; an order that does not fit its shift is left out whole."""
    routes, distance_m, duration_s, cost = [], 0, 0, 0
    for vehicle, steps in orders:
        route = schedule(problem, vehicle, steps)
        if route is None or not route.stops:
            continue
        taken = totals(problem, vehicle, steps)
        routes.append(route)
        distance_m += taken.distance_m
        duration_s += route.end_s - route.start_s
        cost += problem.drive_cost(taken.distance_m, paid_s(problem, route)) + problem.prices.per_vehicle
    served = {stop for route in routes for stop in route.stops}
    left_out = tuple(stop for stop in range(len(problem.stop_ids)) if stop not in served)
    return Solution(
        engine=engine,
        routes=tuple(routes),
        left_out=left_out,
        distance_m=distance_m,
        duration_s=duration_s,
        cost=cost + sum(int(problem.prize[stop]) for stop in left_out),
    )
