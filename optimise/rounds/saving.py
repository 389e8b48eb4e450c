"""What a round would save without one of its stops, the others in the same order. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from optimise.rounds.problem import Problem
from optimise.rounds.solution import Route, VisitKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Saving:
    """What leaving out the bin `stop` would shorten its round by; its service is not counted."""

    stop: int
    distance_m: int
    duration_s: int


def savings(problem: Problem, route: Route) -> Iterator[Saving]:
    """Yield the saving of each bin of a route, in the order of its visits, by the travel of the route's vehicle."""
    who, travel = problem.vehicles[route.vehicle], problem.travel(route.vehicle)
    rows, stops = [who.depot], [-1]
    for visit in route.visits:
        if visit.kind is VisitKind.STOP:
            rows.append(int(problem.location[visit.index]))
            stops.append(visit.index)
        elif visit.kind is VisitKind.DISPOSAL:
            rows.append(problem.disposals[visit.index].location)
            stops.append(-1)
    rows.append(who.home)
    for stop, before, row, after in zip(stops[1:], rows, rows[1:], rows[2:], strict=False):
        if stop >= 0:
            distance_m, duration_s = (
                int(matrix[before, row] + matrix[row, after] - matrix[before, after])
                for matrix in (travel.distance_m, travel.duration_s)
            )
            yield Saving(stop=stop, distance_m=distance_m, duration_s=duration_s)
