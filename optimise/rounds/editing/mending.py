"""Rounds mended around what is locked: neighbouring bins are taken out and put back where they cost least.

Slack induction by string removals (Christiaens & Vanden Berghe, 2020, Transportation Science 54(2), 417-433,
doi:10.1287/trsc.2019.0914), as in `engines/ruin_recreate.py`, but on whole rounds with everything that a day asks for:
each round that changed is timed exactly (windows, breaks, traffic, overtime) before it is taken. That is slower by far,
and enough where a good plan is there already and a few bins of it move. Locked bins are never taken out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from optimise.rounds.editing.changing import changed_in
from optimise.rounds.editing.gaps import BARRED, Gaps
from optimise.rounds.editing.ground import MUST, Ground, Line, steps_of
from optimise.rounds.editing.unloading import overloaded, unloading
from optimise.rounds.engines.costs import wishes_cost
from optimise.rounds.engines.feasible import fits
from optimise.rounds.engines.schedule import timed
from optimise.rounds.engines.steps import totals

_REMOVED_ON_AVERAGE = 10
_LONGEST_STRING = 10
_REVIVED = 6
_NEAR = 40  # rounds that serve none of so many nearest bins are tried only when no other takes a bin
_BLINK = 0.01
_HOT, _COLD = 0.4, 0.004  # of the mean drive, as engines/ruin_recreate
_SEEDS_HERE = 0.5  # the share of rounds of the search that begin where something was changed
_CHEAP_OPENINGS, _OPENING_SHARE = 0.1, 0.1
_WHOLE_ROUNDS = 0.02


class UnkeepableError(Exception):
    """A vehicle's locked bins alone break a rule."""

    def __init__(self, vehicle: int, line: Line) -> None:
        super().__init__(vehicle)
        self.vehicle = vehicle
        self.line = line


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How long to search: until a moment of `time.monotonic`, so many iterations, or until `stopped`."""

    until: float | None = None
    iterations: int | None = None
    stopped: Callable[[], bool] = lambda: False


class Mending:
    """One search over one `Ground`; the same seed and iterations give the same rounds."""

    def __init__(self, ground: Ground, *, seed: int) -> None:
        self._ground = ground
        self._rng = np.random.default_rng(seed)
        self._vehicles = range(len(ground.problem.vehicles))
        self._lines: list[Line] = [list(ground.heads.get(vehicle, [])) for vehicle in self._vehicles]
        self._gaps: list[Gaps | None] = [None for _ in self._vehicles]
        self._priced: dict[tuple[int, tuple[int, ...]], float | None] = {}
        self._cheap_opening = False
        self._worth = self._worth_looking_at()
        self.iterations = 0
        self.cost = math.inf

    def _worth_looking_at(self) -> frozenset[int]:
        """Return the bins that could pay a stop: the others are left without being tried."""
        ground = self._ground
        least = np.min(np.array(ground.extra), axis=0)
        wanted = (np.array(ground.value) > least) & ground.allowed.any(axis=1)
        return frozenset(np.flatnonzero(wanted).tolist())

    # --- the search ---

    def run(self, lines: Mapping[int, Line], *, hot: Iterable[int], effort: Effort) -> dict[int, Line]:
        """Return the best rounds found from `lines`; `hot` are the bins around which something was changed.

        Raises UnkeepableError when a vehicle cannot even drive what is locked.
        """
        pool = self._settle(lines)
        here = [stop for stop in dict.fromkeys([*hot, *pool]) if stop in self._worth]
        self._put_back(list(pool))
        self._mend_all()
        served = {at for line in self._lines for at in line if at >= 0}
        for stop in pool:
            if self._ground.must[stop] and stop not in served:
                self._force_in(stop)
        cost = self._cost()
        best, best_cost = [list(line) for line in self._lines], cost
        began, done = time.monotonic(), 0
        mean = self._mean_drive()
        while not self._over(effort, done):
            share = self._share(effort, began, done)
            heat = mean * _HOT * (_COLD / _HOT) ** share
            before = [list(line) for line in self._lines]
            found = self._turn(here)
            if found is not None and found < cost - heat * math.log(self._rng.random()):
                cost = found
                if cost < best_cost - 0.5:
                    best, best_cost = [list(line) for line in self._lines], cost
            else:
                self._take_over(before)
            done += 1
        self.iterations, self.cost = done, best_cost
        self._take_over(best)
        return {vehicle: line for vehicle, line in enumerate(best) if line}

    @staticmethod
    def _over(effort: Effort, done: int) -> bool:
        if effort.iterations is not None and done >= effort.iterations:
            return True
        return (effort.until is not None and time.monotonic() >= effort.until) or effort.stopped()

    @staticmethod
    def _share(effort: Effort, began: float, done: int) -> float:
        if effort.iterations is not None:
            return done / max(1, effort.iterations)
        whole = 1.0 if effort.until is None else effort.until - began
        return min(1.0, (time.monotonic() - began) / max(1e-6, whole))

    def _mean_drive(self) -> float:
        ground, drives = self._ground, list[float]()
        for vehicle in self._vehicles:
            rows = ground.rows_of(vehicle, self._lines[vehicle])
            drives += ground.of_vehicle[vehicle][0][rows[:-1], rows[1:]].tolist()
        return float(np.mean(drives)) if drives else 1.0

    def _turn(self, here: list[int]) -> float | None:
        """Ruin and recreate once; return the cost, None where a round breaks a rule."""
        seed = self._seed(here)
        if seed is None:
            return None
        self._cheap_opening = bool(self._rng.random() < _CHEAP_OPENINGS)
        changed = self._ruin(seed)
        for vehicle in changed:
            self._lines[vehicle] = self._without_idle_unloading(vehicle)
            self._gaps[vehicle] = None
        taken = self._taken
        revived = [
            stop
            for stop in self._ground.neighbours[seed]
            if stop in self._worth and stop not in self._served and stop not in taken
        ][:_REVIVED]
        changed |= self._put_back([*taken, *revived])
        for vehicle in changed:
            if not self._mend(vehicle):
                return None
        return self._cost()

    def _seed(self, here: list[int]) -> int | None:
        if here and self._rng.random() < _SEEDS_HERE:
            return here[int(self._rng.integers(len(here)))]
        free = [at for line in self._lines for at in line if at >= 0 and at not in self._ground.fixed]
        free = free or sorted(self._worth)
        return free[int(self._rng.integers(len(free)))] if free else None

    # --- taking out ---

    def _ruin(self, seed: int) -> set[int]:
        """Take strings of bins around `seed` out of their rounds; return the vehicles concerned."""
        vehicle_of = {at: vehicle for vehicle, line in enumerate(self._lines) for at in line if at >= 0}
        self._served = set(vehicle_of)
        self._taken: list[int] = []
        fixed = self._ground.fixed
        lengths = [sum(at >= 0 for at in line) for line in self._lines if line]
        longest = min(_LONGEST_STRING, max(1.0, float(np.mean(lengths)) if lengths else 1.0))
        strings = int(self._rng.random() * (4 * _REMOVED_ON_AVERAGE / (1 + longest))) + 1
        whole = bool(self._rng.random() < _WHOLE_ROUNDS)
        changed: set[int] = set()
        for stop in self._ground.neighbours[seed]:
            vehicle = vehicle_of.get(stop)
            if vehicle is None or vehicle in changed or stop in fixed:
                continue
            line = self._lines[vehicle]
            at = line.index(stop)
            length = len(line) if whole else 1 + int(self._rng.random() * min(longest, len(line)))
            first = 0 if whole else max(0, at - int(self._rng.random() * length))
            gone = {one for one in line[first : first + length] if one >= 0 and one not in fixed}
            self._taken += sorted(gone)
            self._lines[vehicle] = [one for one in line if one not in gone]
            changed.add(vehicle)
            if whole or len(changed) >= strings:
                break
        self._served -= set(self._taken)
        return changed

    def _without_idle_unloading(self, vehicle: int) -> Line:
        head = self._ground.heads.get(vehicle, [])
        kept: Line = list(head)
        for at in self._lines[vehicle][len(head) :]:
            if at >= 0 or (kept and kept[-1] >= 0):
                kept.append(at)
        return kept if any(at >= 0 for at in kept) else []

    # --- putting back ---

    def _put_back(self, stops: list[int]) -> set[int]:
        """Put bins where they cost least, if that is less than leaving them; return the vehicles concerned."""
        changed: set[int] = set()
        vehicle_of = {at: vehicle for vehicle, line in enumerate(self._lines) for at in line if at >= 0}
        for stop in self._sorted(stops):
            allowed = np.flatnonzero(self._ground.allowed[stop]).tolist()
            around = {vehicle_of.get(other) for other in self._ground.neighbours[stop][:_NEAR]}
            near = [vehicle for vehicle in allowed if vehicle in around or not self._lines[vehicle]]
            vehicle, gap = self._best_of(near, stop)
            if vehicle < 0 and len(near) < len(allowed):
                vehicle, gap = self._best_of(sorted(set(allowed) - set(near)), stop)
            if vehicle >= 0:
                self._lines[vehicle].insert(gap, stop)
                self._gaps[vehicle] = None
                vehicle_of[stop] = vehicle
                changed.add(vehicle)
        return changed

    def _best_of(self, vehicles: list[int], stop: int) -> tuple[int, int]:
        """Return the round and the gap where a bin costs least, -1 where leaving it costs no more."""
        best_cost, best_vehicle, best_gap = self._ground.value[stop], -1, 0
        for vehicle in vehicles:
            cost, gap = self._cheapest(vehicle, stop)
            if cost < best_cost:
                best_cost, best_vehicle, best_gap = cost, vehicle, gap
        return best_vehicle, best_gap

    def _sorted(self, stops: list[int]) -> list[int]:
        ground, how = self._ground, int(self._rng.integers(4))
        if how == 0:
            self._rng.shuffle(stops)
        elif how == 1:
            stops.sort(key=lambda stop: (-ground.demand_l[stop], stop))
        else:
            depot = ground.problem.vehicles[0].depot
            cost, sign = ground.of_vehicle[0][0], -1 if how == 2 else 1  # noqa: PLR2004 - far first, or near first
            stops.sort(key=lambda stop: (sign * cost[depot, ground.rows[stop]], stop))
        # What has to be served finds its place before others take it.
        stops.sort(key=lambda stop: ground.value[stop] < MUST)
        return stops

    def _cheapest(self, vehicle: int, stop: int) -> tuple[float, int]:
        line = self._lines[vehicle]
        if not line:
            return self._alone(vehicle, stop), 0
        gaps = self._gaps[vehicle]
        if gaps is None:
            gaps = self._gaps[vehicle] = Gaps(self._ground, vehicle, line)
        blinks = np.where(self._rng.random(len(line) + 1) < _BLINK, BARRED, 0.0)
        return gaps.best(stop, blinks)

    def _alone(self, vehicle: int, stop: int) -> float:
        ground = self._ground
        line = unloading(ground, vehicle, [stop])
        price = None if line is None else self._price(vehicle, line)
        if price is None:
            return BARRED
        if self._cheap_opening:
            price -= (1 - _OPENING_SHARE) * ground.problem.prices_of(vehicle).per_vehicle
        return price

    def _mend_all(self) -> None:
        for vehicle in self._vehicles:
            if not self._mend(vehicle):
                # A first placing by approximate figures: what does not fit after all is left for the search.
                self._shorten(vehicle)

    def _mend(self, vehicle: int) -> bool:
        """See to a round's unloadings; return whether it can be driven."""
        ground, line = self._ground, self._lines[vehicle]
        if not line:
            return True
        self._gaps[vehicle] = None
        if overloaded(ground, vehicle, line) or self._rng.random() < 0.05:  # noqa: PLR2004 - now and then for its own sake
            anew = unloading(ground, vehicle, line)
            if anew is None:
                return False
            self._lines[vehicle] = anew
        return self._price(vehicle, self._lines[vehicle]) is not None

    def _settle(self, lines: Mapping[int, Line]) -> list[int]:
        """Take over lines as far as they can be driven; return the bins that had to go, and those never placed."""
        ground = self._ground
        out: list[int] = []
        for vehicle in self._vehicles:
            line = list(lines.get(vehicle, ground.heads.get(vehicle, [])))
            out += [at for at in line if at >= 0 and not ground.allowed[at, vehicle] and at not in ground.fixed]
            self._lines[vehicle] = [at for at in line if at < 0 or ground.allowed[at, vehicle] or at in ground.fixed]
            self._lines[vehicle] = self._without_idle_unloading(vehicle)
            out += self._shorten(vehicle)
        placed = {at for line in self._lines for at in line if at >= 0}
        missing = [stop for stop in range(len(ground.rows)) if ground.must[stop] and stop not in placed]
        return list(dict.fromkeys([*out, *missing]))

    def _shorten(self, vehicle: int) -> list[int]:
        """Take the bins that matter least out of a round until it can be driven."""
        ground, out = self._ground, list[int]()
        while not self._mend(vehicle):
            line = self._lines[vehicle]
            free = [at for at in line if at >= 0 and at not in ground.fixed]
            if not free:
                raise UnkeepableError(vehicle, line)
            least = min(free, key=lambda at: (ground.value[at], at))
            out.append(least)
            line.remove(least)
            self._lines[vehicle] = self._without_idle_unloading(vehicle)
        return out

    def _force_in(self, stop: int) -> None:
        """Put a bin that must be served where that costs least when others have to go for it."""
        ground, before = self._ground, [list(line) for line in self._lines]
        best: list[Line] | None = None
        best_cost = math.inf
        for vehicle in np.flatnonzero(ground.allowed[stop]).tolist():
            line = self._lines[vehicle]
            cost, gap = Gaps(ground, vehicle, line).best(stop, in_time=False) if line else (0.0, 0)
            if cost < BARRED:
                self._lines[vehicle] = [*line[:gap], stop, *line[gap:]]
                try:
                    self._shorten(vehicle)
                except UnkeepableError:
                    pass
                else:
                    found = self._cost()
                    if stop in self._lines[vehicle] and found < best_cost:
                        best, best_cost = [list(one) for one in self._lines], found
            self._take_over(before)
        if best is not None:
            self._take_over(best)

    def _take_over(self, lines: list[Line]) -> None:
        for vehicle, line in enumerate(lines):
            if self._lines[vehicle] != line:
                self._lines[vehicle] = list(line)
                self._gaps[vehicle] = None

    # --- what it costs ---

    def _price(self, vehicle: int, line: Line) -> float | None:
        """Return what a round costs with its changes, None when it breaks a rule."""
        key = (vehicle, tuple(line))
        if key not in self._priced:
            if len(self._priced) > 50_000:  # noqa: PLR2004 - bounds the memory
                self._priced.clear()
            self._priced[key] = self._priced_anew(vehicle, line)
        return self._priced[key]

    def _priced_anew(self, vehicle: int, line: Line) -> float | None:
        ground, problem = self._ground, self._ground.problem
        steps = steps_of(line)
        if not fits(problem, vehicle, steps):
            return None
        times = timed(problem, vehicle, steps)
        if times is None:
            return None
        prices, who = problem.prices_of(vehicle), problem.vehicles[vehicle]
        rested_s = 0 if times.rest is None else times.rest.until_s - times.rest.from_s
        paid_s = times.end_s - times.start_s - min(rested_s, who.break_s)
        overtime_s = max(0, times.end_s - max(times.start_s, who.shift_until_s))
        stops = [at for at in line if at >= 0]
        strange = float(ground.extra[vehicle][stops].sum()) - float(problem.service_s[stops].sum() * prices.per_second)
        return (
            totals(problem, vehicle, steps).distance_m * prices.per_metre
            + paid_s * prices.per_second
            + overtime_s * prices.per_overtime_second
            + prices.per_vehicle
            + strange
            + changed_in(vehicle, stops, ground.place_of) * ground.known.change_cost
        )

    def _cost(self) -> float:
        ground, wishes = self._ground, self._ground.problem.wishes
        served = [at for line in self._lines for at in line if at >= 0]
        cost = sum(ground.value) - sum(ground.value[at] for at in served)
        for vehicle, line in enumerate(self._lines):
            if line:
                price = self._price(vehicle, line)
                if price is None:
                    return math.inf
                cost += price
        if wishes.per_split or wishes.per_longest_second:
            orders = [(vehicle, steps_of(line)) for vehicle, line in enumerate(self._lines) if line]
            longest_s = max((totals(ground.problem, v, steps).work_s for v, steps in orders), default=0)
            cost += wishes_cost(ground.problem, orders, longest_s=longest_s)
        return cost
