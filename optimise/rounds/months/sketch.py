"""A day's rounds in a fraction of a second: one short ruin and recreate, the times and the break set by the rules.

Months take thousands of days. What this engine answers is judged by the same checker as any plan.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.engines import Improvement, Limits
from optimise.rounds.engines.ruin_recreate import RuinAndRecreate
from optimise.rounds.engines.schedule import Step, schedule, solution_of
from optimise.rounds.engines.trips import TripModel, slots_needed, trip_model, worth_considering
from optimise.rounds.problem import EURO, Problem
from optimise.rounds.solution import Solution, VisitKind

_ITERATIONS = 300


class Sketch:
    """Ruin and recreate alone, behind the protocol of engines."""

    @property
    def name(self) -> str:
        """Return the engine's name."""
        return "ruin and recreate"

    def solve(
        self,
        problem: Problem,
        *,
        limits: Limits,
        seed: int,
        improved: Callable[[Improvement], None] | None = None,  # noqa: ARG002 - nobody watches a fraction of a second
        stopped: Callable[[], bool] | None = None,  # noqa: ARG002 - same
    ) -> Solution:
        """Return the best solution of `limits.iterations` (300 when None). A seed reproduces it."""
        stops = worth_considering(problem)
        if not len(stops):
            return solution_of(problem, [], engine=self.name)
        model = trip_model(problem, slots_per_vehicle=slots_needed(problem, stops))
        iterations = limits.iterations or _ITERATIONS
        trips = RuinAndRecreate(model, seed=seed).run(progress=lambda iteration, _best: iteration / iterations)
        return solution_of(problem, _orders(problem, model, trips), engine=self.name)


def _orders(problem: Problem, model: TripModel, trips: list[list[int]]) -> list[tuple[int, list[Step]]]:
    """Return each vehicle's order of visits that fits its shift: what does not loses the stops that matter least."""
    orders: list[tuple[int, list[Step]]] = []
    for vehicle, slots in enumerate(model.vehicle_slots):
        used = [[int(model.stops[index]) for index in trips[slot]] for slot in slots if trips[slot]]
        while used and schedule(problem, vehicle, _steps(problem, used)) is None:
            least = min((stop for trip in used for stop in trip), key=lambda stop: _worth(problem, stop))
            used = [kept for trip in used if (kept := [stop for stop in trip if stop != least])]
        orders.append((vehicle, _steps(problem, used)))
    return orders


def _worth(problem: Problem, stop: int) -> tuple[bool, int]:
    return bool(problem.must[stop]), int(problem.prize[stop])


def _steps(problem: Problem, trips: list[list[int]]) -> list[Step]:
    steps: list[Step] = []
    for trip in trips:
        steps += [(VisitKind.STOP, stop) for stop in trip]
        steps.append((VisitKind.DISPOSAL, _nearest_site(problem, int(problem.location[trip[-1]]))))
    return steps


def _nearest_site(problem: Problem, row: int) -> int:
    return min(range(len(problem.disposals)), key=lambda k: int(problem.duration_s[row, problem.disposals[k].location]))


def detours(problem: Problem, solution: Solution) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the served bins (k,) and what each one's stop cost in euros, its service included (k,).

    That is what the same round without it would save, its other stops in the same order.
    """
    served: list[int] = []
    euros: list[float] = []
    for route in solution.routes:
        rows, stops = [problem.vehicles[route.vehicle].depot], [-1]
        for visit in route.visits:
            if visit.kind is VisitKind.STOP:
                rows.append(int(problem.location[visit.index]))
                stops.append(visit.index)
            elif visit.kind is VisitKind.DISPOSAL:
                rows.append(problem.disposals[visit.index].location)
                stops.append(-1)
        for at in range(1, len(rows) - 1):
            if stops[at] < 0:
                continue
            before, here, after = rows[at - 1], rows[at], rows[at + 1]
            metres, seconds = (
                matrix[before, here] + matrix[here, after] - matrix[before, after]
                for matrix in (problem.distance_m, problem.duration_s)
            )
            seconds += problem.service_s[stops[at]]
            served.append(stops[at])
            euros.append(problem.drive_cost(int(metres), int(seconds)) / EURO)
    return np.array(served, dtype=np.int64), np.array(euros)
