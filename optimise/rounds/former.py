"""What a town's former calendar drives: every bin of the sectors that were due, on the same streets by the same fleet.

Our own engine makes the rounds, so they are hardly longer than those that the town really drove: what is saved against
them is not flattered.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimise.rounds.check import check
from optimise.rounds.day import Calendar, DayOptions, Fleet, day_problem
from optimise.rounds.engines import Engine, Limits
from optimise.rounds.policy import Price
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution, Visit, VisitKind
from optimise.rounds.travel import Travel, unreachable
from storage.errors import InputError
from storage.model import Bin, FormerRound

_HOUR_S = 3600
_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class FormerOptions:
    """How former rounds are computed. `fill_fraction`: how full their bins were found; `kerb_side` as the planner's."""

    limits: Limits
    seed: int = 0
    fill_fraction: float = 0.4
    kerb_side: bool = True
    max_snap_m: float = 150.0

    def __post_init__(self) -> None:
        if not 0 < self.fill_fraction <= 1:
            raise InputError(f"expected fill_fraction in (0, 1], got {self.fill_fraction}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Share:
    """A sector's share of a day's rounds."""

    km: float
    hours: float
    bins: int


def former_rounds(
    calendar: Mapping[int, frozenset[str]],
    *,
    bins: Sequence[Bin],
    fleet: Fleet,
    days: Mapping[int, Calendar],
    travel: Travel,
    engine: Engine,
    options: FormerOptions,
    progress: Callable[[str], None] | None = None,
) -> list[FormerRound]:
    """Return the rounds of a calendar: the sectors that are due by weekday (ISO). `days` has a day of each weekday.

    Weekdays with the same sectors are computed once; `progress` is told of each search before it begins. Raises
    InputError naming the weekday when the fleet cannot serve all bins within its shifts, or a sector without a bin.
    """
    members: defaultdict[str, list[Bin]] = defaultdict(list)
    for item in bins:
        members[item.sector or ""].append(item)
    found: list[FormerRound] = []
    known: dict[frozenset[str], dict[str, _Share]] = {}
    for weekday, sectors in sorted(calendar.items()):
        empty = sorted(sector for sector in sectors if not members[sector])
        if empty:
            raise InputError(f"expected sectors that have bins, got {empty[0]!r}")
        if sectors not in known:
            due = [item for sector in sorted(sectors) for item in members[sector]]
            if progress is not None:
                progress(f"weekday {weekday}: {len(due)} bins of {len(sectors)} sectors")
            problem, names = _problem(due, fleet=fleet, day=days[weekday], travel=travel, options=options)
            known[sectors] = _by_sector(problem, _all_served(problem, engine, options, weekday=weekday), names)
        found += [
            FormerRound(
                sector=sector, weekday=weekday, km=share.km, hours=share.hours, bins=share.bins, computed=True,
                source=travel.source,
            )
            for sector, share in known[sectors].items()
        ]  # fmt: skip
    return found


def _problem(
    due: Sequence[Bin], *, fleet: Fleet, day: Calendar, travel: Travel, options: FormerOptions
) -> tuple[Problem, list[str]]:
    """Return the problem of serving all bins that a way leads to, and the sector of each."""
    everywhere = [*fleet.anchors, *due]
    points = [(place.longitude_deg, place.latitude_deg) for place in everywhere]
    kerb = [False] * len(fleet.anchors) + [options.kerb_side] * len(due)
    measured = travel.matrices(points, kerb=kerb)
    names = [place.place_id for place in everywhere]
    cut_off = unreachable(measured, anchors=range(len(fleet.anchors)), max_snap_m=options.max_snap_m, names=names)
    rows = [row for row in range(len(everywhere)) if row not in cut_off]
    served = [item for row, item in enumerate(due, start=len(fleet.anchors)) if row not in cut_off]
    problem = day_problem(
        bins=served,
        decisions=[
            Price(demand_l=math.ceil(item.volume_l * options.fill_fraction), prize=0, must=True) for item in served
        ],
        fleet=fleet,
        matrices=[measured.of(rows)],
        calendar=day,
        options=DayOptions(),
    )
    return problem, [item.sector or "" for item in served]


def _all_served(problem: Problem, engine: Engine, options: FormerOptions, *, weekday: int) -> Solution:
    solution = engine.solve(problem, limits=options.limits, seed=options.seed)
    if solution.left_out or not check(problem, solution).accepted:
        left = ", ".join(problem.stop_ids[stop] for stop in solution.left_out[:_NAMED])
        raise InputError(
            f"weekday {weekday}: the fleet cannot serve all {len(problem.stop_ids)} bins of its sectors within its "
            f"shifts{f' ({len(solution.left_out)} left, such as {left})' if left else ''}"
        )
    return solution


def _by_sector(problem: Problem, solution: Solution, sector: Sequence[str]) -> dict[str, _Share]:
    """Share rounds out: a leg is its bin's sector's, the way to unload and home that of the last bin before it."""
    metres: defaultdict[str, float] = defaultdict(float)
    seconds: defaultdict[str, float] = defaultdict(float)
    for route in solution.routes:
        who, travelled = problem.vehicles[route.vehicle], problem.travel(route.vehicle).distance_m
        at, left_s, whose = who.depot, route.start_s, sector[route.stops[0]]
        for visit in route.visits:
            if visit.kind is VisitKind.BREAK:
                seconds[whose] += visit.arrive_s - left_s
                left_s = visit.depart_s
                continue
            whose = sector[visit.index] if visit.kind is VisitKind.STOP else whose
            row = _row(problem, visit)
            metres[whose] += float(travelled[at, row])
            seconds[whose] += visit.depart_s - left_s
            at, left_s = row, visit.depart_s
        metres[whose] += float(travelled[at, who.home])
        seconds[whose] += route.end_s - left_s
    bins = _counts(sector[stop] for route in solution.routes for stop in route.stops)
    return {
        name: _Share(km=round(metres[name] / 1000, 3), hours=round(seconds[name] / _HOUR_S, 4), bins=count)
        for name, count in sorted(bins.items())
    }


def _row(problem: Problem, visit: Visit) -> int:
    if visit.kind is VisitKind.DISPOSAL:
        return problem.disposals[visit.index].location
    return int(problem.location[visit.index])


def _counts(names: Iterable[str]) -> dict[str, int]:
    found, counts = np.unique(list(names), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
