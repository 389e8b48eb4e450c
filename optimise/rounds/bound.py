"""A lower bound on what any plan of a day costs: what a search cannot get below.

A q-route leaves a depot (or a disposal site), goes through stops and comes to one, with loads that add up to at most
the room of a vehicle; it may come to a stop again, which makes the cheapest ones easy to find by their loads. Let
w(i, q) be the cost of the cheapest q-route with load q through stop i. Each stop of a trip bears the part of its cost
that is the stop's part of its load, so serving stop i costs at least load(i) x min over q of w(i, q) / q; leaving it
costs its prize. A plan costs no less than the sum over stops of the smaller of the two. Prices on visits, improved by
subgradients, make coming to a stop again dear. Hours, shifts, breaks, access and unloading are not looked at: they only
cost more.

Source: Christofides, Mingozzi & Toth 1981, Exact algorithms for the vehicle routing problem, based on spanning tree and
shortest path relaxations, Mathematical Programming 20, 255-282; the step of Held, Wolfe & Crowder 1974, ibid. 6, 62-88.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.problem import Problem

type Floats = NDArray[np.float64]
type Whole = NDArray[np.int64]

_SUMS_A_SECOND = 1.5e8
_STEPS_AT_MOST = 150
_MOST_LOADS = 1000
_SLACK = 1e-6
_FIRST_STEP = 1.0
_PATIENCE = 5


def cost_bound(problem: Problem, *, best: int, seconds: float, of_distance: bool = False) -> int | None:
    """Return a cost (EURO) that no plan goes below, None where there is none to be had in about so many seconds.

    `of_distance`: of the metres driven alone, where all stops must be served. `best` is what a known plan costs, which
    sizes the steps. Their number follows from the problem's size and `seconds`, so the bound is the same each time.
    Stops without a demand have no part in a load: then there is none, nor where a demand exceeds every vehicle.
    """
    loads = _loads(problem)
    if loads is None or (of_distance and not problem.must.all()):
        return None
    demand, room = loads
    steps = int(seconds * _SUMS_A_SECOND / (len(demand) * room * (len(demand) + room / 4)))
    if not steps:
        return None
    serving = 0 if of_distance else _least(problem, "per_second") * int(problem.service_s[problem.must].sum())
    prize = np.where(problem.must, np.inf, problem.prize.astype(np.float64))
    routes = _Routes(_drives(problem, of_distance=of_distance), demand, room, prize)
    return math.ceil(_ascend(routes, float(best - serving), min(steps, _STEPS_AT_MOST)) - _SLACK) + serving


def _least(problem: Problem, price: str) -> int:
    """Return a price of the vehicle that pays least of it."""
    return min(int(getattr(problem.prices_of(vehicle), price)) for vehicle in range(len(problem.vehicles)))


def _drives(problem: Problem, *, of_distance: bool) -> Floats:
    """Return what drives cost at least, either way, (n + 1, n + 1): 0 is the nearest of depots and disposal sites.

    What the cheapest vehicle pays at the best hour; waiting, overtime and wishes cost no less than nothing.
    """
    per_metre, per_second = (1, 0) if of_distance else (_least(problem, "per_metre"), _least(problem, "per_second"))
    percent = 100 if problem.traffic is None else min(100, *problem.traffic.percent)
    travels = [problem.travel(vehicle) for vehicle in range(len(problem.vehicles))]
    different = {id(travel): travel for travel in travels}.values()
    cost = np.minimum.reduce(
        [
            travel.distance_m * float(per_metre) + travel.duration_s * (per_second * percent / 100)
            for travel in different
        ]
    )
    cost = np.minimum(cost, cost.T)
    ends = {who.depot for who in problem.vehicles} | {who.home for who in problem.vehicles}
    anchors = sorted(ends | {site.location for site in problem.disposals})
    rows = problem.location
    found = np.zeros((len(rows) + 1, len(rows) + 1))
    found[1:, 1:] = cost[np.ix_(rows, rows)]
    # Without a disposal site each trip is a vehicle's only one.
    sent_out = 0 if problem.disposals or of_distance else _least(problem, "per_vehicle")
    found[0, 1:] = found[1:, 0] = cost[np.ix_(anchors, rows)].min(axis=0) + sent_out / 2
    return found


def _loads(problem: Problem) -> tuple[Whole, int] | None:
    """Return demands and room in steps that are few enough, None when a demand is less than one or than all room.

    Rounded down, both: what fits still fits.
    """
    if not len(problem.stop_ids):
        return None
    room = max(who.capacity_l for who in problem.vehicles)
    scale = max(1, math.ceil(room / _MOST_LOADS))
    demand = problem.demand_l // scale
    return (demand, room // scale) if demand.min() > 0 and demand.max() <= room // scale else None


@dataclass(frozen=True, slots=True)
class _Routes:
    """Symmetric costs (n + 1, n + 1), the depot first; demands (n,) and room in whole steps; prizes (n,)."""

    drive: Floats
    demand: Whole
    room: int
    prize: Floats

    def priced(self, price: Floats) -> tuple[float, Floats]:
        """Return the bound under prices of visits, (n,), and how often more than once each stop is visited."""
        cost = self.drive.copy()
        cost[1:] += price[:, None] / 2
        cost[:, 1:] += price[None, :] / 2
        reach, before = self._reach(cost)
        per_load, whole, first = self._through(reach)
        served = self.demand * per_load - price
        left = served > self.prize
        visits = np.zeros(len(price))
        for stop in np.flatnonzero(~left).tolist():
            # The q-route of the smallest share: from the depot to the stop, and the same way for what is left.
            for load in (first[stop], whole[stop] - first[stop] + self.demand[stop]):
                at, rest = stop, int(load)
                while at >= 0:
                    if at != stop or rest != load:
                        visits[at] += self.demand[stop] / whole[stop]
                    at, rest = int(before[rest, at]), rest - int(self.demand[at])
            visits[stop] += self.demand[stop] / whole[stop]
        return float(np.where(left, self.prize, served).sum()), visits - ~left

    def _reach(self, cost: Floats) -> tuple[Floats, Whole]:
        """Return the cheapest way from the depot to each stop with each load, and who is before the stop on it.

        The load has the stop's own in it. Both (room + 1, n); -1: the depot. Nobody comes back to a stop at once.
        """
        count = len(self.demand)
        reach = np.full((self.room + 1, count), np.inf)
        before = np.full((self.room + 1, count), -1, dtype=np.int64)
        between = cost[1:, 1:].copy()
        np.fill_diagonal(between, np.inf)
        stops = np.arange(count)
        reach[self.demand, stops] = cost[0, 1:]
        for load in range(int(self.demand.min()) + 1, self.room + 1):
            later = np.flatnonzero(self.demand < load)
            through = reach[load - self.demand[later]] + between[later]
            best = through.argmin(axis=1)
            found = through[np.arange(len(later)), best]
            better = found < reach[load, later]
            reach[load, later[better]] = found[better]
            before[load, later[better]] = best[better]
        return reach, before

    def _through(self, reach: Floats) -> tuple[Floats, Whole, Whole]:
        """Return the least cost for a unit of load of a q-route through each stop, its load, and its first part's.

        A q-route through a stop is a way to it and another one back, each with a part of the load.
        """
        count = len(self.demand)
        per_load = np.full(count, np.inf)
        whole, first = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        for stop in range(count):
            own, to = int(self.demand[stop]), reach[:, stop]
            known = np.flatnonzero(np.isfinite(to))
            pairs = to[known][:, None] + to[known][None, :]
            loads = known[:, None] + known[None, :] - own
            rate = np.where(loads <= self.room, pairs / loads, np.inf)
            best = int(rate.argmin())
            row, column = divmod(best, len(known))
            per_load[stop] = rate[row, column]
            whole[stop], first[stop] = loads[row, column], known[row]
        return per_load, whole, first


def _ascend(routes: _Routes, best: float, steps: int) -> float:
    """Return the best bound that some steps find."""
    price = kept = np.zeros(len(routes.demand))
    highest, since, step = -math.inf, 0, _FIRST_STEP
    for _ in range(steps):
        bound, surplus = routes.priced(price)
        if bound > highest + _SLACK:
            highest, since, kept = bound, 0, price
        else:
            since += 1
            if since == _PATIENCE:
                step, since, price = step / 2, 0, kept
        square = float(surplus @ surplus)
        if square < _SLACK:
            break  # every stop is visited once: nothing is cheaper
        price = price + step * max(best - bound, 1.0) / square * surplus
    return highest
