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

from optimise.rounds.parts import DayVehicle, Window
from optimise.rounds.problem import Flags, Integers, Problem

_SLOTS_AT_MOST = 8
_BOUND_SHARE = 0.3

MUST_PRIZE = 10**12
"""What a `must` bin is worth to a search: more than any day of work."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TripModel:
    """Arrays of the searches: n bins and s slots.

    `stops` (n,): the bins' indices in the problem. `cost`, `time_s` (n+s, n+s): from row to column, service included
    where it is left. `slot_opening`, `slot_opening_s`: what using a slot adds besides its arcs. `barred` (n, s): bins
    that the slot's vehicle may not serve. Windows and releases are not known here, nor are vehicles' own prices and
    matrices: whoever starts from these trips looks after them.
    """

    stops: Integers
    cost: NDArray[np.float64]
    time_s: Integers
    prize: NDArray[np.float64]
    demand_l: Integers
    demand_kg: Integers
    barred: Flags
    slot_vehicle: tuple[int, ...]
    slot_capacity_l: Integers
    slot_capacity_kg: Integers
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
    """Return the bins that somebody may serve and whose prize is above the cost of their service alone.

    The others cannot pay any detour, or no vehicle may come to them in time.
    """
    per_second = min(problem.prices_of(vehicle).per_second for vehicle in range(len(problem.vehicles)))
    worth = problem.must | (problem.prize > problem.service_s * per_second)
    begin_s = min(who.shift_from_s for who in problem.vehicles)
    end_s = max(who.latest_end_s for who in problem.vehicles)
    possible = problem.allowed.any(axis=1) & (problem.release_s <= end_s)
    for stop, windows in enumerate(problem.windows):
        possible[stop] &= within(windows, begin_s, end_s)
    return np.flatnonzero(worth & possible).astype(np.int64)


def trips_will_do(problem: Problem, stops: Integers) -> bool:
    """Return whether trips that know no windows, releases or matrices of vehicles are a start worth having."""
    if (problem.release_s[stops] > 0).any() or len({who.profile for who in problem.vehicles}) > 1:
        return False
    bound = sum(1 for stop in stops.tolist() if problem.windows[stop])
    return bound <= _BOUND_SHARE * len(stops)


def within(windows: tuple[Window, ...], begin_s: int, end_s: int) -> bool:
    """Return whether something with these windows can begin between two moments."""
    return not windows or any(window.until_s >= begin_s and window.from_s <= end_s for window in windows)


def slots_needed(problem: Problem, stops: Integers) -> int:
    """Return how many trips a day one vehicle can use: no more than it has time for, no more than there are loads."""
    if not len(stops) or not problem.disposals:
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
    """Return the problem as trips: each ends at the site nearest to its last stop, the next begins at the main site.

    Without disposal sites a vehicle has one trip, which ends at home.
    """
    stops = worth_considering(problem)
    rows = problem.location[stops]
    count, every = len(stops), np.arange(len(stops))
    slot_vehicle = tuple(v for v in range(len(problem.vehicles)) for _ in range(slots_per_vehicle))
    slots = len(slot_vehicle)
    time_s = np.zeros((count + slots, count + slots), dtype=np.int64)
    distance_m = np.zeros_like(time_s)
    service = problem.service_s[stops]
    time_s[:count, :count] = problem.duration_s[np.ix_(rows, rows)] + service[:, None]
    distance_m[:count, :count] = problem.distance_m[np.ix_(rows, rows)]
    sites = _sites(problem, rows)
    opening, opening_s = [], []
    for slot, vehicle in enumerate(slot_vehicle):
        who, first = problem.vehicles[vehicle], slot % slots_per_vehicle == 0
        begin = who.depot if first or sites.main is None else sites.main
        time_s[count + slot, :count] = problem.duration_s[begin, rows]
        distance_m[count + slot, :count] = problem.distance_m[begin, rows]
        if sites.main is None:
            time_s[:count, count + slot] = problem.duration_s[rows, who.home] + service
            distance_m[:count, count + slot] = problem.distance_m[rows, who.home]
        else:
            time_s[:count, count + slot] = sites.to_s[every, sites.nearest] + service
            distance_m[:count, count + slot] = sites.to_m[every, sites.nearest]
        home_s = int(problem.duration_s[sites.main, who.home]) if first and sites.main is not None else 0
        home_m = int(problem.distance_m[sites.main, who.home]) if first and sites.main is not None else 0
        opening_s.append(home_s)
        fixed = problem.prices_of(vehicle).per_vehicle if first else 0
        opening.append(float(problem.drive_cost(home_m, home_s) + fixed))
    cost = (distance_m * problem.prices.per_metre + time_s * problem.prices.per_second).astype(np.float64)
    longest_s = int(max([0, *service.tolist(), *(site.unload_s for site in problem.disposals)]))
    all_kg = int(problem.demand_kg.sum())
    kilograms = [all_kg if who.capacity_kg is None else who.capacity_kg for who in problem.vehicles]
    return TripModel(
        stops=stops,
        cost=cost,
        time_s=time_s,
        prize=np.where(problem.must[stops], MUST_PRIZE, problem.prize[stops]).astype(np.float64),
        demand_l=problem.demand_l[stops],
        demand_kg=problem.demand_kg[stops],
        barred=~problem.allowed[np.ix_(stops, slot_vehicle)],
        slot_vehicle=slot_vehicle,
        slot_capacity_l=np.array([problem.vehicles[v].capacity_l for v in slot_vehicle], dtype=np.int64),
        slot_capacity_kg=np.array([kilograms[v] for v in slot_vehicle], dtype=np.int64),
        slot_opening=tuple(opening),
        slot_opening_s=tuple(opening_s),
        vehicle_slots=tuple(
            tuple(range(v * slots_per_vehicle, (v + 1) * slots_per_vehicle)) for v in range(len(problem.vehicles))
        ),
        vehicle_budget_s=np.array(
            [work_budget_s(v, longest_stay_s=longest_s) for v in problem.vehicles], dtype=np.int64
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Sites:
    """The row of the main disposal site (None without one); from n bins to m sites, unloading included, (n, m)."""

    main: int | None
    nearest: Integers
    to_s: Integers
    to_m: Integers


def _sites(problem: Problem, rows: Integers) -> _Sites:
    if not problem.disposals:
        nothing = np.zeros((len(rows), 0), dtype=np.int64)
        return _Sites(main=None, nearest=np.zeros(0, dtype=np.int64), to_s=nothing, to_m=nothing)
    sites = np.array([site.location for site in problem.disposals])
    unload_s = np.array([site.unload_s for site in problem.disposals])
    to_s = problem.duration_s[np.ix_(rows, sites)] + unload_s[None, :]
    to_m = problem.distance_m[np.ix_(rows, sites)]
    nearest = (to_m * problem.prices.per_metre + to_s * problem.prices.per_second).argmin(axis=1)
    return _Sites(main=int(sites[_main_disposal(problem, rows)]), nearest=nearest, to_s=to_s, to_m=to_m)


def _main_disposal(problem: Problem, rows: Integers) -> int:
    """Return the disposal site that is nearest, out and back, to the bins as a whole."""
    if not len(rows):
        return 0
    reach = [
        float(problem.duration_s[rows, d.location].sum() + problem.duration_s[d.location, rows].sum())
        for d in problem.disposals
    ]
    return int(np.argmin(reach))
