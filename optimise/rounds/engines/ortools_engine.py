"""The engine of record: a first solution by ruin and recreate, then OR-Tools over the full rules, then a last polish.

OR-Tools holds every rule. Left alone on one-way streets it is slow to find structure, so it starts from a solution
that already has it; see docs/decisions/0004-rounds-engine.md. Trips know no windows: where many bins have some, or
goods are released during the day, OR-Tools makes its own first solution.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from optimise.rounds.engines import Improvement, Limits
from optimise.rounds.engines.ortools_model import RoutingDay
from optimise.rounds.engines.polish import judged, polished
from optimise.rounds.engines.ruin_recreate import Cooling, RuinAndRecreate
from optimise.rounds.engines.schedule import solution_of
from optimise.rounds.engines.steps import Orders, Step, orders_of
from optimise.rounds.engines.trim import trimmed
from optimise.rounds.engines.trips import TripModel, slots_needed, trip_model, trips_will_do, worth_considering
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution, VisitKind

# Shares of the search: a few short starts (how many trips there are is decided early, and luck has a part in it), a
# long cooling from the best of them, and OR-Tools for the rest.
_STARTS = 3
_START_SHARE = 0.18
_LONG_SHARE = 0.34
_POLISH_SHARE = 0.05  # of the time limit, beyond it
_LONG_COOLING = Cooling(hot=0.1, cold=0.002)


class ORToolsEngine:
    """OR-Tools routing with a first solution by ruin and recreate."""

    @property
    def name(self) -> str:
        """Return the engine's name and version."""
        return f"ortools {version('ortools')}"

    def solve(
        self,
        problem: Problem,
        *,
        limits: Limits,
        seed: int,
        improved: Callable[[Improvement], None] | None = None,
        stopped: Callable[[], bool] | None = None,
        start: Solution | None = None,
    ) -> Solution:
        """Return the best solution within `limits`. With `iterations` and no time limit, a seed reproduces it.

        `start`: a solution to begin with instead of one of its own.
        """
        watch = _Watch(limits=limits, improved=improved, stopped=stopped)
        stops = worth_considering(problem)
        if not len(stops):
            return solution_of(problem, [], engine=self.name)
        slots = slots_needed(problem, stops)
        always_left = int(problem.prize.sum() - problem.prize[stops].sum())
        orders: Orders = []
        if start is not None:
            orders = orders_of(start)
        elif trips_will_do(problem, stops):
            model = trip_model(problem, slots_per_vehicle=slots)
            orders = _orders(problem, model, _search(model, watch, always_left=always_left, seed=seed))
        best = polished(problem, solution_of(problem, trimmed(problem, orders), engine=self.name), over=watch.late)
        if best.routes:
            watch.tell("first_solution", best.cost)
        if not watch.over():
            # What OR-Tools can be sure of is what `best` drives; without it, it starts from cheapest insertions.
            day = RoutingDay(problem, stops, unloadings=max(slots, _unloadings(best)) + 1)
            refined = _refine(day, orders_of(best), watch, always_left)
            candidate = solution_of(problem, trimmed(problem, refined), engine=self.name)
            candidate = polished(problem, candidate, over=watch.late)
            best = min(best, candidate, key=lambda solution: judged(problem, solution))
        return best


def _unloadings(solution: Solution) -> int:
    """Return how often any vehicle unloads at one site at most."""
    turns = Counter(
        (route.vehicle, visit.index)
        for route in solution.routes
        for visit in route.visits
        if visit.kind is VisitKind.DISPOSAL
    )
    return max(turns.values(), default=0)


class _Watch:
    """Knows how much of the search is done and tells whoever wants to know about better plans."""

    def __init__(
        self,
        *,
        limits: Limits,
        improved: Callable[[Improvement], None] | None,
        stopped: Callable[[], bool] | None,
    ) -> None:
        self.limits = limits
        self._improved = improved
        self._stopped = stopped
        self._began_s = time.monotonic()
        self._told = float("inf")

    def elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    def left_s(self) -> float:
        return float("inf") if self.limits.solve_s is None else self.limits.solve_s - self.elapsed_s()

    def over(self) -> bool:
        return self.left_s() <= 0 or (self._stopped is not None and self._stopped())

    def late(self) -> bool:
        """Whether the last polish has had its time as well."""
        return self.left_s() <= -_POLISH_SHARE * (self.limits.solve_s or 0.0)

    def tell(self, phase: str, cost: float) -> None:
        if cost < self._told:
            self._told = cost
            if self._improved is not None:
                self._improved(Improvement(elapsed_s=self.elapsed_s(), phase=phase, cost=int(cost)))

    def share(self, share: float, always_left: int) -> Callable[[int, float], float]:
        """Return the progress function of a part that may take `share` of the search."""
        began_s = self.elapsed_s()
        solve_s, iterations = self.limits.solve_s, self.limits.iterations

        def done(iteration: int, best: float) -> float:
            self.tell("ruin_recreate", best + always_left)
            if self._stopped is not None and self._stopped():
                return 1.0
            by_time = 0.0 if solve_s is None else (self.elapsed_s() - began_s) / (solve_s * share)
            by_work = 0.0 if iterations is None else iteration / max(1.0, iterations * share)
            return max(by_time, by_work)

        return done


def _search(model: TripModel, watch: _Watch, *, always_left: int, seed: int) -> list[list[int]]:
    """Return the trips of the best of some short searches, cooled again for longer.

    To do without a vehicle is a step too long for the search's small ones. So each start after one that succeeded
    closes the vehicle that this one used least.
    """
    best: list[list[int]] = []
    best_cost = float("inf")
    closed: frozenset[int] = frozenset()
    for start in range(_STARTS):
        search = RuinAndRecreate(model, seed=seed * _STARTS + start, closed=closed)
        trips = search.run(progress=watch.share(_START_SHARE, always_left))
        if search.best_cost < best_cost:
            best, best_cost = trips, search.best_cost
            closed = closed | _least_used(model, trips)
        else:
            closed = frozenset()
        if watch.over():
            return best
    search = RuinAndRecreate(model, seed=seed * _STARTS, cooling=_LONG_COOLING)
    search.start_from(best)
    return search.run(progress=watch.share(_LONG_SHARE, always_left))


def _least_used(model: TripModel, trips: list[list[int]]) -> frozenset[int]:
    """Return the vehicle in use with the fewest bins, and those not in use; none when only one is in use."""
    bins = [sum(len(trips[slot]) for slot in slots) for slots in model.vehicle_slots]
    used = [vehicle for vehicle, count in enumerate(bins) if count]
    if len(used) < 2:  # noqa: PLR2004 - the last vehicle stays
        return frozenset()
    least = min(used, key=lambda vehicle: bins[vehicle])
    return frozenset(set(range(len(bins))) - set(used)) | {least}


def _orders(problem: Problem, model: TripModel, trips: list[list[int]]) -> Orders:
    """Return each vehicle's order of visits, each trip ended at the site that suits what follows it."""
    orders: Orders = []
    for vehicle, slots in enumerate(model.vehicle_slots):
        used = [[int(model.stops[index]) for index in trips[slot]] for slot in slots if trips[slot]]
        steps: list[Step] = []
        for number, trip in enumerate(used):
            goal = problem.vehicles[vehicle].home
            if number + 1 < len(used):
                goal = int(problem.location[used[number + 1][0]])
            steps += [(VisitKind.STOP, stop) for stop in trip]
            if problem.disposals:
                steps.append((VisitKind.DISPOSAL, _site_between(problem, int(problem.location[trip[-1]]), goal)))
        orders.append((vehicle, steps))
    return orders


def _site_between(problem: Problem, origin: int, goal: int) -> int:
    def cost(index: int) -> int:
        site = problem.disposals[index]
        distance_m = problem.distance_m[origin, site.location] + problem.distance_m[site.location, goal]
        duration_s = problem.duration_s[origin, site.location] + problem.duration_s[site.location, goal]
        return problem.drive_cost(int(distance_m), int(duration_s) + site.unload_s)

    return min(range(len(problem.disposals)), key=cost)


def _refine(day: RoutingDay, orders: Orders, watch: _Watch, always_left: int) -> Orders:
    """Let OR-Tools improve `orders` under the full rules; without a time limit it stops at a local optimum."""
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    metaheuristics = routing_enums_pb2.LocalSearchMetaheuristic
    if watch.limits.solve_s is None:
        parameters.local_search_metaheuristic = metaheuristics.GREEDY_DESCENT
    else:
        parameters.local_search_metaheuristic = metaheuristics.GUIDED_LOCAL_SEARCH
        parameters.time_limit.FromMilliseconds(max(1, int(watch.left_s() * 1000)))
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    day.routing.CloseModelWithParameters(parameters)
    start = day.assignment(orders) if orders else None

    def at_solution() -> None:
        watch.tell("ortools", day.routing.CostVar().Max() + always_left)
        if watch.over():
            day.routing.solver().FinishCurrentSearch()

    day.routing.AddAtSolutionCallback(at_solution)
    if start is None:
        found = day.routing.SolveWithParameters(parameters)
    else:
        found = day.routing.SolveFromAssignmentWithParameters(start, parameters)
    return orders if found is None else day.orders(found)
