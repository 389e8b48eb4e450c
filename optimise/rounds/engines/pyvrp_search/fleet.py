"""How many vehicles it takes, when one fewer is worth more than any detour.

A search that starts with many vehicles gets rid of them slowly: each has to be emptied bin by bin. So it starts with
too few, which serve what they can (every bin has a prize that is worth any detour), and gets one more when that stalls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from optimise.rounds.problem import Problem

_STALLED = 0.9  # of the bins left at the look before
_FEW = 0.02  # of all bins: with so few left, a little more shuffling may do
_PATIENCE = 4  # looks


def fewest(problem: Problem, stops: list[int]) -> int:
    """Return a number of vehicles that is hardly enough: by the day's caps, by what fits in a shift."""
    who = problem.vehicles[0]
    chosen = np.array(stops, dtype=np.int64)
    total_l = int(problem.demand_l[chosen].sum())
    bounds = [1.0]
    if who.day_l:
        bounds.append(total_l / who.day_l)
    if who.day_stops:
        bounds.append(len(stops) / who.day_stops)
    if not problem.disposals:
        bounds.append(total_l / who.capacity_l)
    rows = problem.location[chosen]
    seconds = problem.duration_s[np.ix_(rows, rows)] + np.diag(np.full(len(rows), np.iinfo(np.int32).max))
    work_s = float(problem.service_s[chosen].sum()) + float(seconds.min(axis=1).sum() if len(rows) > 1 else 0)
    if problem.disposals:
        sites = [site.location for site in problem.disposals]
        to_site_s = float(problem.duration_s[np.ix_(rows, sites)].min(axis=1).mean())
        unload_s = min(site.unload_s for site in problem.disposals)
        work_s += total_l / who.capacity_l * (unload_s + to_site_s)
    bounds.append(work_s / max(1, who.shift_until_s - who.shift_from_s - who.break_s))
    return min(len(problem.vehicles), math.ceil(max(bounds)))


@dataclass(kw_only=True)
class GrowingFleet:
    """So many vehicles now; more when the bins left stay as many, the later the fewer they are."""

    size: int
    most: int
    _left: float = math.inf
    _stalls: int = 0

    def look(self, *, left: int, bins: int) -> bool:
        """Take note of the bins left, of all; return whether the fleet grew."""
        self._stalls = self._stalls + 1 if left > _STALLED * self._left else 0
        self._left = left
        patience = _PATIENCE if left < _FEW * bins else 1
        if not left or self._stalls < patience or self.size >= self.most:
            return False
        self.size += 1
        self._left, self._stalls = math.inf, 0
        return True
