"""What routes cost, as the engines count it. The checker counts by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from optimise.rounds.engines.steps import Step
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Route, VisitKind


def paid_s(problem: Problem, route: Route) -> int:
    """Return for how long a route is paid: all of it but the break that the crew has to take."""
    rested_s = sum(visit.depart_s - visit.arrive_s for visit in route.visits if visit.kind is VisitKind.BREAK)
    return route.end_s - route.start_s - min(rested_s, problem.vehicles[route.vehicle].break_s)


def route_cost(problem: Problem, route: Route, *, distance_m: int) -> int:
    """Return what a route costs: metres, paid time, overtime and sending the vehicle out."""
    prices, who = problem.prices_of(route.vehicle), problem.vehicles[route.vehicle]
    overtime_s = max(0, route.end_s - max(route.start_s, who.shift_until_s))
    return (
        distance_m * prices.per_metre
        + paid_s(problem, route) * prices.per_second
        + overtime_s * prices.per_overtime_second
        + prices.per_vehicle
    )


def wishes_cost(problem: Problem, orders: Iterable[tuple[int, Sequence[Step]]], *, longest_s: int) -> int:
    """Return what the wishes come to, when the vehicle that works longest works `longest_s`."""
    wishes = problem.wishes
    cost = longest_s * wishes.per_longest_second
    if not (wishes.per_split or wishes.per_unfamiliar_stop):
        return cost
    seen: set[tuple[int, int]] = set()
    for vehicle, steps in orders:
        known = problem.vehicles[vehicle].sectors
        for kind, index in steps:
            sector = int(problem.sector[index]) if kind is VisitKind.STOP else -1
            if sector >= 0:
                seen.add((sector, vehicle))
                cost += wishes.per_unfamiliar_stop if known and sector not in known else 0
    return cost + wishes.per_split * (len(seen) - len({sector for sector, _ in seen}))
