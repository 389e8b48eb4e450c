"""From the orders of a search that approximates to a plan under the full rules.

What does not fit is taken out (trim.py); then every bin left that pays, or must be served, goes where it costs least
under all rules, on a vehicle that drives already or on one more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from optimise.rounds.engines.costs import route_cost
from optimise.rounds.engines.feasible import fits
from optimise.rounds.engines.polish import judged
from optimise.rounds.engines.schedule import schedule, solution_of
from optimise.rounds.engines.steps import Orders, Step, rows_of, totals
from optimise.rounds.engines.trim import trimmed
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution, VisitKind

_TRIED = 40  # the cheapest places by distance and time alone that are tried under all rules


def finished(
    problem: Problem,
    orders: Sequence[tuple[int, Sequence[Step]]],
    *,
    engine: str,
    stopped: Callable[[], bool],
) -> Solution:
    """Return the plan that drives `orders` as far as the rules allow, and what else pays."""
    kept: Orders = [(vehicle, list(steps)) for vehicle, steps in trimmed(problem, orders)]
    served = {index for _, steps in kept for kind, index in steps if kind is VisitKind.STOP}
    left = [stop for stop in range(len(problem.stop_ids)) if stop not in served and problem.allowed[stop].any()]
    left.sort(key=lambda stop: (not problem.must[stop], -int(problem.prize[stop]), stop))
    for stop in left:
        if stopped():
            break
        service = int(problem.service_s[stop]) * problem.prices.per_second
        if problem.must[stop] or problem.prize[stop] > service:
            _insert(problem, kept, stop)
    return _without_what_does_not_pay(problem, kept, engine=engine)


def _without_what_does_not_pay(problem: Problem, orders: Orders, *, engine: str) -> Solution:
    """Return the plan without the routes whose bins are worth less than what sending the vehicle out costs."""
    best = solution_of(problem, orders, engine=engine)
    if problem.must.all():
        return best
    for vehicle, _ in list(orders):
        fewer = solution_of(problem, [one for one in orders if one[0] != vehicle], engine=engine)
        if judged(problem, fewer) < judged(problem, best):
            best = fewer
            orders = [one for one in orders if one[0] != vehicle]
    return best


def _insert(problem: Problem, orders: Orders, stop: int) -> None:
    """Put a bin where it costs least, if that is less than its prize or it must be served."""
    worth = None if problem.must[stop] else int(problem.prize[stop])
    options: list[tuple[int, int, int]] = []
    for number, (vehicle, steps) in enumerate(orders):
        if problem.allowed[stop, vehicle]:
            options += [
                (cost, number, position) for position, cost in enumerate(_detours(problem, vehicle, steps, stop))
            ]
    options.sort()
    for cost, number, position in options[:_TRIED]:
        if worth is not None and cost >= worth:
            break
        vehicle, steps = orders[number]
        longer = [*steps[:position], (VisitKind.STOP, stop), *steps[position:]]
        gain = _extra(problem, vehicle, steps, longer)
        if gain is not None and (worth is None or gain < worth):
            orders[number] = (vehicle, longer)
            return
    driven = {vehicle for vehicle, steps in orders if steps}
    for vehicle in range(len(problem.vehicles)):
        if vehicle in driven or not problem.allowed[stop, vehicle]:
            continue
        steps = _alone(problem, vehicle, stop)
        extra = _extra(problem, vehicle, [], steps)
        if extra is not None and (worth is None or extra < worth):
            orders[:] = [one for one in orders if one[0] != vehicle]
            orders.append((vehicle, steps))
            return


def _detours(problem: Problem, vehicle: int, steps: Sequence[Step], stop: int) -> list[int]:
    """Return what going there costs from each position, by distance and time alone."""
    travel, prices = problem.travel(vehicle), problem.prices_of(vehicle)
    rows = np.array(rows_of(problem, vehicle, steps), dtype=np.int64)
    at, a, b = int(problem.location[stop]), rows[:-1], rows[1:]
    metres = travel.distance_m[a, at] + travel.distance_m[at, b] - travel.distance_m[a, b]
    seconds = travel.duration_s[a, at] + travel.duration_s[at, b] - travel.duration_s[a, b] + problem.service_s[stop]
    cost = metres * prices.per_metre + seconds * prices.per_second
    found: list[int] = cost.tolist()
    # Behind the last unloading a bin would come home on board.
    return found[:-1] if problem.unloads_before_home(vehicle) and steps else found


def _alone(problem: Problem, vehicle: int, stop: int) -> list[Step]:
    steps: list[Step] = [(VisitKind.STOP, stop)]
    if not problem.unloads_before_home(vehicle):
        return steps
    options = [[*steps, (VisitKind.DISPOSAL, site)] for site in range(len(problem.disposals))]
    return min(options, key=lambda one: (totals(problem, vehicle, one).distance_m, one))


def _extra(problem: Problem, vehicle: int, before: Sequence[Step], after: Sequence[Step]) -> int | None:
    """Return by how much a longer order costs more, None when it breaks a rule."""
    if not fits(problem, vehicle, after):
        return None
    costs = []
    for steps in (before, after):
        route = schedule(problem, vehicle, steps) if steps else None
        if route is None:
            if steps is after:
                return None
            costs.append(0)
        else:
            costs.append(route_cost(problem, route, distance_m=totals(problem, vehicle, steps).distance_m))
    return costs[1] - costs[0]
