"""An order of visits, and what each of its steps asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimise.rounds.parts import Window
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution, VisitKind

type Step = tuple[VisitKind, int]
"""A bin or a disposal site by its index in the problem."""

type Orders = list[tuple[int, list[Step]]]
"""Vehicles by their index in the problem, with the order of their visits."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """Metres and seconds at work (driving, serving and unloading, without the break) of an order of visits."""

    distance_m: int
    work_s: int


def location(problem: Problem, step: Step) -> int:
    """Return the row of the travel matrices where a step takes place."""
    kind, index = step
    return int(problem.location[index]) if kind is VisitKind.STOP else problem.disposals[index].location


def rows_of(problem: Problem, vehicle: int, steps: Sequence[Step]) -> list[int]:
    """Return the rows of the travel matrices that a vehicle passes, from its depot to where its day ends."""
    who = problem.vehicles[vehicle]
    return [who.depot, *(location(problem, step) for step in steps), who.home]


def stay_s(problem: Problem, step: Step) -> int:
    """Return how long a step keeps the vehicle."""
    kind, index = step
    return int(problem.service_s[index]) if kind is VisitKind.STOP else problem.disposals[index].unload_s


def windows_of(problem: Problem, step: Step) -> tuple[Window, ...]:
    """Return when a step may begin; none: at any time."""
    kind, index = step
    return problem.windows[index] if kind is VisitKind.STOP else problem.disposals[index].windows


def totals(problem: Problem, vehicle: int, steps: Sequence[Step]) -> Totals:
    """Return what an order of visits takes from leaving the depot to coming back, without traffic."""
    travel, rows = problem.travel(vehicle), rows_of(problem, vehicle, steps)
    return Totals(
        distance_m=int(travel.distance_m[rows[:-1], rows[1:]].sum()),
        work_s=int(travel.duration_s[rows[:-1], rows[1:]].sum()) + sum(stay_s(problem, step) for step in steps),
    )


def orders_of(solution: Solution) -> Orders:
    """Return the orders of visits that a solution drives, without its times and breaks."""
    return [
        (route.vehicle, [(visit.kind, visit.index) for visit in route.visits if visit.kind is not VisitKind.BREAK])
        for route in solution.routes
    ]
