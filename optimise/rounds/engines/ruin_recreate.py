"""A good first solution in seconds: remove strings of neighbouring stops, put them back where they cost least, repeat.

Slack induction by string removals (Christiaens & Vanden Berghe, 2020, Transportation Science 54(2), 417-433,
doi:10.1287/trsc.2019.0914), for optional stops: a stop goes back only where it costs less than its prize. The cost of
all insertions of a stop is one vector operation. Streets with one-ways make reversed segments worthless, and with
them most moves of a classical local search; this search reverses nothing.

Trips are the unit here: a vehicle has a few slots, each a trip that ends at a disposal site. A slot has one index
("anchor") that is both where its trip begins and where it ends, so a trip is a ring: anchor, stops, anchor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.engines.trips import TripModel
from optimise.rounds.problem import Integers

type _Floats = NDArray[np.float64]
type _State = tuple[Integers, list[int], Integers, _Floats, _Floats, list[int], list[int], float, Integers]

_FAR = 1e15
_REMOVED_ON_AVERAGE = 10  # the paper's c-bar
_LONGEST_STRING = 10  # the paper's L-max
_BLINK = 0.01  # the paper's beta: the share of insertions that are overlooked, which is what diversifies
_NEIGHBOURS = 120
_REVIVED = 5  # stops left out that get a new chance in each round
# Nobody starts a trip for one bin: in some rounds the first bin of a trip is asked for a share of what opening it
# costs.
_OPENING_SHARE = 0.1
_OPENING_ROUNDS = 0.1
_WHOLE_TRIP_ROUNDS = 0.02  # and in some a whole trip is ruined, so that doing without it can pay


@dataclass(frozen=True, kw_only=True, slots=True)
class Cooling:
    """Accept a worse solution by up to about `hot` times the mean arc at first, `cold` at the end."""

    hot: float = 0.4
    cold: float = 0.004


class RuinAndRecreate:
    """One search over one `TripModel`, deterministic for a seed and a number of iterations."""

    def __init__(
        self,
        model: TripModel,
        *,
        seed: int,
        cooling: Cooling | None = None,
        closed: frozenset[int] = frozenset(),
    ) -> None:
        self._model = model
        self._rng = np.random.default_rng(seed)
        self._cooling = cooling or Cooling()
        self._stops = model.stop_count
        size = self._stops + len(model.slot_vehicle)
        self._size = size
        # Row j: from every index to stop j, and from stop j to every index. Contiguous, since a row is read per
        # insertion.
        self._into = np.ascontiguousarray(model.cost[:, : self._stops].T)
        self._out = np.ascontiguousarray(model.cost[: self._stops])
        near = np.minimum(model.cost[: self._stops, : self._stops], model.cost[: self._stops, : self._stops].T)
        self._neighbours = np.argsort(near, axis=1, kind="stable")[:, :_NEIGHBOURS].tolist()
        self._prize = model.prize.tolist()
        self._demand = model.demand_l.tolist()
        self._blinks = np.where(self._rng.random(size * 257) < _BLINK, _FAR, 0.0)
        # The rings: successor, predecessor, cost of the arc that leaves, slot (-1: left out).
        self._next = np.arange(size)
        self._previous = list(range(size))
        self._slot = np.full(size, -1)
        self._slot[self._stops :] = np.arange(len(model.slot_vehicle))
        self._edge = np.full(size, -_FAR)
        self._room = model.slot_capacity_l.astype(np.float64)
        # A closed vehicle stays at the depot: nothing fits into it.
        self._weighs = bool(model.demand_kg.any())
        self._room_kg = model.slot_capacity_kg.copy()
        self._kilograms = model.demand_kg.tolist()
        self._barred = [np.flatnonzero(row) if row.any() else None for row in model.barred]
        self._room[[slot for slot, vehicle in enumerate(model.slot_vehicle) if vehicle in closed]] = -1
        self._length = [0] * len(model.slot_vehicle)
        self._spare = model.vehicle_budget_s.tolist()
        self._opening = True
        # Arcs, openings and the prizes of what is left out.
        self._cost = float(model.prize.sum())
        self.best_cost = self._cost
        for vehicle in range(len(self._spare)):
            self._open_slots(vehicle)

    def trips(self) -> list[list[int]]:
        """Return the stops of each slot's trip, in order."""
        found = []
        for slot in range(len(self._length)):
            anchor, trip = self._stops + slot, []
            at = int(self._next[anchor])
            while at != anchor:
                trip.append(at)
                at = int(self._next[at])
            found.append(trip)
        return found

    def start_from(self, trips: list[list[int]]) -> None:
        """Take over the trips that another search found, slot by slot."""
        for slot, trip in enumerate(trips):
            before = self._stops + slot
            for stop in trip:
                self._link(stop, slot=slot, before=before)
                before = stop

    def run(self, *, progress: Callable[[int, float], float]) -> list[list[int]]:
        """Search until `progress(iterations, best cost)`, which tells the share of the search that is done, says 1.

        Returns the trips of the best solution.
        """
        self._recreate([stop for stop in range(self._stops) if self._slot[stop] < 0])
        self.best_cost, best_trips = self._cost, self.trips()
        # A typical arc sets the scale on which "slightly worse" is measured.
        arcs = self._edge[self._edge > 0]
        arc = float(arcs.mean()) if arcs.size else 1.0
        hot, cold = self._cooling.hot * arc, self._cooling.cold * arc
        iteration = 0
        while self._stops and (done := progress(iteration, self.best_cost)) < 1.0:
            iteration += 1
            temperature = hot * (cold / hot) ** done
            before = self._snapshot()
            self._opening = self._rng.random() < _OPENING_ROUNDS
            self._recreate(self._ruin())
            if self._cost >= before[-2] - temperature * math.log(max(self._rng.random(), 1e-12)):
                self._restore(before)
            elif self._cost < self.best_cost - 1e-6:
                self.best_cost, best_trips = self._cost, self.trips()
        return best_trips

    # --- ruin ---

    def _ruin(self) -> list[int]:
        """Remove strings of stops from trips near a random stop; return them with some that were left out."""
        rng = self._rng
        seed = int(rng.integers(self._stops))
        if rng.random() < _WHOLE_TRIP_ROUNDS:
            return self._ruin_trip()
        served = self._slot[: self._stops] >= 0
        trips = max(1, sum(1 for length in self._length if length))
        longest = min(_LONGEST_STRING, max(1.0, float(served.sum()) / trips))
        strings = int(rng.random() * (4 * _REMOVED_ON_AVERAGE / (1 + longest) - 1) + 1)
        ruined: set[int] = set()
        removed: list[int] = []
        revived: list[int] = []
        for stop in self._neighbours[seed]:
            slot = int(self._slot[stop])
            if slot < 0:
                if len(revived) < _REVIVED and stop not in removed:
                    revived.append(stop)
            elif slot not in ruined and len(ruined) < strings:
                ruined.add(slot)
                length = 1 + int(rng.random() * min(longest, self._length[slot]))
                removed += self._remove_string(stop, slot, length)
            elif len(ruined) >= strings and len(revived) >= _REVIVED:
                break
        return removed + [stop for stop in revived if stop not in removed]

    def _ruin_trip(self) -> list[int]:
        """Remove a whole trip, rather a short one; it is only opened again by a round that may open trips."""
        used = [slot for slot, length in enumerate(self._length) if length]
        if not used:
            return []
        slot = min((used[int(self._rng.integers(len(used)))] for _ in range(2)), key=lambda slot: self._length[slot])
        return self._remove_string(int(self._next[self._stops + slot]), slot, self._length[slot])

    def _remove_string(self, stop: int, slot: int, length: int) -> list[int]:
        anchor = self._stops + slot
        first = stop
        for _ in range(int(self._rng.random() * length)):
            if self._previous[first] == anchor:
                break
            first = self._previous[first]
        string: list[int] = []
        at = first
        while len(string) < length and at != anchor:
            string.append(at)
            at = int(self._next[at])
        before = self._previous[first]
        vehicle = self._model.slot_vehicle[slot]
        cost, time_s = self._model.cost, self._model.time_s
        chain = [before, *string, at]
        freed = sum(float(cost[u, w]) for u, w in pairwise(chain))
        freed_s = sum(int(time_s[u, w]) for u, w in pairwise(chain))
        self._next[before] = at
        self._previous[at] = before
        for gone in string:
            self._slot[gone] = -1
            self._edge[gone] = -_FAR
            self._room[slot] += self._demand[gone]
            self._room_kg[slot] += self._kilograms[gone]
            self._cost += self._prize[gone]
        self._length[slot] -= len(string)
        if self._length[slot]:
            self._edge[before] = cost[before, at]
            self._cost += float(cost[before, at]) - freed
            self._spare[vehicle] += freed_s - int(time_s[before, at])
        else:
            self._cost -= freed + self._model.slot_opening[slot]
            self._spare[vehicle] += freed_s + self._model.slot_opening_s[slot]
            self._open_slots(vehicle)
            if slot == self._model.vehicle_slots[vehicle][0]:
                self._move_up(vehicle)
        return string

    def _move_up(self, vehicle: int) -> None:
        """Make another trip the vehicle's first when that is gone: the way out and home belongs to the first."""
        first, *others = self._model.vehicle_slots[vehicle]
        used = [slot for slot in others if self._length[slot]]
        if not used:
            return
        slot = used[0]
        trip = self._remove_string(int(self._next[self._stops + slot]), slot, self._length[slot])
        before = self._stops + first
        for stop in trip:
            self._link(stop, slot=first, before=before)
            before = stop

    def _open_slots(self, vehicle: int) -> None:
        """Let an empty slot be entered when it is its vehicle's first or the one before it is in use."""
        ready = True
        for slot in self._model.vehicle_slots[vehicle]:
            if not self._length[slot]:
                self._edge[self._stops + slot] = -self._model.slot_opening[slot] if ready else -_FAR
            ready = self._length[slot] > 0

    # --- recreate ---

    def _recreate(self, stops: list[int]) -> None:
        for stop in self._ordered(stops):
            self._insert(stop)

    def _ordered(self, stops: list[int]) -> list[int]:
        """Order them at random, by demand, by distance from the disposal site either way: the paper's four sorts."""
        pick = self._rng.random() * 11
        if pick < 4:  # noqa: PLR2004 - the paper's weights 4 : 4 : 2 : 1
            self._rng.shuffle(stops)
            return stops
        if pick < 8:  # noqa: PLR2004 - same
            return sorted(stops, key=lambda stop: -self._demand[stop])
        home = self._model.cost[self._stops, : self._stops]
        if pick < 10:  # noqa: PLR2004 - same
            return sorted(stops, key=lambda stop: -home[stop])
        return sorted(stops, key=lambda stop: home[stop])

    def _insert(self, stop: int) -> None:
        """Put `stop` where it costs least, or leave it out when that is more than its prize."""
        offset = int(self._rng.random() * (len(self._blinks) - self._size))
        delta = self._into[stop] + self._out[stop].take(self._next) - self._edge
        delta += self._blinks[offset : offset + self._size]
        delta[self._room.take(self._slot, mode="wrap") < self._demand[stop]] = _FAR
        if self._weighs:
            delta[self._room_kg.take(self._slot, mode="wrap") < self._kilograms[stop]] = _FAR
        barred = self._barred[stop]
        if barred is not None:
            delta[np.isin(self._slot, barred)] = _FAR
        empty = [self._stops + slot for slot, length in enumerate(self._length) if not length] if self._opening else []
        delta[empty] *= _OPENING_SHARE
        while True:
            before = int(delta.argmin())
            if float(delta[before]) >= self._prize[stop]:
                return
            slot = int(self._slot[before])
            vehicle = self._model.slot_vehicle[slot]
            if self._extra_s(stop, slot=slot, before=before) <= self._spare[vehicle]:
                break
            # This vehicle's day is full; another insertion into it might still fit, but seldom one worth the search.
            delta[np.isin(self._slot, self._model.vehicle_slots[vehicle])] = _FAR
        self._link(stop, slot=slot, before=before)

    def _extra_s(self, stop: int, *, slot: int, before: int) -> int:
        """Return by how much a stop after `before` lengthens the day of the slot's vehicle."""
        time_s, after = self._model.time_s, int(self._next[before])
        saved_s = int(time_s[before, after]) if self._length[slot] else -self._model.slot_opening_s[slot]
        return int(time_s[before, stop]) + int(time_s[stop, after]) - saved_s

    def _link(self, stop: int, *, slot: int, before: int) -> None:
        """Put a stop that is left out after `before`."""
        cost, after = self._model.cost, int(self._next[before])
        saved = float(cost[before, after]) if self._length[slot] else -self._model.slot_opening[slot]
        self._cost += float(cost[before, stop]) + float(cost[stop, after]) - saved - self._prize[stop]
        self._spare[self._model.slot_vehicle[slot]] -= self._extra_s(stop, slot=slot, before=before)
        self._next[before] = stop
        self._next[stop] = after
        self._previous[stop] = before
        self._previous[after] = stop
        self._edge[before] = cost[before, stop]
        self._edge[stop] = cost[stop, after]
        self._slot[stop] = slot
        self._room[slot] -= self._demand[stop]
        self._room_kg[slot] -= self._kilograms[stop]
        self._length[slot] += 1
        if self._length[slot] == 1:
            self._open_slots(self._model.slot_vehicle[slot])

    # --- going back ---

    def _snapshot(self) -> _State:
        return (
            self._next.copy(), self._previous.copy(), self._slot.copy(), self._edge.copy(), self._room.copy(),
            self._length.copy(), self._spare.copy(), self._cost, self._room_kg.copy(),
        )  # fmt: skip

    def _restore(self, before: _State) -> None:
        (
            self._next, self._previous, self._slot, self._edge, self._room, self._length, self._spare, self._cost,
            self._room_kg,
        ) = before  # fmt: skip
