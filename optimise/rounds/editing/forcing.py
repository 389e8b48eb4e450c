"""What the checker says of visits that cannot be driven as wanted: they are driven all the same, on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimise.rounds.check import Rule, Violation, check
from optimise.rounds.editing.ground import steps_of
from optimise.rounds.engines.schedule import schedule
from optimise.rounds.engines.steps import totals
from optimise.rounds.parts import NO_END_S
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution, VisitKind

_OF_THE_WHOLE = frozenset({Rule.TOTALS, Rule.ACCOUNTED_FOR, Rule.MUST_BE_SERVED})


def forced_violations(problem: Problem, vehicle: int, line: Sequence[int]) -> list[Violation]:
    """Return the rules that a vehicle breaks by driving `line`, in the checker's words; none where it can be driven.

    The times are those of a day without end and with every door open.
    """
    steps = steps_of(line)
    if not steps:
        return []
    if problem.unloads_before_home(vehicle) and steps[-1][0] is VisitKind.STOP:
        ends = [[*steps, (VisitKind.DISPOSAL, site)] for site in range(len(problem.disposals))]
        steps = min(ends, key=lambda one: totals(problem, vehicle, one).distance_m)
    who = problem.vehicles[vehicle]
    patient = replace(who, shift_until_s=NO_END_S, overtime_until_s=None)
    vehicles = tuple(patient if number == vehicle else other for number, other in enumerate(problem.vehicles))
    open_day = replace(
        problem,
        windows=(),
        release_s=np.zeros(len(problem.stop_ids), dtype=np.int64),
        disposals=tuple(replace(site, windows=()) for site in problem.disposals),
        vehicles=vehicles,
    )
    route = schedule(problem, vehicle, steps) or schedule(open_day, vehicle, steps)
    if route is None:
        restless = tuple(
            replace(other, break_s=0) if number == vehicle else other for number, other in enumerate(vehicles)
        )
        route = schedule(replace(open_day, vehicles=restless), vehicle, steps)
    if route is None:
        return []
    taken = totals(problem, vehicle, steps)
    solution = Solution(
        engine="forced", routes=(route,), left_out=(), distance_m=taken.distance_m, duration_s=0, cost=0
    )
    found = check(problem, solution).violations
    return [violation for violation in found if violation.rule not in _OF_THE_WHOLE]
