"""Where one round unloads, its bins in a given order: the best places, found exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimise.rounds.editing.ground import Ground, Line

_NEVER = float("inf")
_START = -1


def overloaded(ground: Ground, vehicle: int, line: Sequence[int]) -> bool:
    """Return whether a line carries too much at once, or comes home with a load that it has to leave before."""
    who = ground.problem.vehicles[vehicle]
    most_kg = who.capacity_kg
    load_l = load_kg = 0
    for at in line:
        if at < 0:
            load_l = load_kg = 0
            continue
        load_l += ground.demand_l[at]
        load_kg += ground.demand_kg[at]
        if load_l > who.capacity_l or (most_kg is not None and load_kg > most_kg):
            return True
    return bool(load_l or load_kg) and ground.problem.unloads_before_home(vehicle)


def unloading(ground: Ground, vehicle: int, line: Sequence[int]) -> Line | None:
    """Return the line with its unloadings placed anew behind its head, None when no placing carries its bins."""
    problem = ground.problem
    if not problem.disposals:
        return None if overloaded(ground, vehicle, line) else list(line)
    head = ground.heads.get(vehicle, [])
    stops = [at for at in line[len(head) :] if at >= 0]
    if not stops and not any(at >= 0 for at in head):
        return []
    trips = _Trips(ground, vehicle, head, stops)
    sites = trips.placed()
    if sites is None:
        return None
    found: Line = list(head)
    for k in range(len(stops) + 1):
        if k:
            found.append(stops[k - 1])
        if k in sites:
            found.append(-sites[k] - 1)
    return found


class _Trips:
    """Unloadings as a shortest path: from each to each next one whose bins fit between the two.

    Moment k lies behind stop k - 1; moment 0 behind the head, moment _START before it.
    """

    def __init__(self, ground: Ground, vehicle: int, head: Sequence[int], stops: Sequence[int]) -> None:
        who = ground.problem.vehicles[vehicle]
        self._most = (who.capacity_l, 10**12 if who.capacity_kg is None else who.capacity_kg)
        self._must_be_empty = ground.problem.unloads_before_home(vehicle)
        loads = [(ground.demand_l[at], ground.demand_kg[at]) for at in stops]
        self._loads = loads
        self._on_board = _on_board(ground, head)
        rows = [who.depot if not head else ground.row(head[-1]), *(ground.rows[at] for at in stops)]
        self._costs, self._sites = _detours(ground, vehicle, rows)
        self._can_begin = any(self._on_board)

    def placed(self) -> dict[int, int] | None:
        """Return the site of each moment with an unloading."""
        count = len(self._loads)
        best, came = [_NEVER] * (count + 1), [_START] * (count + 1)
        if self._can_begin:
            best[0] = self._costs[0]
        for k in range(1, count + 1):
            for before, base in self._reaching(k, best):
                if base + self._costs[k] < best[k]:
                    best[k], came[k] = base + self._costs[k], before
        end = count if self._must_be_empty else self._last(best)
        if self._must_be_empty and not count and not self._can_begin:
            end = _START
        if end is None or (end != _START and best[end] == _NEVER):
            return None
        found: dict[int, int] = {}
        while end != _START:
            found[end] = self._sites[end]
            end = came[end]
        return found

    def _reaching(self, k: int, best: list[float]) -> list[tuple[int, float]]:
        """Return the moments from which moment k can be reached without unloading, with what they cost so far."""
        found: list[tuple[int, float]] = []
        load_l = load_kg = 0
        for before in range(k - 1, -1, -1):
            load_l += self._loads[before][0]
            load_kg += self._loads[before][1]
            if load_l > self._most[0] or load_kg > self._most[1]:
                return found
            if best[before] < _NEVER:
                found.append((before, best[before]))
        if load_l + self._on_board[0] <= self._most[0] and load_kg + self._on_board[1] <= self._most[1]:
            found.append((_START, 0.0))
        return found

    def _last(self, best: list[float]) -> int | None:
        """Return the last moment at which a vehicle unloads that may come home loaded; None: it cannot come home."""
        options = self._reaching(len(self._loads), best)
        if best and best[-1] < _NEVER:
            options.append((len(self._loads), best[-1]))
        return min(options, key=lambda option: option[1])[0] if options else None


def _on_board(ground: Ground, head: Sequence[int]) -> tuple[int, int]:
    load_l = load_kg = 0
    for at in head:
        load_l = load_l + ground.demand_l[at] if at >= 0 else 0
        load_kg = load_kg + ground.demand_kg[at] if at >= 0 else 0
    return load_l, load_kg


def _detours(ground: Ground, vehicle: int, rows: list[int]) -> tuple[list[float], list[int]]:
    """Return what unloading behind each row costs at the best site, and which that is."""
    cost, _ = ground.of_vehicle[vehicle]
    here = np.array(rows)
    then = np.array([*rows[1:], ground.problem.vehicles[vehicle].home])
    sites = np.array(ground.site_rows)
    per_second = ground.problem.prices_of(vehicle).per_second
    stay = np.array([site.unload_s for site in ground.problem.disposals]) * float(per_second)
    detour = cost[np.ix_(here, sites)] + cost[np.ix_(sites, then)].T + stay[None, :] - cost[here, then][:, None]
    which = detour.argmin(axis=1)
    costs: list[float] = detour[np.arange(len(here)), which].tolist()
    chosen: list[int] = which.tolist()
    return costs, chosen
