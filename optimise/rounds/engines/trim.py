"""Drop what does not fit: a search that approximates leaves orders that break a rule by a little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from optimise.rounds.engines.feasible import fits
from optimise.rounds.engines.schedule import timed
from optimise.rounds.engines.steps import Orders, Step
from optimise.rounds.problem import Problem
from optimise.rounds.solution import VisitKind


def trimmed(problem: Problem, orders: Iterable[tuple[int, Sequence[Step]]]) -> Orders:
    """Return orders that keep every rule, without the bins that stood in the way.

    First go bins with windows or releases, which an order made without them is likely to miss (whoever called puts
    them back where they fit), then those that matter least.
    """
    return [(vehicle, _kept(problem, vehicle, list(steps))) for vehicle, steps in orders]


def _kept(problem: Problem, vehicle: int, steps: list[Step]) -> list[Step]:
    if _drives(problem, vehicle, steps):
        return steps
    steps = [step for step in steps if step[0] is not VisitKind.STOP or problem.allowed[step[1], vehicle]]
    if not _drives(problem, vehicle, steps):
        steps = without_idle_unloading([step for step in steps if not _bound(problem, step)])
    while steps and not _drives(problem, vehicle, steps):
        served = [step for step in steps if step[0] is VisitKind.STOP]
        if not served:
            return []
        least = min(served, key=lambda step: (bool(problem.must[step[1]]), int(problem.prize[step[1]])))
        steps.remove(least)
        steps = without_idle_unloading(steps)
    return steps


def _drives(problem: Problem, vehicle: int, steps: Sequence[Step]) -> bool:
    return not steps or (fits(problem, vehicle, steps) and timed(problem, vehicle, steps) is not None)


def _bound(problem: Problem, step: Step) -> bool:
    kind, index = step
    return kind is VisitKind.STOP and (bool(problem.windows[index]) or problem.release_s[index] > 0)


def without_idle_unloading(steps: Sequence[Step]) -> list[Step]:
    """Return `steps` without visits of disposal sites that follow one another or come before any bin."""
    kept: list[Step] = []
    for step in steps:
        idle = step[0] is VisitKind.DISPOSAL and (not kept or kept[-1][0] is VisitKind.DISPOSAL)
        if not idle:
            kept.append(step)
    return kept
