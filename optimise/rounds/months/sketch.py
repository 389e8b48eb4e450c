"""A day's rounds in a fraction of a second: one short ruin and recreate, the times and the break set by the rules.

Months take thousands of days. What this engine answers is judged by the same checker as any plan.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.engines import Improvement, Limits
from optimise.rounds.engines.ruin_recreate import Cooling, RuinAndRecreate
from optimise.rounds.engines.schedule import Step, schedule, solution_of
from optimise.rounds.engines.trips import TripModel, slots_needed, trip_model, worth_considering
from optimise.rounds.problem import EURO, Problem
from optimise.rounds.saving import savings
from optimise.rounds.solution import Solution, VisitKind

_ITERATIONS = 300
_AFRESH_DAYS = 7
_WARM = Cooling(hot=0.1, cold=0.002)


class Sketch:
    """Ruin and recreate alone, behind the protocol of engines, from where yesterday's rounds were left.

    A crew knows its round: rounds that come again get better from day to day, and a few hundred steps do for a day.
    Once a week the day is also begun from nothing, so that no habit lasts for ever.
    """

    def __init__(self) -> None:
        self._yesterday: list[list[list[str]]] = []
        self._days = 0

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
        starts = [_from_yesterday(problem, model, self._yesterday)] if self._yesterday else []
        if self._days % _AFRESH_DAYS == 0:
            starts.append([])
        self._days += 1
        found = []
        for start in starts:
            search = RuinAndRecreate(model, seed=seed, cooling=_WARM if start else Cooling())
            search.start_from(start)
            trips = search.run(progress=lambda iteration, _best: iteration / iterations)
            found.append((search.best_cost, trips))
        cost, trips = min(found, key=lambda one: one[0])
        busy = [vehicle for vehicle, slots in enumerate(model.vehicle_slots) if any(trips[slot] for slot in slots)]
        if len(busy) > 1:
            # A vehicle too many is a habit that few steps get rid of: does the day go without the idlest of them?
            idlest = min(busy, key=lambda vehicle: sum(len(trips[slot]) for slot in model.vehicle_slots[vehicle]))
            closed = frozenset(range(len(model.vehicle_slots))) - frozenset(busy) | {idlest}
            search = RuinAndRecreate(model, seed=seed, cooling=_WARM, closed=closed)
            search.start_from([[] if model.slot_vehicle[slot] == idlest else trip for slot, trip in enumerate(trips)])
            fewer = search.run(progress=lambda iteration, _best: iteration / iterations)
            if search.best_cost < cost:
                trips = fewer
        self._yesterday = [
            [[problem.stop_ids[model.stops[index]] for index in trips[slot]] for slot in slots]
            for slots in model.vehicle_slots
        ]
        return solution_of(problem, _orders(problem, model, trips), engine=self.name)


def _from_yesterday(problem: Problem, model: TripModel, yesterday: list[list[list[str]]]) -> list[list[int]]:
    """Return yesterday's trips, slot by slot, without the stops that are not wanted today or do not fit any more."""
    index = {problem.stop_ids[stop]: number for number, stop in enumerate(model.stops)}
    trips: list[list[int]] = [[] for _ in model.slot_vehicle]
    for vehicle, (slots, before) in enumerate(zip(model.vehicle_slots, yesterday, strict=True)):
        spare_s = int(model.vehicle_budget_s[vehicle]) - sum(model.slot_opening_s[slot] for slot in slots)
        kept = [[index[name] for name in trip if name in index] for trip in before]
        for slot, trip in zip(slots, [trip for trip in kept if trip], strict=False):
            fits = trip[: int((np.cumsum(model.demand_l[trip]) <= model.slot_capacity_l[slot]).sum())]
            anchor = model.stop_count + slot
            while fits and _trip_s(model, anchor, fits) > spare_s:
                fits.pop()
            if not fits:
                break
            spare_s -= _trip_s(model, anchor, fits)
            trips[slot] = fits
    return trips


def _trip_s(model: TripModel, anchor: int, trip: list[int]) -> int:
    return int(sum(model.time_s[a, b] for a, b in pairwise([anchor, *trip, anchor])))


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
        for saving in savings(problem, route):
            seconds = saving.duration_s + int(problem.service_s[saving.stop])
            served.append(saving.stop)
            euros.append(problem.drive_cost(saving.distance_m, seconds, vehicle=route.vehicle) / EURO)
    return np.array(served, dtype=np.int64), np.array(euros)
