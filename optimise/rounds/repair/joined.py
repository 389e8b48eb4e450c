"""A plan of what lies behind and what lies ahead: the old round up to where it is, the new one from there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from optimise.rounds.repair.progress import Progress
from storage.model import PlannedRoute, PlannedStop, StopKind


def joined_routes(
    progress: Mapping[str, Progress], rest: Mapping[str, PlannedRoute], *, now: datetime
) -> tuple[PlannedRoute, ...]:
    """Return the day's routes: those of `progress` with their rest, then those of vehicles that go out anew."""
    routes = []
    for vehicle_id, one in progress.items():
        if one.begun:
            routes.append(_joined(one, rest.get(vehicle_id), now=now))
        elif vehicle_id in rest:
            routes.append(rest[vehicle_id])
    routes += [route for vehicle_id, route in rest.items() if vehicle_id not in progress]
    return tuple(replace(route, route_index=number) for number, route in enumerate(routes))


def _joined(one: Progress, rest: PlannedRoute | None, *, now: datetime) -> PlannedRoute:
    old = one.route
    behind = list(one.behind)
    cut = max((stop.point_index for stop in behind if stop.point_index is not None), default=0)
    geometry = old.geometry[: cut + 1]
    ahead: list[PlannedStop] = []
    if rest is not None:
        waits = rest.stops[0].depart_at
        ahead = [
            stop if stop.point_index is None else replace(stop, point_index=stop.point_index + len(geometry))
            for stop in rest.stops[1:]
        ]
        geometry += rest.geometry
        end_at = max(rest.end_at, waits)
    elif one.broken_at is not None:
        end_at = max(one.broken_at, behind[-1].depart_at)
    else:
        ahead, end_at = _way_home(one, now=now)
    stops = tuple(replace(stop, stop_index=number) for number, stop in enumerate([*behind, *ahead]))
    start_at = min(old.start_at, behind[0].depart_at)
    return replace(
        old,
        start_at=start_at,
        end_at=end_at,
        stops=stops,
        distance_m=sum(stop.distance_m for stop in stops),
        duration_s=(end_at - start_at).total_seconds(),
        geometry=geometry,
    )


def _way_home(one: Progress, *, now: datetime) -> tuple[list[PlannedStop], datetime]:
    """Return the old way home, at the time at which it is driven now: nothing is left to do."""
    home = one.route.stops[-1]
    if home.kind is not StopKind.DEPOT:
        return [], max(one.left_at, one.behind[-1].depart_at)
    before = one.route.stops[-2]
    drive = max(timedelta(), home.arrive_at - before.depart_at)
    arrive_at = max(now, one.left_at + drive)
    return [replace(home, arrive_at=arrive_at, depart_at=arrive_at, point_index=None, steps=())], arrive_at
