"""What a file of rounds comes to: the problem, and how to say its answer in the file's own words and unit."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from optimise.rounds.check import Verdict
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Route, VisitKind

PLACES_AT_MOST = 6_000
"""Two matrices of so many places squared are half a gigabyte: what a file may ask of a machine's memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """The file's own unit of cost.

    `of_distance`: only what is driven counts, otherwise the problem's whole cost; `vehicle` is then what the problem
    lets a vehicle cost, more than it ever drives.
    """

    name: str
    divisor: int = 1
    of_distance: bool = False
    vehicle: int = 0

    def cost_of(self, verdict: Verdict) -> int | float:
        """Return a checked solution's cost in this unit: a whole number where the unit counts in whole numbers."""
        total = verdict.distance_m if self.of_distance else verdict.cost
        return self.told(total)

    def so_far(self, cost: int) -> float:
        """Return a search's cost in this unit, before anybody checked it."""
        return (cost % self.vehicle if self.of_distance and self.vehicle else cost) / self.divisor

    def told(self, total: int) -> int | float:
        """Return a total of the problem in this unit."""
        told = Fraction(total, self.divisor)
        return int(told) if self.divisor == 1 else float(told)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Task:
    """A problem as a file stated it. `positions` are the places' coordinates, (m, 2), where the file has some."""

    problem: Problem
    name: str
    file_format: str
    unit: Unit
    positions: tuple[tuple[float, float], ...] | None = None
    numbered: bool = False

    def place_id(self, name: str) -> int | str:
        """Return a place's name as the file writes it."""
        return int(name) if self.numbered else name

    def visited(self, route: Route) -> list[int | str]:
        """Return what a route visits in order, bins and disposal sites, by the file's own names."""
        problem = self.problem
        return [
            self.place_id(
                problem.stop_ids[visit.index]
                if visit.kind is VisitKind.STOP
                else problem.disposals[visit.index].place_id
            )
            for visit in route.visits
            if visit.kind is not VisitKind.BREAK
        ]
