"""Judge a solution as a whole: each route by itself, then the fleet, the bins and the totals."""

from __future__ import annotations

from collections import Counter

from optimise.rounds.check.drive import DrivenRoute
from optimise.rounds.check.locks import broken_locks
from optimise.rounds.check.rules import Rule, Verdict, Violation
from optimise.rounds.locks import Locks
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution


def check(problem: Problem, solution: Solution, locks: Locks | None = None) -> Verdict:
    """Judge `solution` by `problem`, and by what may not change in it."""
    driven = [DrivenRoute(problem, route) for route in solution.routes]
    violations = [violation for route in driven for violation in route.violations]
    violations += _fleet(problem, solution)
    violations += _bins(problem, solution)
    violations += broken_locks(problem, solution, locks or Locks())
    left = set(range(len(problem.stop_ids))) - {stop for route in solution.routes for stop in route.stops}
    distance_m = sum(route.distance_m for route in driven)
    duration_s = sum(route.end_s - route.start_s for route in solution.routes)
    wishes_cost = _wishes_cost(problem, driven)
    cost = sum(route.cost for route in driven) + wishes_cost + sum(int(problem.prize[stop]) for stop in left)
    for name, claimed, found in (
        ("distance_m", solution.distance_m, distance_m),
        ("duration_s", solution.duration_s, duration_s),
        ("cost", solution.cost, cost),
    ):
        if claimed != found:
            detail = f"the engine claims {name} {claimed}, recomputed {found}"
            violations.append(Violation(rule=Rule.TOTALS, vehicle_id=None, place_id=None, detail=detail))
    return Verdict(
        violations=tuple(violations),
        distance_m=distance_m,
        duration_s=duration_s,
        work_s=sum(route.work_s for route in driven),
        paid_s=sum(route.paid_s for route in driven),
        overtime_s=sum(route.overtime_s for route in driven),
        cost=cost,
        wishes_cost=wishes_cost,
    )


def _fleet(problem: Problem, solution: Solution) -> list[Violation]:
    found = []
    for vehicle, routes in Counter(route.vehicle for route in solution.routes).items():
        known = 0 <= vehicle < len(problem.vehicles)
        if known and routes > 1:
            name = problem.vehicles[vehicle].vehicle_id
            detail = f"the vehicle has {routes} routes"
            found.append(Violation(rule=Rule.ONE_ROUTE_A_VEHICLE, vehicle_id=name, place_id=None, detail=detail))
    return found


def _bins(problem: Problem, solution: Solution) -> list[Violation]:
    found = []
    visits = Counter(stop for route in solution.routes for stop in route.stops)
    left = Counter(solution.left_out)

    def broken(rule: Rule, place_id: str | None, detail: str) -> None:
        found.append(Violation(rule=rule, vehicle_id=None, place_id=place_id, detail=detail))

    for stop, place_id in enumerate(problem.stop_ids):
        if visits[stop] > 1:
            broken(Rule.SERVED_ONCE, place_id, f"the bin is served {visits[stop]} times")
        if (visits[stop] > 0) + left[stop] != 1:
            detail = f"the bin is served {visits[stop]} times and left out {left[stop]} times"
            broken(Rule.ACCOUNTED_FOR, place_id, detail)
        if problem.must[stop] and not visits[stop]:
            broken(Rule.MUST_BE_SERVED, place_id, "the bin is imposed and not served")
        if problem.must_not[stop] and visits[stop]:
            broken(Rule.MUST_NOT_BE_SERVED, place_id, "the bin is to be left and is served")
    for stop in left:
        if not 0 <= stop < len(problem.stop_ids):
            broken(Rule.KNOWN_PLACE, None, f"there is no bin {stop} to leave out")
    return found


def _wishes_cost(problem: Problem, driven: list[DrivenRoute]) -> int:
    """Return what the wishes come to (parts.Wishes): the longest work, split sectors, bins that crews do not know."""
    wishes = problem.wishes
    longest_s = max((route.work_s for route in driven), default=0)
    crews: dict[int, set[int]] = {}
    strange = 0
    for route in driven:
        for stop in route.served:
            sector = int(problem.sector[stop])
            if sector >= 0:
                crews.setdefault(sector, set()).add(route.vehicle)
                strange += route.is_strange_to(sector)
    splits = sum(len(vehicles) - 1 for vehicles in crews.values())
    return longest_s * wishes.per_longest_second + splits * wishes.per_split + strange * wishes.per_unfamiliar_stop
