"""From the solution's whole numbers to the plan's routes: moments, places, loads, and the way along the streets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from optimise.rounds.day import Calendar, Fleet
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Route, Solution, Visit, VisitKind
from optimise.rounds.travel import Travel, Way
from storage.model import Bin, DisposalSite, Place, PlannedRoute, PlannedStop, Reason, StopKind

type _Somewhere = Bin | DisposalSite | Place

_KINDS = {VisitKind.STOP: StopKind.BIN, VisitKind.DISPOSAL: StopKind.DISPOSAL, VisitKind.BREAK: StopKind.BREAK}


def planned_routes(
    problem: Problem,
    solution: Solution,
    *,
    bins: Sequence[Bin],
    fleet: Fleet,
    calendar: Calendar,
    travels: Sequence[Travel],
    kerb: Sequence[Sequence[bool]],
    reasons: Mapping[int, Reason],
) -> tuple[PlannedRoute, ...]:
    """Return the plan's routes.

    `travels` measure for the vehicles' profiles, in their order; `kerb` is by profile and place of the matrices,
    `reasons` of the bins by index in the problem.
    """
    everywhere: list[_Somewhere] = [*fleet.anchors, *bins]
    routes = []
    for number, route in enumerate(solution.routes):
        told, rows = _stops(problem, route, everywhere, calendar, reasons)
        profile = problem.vehicles[route.vehicle].profile
        way = travels[profile].way(
            [(everywhere[row].longitude_deg, everywhere[row].latitude_deg) for row in rows],
            kerb=[kerb[profile][row] for row in rows],
        )
        stops = _along(told, way)
        routes.append(
            PlannedRoute(
                route_index=number,
                vehicle_id=problem.vehicles[route.vehicle].vehicle_id,
                start_at=calendar.moment(route.start_s),
                end_at=calendar.moment(route.end_s),
                distance_m=sum(stop.distance_m for stop in stops),
                duration_s=float(route.end_s - route.start_s),
                stops=stops,
                geometry=way.geometry,
            )
        )
    return tuple(routes)


def _stops(
    problem: Problem,
    route: Route,
    everywhere: Sequence[_Somewhere],
    calendar: Calendar,
    reasons: Mapping[int, Reason],
) -> tuple[list[PlannedStop], list[int]]:
    """Return a route's stops, depot to depot, and the rows of the matrices that it passes."""
    who, distances = problem.vehicles[route.vehicle], problem.travel(route.vehicle).distance_m
    leaving = Visit(kind=VisitKind.STOP, index=-1, arrive_s=route.start_s, depart_s=route.start_s, load_l=0)
    home = Visit(kind=VisitKind.STOP, index=-1, arrive_s=route.end_s, depart_s=route.end_s, load_l=0)
    rows = [who.depot]
    stops: list[PlannedStop] = []
    for visit in (leaving, *route.visits, home):
        rest = visit.kind is VisitKind.BREAK
        at_depot = visit.kind is VisitKind.STOP and visit.index < 0
        row = (who.home if visit is home else who.depot) if at_depot else _row(problem, visit)
        distance_m = 0 if rest or row is None else int(distances[rows[-1], row])
        # A break that begins when the last stop ends is taken there; any other is taken on the way.
        on_the_way = rest and stops[-1].depart_at != calendar.moment(visit.arrive_s)
        where = None if on_the_way else everywhere[rows[-1] if row is None else row]
        stops.append(
            PlannedStop(
                stop_index=len(stops),
                kind=StopKind.DEPOT if at_depot else _KINDS[visit.kind],
                place_id=None if rest or where is None else where.place_id,
                longitude_deg=None if where is None else where.longitude_deg,
                latitude_deg=None if where is None else where.latitude_deg,
                arrive_at=calendar.moment(visit.arrive_s),
                depart_at=calendar.moment(visit.depart_s),
                load_l=float(visit.load_l),
                load_kg=float(visit.load_kg),
                distance_m=float(distance_m),
                reason=reasons[visit.index] if visit.kind is VisitKind.STOP and not at_depot else None,
            )
        )
        if row is not None and len(stops) > 1:
            rows.append(row)
    return stops, rows


def _along(stops: Sequence[PlannedStop], way: Way) -> tuple[PlannedStop, ...]:
    """Return the stops with the way to each; a break has none, the one after it has it whole."""
    legs = iter(way.legs)
    placed = [replace(stops[0], point_index=0)]
    for stop in stops[1:]:
        if stop.kind is StopKind.BREAK:
            taken_there = stop.longitude_deg is not None
            placed.append(replace(stop, point_index=placed[-1].point_index if taken_there else None))
        else:
            leg = next(legs)
            placed.append(replace(stop, point_index=leg.point_index, steps=leg.steps))
    return tuple(placed)


def _row(problem: Problem, visit: Visit) -> int | None:
    if visit.kind is VisitKind.BREAK:
        return None
    if visit.kind is VisitKind.DISPOSAL:
        return problem.disposals[visit.index].location
    return int(problem.location[visit.index])
