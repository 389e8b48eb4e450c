"""Where a bin can go into one round, and what that costs: one vector operation for each bin and round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimise.rounds.editing.ground import Floats, Ground
from optimise.rounds.problem import Integers

_NONE = 10**9
BARRED = 1e15


class Gaps:
    """The k gaps of a line of k - 1 visits; the one before its first visit is gap 0."""

    def __init__(self, ground: Ground, vehicle: int, line: Sequence[int]) -> None:
        self._ground = ground
        self._vehicle = vehicle
        cost, seconds = ground.of_vehicle[vehicle]
        rows = np.array(ground.rows_of(vehicle, line))
        self._before, self._after = rows[:-1], rows[1:]
        self._edge = cost[self._before, self._after]
        self._edge_s = seconds[self._before, self._after]
        stay = ground.service_s
        unload = [site.unload_s for site in ground.problem.disposals]
        work_s = int(self._edge_s.sum()) + sum(stay[at] if at >= 0 else unload[-at - 1] for at in line)
        self._spare_s = ground.budget_s[vehicle] - work_s
        self._more: tuple[float, int] | None = None
        self._room(line)
        self._turns(line)
        # Nothing comes before the end of a head, nor behind the last unloading of who comes home empty.
        self._closed = np.zeros(len(line) + 1)
        self._closed[: len(ground.heads.get(vehicle, ()))] = BARRED
        if line and ground.problem.unloads_before_home(vehicle):
            self._closed[-1] = BARRED

    def _room(self, line: Sequence[int]) -> None:
        ground, who = self._ground, self._ground.problem.vehicles[self._vehicle]
        most_kg = who.capacity_kg if who.capacity_kg is not None else _NONE
        room_l, room_kg = [0] * (len(line) + 1), [0] * (len(line) + 1)
        load_l = load_kg = begin = 0
        for gap in range(len(line) + 1):
            at = line[gap] if gap < len(line) else -1
            if at >= 0:
                load_l += ground.demand_l[at]
                load_kg += ground.demand_kg[at]
                continue
            room_l[begin : gap + 1] = [who.capacity_l - load_l] * (gap + 1 - begin)
            room_kg[begin : gap + 1] = [most_kg - load_kg] * (gap + 1 - begin)
            begin, load_l, load_kg = gap + 1, 0, 0
        self._room_l: Integers = np.array(room_l)
        self._room_kg: Integers = np.array(room_kg)

    def _turns(self, line: Sequence[int]) -> None:
        """Note between which turns of the known round each gap lies, and between which pinned ones."""
        place_of, vehicle, pinned = self._ground.place_of, self._vehicle, self._ground.locks.pinned
        count = len(line) + 1
        before, pinned_before = [-1] * count, [-1] * count
        after, pinned_after = [_NONE] * count, [_NONE] * count
        last = last_pinned = -1
        for gap, at in enumerate(line, start=1):
            place = place_of.get(at) if at >= 0 else None
            if place is not None and place[0] == vehicle:
                last = max(last, place[1])
                if at in pinned:
                    last_pinned = max(last_pinned, place[1])
            before[gap], pinned_before[gap] = last, last_pinned
        last = last_pinned = _NONE
        for gap in range(len(line) - 1, -1, -1):
            at = line[gap]
            place = place_of.get(at) if at >= 0 else None
            if place is not None and place[0] == vehicle:
                last = min(last, place[1])
                if at in pinned:
                    last_pinned = min(last_pinned, place[1])
            after[gap], pinned_after[gap] = last, last_pinned
        self._turn_before, self._turn_after = np.array(before), np.array(after)
        self._pinned_before, self._pinned_after = np.array(pinned_before), np.array(pinned_after)

    def best(self, stop: int, blinks: Floats | None = None, *, in_time: bool = True) -> tuple[float, int]:
        """Return what putting a bin into the best gap costs, and which gap that is; BARRED or more where none is.

        Without `in_time` as if there were time for it.
        """
        ground = self._ground
        cost, seconds = ground.of_vehicle[self._vehicle]
        row = ground.rows[stop]
        found = cost[self._before, row] + cost[row, self._after] - self._edge + self._closed
        taken_s = seconds[self._before, row] + seconds[row, self._after] - self._edge_s + ground.service_s[stop]
        full = (self._room_l < ground.demand_l[stop]) | (self._room_kg < ground.demand_kg[stop])
        if full.any():
            # One more unloading; where it lies best is found out afterwards.
            if self._more is None:
                self._more = self._one_more_unloading()
            more, more_s = self._more
            found += full * more
            taken_s = taken_s + full * more_s
        if in_time:
            found += (taken_s > self._spare_s) * BARRED
        change = ground.known.change_cost
        place = ground.place_of.get(stop)
        if place is not None and place[0] == self._vehicle:
            turn = place[1]
            found += ~((self._turn_before < turn) & (turn < self._turn_after)) * float(change)
            found += ~((self._pinned_before < turn) & (turn < self._pinned_after)) * BARRED
        else:
            found += float(change)
        if blinks is not None:
            found += blinks[: len(found)]
        at = int(found.argmin())
        return float(found[at]) + float(ground.extra[self._vehicle][stop]), at

    def _one_more_unloading(self) -> tuple[float, int]:
        ground = self._ground
        if not ground.site_rows:
            return BARRED, 0
        cost, seconds = ground.of_vehicle[self._vehicle]
        sites = ground.problem.disposals
        per_second = ground.problem.prices_of(self._vehicle).per_second
        detours = [
            (
                cost[self._before, site.location] + cost[site.location, self._after] - self._edge
                + site.unload_s * float(per_second)
            )
            for site in sites
        ]  # fmt: skip
        number = int(np.argmin([float(detour.min()) for detour in detours]))
        gap = int(detours[number].argmin())
        site = sites[number]
        row = site.location
        taken_s = int(seconds[self._before[gap], row] + seconds[row, self._after[gap]] - self._edge_s[gap])
        return float(detours[number][gap]), taken_s + site.unload_s
