"""The last polish: each route goes to the vehicle that drives it cheapest, every bin that pays for itself goes in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from optimise.rounds.engines.feasible import fits
from optimise.rounds.engines.schedule import solution_of
from optimise.rounds.engines.steps import Orders, Step, orders_of, rows_of
from optimise.rounds.engines.trim import trimmed, without_idle_unloading
from optimise.rounds.insertion import gaps, insertions
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution, VisitKind

_FEW_STEPS = 20
_REFUSED = np.iinfo(np.int64).max


def judged(problem: Problem, solution: Solution) -> tuple[int, int]:
    """Order solutions: first by the `must` bins that they leave, then by cost."""
    return int(problem.must[list(solution.left_out)].sum()), solution.cost


def polished(problem: Problem, solution: Solution, *, over: Callable[[], bool] | None = None) -> Solution:
    """Hand routes over and add bins, until neither gains anything or `over` says that time is up."""
    late = over or _never
    return _filled(problem, _handed_over(problem, _filled(problem, solution, late), late), late)


def _never() -> bool:
    return False


def _handed_over(problem: Problem, solution: Solution, late: Callable[[], bool]) -> Solution:
    """Give each route to another vehicle, unload once more or once less, or do without it, where that is cheaper.

    A search that moves one bin at a time cannot take these steps. Of vehicles alike, only the first is tried.
    """
    better = True
    while better:
        better = False
        for number, orders in _handovers(problem, solution):
            if late():
                return solution
            steps = orders_of(solution)[number][1]
            kept = trimmed(problem, [orders[number]])
            other = solution_of(problem, [*orders[:number], *kept, *orders[number + 1 :]], engine=solution.engine)
            if not kept[0][1] and len(steps) <= _FEW_STEPS:
                other = _filled(problem, other, late)  # its bins may fit elsewhere
            if judged(problem, other) < judged(problem, solution):
                solution, better = other, True
                break
    return solution


def _handovers(problem: Problem, solution: Solution) -> Iterator[tuple[int, Orders]]:
    orders = orders_of(solution)
    busy = {vehicle for vehicle, _ in orders}
    idle: dict[object, int] = {}
    for vehicle, who in enumerate(problem.vehicles):
        if vehicle not in busy:
            idle.setdefault((replace(who, vehicle_id=""), problem.allowed[:, vehicle].tobytes()), vehicle)
    for number, (vehicle, steps) in enumerate(orders):
        loaded = steps[:-1] if steps and steps[-1][0] is VisitKind.DISPOSAL else steps
        endings: list[list[Step]] = [[*loaded, (VisitKind.DISPOSAL, site)] for site in range(len(problem.disposals))]
        for other in (vehicle, *idle.values()):
            possible = endings if problem.unloads_before_home(other) else [*endings, loaded]
            for changed in possible:
                if (other, changed) != (vehicle, steps):
                    yield number, [*orders[:number], (other, changed), *orders[number + 1 :]]
        yield number, [*orders[:number], (vehicle, []), *orders[number + 1 :]]
        for stop in _not_paying(problem, vehicle, steps):
            fewer = without_idle_unloading([step for step in steps if step != (VisitKind.STOP, stop)])
            yield number, [*orders[:number], (vehicle, fewer), *orders[number + 1 :]]


def _not_paying(problem: Problem, vehicle: int, steps: list[Step]) -> list[int]:
    """Return the bins of a route whose detour costs more than leaving them."""
    travel, rows = problem.travel(vehicle), rows_of(problem, vehicle, steps)
    found = []
    for (kind, stop), before, row, after in zip(steps, rows, rows[1:], rows[2:], strict=False):
        if kind is VisitKind.STOP and not problem.must[stop]:
            metres, seconds = travel.distance_m, travel.duration_s
            detour_m = int(metres[before, row] + metres[row, after] - metres[before, after])
            detour_s = int(seconds[before, row] + seconds[row, after] - seconds[before, after])
            detour_s += int(problem.service_s[stop])
            if problem.drive_cost(detour_m, detour_s, vehicle=vehicle) > problem.prize[stop]:
                found.append(stop)
    return found


def _filled(problem: Problem, solution: Solution, late: Callable[[], bool]) -> Solution:
    """Add every bin left out whose insertion costs less than its prize, cheapest first, until there is none."""
    given_up: set[int] = set()
    while solution.routes and not late():
        left = np.array([stop for stop in solution.left_out if stop not in given_up], dtype=np.int64)
        left = left[problem.allowed[left].any(axis=1)]
        if not len(left):
            break
        where = gaps(problem, solution)
        options = insertions(problem, where, left)
        prize = np.where(problem.must[left], _REFUSED, problem.prize[left])
        gain = np.where(options.fits, prize[:, None] - options.cost, -1)
        if not gain.size or gain.max() <= 0:
            break
        row, gap = np.unravel_index(int(gain.argmax()), gain.shape)
        better = _with(
            problem, solution, int(left[row]), route=int(where.route[gap]), position=int(where.position[gap])
        )
        if better is None or judged(problem, better) >= judged(problem, solution):
            given_up.add(int(left[row]))
        else:
            solution = better
    return solution


def _with(problem: Problem, solution: Solution, stop: int, *, route: int, position: int) -> Solution | None:
    """Return the solution with one bin more, None when that breaks a rule after all."""
    orders: Orders = orders_of(solution)
    rests_before = sum(1 for visit in solution.routes[route].visits[:position] if visit.kind is VisitKind.BREAK)
    vehicle, steps = orders[route]
    steps.insert(position - rests_before, (VisitKind.STOP, stop))
    if not fits(problem, vehicle, steps):
        return None
    better = solution_of(problem, orders, engine=solution.engine)
    return better if len(better.routes) == len(solution.routes) else None
