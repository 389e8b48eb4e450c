"""Drive one route with the problem's own numbers, clock in hand, and note what does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from optimise.rounds.check.loads import Loads
from optimise.rounds.check.pace import base_seconds_between, seconds_driven
from optimise.rounds.check.rules import Rule, Violation
from optimise.rounds.parts import Window
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Route, Visit, VisitKind


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where a visit takes place: the row of the matrices, its name, the least stay, when it may begin."""

    row: int
    name: str
    stay_s: int
    windows: tuple[Window, ...]


class DrivenRoute:
    """One route as the checker drove it: what is wrong with it, and what it comes to."""

    def __init__(self, problem: Problem, route: Route) -> None:
        self._problem = problem
        self.vehicle = route.vehicle
        self.violations: list[Violation] = []
        self.served: list[int] = []
        self.distance_m = 0
        self.work_s = 0
        self.paid_s = 0
        self.overtime_s = 0
        self.cost = 0
        self._vehicle_id: str | None = None
        if not 0 <= route.vehicle < len(problem.vehicles):
            self._break(Rule.KNOWN_VEHICLE, None, f"there is no vehicle {route.vehicle}")
            return
        self._who = problem.vehicles[route.vehicle]
        self._vehicle_id = self._who.vehicle_id
        self._shift(route)
        self._drive(route)
        loads = Loads(problem, route, broken=self._break)
        self.served = loads.served
        self._day()
        self._rest(route)
        self._pay(route)

    def is_strange_to(self, sector: int) -> bool:
        """Whether the crew knows sectors, but not this one."""
        known = self._problem.vehicles[self.vehicle].sectors
        return bool(known) and sector not in known

    def _break(self, rule: Rule, place_id: str | None, detail: str) -> None:
        self.violations.append(Violation(rule=rule, vehicle_id=self._vehicle_id, place_id=place_id, detail=detail))

    def _shift(self, route: Route) -> None:
        who = self._who
        if route.start_s < who.shift_from_s:
            detail = f"leaves at {route.start_s} s, the shift starts at {who.shift_from_s} s"
            self._break(Rule.SHIFT_START, None, detail)
        if route.end_s > who.latest_end_s:
            overtime = "" if who.overtime_until_s is None else ", overtime included"
            detail = f"is back at {route.end_s} s, the shift ends at {who.latest_end_s} s{overtime}"
            self._break(Rule.SHIFT_END, None, detail)

    # --- the clock ---

    def _drive(self, route: Route) -> None:
        at, clock_s = self._who.depot, route.start_s
        idle_from_s = route.start_s
        rests: list[tuple[int, int]] = []
        for visit in route.visits:
            place = self._place(visit)
            if visit.kind is not VisitKind.BREAK and place is None:
                self._break(Rule.KNOWN_PLACE, None, f"there is no {visit.kind} {visit.index}")
                continue
            name = None if place is None else place.name
            if visit.arrive_s < clock_s or visit.depart_s < visit.arrive_s:
                detail = f"arrives at {visit.arrive_s} s and leaves at {visit.depart_s} s after {clock_s} s"
                self._break(Rule.TIME_ORDER, name, detail)
            clock_s = visit.depart_s
            if place is None:
                rests.append((visit.arrive_s, visit.depart_s))
                continue
            self._leg(at, place.row, name, (idle_from_s, visit.arrive_s), rests)
            self._stay(visit, place)
            self._access(visit, place)
            at, idle_from_s, rests = place.row, visit.depart_s, []
        if route.end_s < clock_s:
            self._break(Rule.TIME_ORDER, None, f"is back at {route.end_s} s after leaving at {clock_s} s")
        self._leg(at, self._who.home, None, (idle_from_s, route.end_s), rests)

    def _place(self, visit: Visit) -> _Place | None:
        """Return a visit's place; None when there is none (a break, or nothing that the problem knows)."""
        problem, index = self._problem, visit.index
        if visit.kind is VisitKind.STOP and 0 <= index < len(problem.stop_ids):
            return _Place(
                row=int(problem.location[index]),
                name=problem.stop_ids[index],
                stay_s=int(problem.service_s[index]),
                windows=problem.windows[index],
            )
        if visit.kind is VisitKind.DISPOSAL and 0 <= index < len(problem.disposals):
            site = problem.disposals[index]
            return _Place(row=site.location, name=site.place_id, stay_s=site.unload_s, windows=site.windows)
        return None

    def _leg(
        self, origin: int, goal: int, name: str | None, span: tuple[int, int], rests: list[tuple[int, int]]
    ) -> None:
        """Drive a leg between two moments, in which the crew may also rest."""
        problem = self._problem
        travel = problem.travel(self.vehicle)
        base_s = int(travel.duration_s[origin, goal])
        self.distance_m += int(travel.distance_m[origin, goal])
        gone: Fraction | int = 0
        begin_s, end_s = span
        driving: list[tuple[int, int]] = []
        for rest_from_s, rest_until_s in rests:
            driving.append((begin_s, rest_from_s))
            begin_s = rest_until_s
        driving.append((begin_s, end_s))
        possible = sum(base_seconds_between(problem.traffic, a, b) for a, b in driving)
        if possible < base_s:
            taken_s = sum(max(0, b - a) for a, b in driving)
            slower = "" if problem.traffic is None else " without traffic"
            self._break(Rule.TRAVEL_TIME, name, f"drives there in {taken_s} s, it takes {base_s} s{slower}")
        for a, b in driving:
            # Whoever drives leaves at once; what is left of the leg's time is waiting.
            part = min(base_s - gone, base_seconds_between(problem.traffic, a, b))
            self.work_s += seconds_driven(problem.traffic, a, part)
            gone += part

    def _stay(self, visit: Visit, place: _Place) -> None:
        stop = visit.kind is VisitKind.STOP
        self.work_s += place.stay_s
        begins = [visit.arrive_s] if not place.windows else _beginnings(visit.arrive_s, place.windows)
        if not begins:
            told = ", ".join(f"{window.from_s}-{window.until_s} s" for window in place.windows)
            rule = Rule.WINDOW if stop else Rule.UNLOAD_WINDOW
            self._break(rule, place.name, f"arrives at {visit.arrive_s} s, may begin in {told}")
            begins = [visit.arrive_s]
        if visit.depart_s < begins[0] + place.stay_s:
            rule = Rule.SERVICE_TIME if stop else Rule.UNLOAD_TIME
            waits = "" if begins[0] == visit.arrive_s else f" after waiting until {begins[0]} s"
            detail = f"stays {visit.depart_s - visit.arrive_s} s, it takes {place.stay_s} s{waits}"
            self._break(rule, place.name, detail)

    def _access(self, visit: Visit, place: _Place) -> None:
        if visit.kind is not VisitKind.STOP:
            return
        problem, who, stop = self._problem, self._who, visit.index
        width_cm, people, kinds = int(problem.max_width_cm[stop]), int(problem.crew[stop]), problem.kinds[stop]
        if width_cm and who.width_cm > width_cm:
            detail = f"the vehicle is {who.width_cm} cm wide, the place takes {width_cm} cm"
            self._break(Rule.ACCESS_WIDTH, place.name, detail)
        if people > who.crew:
            self._break(Rule.ACCESS_CREW, place.name, f"the bin takes {people} people, the crew has {who.crew}")
        if kinds and who.kind not in kinds:
            detail = f"the vehicle is {who.kind or 'of no kind'}, the place takes {', '.join(sorted(kinds))}"
            self._break(Rule.ACCESS_KIND, place.name, detail)
        if problem.barred[stop, self.vehicle]:
            self._break(Rule.ACCESS_BARRED, place.name, "the vehicle may not come here")

    def _day(self) -> None:
        who = self._who
        if who.day_stops is not None and len(self.served) > who.day_stops:
            self._break(Rule.DAY_STOPS, None, f"serves {len(self.served)} bins, at most {who.day_stops}")
        if who.range_m is not None and self.distance_m > who.range_m:
            self._break(Rule.RANGE, None, f"drives {self.distance_m} m, gets {who.range_m} m far")

    # --- the crew ---

    def _rest(self, route: Route) -> None:
        """See that the crew rests once, whole, within its window: on the road, or at the depot before or after."""
        who = self._who
        before = route.start_s >= who.break_from_s + who.break_s
        after = route.end_s + who.break_s <= who.break_until_s
        if who.break_s == 0 or before or after:
            return
        breaks = [visit for visit in route.visits if visit.kind is VisitKind.BREAK]
        long_enough = [visit for visit in breaks if visit.depart_s - visit.arrive_s >= who.break_s]
        for visit in long_enough:
            begins_s = max(visit.arrive_s, who.break_from_s)
            if begins_s + who.break_s <= min(visit.depart_s, who.break_until_s):
                return
        window = f"{who.break_s} s between {who.break_from_s} s and {who.break_until_s} s"
        if long_enough:
            self._break(Rule.BREAK_WINDOW, None, f"rests at {long_enough[0].arrive_s} s, expected {window}")
        elif breaks:
            rested_s = max(visit.depart_s - visit.arrive_s for visit in breaks)
            self._break(Rule.BREAK_LENGTH, None, f"rests {rested_s} s, expected {window}")
        else:
            self._break(Rule.BREAK_TAKEN, None, f"takes no break, expected {window}")

    def _pay(self, route: Route) -> None:
        """Cost the route: the break that the crew has to take is its own time, longer rests are the town's."""
        who, prices = self._who, self._problem.prices_of(self.vehicle)
        rested_s = sum(v.depart_s - v.arrive_s for v in route.visits if v.kind is VisitKind.BREAK)
        self.paid_s = route.end_s - route.start_s - min(rested_s, who.break_s)
        self.overtime_s = max(0, route.end_s - max(route.start_s, who.shift_until_s))
        self.cost = (
            self.distance_m * prices.per_metre
            + self.paid_s * prices.per_second
            + self.overtime_s * prices.per_overtime_second
            + prices.per_vehicle
        )


def _beginnings(arrive_s: int, windows: tuple[Window, ...]) -> list[int]:
    """Return when service can begin for who arrives then, one moment for each window that is not past."""
    return [max(arrive_s, window.from_s) for window in windows if arrive_s <= window.until_s]
