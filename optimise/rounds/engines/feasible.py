"""Whether a vehicle may drive an order of visits at all, whatever the hour: loads, access, range and daily limits."""

from __future__ import annotations

from collections.abc import Sequence

from optimise.rounds.engines.steps import Step, rows_of
from optimise.rounds.problem import Problem
from optimise.rounds.solution import VisitKind


def fits(problem: Problem, vehicle: int, steps: Sequence[Step]) -> bool:
    """Return whether `steps` keep every rule of the vehicle that no clock is needed for."""
    who = problem.vehicles[vehicle]
    stops = [index for kind, index in steps if kind is VisitKind.STOP]
    unloadings = len(steps) - len(stops)
    return (
        bool(problem.allowed[stops, vehicle].all())
        and (who.day_stops is None or len(stops) <= who.day_stops)
        and (who.day_l is None or int(problem.demand_l[stops].sum()) <= who.day_l)
        and (who.unloadings_at_most is None or unloadings <= who.unloadings_at_most)
        and _carries(problem, vehicle, steps)
        and _gets_home(problem, vehicle, steps)
    )


def _carries(problem: Problem, vehicle: int, steps: Sequence[Step]) -> bool:
    who = problem.vehicles[vehicle]
    load_l = load_kg = 0
    for kind, index in steps:
        if kind is VisitKind.DISPOSAL:
            load_l = load_kg = 0
            continue
        load_l += int(problem.demand_l[index])
        load_kg += int(problem.demand_kg[index])
        if load_l > who.capacity_l or (who.capacity_kg is not None and load_kg > who.capacity_kg):
            return False
    return not (load_l or load_kg) or not problem.unloads_before_home(vehicle)


def _gets_home(problem: Problem, vehicle: int, steps: Sequence[Step]) -> bool:
    range_m = problem.vehicles[vehicle].range_m
    if range_m is None:
        return True
    rows = rows_of(problem, vehicle, steps)
    return int(problem.travel(vehicle).distance_m[rows[:-1], rows[1:]].sum()) <= range_m
