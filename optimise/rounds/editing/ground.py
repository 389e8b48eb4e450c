"""What the mending search knows of a problem: costs, who may serve what, what stays. Arrays are made once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.editing.changing import Known
from optimise.rounds.engines.clock import typical_percent
from optimise.rounds.engines.steps import Step
from optimise.rounds.engines.trips import work_budget_s
from optimise.rounds.locks import Locks
from optimise.rounds.problem import Flags, Integers, Problem
from optimise.rounds.solution import VisitKind

type Floats = NDArray[np.float64]
type Line = list[int]
"""A vehicle's visits: bins by their index, disposal site d as -(d + 1)."""

MUST = 1e13
"""What a bin that must be served is worth: more than any day of work."""


def line_of(steps: Sequence[Step]) -> Line:
    """Return steps as a line."""
    return [index if kind is VisitKind.STOP else -index - 1 for kind, index in steps]


def steps_of(line: Sequence[int]) -> list[Step]:
    """Return a line as steps."""
    return [(VisitKind.STOP, at) if at >= 0 else (VisitKind.DISPOSAL, -at - 1) for at in line]


class Ground:
    """The problem of n bins and v vehicles with its locks, ready to be searched."""

    def __init__(self, problem: Problem, locks: Locks, known: Known, *, like: Ground | None = None) -> None:
        """State it; `like` is of a problem with the same places, fleet and prices, whose arrays are shared."""
        self.problem = problem
        self.locks = locks
        self.known = known
        self.place_of = known.place_of()
        self.rows: list[int] = problem.location.tolist()
        self.site_rows = [site.location for site in problem.disposals]
        self.demand_l: list[int] = problem.demand_l.tolist()
        self.demand_kg: list[int] = problem.demand_kg.tolist()
        self.service_s: list[int] = problem.service_s.tolist()
        self.must = problem.must.copy()
        self.must[list(locks.vehicle)] = True
        prize = np.where(self.must, MUST, problem.prize.astype(np.float64))
        # Leaving what is known is a change, too.
        prize[list(self.place_of)] += known.change_cost
        self.value: list[float] = prize.tolist()
        self.allowed = self._allowed()
        self.heads = {vehicle: line_of(head) for vehicle, head in locks.head.items()}
        in_heads = {at for head in self.heads.values() for at in head if at >= 0}
        self.fixed = frozenset(locks.pinned | in_heads)
        self._like = like
        self.matrices: dict[tuple[int, object], tuple[Floats, Integers]] = {} if like is None else like.matrices
        self.of_vehicle = [self._measured(vehicle) for vehicle in range(len(problem.vehicles))]
        self.extra = [self._extra(vehicle) for vehicle in range(len(problem.vehicles))]
        longest_s = int(max([0, *self.service_s, *(site.unload_s for site in problem.disposals)]))
        self.budget_s = [
            work_budget_s(who, longest_stay_s=longest_s) + who.latest_end_s - who.shift_until_s
            for who in problem.vehicles
        ]

    def _allowed(self) -> Flags:
        allowed = self.problem.allowed.copy()
        for stop, vehicle in self.locks.vehicle.items():
            here = bool(allowed[stop, vehicle])
            allowed[stop] = False
            allowed[stop, vehicle] = here
        return allowed

    def _measured(self, vehicle: int) -> tuple[Floats, Integers]:
        """Return the cost and the seconds of a vehicle's drives, each (m, m)."""
        problem = self.problem
        prices, who = problem.prices_of(vehicle), problem.vehicles[vehicle]
        percent = 100
        if problem.traffic is not None:
            percent = typical_percent(problem.traffic, who.shift_from_s, who.latest_end_s)
        key = (who.profile, (prices.per_metre, prices.per_second, percent))
        if key not in self.matrices:
            travel = problem.travel(vehicle)
            seconds = travel.duration_s * percent // 100
            cost = (travel.distance_m * prices.per_metre + seconds * prices.per_second).astype(np.float64)
            self.matrices[key] = (cost, seconds)
        return self.matrices[key]

    def _extra(self, vehicle: int) -> Floats:
        """Return what serving each bin costs a vehicle besides the way: its time, and a strange sector."""
        problem = self.problem
        extra = (problem.service_s * problem.prices_of(vehicle).per_second).astype(np.float64)
        known = problem.vehicles[vehicle].sectors
        if known and problem.wishes.per_unfamiliar_stop:
            strange = (problem.sector >= 0) & ~np.isin(problem.sector, list(known))
            extra[strange] += problem.wishes.per_unfamiliar_stop
        return extra

    @cached_property
    def neighbours(self) -> list[list[int]]:
        """The nearest bins of each bin, nearest first, itself included."""
        if self._like is not None:
            return self._like.neighbours
        rows = self.problem.location
        cost = self.of_vehicle[0][0][np.ix_(rows, rows)]
        near = np.minimum(cost, cost.T)
        found: list[list[int]] = np.argsort(near, axis=1, kind="stable")[:, :100].tolist()
        return found

    def row(self, at: int) -> int:
        """Return the row of the matrices where a visit of a line takes place."""
        return self.rows[at] if at >= 0 else self.site_rows[-at - 1]

    def rows_of(self, vehicle: int, line: Sequence[int]) -> list[int]:
        """Return the rows that a line passes, depot to home."""
        who = self.problem.vehicles[vehicle]
        return [who.depot, *(self.row(at) for at in line), who.home]
