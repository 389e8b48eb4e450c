"""The problem as trips: each vehicle has a few slots, each a trip from where it is to a disposal site.

Indices 0..n-1 are the bins worth considering, n..n+s-1 the slots' anchors: as the start of an arc an anchor is where
the trip begins (the depot, or the disposal site where the trip before it ended), as its end it is the disposal site
with the unloading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.problem import DayVehicle, Integers, Problem

_SLOTS_AT_MOST = 8

MUST_PRIZE = 10**12
"""What a `must` bin is worth to a search: more than any day of work."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TripModel:
    """Arrays of the searches: n bins and s slots.

    `stops` (n,): the bins' indices in the problem. `cost`, `time_s` (n+s, n+s): from row to column, service included
    where it is left. `slot_opening`, `slot_opening_s`: what using a slot adds besides its arcs.
    """

    stops: Integers
    cost: NDArray[np.float64]
    time_s: Integers
    prize: NDArray[np.float64]
    demand_l: Integers
    slot_vehicle: tuple[int, ...]
    slot_capacity_l: Integers
    slot_opening: tuple[float, ...]
    slot_opening_s: tuple[int, ...]
    vehicle_slots: tuple[tuple[int, ...], ...]
    vehicle_budget_s: Integers

    @property
    def stop_count(self) -> int:
        """The number n of bins."""
        return len(self.stops)


def work_budget_s(vehicle: DayVehicle, *, longest_stay_s: int) -> int:
    """Return how long a vehicle may be at work between leaving and coming back.

    That is its shift less its break, unless the break's window lies outside the shift. Bins have no time windows, so
    a route of this length can always be scheduled: the break interrupts it at the first moment that its window
    allows. Only a window that opens and closes within one stay can make a crew wait, for no longer than that stay.
    """
    shift_s = vehicle.shift_until_s - vehicle.shift_from_s
    latest_s = vehicle.break_until_s - vehicle.break_s
    if vehicle.break_from_s + vehicle.break_s <= vehicle.shift_from_s or latest_s >= vehicle.shift_until_s:
        return shift_s
    wait_s = longest_stay_s if latest_s - vehicle.break_from_s < longest_stay_s else 0
    return max(0, shift_s - vehicle.break_s - wait_s)


def worth_considering(problem: Problem) -> Integers:
    """Return the bins whose prize is above the cost of their service alone; the others cannot pay any detour."""
    service_cost = problem.service_s * problem.prices.per_second
    return np.flatnonzero(problem.must | (problem.prize > service_cost)).astype(np.int64)


def slots_needed(problem: Problem, stops: Integers) -> int:
    """Return how many trips a day one vehicle can use: no more than it has time for, no more than there are loads."""
    if not len(stops):
        return 1
    rows = problem.location[stops]
    hops = problem.duration_s[np.ix_(rows, rows)] + np.diag(np.full(len(rows), np.iinfo(np.int32).max))
    stop_s = float(np.median(hops.min(axis=1) if len(rows) > 1 else 0)) + float(problem.service_s[stops].mean())
    demand_l = max(1.0, float(problem.demand_l[stops].mean()))
    unload_s = min(site.unload_s for site in problem.disposals)
    shift_s = max(who.shift_until_s - who.shift_from_s for who in problem.vehicles)
    capacity_l = min(who.capacity_l for who in problem.vehicles)
    by_time = shift_s / max(60.0, unload_s + capacity_l / demand_l * stop_s)
    by_load = float(problem.demand_l[stops].sum()) / capacity_l
    return max(1, min(_SLOTS_AT_MOST, math.ceil(min(by_time, by_load)) + 1))


def trip_model(problem: Problem, *, slots_per_vehicle: int) -> TripModel:
    """Return the problem as trips: each ends at the site nearest to its last stop, the next begins at the main site."""
    stops = worth_considering(problem)
    rows = problem.location[stops]
    slot_vehicle = tuple(v for v in range(len(problem.vehicles)) for _ in range(slots_per_vehicle))
    count, slots = len(stops), len(slot_vehicle)
    main = _main_disposal(problem, rows)
    site = problem.disposals[main]

    time_s = np.zeros((count + slots, count + slots), dtype=np.int64)
    distance_m = np.zeros_like(time_s)
    service = problem.service_s[stops]
    time_s[:count, :count] = problem.duration_s[np.ix_(rows, rows)] + service[:, None]
    distance_m[:count, :count] = problem.distance_m[np.ix_(rows, rows)]
    sites = np.array([d.location for d in problem.disposals])
    unload = np.array([d.unload_s for d in problem.disposals])
    to_site_s = problem.duration_s[np.ix_(rows, sites)] + service[:, None] + unload[None, :]
    to_site_m = problem.distance_m[np.ix_(rows, sites)]
    nearest = (to_site_m * problem.prices.per_metre + to_site_s * problem.prices.per_second).argmin(axis=1)
    every = np.arange(count)
    for slot, vehicle in enumerate(slot_vehicle):
        first = slot % slots_per_vehicle == 0
        begin = problem.vehicles[vehicle].depot if first else site.location
        time_s[count + slot, :count] = problem.duration_s[begin, rows]
        distance_m[count + slot, :count] = problem.distance_m[begin, rows]
        time_s[:count, count + slot] = to_site_s[every, nearest]
        distance_m[:count, count + slot] = to_site_m[every, nearest]
    cost = (distance_m * problem.prices.per_metre + time_s * problem.prices.per_second).astype(np.float64)

    opening, opening_s = [], []
    for slot, vehicle in enumerate(slot_vehicle):
        first = slot % slots_per_vehicle == 0
        home_s = int(problem.duration_s[site.location, problem.vehicles[vehicle].depot]) if first else 0
        home_m = int(problem.distance_m[site.location, problem.vehicles[vehicle].depot]) if first else 0
        opening_s.append(home_s)
        opening.append(float(problem.drive_cost(home_m, home_s) + (problem.prices.per_vehicle if first else 0)))
    longest = int(max([*service.tolist(), *unload.tolist()]))
    return TripModel(
        stops=stops,
        cost=cost,
        time_s=time_s,
        prize=np.where(problem.must[stops], MUST_PRIZE, problem.prize[stops]).astype(np.float64),
        demand_l=problem.demand_l[stops],
        slot_vehicle=slot_vehicle,
        slot_capacity_l=np.array([problem.vehicles[v].capacity_l for v in slot_vehicle], dtype=np.int64),
        slot_opening=tuple(opening),
        slot_opening_s=tuple(opening_s),
        vehicle_slots=tuple(
            tuple(range(v * slots_per_vehicle, (v + 1) * slots_per_vehicle)) for v in range(len(problem.vehicles))
        ),
        vehicle_budget_s=np.array([work_budget_s(v, longest_stay_s=longest) for v in problem.vehicles], dtype=np.int64),
    )


def _main_disposal(problem: Problem, rows: Integers) -> int:
    """Return the disposal site that is nearest, out and back, to the bins as a whole."""
    if not len(rows):
        return 0
    reach = [
        float(problem.duration_s[rows, d.location].sum() + problem.duration_s[d.location, rows].sum())
        for d in problem.disposals
    ]
    return int(np.argmin(reach))
