"""The independent checker: recomputes a solution from the problem alone and names every rule that it breaks.

It shares no code with the engines (a contract holds that) and believes none of their figures. No plan leaves the
planner that it has not accepted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from optimise.rounds.problem import DayVehicle, Problem
from optimise.rounds.solution import Route, Solution, Visit, VisitKind


class Rule(StrEnum):
    """The rules of a day, by the names that violations carry."""

    KNOWN_VEHICLE = "known_vehicle"
    ONE_ROUTE_A_VEHICLE = "one_route_a_vehicle"
    KNOWN_PLACE = "known_place"
    SERVED_ONCE = "served_once"
    ACCOUNTED_FOR = "accounted_for"
    MUST_BE_SERVED = "must_be_served"
    SHIFT_START = "shift_start"
    SHIFT_END = "shift_end"
    TIME_ORDER = "time_order"
    TRAVEL_TIME = "travel_time"
    SERVICE_TIME = "service_time"
    UNLOAD_TIME = "unload_time"
    CAPACITY = "capacity"
    LOAD_FIGURES = "load_figures"
    UNLOADED_BEFORE_HOME = "unloaded_before_home"
    BREAK_TAKEN = "break_taken"
    BREAK_LENGTH = "break_length"
    BREAK_WINDOW = "break_window"
    TOTALS = "totals"


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One broken rule: by which vehicle, at which place, and the figures."""

    rule: Rule
    vehicle_id: str | None
    place_id: str | None
    detail: str

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.vehicle_id, self.place_id) if part)
        return f"{self.rule}{f' ({where})' if where else ''}: {self.detail}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The checker's judgement and the totals as it computes them. `work_s` counts no break and no waiting."""

    violations: tuple[Violation, ...]
    distance_m: int
    duration_s: int
    work_s: int
    cost: int

    @property
    def accepted(self) -> bool:
        """Whether no rule is broken."""
        return not self.violations

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as the plan keeps it."""
        return {
            "accepted": self.accepted,
            "rules": [rule.value for rule in Rule],
            "violations": [asdict(violation) for violation in self.violations],
            "distance_m": self.distance_m,
            "duration_s": self.duration_s,
            "work_s": self.work_s,
            "cost_eur": round(self.cost / 1e6, 2),
        }


def check(problem: Problem, solution: Solution) -> Verdict:
    """Judge `solution` by `problem`."""
    reports = [_Report(problem, route) for route in solution.routes]
    violations = [violation for report in reports for violation in report.violations]
    violations += _fleet(problem, solution)
    violations += _bins(problem, solution)
    left = set(range(len(problem.stop_ids))) - {stop for route in solution.routes for stop in route.stops}
    distance_m = sum(report.distance_m for report in reports)
    work_s = sum(report.work_s for report in reports)
    duration_s = sum(route.end_s - route.start_s for route in solution.routes)
    cost = (
        distance_m * problem.prices.per_metre
        + work_s * problem.prices.per_second
        + len(solution.routes) * problem.prices.per_vehicle
        + sum(int(problem.prize[stop]) for stop in left)
    )
    for name, claimed, found in (
        ("distance_m", solution.distance_m, distance_m),
        ("duration_s", solution.duration_s, duration_s),
        ("cost", solution.cost, cost),
    ):
        if claimed != found:
            detail = f"the engine claims {name} {claimed}, recomputed {found}"
            violations.append(Violation(rule=Rule.TOTALS, vehicle_id=None, place_id=None, detail=detail))
    return Verdict(violations=tuple(violations), distance_m=distance_m, duration_s=duration_s, work_s=work_s, cost=cost)


def _fleet(problem: Problem, solution: Solution) -> list[Violation]:
    found = []
    for vehicle, routes in Counter(route.vehicle for route in solution.routes).items():
        known = 0 <= vehicle < len(problem.vehicles)
        if known and routes > 1:
            name = problem.vehicles[vehicle].vehicle_id
            detail = f"the vehicle has {routes} routes"
            found.append(Violation(rule=Rule.ONE_ROUTE_A_VEHICLE, vehicle_id=name, place_id=None, detail=detail))
    return found


def _bins(problem: Problem, solution: Solution) -> list[Violation]:
    found = []
    visits = Counter(stop for route in solution.routes for stop in route.stops)
    left = Counter(solution.left_out)
    for stop, place_id in enumerate(problem.stop_ids):
        if visits[stop] > 1:
            detail = f"the bin is served {visits[stop]} times"
            found.append(Violation(rule=Rule.SERVED_ONCE, vehicle_id=None, place_id=place_id, detail=detail))
        if (visits[stop] > 0) + left[stop] != 1:
            detail = f"the bin is served {visits[stop]} times and left out {left[stop]} times"
            found.append(Violation(rule=Rule.ACCOUNTED_FOR, vehicle_id=None, place_id=place_id, detail=detail))
        if problem.must[stop] and not visits[stop]:
            detail = "the bin is imposed and not served"
            found.append(Violation(rule=Rule.MUST_BE_SERVED, vehicle_id=None, place_id=place_id, detail=detail))
    return found


class _Report:
    """Drives one route with the problem's own numbers and notes what does not hold."""

    def __init__(self, problem: Problem, route: Route) -> None:
        self._problem = problem
        self.violations: list[Violation] = []
        self.distance_m = 0
        self.work_s = 0
        if not 0 <= route.vehicle < len(problem.vehicles):
            self._vehicle_id: str | None = None
            self._break(Rule.KNOWN_VEHICLE, None, f"there is no vehicle {route.vehicle}")
            return
        who = problem.vehicles[route.vehicle]
        self._vehicle_id = who.vehicle_id
        self._shift(who, route)
        self._drive(who, route)
        self._rest(who, route)

    def _break(self, rule: Rule, place_id: str | None, detail: str) -> None:
        self.violations.append(Violation(rule=rule, vehicle_id=self._vehicle_id, place_id=place_id, detail=detail))

    def _shift(self, who: DayVehicle, route: Route) -> None:
        if route.start_s < who.shift_from_s:
            detail = f"leaves at {route.start_s} s, the shift starts at {who.shift_from_s} s"
            self._break(Rule.SHIFT_START, None, detail)
        if route.end_s > who.shift_until_s:
            self._break(Rule.SHIFT_END, None, f"is back at {route.end_s} s, the shift ends at {who.shift_until_s} s")

    def _drive(self, who: DayVehicle, route: Route) -> None:
        at, left_s, clock_s, rested_s, load_l = who.depot, route.start_s, route.start_s, 0, 0
        for visit in route.visits:
            place = self._place(visit)
            if place is None:
                self._break(Rule.KNOWN_PLACE, None, f"there is no {visit.kind} {visit.index}")
                continue
            row, name, stay_s = place
            if visit.arrive_s < clock_s or visit.depart_s < visit.arrive_s:
                detail = f"arrives at {visit.arrive_s} s and leaves at {visit.depart_s} s after {clock_s} s"
                self._break(Rule.TIME_ORDER, name, detail)
            clock_s = visit.depart_s
            if visit.kind is VisitKind.BREAK:
                rested_s += visit.depart_s - visit.arrive_s
            else:
                self._leg(at, row, name, visit.arrive_s - left_s - rested_s)
                self._stay(visit, name, stay_s)
                at, left_s, rested_s = row, visit.depart_s, 0
                load_l = self._loaded(who, visit, name, load_l)
            if visit.load_l != load_l:
                self._break(Rule.LOAD_FIGURES, name, f"says {visit.load_l} l on board, recomputed {load_l} l")
        if route.end_s < clock_s:
            self._break(Rule.TIME_ORDER, None, f"is back at {route.end_s} s after leaving at {clock_s} s")
        self._leg(at, who.depot, None, route.end_s - left_s - rested_s)
        if load_l:
            self._break(Rule.UNLOADED_BEFORE_HOME, None, f"comes home with {load_l} l on board")

    def _place(self, visit: Visit) -> tuple[int, str | None, int] | None:
        """Return the row, the name and the least stay of a visit's place; None when there is no such place."""
        problem = self._problem
        if visit.kind is VisitKind.BREAK:
            return -1, None, 0
        if visit.kind is VisitKind.STOP and 0 <= visit.index < len(problem.stop_ids):
            index = visit.index
            return int(problem.location[index]), problem.stop_ids[index], int(problem.service_s[index])
        if visit.kind is VisitKind.DISPOSAL and 0 <= visit.index < len(problem.disposals):
            site = problem.disposals[visit.index]
            return site.location, site.place_id, site.unload_s
        return None

    def _leg(self, origin: int, goal: int, name: str | None, taken_s: int) -> None:
        needed_s = int(self._problem.duration_s[origin, goal])
        self.distance_m += int(self._problem.distance_m[origin, goal])
        self.work_s += needed_s
        if taken_s < needed_s:
            self._break(Rule.TRAVEL_TIME, name, f"drives there in {taken_s} s, it takes {needed_s} s")

    def _stay(self, visit: Visit, name: str | None, stay_s: int) -> None:
        self.work_s += stay_s
        if visit.depart_s - visit.arrive_s < stay_s:
            rule = Rule.SERVICE_TIME if visit.kind is VisitKind.STOP else Rule.UNLOAD_TIME
            self._break(rule, name, f"stays {visit.depart_s - visit.arrive_s} s, it takes {stay_s} s")

    def _loaded(self, who: DayVehicle, visit: Visit, name: str | None, load_l: int) -> int:
        if visit.kind is VisitKind.DISPOSAL:
            return 0
        load_l += int(self._problem.demand_l[visit.index])
        if load_l > who.capacity_l:
            self._break(Rule.CAPACITY, name, f"{load_l} l on board, capacity {who.capacity_l} l")
        return load_l

    def _rest(self, who: DayVehicle, route: Route) -> None:
        """See that the crew rests once, whole, within its window: on the road, or at the depot before or after."""
        before = route.start_s >= who.break_from_s + who.break_s
        after = route.end_s + who.break_s <= who.break_until_s
        if who.break_s == 0 or before or after:
            return
        breaks = [visit for visit in route.visits if visit.kind is VisitKind.BREAK]
        long_enough = [visit for visit in breaks if visit.depart_s - visit.arrive_s >= who.break_s]
        if any(
            who.break_from_s <= visit.arrive_s and visit.arrive_s + who.break_s <= who.break_until_s
            for visit in long_enough
        ):
            return
        window = f"{who.break_s} s between {who.break_from_s} s and {who.break_until_s} s"
        if long_enough:
            self._break(Rule.BREAK_WINDOW, None, f"rests at {long_enough[0].arrive_s} s, expected {window}")
        elif breaks:
            rested_s = max(visit.depart_s - visit.arrive_s for visit in breaks)
            self._break(Rule.BREAK_LENGTH, None, f"rests {rested_s} s, expected {window}")
        else:
            self._break(Rule.BREAK_TAKEN, None, f"takes no break, expected {window}")
