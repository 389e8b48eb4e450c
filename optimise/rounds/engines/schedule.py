"""From an order of visits to times: no waiting that leaving later saves, and the break where it costs least.

A route is timed forwards (every visit as early as the one before allows), then its departure is moved back by as
much as its end does not notice, so that nobody is paid for waiting. Where the crew cannot rest at the depot, the
break is tried in every leg that its window leaves; the cheapest day wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from optimise.rounds.engines.costs import paid_s, route_cost, wishes_cost
from optimise.rounds.engines.steps import Step, location, stay_s, totals
from optimise.rounds.engines.timetable import Timed, Timetable
from optimise.rounds.parts import DayVehicle
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Route, Solution, Visit, VisitKind

__all__ = ["Step", "departure_s", "location", "paid_s", "schedule", "solution_of", "stay_s", "timed", "totals"]


def departure_s(who: DayVehicle) -> int:
    """Return when a vehicle can leave: when its shift starts, or after a break that can only be taken before that."""
    if who.break_s and who.break_until_s - who.break_s < who.shift_from_s:
        return min(who.latest_end_s, max(who.shift_from_s, who.break_from_s + who.break_s))
    return who.shift_from_s


def schedule(problem: Problem, vehicle: int, steps: Sequence[Step]) -> Route | None:
    """Return the route with its times, None when a window, the break or the end of the day cannot be kept.

    Only times are looked at here: loads, access and range are the business of `feasible.py`.
    """
    times = timed(problem, vehicle, steps)
    return None if times is None else _route(problem, vehicle, steps, times)


def timed(problem: Problem, vehicle: int, steps: Sequence[Step]) -> Timed | None:
    """Return the times of the cheapest day that drives `steps` in this order, None when there is none."""
    table, who = Timetable(problem, vehicle, steps), problem.vehicles[vehicle]
    prices = problem.prices_of(vehicle)
    best: Timed | None = None
    best_cost = 0
    for times in _days(table, who):
        overtime_s = max(0, times.end_s - max(times.start_s, who.shift_until_s))
        cost = (times.waited_s + times.work_s) * prices.per_second + overtime_s * prices.per_overtime_second
        if times.rest is not None:
            cost += (times.rest.until_s - times.rest.from_s - who.break_s) * prices.per_second
        if best is None or cost < best_cost:
            best, best_cost = times, cost
        if problem.traffic is None and not times.waited_s and not overtime_s:
            break  # nothing is cheaper than a day at work
    return best


def _days(table: Timetable, who: DayVehicle) -> Iterator[Timed]:
    """Yield the day without a break on the road, where the crew can rest at the depot, and with one in each leg."""
    plain = table.forwards(who.shift_from_s, rest_leg=None)
    if not who.break_s:
        if plain is not None:
            yield _as_late(table, plain, earliest_s=who.shift_from_s)
        return
    rested_s = who.break_from_s + who.break_s
    latest_s = who.break_until_s - who.break_s
    if plain is not None and (rested_s <= who.shift_from_s or plain.end_s <= latest_s):
        yield _as_late(table, plain, earliest_s=who.shift_from_s)
    for leg in _legs_for_rest(table, who):
        resting = table.forwards(who.shift_from_s, rest_leg=leg)
        if resting is not None:
            yield _as_late(table, resting, earliest_s=who.shift_from_s)
    if rested_s > who.shift_from_s:
        later = table.forwards(rested_s, rest_leg=None)
        if later is not None:
            yield _as_late(table, later, earliest_s=rested_s)


def _legs_for_rest(table: Timetable, who: DayVehicle) -> list[int]:
    """Return the legs in which the crew might rest, those after a visit that ends within the window first."""
    leaving = table.free_s(who.shift_from_s)
    latest_s = who.break_until_s - who.break_s
    at_once, on_the_way = [], []
    for leg, leave_s in enumerate(leaving):
        if leave_s > latest_s:
            break
        if leave_s >= who.break_from_s:
            at_once.append(leg)
        elif leg == len(leaving) - 1 or leaving[leg + 1] >= who.break_from_s:
            # In an earlier leg it would only wait for the window.
            on_the_way.append(leg)
    return at_once + on_the_way


def _as_late(table: Timetable, times: Timed, *, earliest_s: int) -> Timed:
    """Return the same day with its departure moved back, where that saves waiting."""
    if not times.waited_s:
        return times
    start_s = table.latest_start_s(times)
    if start_s <= max(times.start_s, earliest_s):
        return times
    later = table.forwards(start_s, rest_leg=None if times.rest is None else times.rest.leg)
    return times if later is None or later.end_s > times.end_s else later


def _route(problem: Problem, vehicle: int, steps: Sequence[Step], times: Timed) -> Route:
    visits: list[Visit] = []
    load_l = load_kg = 0
    rest = times.rest
    for leg in range(len(steps) + 1):
        if rest is not None and rest.leg == leg:
            visits.append(
                Visit(
                    kind=VisitKind.BREAK,
                    index=0,
                    arrive_s=rest.from_s,
                    depart_s=rest.until_s,
                    load_l=load_l,
                    load_kg=load_kg,
                )
            )
        if leg == len(steps):
            break
        kind, index = steps[leg]
        if kind is VisitKind.STOP:
            load_l += int(problem.demand_l[index])
            load_kg += int(problem.demand_kg[index])
        else:
            load_l = load_kg = 0
        visits.append(
            Visit(
                kind=kind,
                index=index,
                arrive_s=times.arrive_s[leg],
                depart_s=times.depart_s[leg],
                load_l=load_l,
                load_kg=load_kg,
            )
        )
    return Route(vehicle=vehicle, start_s=times.start_s, end_s=times.end_s, visits=tuple(visits))


def solution_of(problem: Problem, orders: Iterable[tuple[int, Sequence[Step]]], *, engine: str) -> Solution:
    """Return the solution that drives `orders`; an order whose times cannot be kept is left out whole."""
    routes, kept, distance_m, duration_s, cost, longest_s = [], [], 0, 0, 0, 0
    for vehicle, steps in orders:
        if not any(kind is VisitKind.STOP for kind, _ in steps):
            continue
        times = timed(problem, vehicle, steps)
        if times is None:
            continue
        route, taken = _route(problem, vehicle, steps, times), totals(problem, vehicle, steps)
        routes.append(route)
        kept.append((vehicle, steps))
        distance_m += taken.distance_m
        duration_s += route.end_s - route.start_s
        longest_s = max(longest_s, times.work_s)
        cost += route_cost(problem, route, distance_m=taken.distance_m)
    served = {stop for route in routes for stop in route.stops}
    left_out = tuple(stop for stop in range(len(problem.stop_ids)) if stop not in served)
    return Solution(
        engine=engine,
        routes=tuple(routes),
        left_out=left_out,
        distance_m=distance_m,
        duration_s=duration_s,
        cost=cost + wishes_cost(problem, kept, longest_s=longest_s) + int(problem.prize[list(left_out)].sum()),
    )
