"""What keeps a bin out of the rounds: the first rule that no vehicle, then no gap in the rounds, satisfies."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.engines.feasible import fits
from optimise.rounds.engines.schedule import schedule
from optimise.rounds.engines.steps import Step
from optimise.rounds.insertion import Insertions
from optimise.rounds.problem import Problem
from optimise.rounds.solution import VisitKind


class Barrier(StrEnum):
    """Why a bin that would pay its detour is left, by the codes that reasons carry."""

    MUST_NOT = "must_not"
    ACCESS = "access"
    CAPACITY = "capacity"
    RANGE = "range"
    SHIFT = "shift"
    WINDOW = "window"


class Barriers:
    """Tells what bars bins of one problem."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        # The same day with every door open, to tell a window from a shift that is too short.
        self._open = replace(
            problem,
            windows=(),
            release_s=np.zeros(len(problem.stop_ids), dtype=np.int64),
            disposals=tuple(replace(site, windows=()) for site in problem.disposals),
        )

    def alone(self, stop: int) -> Barrier | None:
        """Return what bars a bin even from a vehicle of its own, None when nothing does."""
        problem = self._problem
        if problem.must_not[stop]:
            return Barrier.MUST_NOT
        allowed = np.flatnonzero(problem.allowed[stop]).tolist()
        if not allowed:
            return Barrier.ACCESS
        if not any(self._carries(stop, vehicle) for vehicle in allowed):
            return Barrier.CAPACITY
        rounds = [(vehicle, steps) for vehicle in allowed for steps in _alone(problem, vehicle, stop)]
        possible = [(vehicle, steps) for vehicle, steps in rounds if fits(problem, vehicle, steps)]
        if not possible:
            return Barrier.RANGE
        if any(schedule(problem, vehicle, steps) is not None for vehicle, steps in possible):
            return None
        in_time = any(schedule(self._open, vehicle, steps) is not None for vehicle, steps in possible)
        return Barrier.WINDOW if in_time else Barrier.SHIFT

    def _carries(self, stop: int, vehicle: int) -> bool:
        problem, who = self._problem, self._problem.vehicles[vehicle]
        limits_l = [who.capacity_l, *([] if who.day_l is None else [who.day_l])]
        return bool(problem.demand_l[stop] <= min(limits_l)) and (
            who.capacity_kg is None or bool(problem.demand_kg[stop] <= who.capacity_kg)
        )

    def among(self, stop: int, options: Insertions, row: int, worth: NDArray[np.bool_]) -> Barrier:
        """Return what bars a bin from each gap of the finished rounds where it would be worth its detour."""
        alone = self.alone(stop)
        if alone is not None:
            return alone
        reached = worth & options.has_access[row]
        if not reached.any():
            return Barrier.ACCESS
        in_time, with_room = reached & options.has_time[row], reached & options.has_room[row]
        if in_time.any() and not with_room.any():
            return Barrier.CAPACITY
        both = in_time & with_room
        if not both.any():
            return Barrier.SHIFT
        return Barrier.WINDOW if (both & options.has_range[row]).any() else Barrier.RANGE


def _alone(problem: Problem, vehicle: int, stop: int) -> list[list[Step]]:
    """Return the rounds that serve this bin and nothing else."""
    plain: list[Step] = [(VisitKind.STOP, stop)]
    if not problem.unloads_before_home(vehicle):
        return [plain]
    return [[*plain, (VisitKind.DISPOSAL, site)] for site in range(len(problem.disposals))]


def access_of(problem: Problem, stop: int) -> str:
    """Return in French what a vehicle needs to come to a bin; empty when any may."""
    needs = []
    if problem.max_width_cm[stop]:
        needs.append(f"largeur limitée à {problem.max_width_cm[stop] / 100:.2f}\N{NO-BREAK SPACE}m".replace(".", ","))
    if problem.crew[stop] > 1:
        needs.append(f"il faut {problem.crew[stop]} agents")
    if problem.kinds[stop]:
        needs.append(f"réservée aux véhicules : {', '.join(sorted(problem.kinds[stop]))}")
    return " ; ".join(needs)


def hours_of(problem: Problem, stop: int) -> str:
    """Return in French when a bin's service may begin; empty when at any time."""
    return ", ".join(f"{_clock(window.from_s)}-{_clock(window.until_s)}" for window in problem.windows[stop])


def _clock(seconds: int) -> str:
    return f"{seconds // 3600 % 24:02}h{seconds % 3600 // 60:02}"
