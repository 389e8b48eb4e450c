"""What one route carries: load it bin by bin, unload it at the sites, and see that no trip set out before its time."""

from __future__ import annotations

from collections.abc import Callable

from optimise.rounds.check.rules import Rule
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Route, Visit, VisitKind

type Broken = Callable[[Rule, str | None, str], None]


class Loads:
    """The loads of one route by one vehicle that the problem knows; `broken` is told of rules that do not hold."""

    def __init__(self, problem: Problem, route: Route, *, broken: Broken) -> None:
        self._problem = problem
        self._who = problem.vehicles[route.vehicle]
        self._broken = broken
        self.served: list[int] = []
        self._load_l = 0
        self._load_kg = 0
        self._day_l = 0
        self._unloadings = 0
        self._set_out_s = route.start_s
        self._at_site = True
        for visit in route.visits:
            self._visit(visit)
        self._home(route.vehicle)

    def _visit(self, visit: Visit) -> None:
        problem, name = self._problem, None
        if visit.kind is VisitKind.STOP and 0 <= visit.index < len(problem.stop_ids):
            name = problem.stop_ids[visit.index]
            self._load(visit.index, name)
        elif visit.kind is VisitKind.DISPOSAL and 0 <= visit.index < len(problem.disposals):
            name = problem.disposals[visit.index].place_id
            self._unloadings += 1
            self._load_l = self._load_kg = 0
            self._set_out_s, self._at_site = visit.depart_s, True
        elif visit.kind is VisitKind.BREAK and self._at_site and visit.arrive_s == self._set_out_s:
            # Whoever rests as soon as the site is done with rests there, and sets out afterwards.
            self._set_out_s = visit.depart_s
        if (visit.load_l, visit.load_kg) != (self._load_l, self._load_kg):
            says = f"says {visit.load_l} l and {visit.load_kg} kg on board"
            detail = f"{says}, recomputed {self._load_l} l and {self._load_kg} kg"
            self._broken(Rule.LOAD_FIGURES, name, detail)

    def _load(self, stop: int, name: str) -> None:
        problem, who = self._problem, self._who
        self.served.append(stop)
        self._at_site = False
        self._load_l += int(problem.demand_l[stop])
        self._load_kg += int(problem.demand_kg[stop])
        self._day_l += int(problem.demand_l[stop])
        if self._load_l > who.capacity_l:
            self._broken(Rule.CAPACITY, name, f"{self._load_l} l on board, capacity {who.capacity_l} l")
        if who.capacity_kg is not None and self._load_kg > who.capacity_kg:
            self._broken(Rule.CAPACITY_KG, name, f"{self._load_kg} kg on board, capacity {who.capacity_kg} kg")
        release_s = int(problem.release_s[stop])
        if self._set_out_s < release_s:
            detail = f"the trip sets out at {self._set_out_s} s, the bin is released at {release_s} s"
            self._broken(Rule.RELEASE, name, detail)

    def _home(self, vehicle: int) -> None:
        who = self._who
        if (self._load_l or self._load_kg) and self._problem.unloads_before_home(vehicle):
            detail = f"comes home with {self._load_l} l and {self._load_kg} kg on board"
            self._broken(Rule.UNLOADED_BEFORE_HOME, None, detail)
        if who.unloadings_at_most is not None and self._unloadings > who.unloadings_at_most:
            self._broken(Rule.UNLOADINGS, None, f"unloads {self._unloadings} times, at most {who.unloadings_at_most}")
        if who.day_l is not None and self._day_l > who.day_l:
            self._broken(Rule.DAY_LITRES, None, f"takes {self._day_l} l in a day, at most {who.day_l} l")
