"""Feeds that tell nothing: counts that stand still while the place's own habit says they move, and silent ones. Pure.

A count that repeats is no fault as such: nothing moves at night. So the changes that a place's own week would have
brought during each run of one value are counted, and a run is frozen where that many cannot all have failed to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.occupancy.trial.clock import DAY_S, local_s, week_hour_of
from optimise.occupancy.trial.table import Table

_WEEK_H = 168
_SHRUNK_H = 6.0
_LEAST_READINGS = 20
_FEW_PLACES = 5
_FLAT_S = DAY_S
_SILENT_S, _SILENT_GAPS = 2 * DAY_S, 5


@dataclass(frozen=True, kw_only=True)
class FreezeRule:
    """A run of one value is frozen from `changes` that failed to come and `lasting_s` on.

    A run longer than `usual_s` tells nothing of the place's habit. A single bay waits for one driver, whose stay may
    be of any length, so that it takes more, and more than `times_own` the longest of nearly all its own runs.
    """

    changes: float
    lasting_s: int
    usual_s: int
    times_own: float

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if not (self.changes > 0 and self.lasting_s > 0 and self.usual_s > 0 and self.times_own >= 1):
            raise ValueError(f"expected changes, lasting_s, usual_s > 0 and times_own >= 1, got {self}")


COUNTS = FreezeRule(changes=12.0, lasting_s=6 * HOUR_S, usual_s=DAY_S, times_own=1.0)
EDGES = FreezeRule(changes=24.0, lasting_s=DAY_S, usual_s=DAY_S, times_own=1.0)
BAYS = FreezeRule(changes=20.0, lasting_s=2 * DAY_S, usual_s=3 * DAY_S, times_own=3.0)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Readings that tell nothing: of a place's row, from and until (Unix seconds), how many, and the `reason`."""

    place_row: int
    from_s: int
    until_s: int
    rows: int
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """Runs of one value of one place, in order: `start` (r,) and `end` (r,) are its first reading and one past it."""

    start: Ints
    end: Ints
    lasting_s: Ints


def find_runs(table: Table) -> Runs:
    """Return the runs of a table's readings; a run lasts until its last reading."""
    n = len(table.at_s)
    fresh = np.ones(n, dtype=bool)
    fresh[1:] = (np.diff(table.place_row) != 0) | (np.diff(table.free) != 0)
    start = np.flatnonzero(fresh)
    end = np.append(start[1:], n)
    return Runs(start=start, end=end, lasting_s=table.at_s[end - 1] - table.at_s[start] if n else start)


def find_dead(table: Table, *, time_zone: str) -> tuple[NDArray[np.bool_], tuple[Stretch, ...]]:
    """Return (n,) which readings tell nothing, and the stretches that they make up, with silent feeds."""
    dead = np.zeros(len(table.at_s), dtype=bool)
    if not len(dead):
        return dead, ()
    runs = find_runs(table)
    places = len(table.names)
    row = table.place_row[runs.start]
    count = runs.end - runs.start
    several = np.bincount(row, minlength=places)[row] > 1
    rule_of = _rules(table, runs)
    expected = _expected_changes(table, runs, usual_s=rule_of["usual_s"], time_zone=time_zone)
    longest = rule_of["times_own"] * _long_own_run(runs, row, places)
    frozen = several & (expected >= rule_of["changes"]) & (runs.lasting_s >= np.maximum(rule_of["lasting_s"], longest))
    flat = ~several & (runs.lasting_s >= _FLAT_S) & (count >= _LEAST_READINGS)
    found = [
        Stretch(
            place_row=int(row[run]),
            from_s=int(table.at_s[runs.start[run]]),
            until_s=int(table.at_s[runs.end[run] - 1]),
            rows=int(count[run]),
            reason="frozen" if frozen[run] else "never changes",
        )
        for run in np.flatnonzero(frozen | flat)
    ]
    for run in np.flatnonzero(frozen | flat):
        dead[runs.start[run] : runs.end[run]] = True
    return dead, tuple(sorted([*found, *_silent(table)], key=lambda each: (each.place_row, each.from_s)))


def _rules(table: Table, runs: Runs) -> dict[str, Floats]:
    """Return for each field of FreezeRule (runs,) what holds for each run."""
    capacity, free = table.capacity[runs.start], table.free[runs.start]
    few = capacity < _FEW_PLACES
    edge = (free <= 0) | (free >= capacity)
    names = ("changes", "lasting_s", "usual_s", "times_own")
    chosen = np.where(few, 2, np.where(edge, 1, 0))
    return {name: np.array([getattr(rule, name) for rule in (COUNTS, EDGES, BAYS)])[chosen] for name in names}


def _expected_changes(table: Table, runs: Runs, *, usual_s: Floats, time_zone: str) -> Floats:
    """Return (runs,) how often the place's value usually changes in the hours of the week that each run spans."""
    places = len(table.names)
    step_s = np.zeros(len(table.at_s))
    same = np.diff(table.place_row) == 0
    step_s[1:][same] = np.diff(table.at_s)[same]
    changed = np.zeros(len(step_s))
    changed[runs.start] = 1
    changed[1:][~same] = 0
    changed[0] = 0
    # Silence tells of no hour of the week: a step counts for an hour, or the place's usual step.
    typical = _by_place(table.place_row, step_s, places, 0.5)
    hours = np.minimum(step_s, np.maximum(2 * typical, HOUR_S)[table.place_row]) / HOUR_S
    length = runs.end - runs.start
    usual = np.repeat(runs.lasting_s <= usual_s, length)
    slot = table.place_row * _WEEK_H + week_hour_of(local_s(table.at_s, time_zone))
    events = np.bincount(slot, weights=changed * usual, minlength=places * _WEEK_H).reshape(places, _WEEK_H)
    seen_h = np.bincount(slot, weights=hours * usual, minlength=places * _WEEK_H).reshape(places, _WEEK_H)
    daily_events, daily_h = (np.tile(each.reshape(places, 7, 24).sum(axis=1), (1, 7)) for each in (events, seen_h))
    mean = (events.sum(axis=1) / np.maximum(seen_h.sum(axis=1), 1e-9))[:, None]
    by_hour = (daily_events + mean) / (daily_h + 1)
    rate = (events + _SHRUNK_H * by_hour) / (seen_h + _SHRUNK_H)
    # The step into a run belongs to the one before.
    hours[runs.start] = 0
    total = np.concatenate([[0.0], np.cumsum(rate.reshape(-1)[slot] * hours)])
    expected: Floats = total[runs.end] - total[runs.start]
    return expected


def _long_own_run(runs: Runs, row: Ints, places: int) -> Floats:
    """Return (runs,) how long nearly all of the place's own runs last at most."""
    return _by_place(row, runs.lasting_s.astype(np.float64), places, 0.98)[row]


def _by_place(row: Ints, values: Floats, places: int, quantile: float) -> Floats:
    """Return (places,) a quantile of each place's values; rows are in order of their place."""
    edges = np.searchsorted(row, np.arange(places + 1))
    return np.array([np.quantile(values[a:b], quantile, method="lower") if b > a else 0.0 for a, b in pairwise(edges)])


def _silent(table: Table) -> list[Stretch]:
    """Return the places that stopped long before the data does."""
    end_s = int(table.at_s.max())
    edges = np.searchsorted(table.place_row, np.arange(len(table.names) + 1))
    found = []
    for row, (start, end) in enumerate(pairwise(edges)):
        if end == start:
            continue
        gaps = np.diff(table.at_s[start:end])
        patience_s = max(_SILENT_S, _SILENT_GAPS * np.quantile(gaps, 0.99)) if len(gaps) else _SILENT_S
        last_s = int(table.at_s[end - 1])
        if end_s - last_s > patience_s:
            found.append(Stretch(place_row=row, from_s=last_s, until_s=end_s, rows=0, reason="silent"))
    return found
