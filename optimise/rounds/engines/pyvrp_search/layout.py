"""PyVRP's places: where they stand in its matrices, and how far they are apart as its model counts. Pure.

What the distances and times mean is told in `model.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyvrp

from optimise.rounds.engines.pyvrp_search.rest_time import RestClock, shared_window
from optimise.rounds.parts import Window
from optimise.rounds.problem import Integers, Problem

_DAYS_S = 100 * 24 * 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class DayScale:
    """How many metres stand for a litre of a day's cap; 0: distance is distance."""

    per_litre: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Layout:
    """PyVRP's places: starts, ends, disposal sites, then the clients. `rows`, `stops` (c,): each client's."""

    starts: list[int]
    ends: list[tuple[int, bool]]
    rows: Integers
    stops: Integers
    day: DayScale

    @property
    def first_disposal(self) -> int:
        """The number of the first disposal site."""
        return len(self.starts) + len(self.ends)


def day_scale(problem: Problem, stops: Sequence[int], vehicles: Sequence[int], money: int) -> tuple[DayScale, int]:
    """Return metres a litre where a day's cap can bind, and what a metre costs in the cost's unit."""
    prices = {problem.prices_of(v).per_metre // money for v in vehicles}
    caps = [problem.vehicles[v].day_l for v in vehicles]
    total_l = int(problem.demand_l[list(stops)].sum()) if stops else 0
    binding = [cap for cap in caps if cap is not None and cap < total_l]
    if not binding or len(prices) > 1 or len(binding) < len(caps):
        return DayScale(per_litre=0), 0
    # Longer than any route that pays: every bin of the day's fullest route at its farthest, and the way to unload.
    reach_m = int(problem.distance_m.max(initial=0))
    hours = [problem.vehicles[v].latest_end_s - problem.vehicles[v].shift_from_s for v in vehicles]
    pace = float((problem.distance_m / np.maximum(1, problem.duration_s)).max(initial=0))
    longest_m = min(reach_m * (2 * len(stops) + 2), math.ceil(pace * max(hours)) + 1)
    return DayScale(per_litre=longest_m + 1), prices.pop()


def home_costs(problem: Problem, vehicle: int) -> tuple[Integers, Integers, Integers]:
    """Return from every row the cheapest disposal site on the way home, its metres and its seconds, each (m,)."""
    travel, prices = problem.travel(vehicle), problem.prices_of(vehicle)
    home = problem.vehicles[vehicle].home
    sites = np.array([one.location for one in problem.disposals], dtype=np.int64)
    unload_s = np.array([one.unload_s for one in problem.disposals], dtype=np.int64)
    metres = travel.distance_m[:, sites] + travel.distance_m[sites, home][None, :]
    seconds = travel.duration_s[:, sites] + unload_s[None, :] + travel.duration_s[sites, home][None, :]
    cost = metres * prices.per_metre + seconds * max(prices.per_second, int(prices.per_metre == 0))
    best = cost.argmin(axis=1)
    every = np.arange(len(best))
    return best, metres[every, best], seconds[every, best]


def matrices(problem: Problem, vehicle: int, layout: Layout) -> tuple[Integers, Integers]:
    """Return distances and times of a vehicle between all places, each (places, places)."""
    travel = problem.travel(vehicle)
    sites = [one.location for one in problem.disposals]
    rows = np.array([*layout.starts, *(home for home, _ in layout.ends), *sites, *layout.rows.tolist()], dtype=np.int64)
    distance = travel.distance_m[np.ix_(rows, rows)].copy()
    duration = travel.duration_s[np.ix_(rows, rows)].copy()
    if problem.traffic is not None:
        duration = np.ceil(duration * _usual_percent(problem, vehicle) / 100).astype(np.int64)
    depots = layout.first_disposal + len(sites)
    for number, (home, empties) in enumerate(layout.ends):
        if empties and home == problem.vehicles[vehicle].home:
            column = len(layout.starts) + number
            _, metres, seconds = home_costs(problem, vehicle)
            distance[depots:, column] = metres[layout.rows]
            duration[depots:, column] = seconds[layout.rows]
    if layout.day.per_litre:
        distance[:, depots:] += layout.day.per_litre * problem.demand_l[layout.stops][None, :]
    barred = np.flatnonzero(~problem.allowed[layout.stops, vehicle]) + depots
    if len(barred):
        far = int(distance.max(initial=1)) * (len(layout.rows) + 2) + 1
        distance[:, barred] = far
        duration[:, barred] = _DAYS_S
    np.fill_diagonal(distance, 0)
    np.fill_diagonal(duration, 0)
    return distance, duration


def _usual_percent(problem: Problem, vehicle: int) -> float:
    """Return the mean percent of a vehicle's shift: what traffic comes to, without the hour."""
    traffic, who = problem.traffic, problem.vehicles[vehicle]
    if traffic is None:
        return 100.0
    cuts = [who.shift_from_s, *(s for s in traffic.from_s if who.shift_from_s < s < who.shift_until_s)]
    ends = [*cuts[1:], who.shift_until_s]
    total = 0.0
    for begin, end in zip(cuts, ends, strict=True):
        passed = [percent for at, percent in zip(traffic.from_s, traffic.percent, strict=True) if at <= begin]
        total += (end - begin) * (passed[-1] if passed else 100)
    return total / max(1, who.shift_until_s - who.shift_from_s)


def depots_of(
    problem: Problem, clocks: Sequence[RestClock], starts: Sequence[int], ends: Sequence[tuple[int, bool]]
) -> list[pyvrp.Depot]:
    """Return starts, ends and disposal sites as PyVRP has them: all are depots, the last to reload at."""
    depots = [pyvrp.Depot(location=number) for number in range(len(starts) + len(ends))]
    for site in problem.disposals:
        early, late = 0, int(np.iinfo(np.int64).max)
        if site.windows:
            # A site that opens several times counts as open from first to last; the timing sees to the rest.
            hull = Window(from_s=site.windows[0].from_s, until_s=site.windows[-1].until_s)
            shared = shared_window(clocks, hull, stay_s=site.unload_s) or hull
            early, late = max(0, shared.from_s), max(0, shared.until_s)
        depots.append(pyvrp.Depot(location=len(depots), tw_early=early, tw_late=late, service_duration=site.unload_s))
    return depots
