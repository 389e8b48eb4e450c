"""The problem as PyVRP can express it, exactly where it can, and the way back.

- Litres and kilograms are two load dimensions; each trip ends at a disposal site, which is a depot to reload at.
- A vehicle that comes home empty ends at a place of its own: its distance from a bin is the way over the disposal site
  that is cheapest from there, unloading included. So the last unloading costs no decision.
- Breaks: working time (`rest_time`). Several windows: a bin is a group of alike clients of which one is served.
- A day's cap in litres is no dimension that PyVRP has, since loads end with a trip. But distance lasts all day: each
  arc also counts its bin's litres times a number M that no route's metres reach, and M x cap + M - 1 is the longest
  that a route may be. With M x litres added to each prize, the cost only shifts by a constant.
- Access: a profile of its own for each set of bins that some vehicle may not serve, with arcs that nobody would pay.

What this leaves out (traffic by time of day, wishes, a day's cap in bins, a second use of distance, several clocks) the
finishing under the full rules has to see to; the checker judges what comes out of that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyvrp

from optimise.rounds.engines.pyvrp_search.layout import DayScale, Layout, day_scale, depots_of, home_costs, matrices
from optimise.rounds.engines.pyvrp_search.orders import Order
from optimise.rounds.engines.pyvrp_search.rest_time import clock_of, rest_clocks, shared_window
from optimise.rounds.engines.pyvrp_search.search import Penalties
from optimise.rounds.engines.schedule import Step
from optimise.rounds.parts import DayVehicle, Prices, Window
from optimise.rounds.problem import Problem
from optimise.rounds.solution import VisitKind

_NEAR = 10
_STRICT = 6.0
_FOREVER = 10**12
_ALL_DAY = Window(from_s=-_FOREVER, until_s=_FOREVER)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PyvrpModel:
    """PyVRP's data and what its numbers mean.

    `client_stop`: the bin of each client. `type_vehicles`: the vehicles of each type. `first_disposal`: which depot is
    the first disposal site. `money`: the millionths of a euro that PyVRP counts as one. `shift`: what every cost counts
    too much, in PyVRP's numbers.
    """

    problem: Problem
    data: pyvrp.ProblemData
    client_stop: tuple[int, ...]
    type_vehicles: tuple[tuple[int, ...], ...]
    first_disposal: int
    money: int
    shift: int
    penalties: Penalties

    @property
    def vehicles_count_first(self) -> bool:
        """Whether one vehicle fewer is worth more than any detour, and there are more than it can take."""
        kinds = self.data.vehicle_types()
        arc = max(
            int(self.data.distance_matrix(0)[:, : self.first_disposal].max(initial=0)) * kind.unit_distance_cost
            for kind in kinds
        )
        return all(kind.fixed_cost > arc for kind in kinds)

    def problem_cost(self, cost: int) -> int:
        """Return a cost in PyVRP's numbers in the problem's, of the bins that the model has."""
        return (cost - self.shift) * self.money

    def orders(self, routes: Iterable[Order]) -> list[tuple[int, list[Step]]]:
        """Return the order of visits of each route, on vehicles of its type."""
        free = [list(vehicles) for vehicles in self.type_vehicles]
        return [(free[kind].pop(0), self.steps(kind, visits)) for kind, visits in routes]

    def numbered(self, orders: Iterable[tuple[int, Sequence[Step]]]) -> list[Order]:
        """Return orders of visits in PyVRP's numbers: what `orders` undoes. Bins that the model lacks are left out."""
        kind_of = {vehicle: kind for kind, vehicles in enumerate(self.type_vehicles) for vehicle in vehicles}
        client_of = {stop: client for client, stop in reversed(list(enumerate(self.client_stop)))}
        found = []
        for vehicle, steps in orders:
            visits: list[int] = []
            for what, index in steps:
                if what is VisitKind.DISPOSAL:
                    if visits and visits[-1] >= 0:
                        visits.append(-1 - index)
                elif index in client_of:
                    visits.append(client_of[index])
            if visits and visits[-1] < 0:
                # The last unloading belongs to the way home.
                visits.pop()
            if visits:
                found.append((kind_of[vehicle], tuple(visits)))
        return found

    def steps(self, kind: int, visits: Sequence[int]) -> list[Step]:
        """Return the visits of a route of some type, with the last unloading."""
        vehicle = self.type_vehicles[kind][0]
        steps: list[Step] = []
        for visit in visits:
            if visit >= 0:
                steps.append((VisitKind.STOP, self.client_stop[visit]))
            elif steps and steps[-1][0] is VisitKind.STOP:
                steps.append((VisitKind.DISPOSAL, -1 - visit))
        if self.problem.unloads_before_home(vehicle):
            if steps and steps[-1][0] is VisitKind.STOP:
                row = int(self.problem.location[steps[-1][1]])
                site = int(home_costs(self.problem, vehicle)[0][row])
                steps.append((VisitKind.DISPOSAL, site))
        elif steps and steps[-1][0] is VisitKind.DISPOSAL:
            steps.pop()
        return steps


def build(problem: Problem, *, stops: Sequence[int], must_as_prize: bool, free_vehicles: bool = False) -> PyvrpModel:
    """Return the model of the given bins.

    `must_as_prize`: bins that must be served are worth a prize that outbids all, so that a fleet that is too small
    serves what it can; otherwise a solution without them is none. `free_vehicles`: sending one out costs nothing,
    since whoever searches decides how many there are.
    """
    kinds = _kinds(problem, stops)
    vehicles = [kind.vehicles[0] for kind in kinds]
    clocks = rest_clocks(problem.vehicles[v] for v in vehicles)
    money = math.gcd(*(
        value
        for v in vehicles
        for value in (problem.prices_of(v).per_metre, problem.prices_of(v).per_second)
    )) or 1  # fmt: skip
    clients: list[pyvrp.Client] = []
    groups: list[pyvrp.ClientGroup] = []
    client_stop: list[int] = []
    day, most_m = day_scale(problem, stops, vehicles, money)
    must_prize = _must_prize(problem, stops, vehicles, money, free_vehicles=free_vehicles)
    weighed = any(problem.vehicles[v].capacity_kg is not None for v in vehicles)
    starts = sorted({problem.vehicles[v].depot for v in vehicles})
    ends = sorted({_end_key(problem, v) for v in vehicles})
    first_disposal = len(starts) + len(ends)
    depots = first_disposal + len(problem.disposals)
    for stop in stops:
        windows = [
            found
            for window in problem.windows[stop] or (_ALL_DAY,)
            if (found := shared_window(clocks, window, stay_s=int(problem.service_s[stop]))) is not None
            and found.until_s >= int(problem.release_s[stop])
        ]
        required = bool(problem.must[stop]) and not must_as_prize
        prize = must_prize if problem.must[stop] else int(problem.prize[stop]) // money
        prize += 0 if required else day.per_litre * int(problem.demand_l[stop]) * most_m
        group = len(groups) if len(windows) > 1 else None
        for window in windows:
            load = [int(problem.demand_l[stop])] + ([int(problem.demand_kg[stop])] if weighed else [])
            early, late = max(0, window.from_s), max(0, window.until_s)
            clients.append(
                pyvrp.Client(
                    location=depots + len(clients),
                    delivery=load,
                    service_duration=int(problem.service_s[stop]),
                    tw_early=early,
                    tw_late=late if late < _FOREVER // 2 else np.iinfo(np.int64).max,
                    release_time=max(0, int(problem.release_s[stop])),
                    prize=prize,
                    required=required and group is None,
                    group=group,
                )
            )
            client_stop.append(stop)
        if group is not None:
            members = list(range(len(clients) - len(windows), len(clients)))
            groups.append(pyvrp.ClientGroup(members, required=required))
    rows = problem.location[np.array(client_stop, dtype=np.int64)] if client_stop else np.zeros(0, dtype=np.int64)
    layout = Layout(starts=starts, ends=ends, rows=rows, stops=np.array(client_stop, dtype=np.int64), day=day)
    profiles: dict[tuple[object, ...], int] = {}
    # PyVRP types its arrays more narrowly than numpy does.
    distances: list[Any] = []
    durations: list[Any] = []
    types: list[pyvrp.VehicleType] = []
    for kind in kinds:
        vehicle = kind.vehicles[0]
        key = (problem.vehicles[vehicle].profile, kind.access, _prices_key(problem.prices_of(vehicle)))
        if key not in profiles:
            profiles[key] = len(distances)
            distance, duration = matrices(problem, vehicle, layout)
            distances.append(distance)
            durations.append(duration)
        types.append(
            _vehicle_type(
                problem,
                kind,
                layout,
                profile=profiles[key],
                money=money,
                weighed=weighed,
                fixed=0 if free_vehicles else problem.prices_of(vehicle).per_vehicle // money,
            )
        )
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in range(depots + len(clients))],
        clients=clients,
        depots=depots_of(problem, clocks, starts, ends),
        vehicle_types=types,
        distance_matrices=distances,
        duration_matrices=durations,
        groups=groups,
    )
    return PyvrpModel(
        problem=problem,
        data=data,
        client_stop=tuple(client_stop),
        type_vehicles=tuple(kind.vehicles for kind in kinds),
        first_disposal=first_disposal,
        money=money,
        shift=day.per_litre * most_m * int(problem.demand_l[list(stops)].sum()) if stops else 0,
        penalties=_penalties(problem, stops, vehicles, day=day, money=money, weighed=weighed),
    )


# --- vehicles ---


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    """Vehicles that differ in their names alone. `access`: the bins that they may not serve, as bytes."""

    vehicles: tuple[int, ...]
    access: bytes


def _kinds(problem: Problem, stops: Sequence[int]) -> list[_Kind]:
    chosen = np.array(stops, dtype=np.int64)
    found: dict[tuple[DayVehicle, bytes], list[int]] = {}
    for vehicle, who in enumerate(problem.vehicles):
        access = problem.allowed[chosen, vehicle].tobytes()
        # What only the name, the width and such tell apart is in `access` already.
        alike = replace(who, vehicle_id="", width_cm=0, kind="", crew=1, sectors=frozenset())
        found.setdefault((alike, access), []).append(vehicle)
    return [_Kind(vehicles=tuple(vehicles), access=access) for (_, access), vehicles in found.items()]


def _prices_key(prices: Prices) -> tuple[int, int]:
    return prices.per_metre, prices.per_second


def _end_key(problem: Problem, vehicle: int) -> tuple[int, bool]:
    return problem.vehicles[vehicle].home, problem.unloads_before_home(vehicle)


def _vehicle_type(
    problem: Problem, kind: _Kind, layout: Layout, *, profile: int, money: int, weighed: bool, fixed: int
) -> pyvrp.VehicleType:
    vehicle = kind.vehicles[0]
    who, prices = problem.vehicles[vehicle], problem.prices_of(vehicle)
    rest_s = clock_of(who).break_s
    reloads = range(layout.first_disposal, layout.first_disposal + len(problem.disposals))
    empties = problem.unloads_before_home(vehicle)
    unloadings = who.unloadings_at_most
    longest = np.iinfo(np.int64).max
    if layout.day.per_litre and who.day_l is not None:
        longest = layout.day.per_litre * (who.day_l + 1) - 1
    elif who.range_m is not None:
        longest = who.range_m
    shift_s = max(1, who.shift_until_s - who.shift_from_s - rest_s)
    capacity = [who.capacity_l]
    if weighed:
        capacity.append(who.capacity_kg if who.capacity_kg is not None else int(problem.demand_kg.sum()) + 1)
    return pyvrp.VehicleType(
        num_available=len(kind.vehicles),
        capacity=capacity,
        start_depot=layout.starts.index(who.depot),
        end_depot=len(layout.starts) + layout.ends.index(_end_key(problem, vehicle)),
        fixed_cost=fixed,
        tw_early=max(0, who.shift_from_s),
        tw_late=max(0, who.latest_end_s - rest_s),
        shift_duration=shift_s,
        max_distance=longest,
        unit_distance_cost=prices.per_metre // money,
        unit_duration_cost=prices.per_second // money,
        profile=profile,
        reload_depots=list(reloads) if unloadings != 0 else [],
        max_reloads=len(layout.rows) if unloadings is None else max(0, unloadings - int(empties)),
        max_overtime=who.latest_end_s - who.shift_until_s,
        unit_overtime_cost=prices.per_overtime_second // money,
    )


def _penalties(
    problem: Problem, stops: Sequence[int], vehicles: Sequence[int], *, day: DayScale, money: int, weighed: bool
) -> Penalties:
    """Return penalties by which one arc too late or too far costs about one arc, and a mean bin too much several."""
    chosen = np.array(stops, dtype=np.int64)
    rows = problem.location[chosen]
    prices = problem.prices_of(vehicles[0])
    metres = problem.distance_m[np.ix_(rows, rows)].astype(np.float64)
    seconds = problem.duration_s[np.ix_(rows, rows)].astype(np.float64)
    near = min(_NEAR, max(0, len(rows) - 1))
    arc_m = float(np.median(np.partition(metres, near, axis=1)[:, : near + 1].mean(axis=1))) if len(rows) else 0.0
    arc_s = float(np.median(np.partition(seconds, near, axis=1)[:, : near + 1].mean(axis=1))) if len(rows) else 0.0
    arc = max(1.0, (arc_m * prices.per_metre + arc_s * prices.per_second) / money)
    litres = float(problem.demand_l[chosen].mean()) if len(chosen) else 1.0
    kilograms = float(problem.demand_kg[chosen].mean()) if len(chosen) else 1.0
    # A load is seldom too large by a whole bin.
    load = (_STRICT * arc / max(1.0, litres), *([_STRICT * arc / max(1.0, kilograms)] if weighed else []))
    far = day.per_litre * max(1.0, litres) / _STRICT if day.per_litre else max(1.0, arc_m)
    return Penalties(load=load, time=arc / max(1.0, arc_s), distance=arc / far)


def _must_prize(
    problem: Problem, stops: Sequence[int], vehicles: Sequence[int], money: int, *, free_vehicles: bool
) -> int:
    """Return a prize that no detour for one bin is worth leaving, be it with a vehicle of its own."""
    most = 0
    for vehicle in vehicles:
        prices, travel = problem.prices_of(vehicle), problem.travel(vehicle)
        arc = int(travel.distance_m.max(initial=0)) * prices.per_metre
        arc += int(travel.duration_s.max(initial=0)) * (prices.per_second + prices.per_overtime_second)
        stay = int(problem.service_s.max(initial=0)) * prices.per_second
        most = max(most, 2 * arc + stay + (0 if free_vehicles else prices.per_vehicle))
    others = int(problem.prize[list(stops)].max(initial=0)) if stops else 0
    return 2 * (most + others) // money + 1
