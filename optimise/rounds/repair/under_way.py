"""Rounds under way as a problem and as a plan: what is left of them, and that joined to what lies behind.

Repairs and the chef's edits of rounds under way both go this way: what lies behind and everybody's next stop stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from optimise.rounds.day import Fleet
from optimise.rounds.day_loading import Opener, measuring_of
from optimise.rounds.day_task import Loaded, Task, day_task
from optimise.rounds.editing.remaking import ENGINE, Names, Remade
from optimise.rounds.plan_making import left_out_of, plan_of
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.problem import Problem
from optimise.rounds.repair.joined import joined_routes
from optimise.rounds.repair.progress import Progress
from optimise.rounds.repair.rest import Rest, rest_of
from optimise.rounds.repair.road import Road
from optimise.rounds.solution import Solution
from storage import round_rules
from storage.errors import InputError
from storage.model import FillForecast, LeftOut, Place, PlaceKind, Plan, Reason, StopKind


def as_it_is(loaded: Loaded, road: Road) -> Loaded:
    """Return the day with the fleet and the rules of the plan, less what broke down, and with bins that are full."""
    inputs = road.plan.inputs
    planned = set(inputs.get("vehicles", [])) or {vehicle.vehicle_id for vehicle in loaded.fleet.vehicles}
    in_service = (planned | (road.back - road.homebound)) - road.out
    vehicles = tuple(who for who in loaded.fleet.vehicles if who.vehicle_id in in_service)
    if not vehicles:
        raise InputError("no vehicle is in service any more: the rest of the rounds has nobody to drive it")
    rules = loaded.rules
    if inputs.get("rules") is not None:
        rules = round_rules.decode(json.dumps(inputs["rules"]).encode())
    outlooks = dict(loaded.outlooks.of_bin)
    for place_id in road.urgent & outlooks.keys():
        one = outlooks[place_id]
        outlooks[place_id] = replace(one, at_service=_full(one.at_service), at_next=_full(one.at_next))
    return replace(
        loaded,
        fleet=Fleet(vehicles=vehicles, depots=loaded.fleet.depots, disposal_sites=loaded.fleet.disposal_sites),
        rules=rules,
        outlooks=replace(loaded.outlooks, of_bin=outlooks),
    )


def _full(forecast: FillForecast) -> FillForecast:
    return replace(forecast, p05=1.0, p10=1.0, p50=1.0, p90=1.0, p95=1.0, probability_full=1.0)


def measured_rest(
    loaded: Loaded, road: Road, day: PlannerOptions, *, opener: Opener, change_cost: int
) -> tuple[Task, Rest]:
    """Measure travel from where vehicles are, and state what is left to do. Each change costs `change_cost`."""
    task, starts = _measured(loaded, road, day, opener)
    behind = {stop.place_id for one in road.progress.values() for stop in one.behind if stop.kind is StopKind.BIN}
    rest = rest_of(
        task.problem,
        road.progress,
        calendar=loaded.calendar,
        now=road.now,
        starts=starts,
        done=frozenset({*road.done, *(place_id for place_id in behind if place_id is not None)}),
        blocked=frozenset(road.blocked),
        urgent=road.urgent,
        homebound=road.homebound,
        change_cost=change_cost,
    )
    return task, rest


def _measured(loaded: Loaded, road: Road, day: PlannerOptions, opener: Opener) -> tuple[Task, dict[str, int]]:
    """Measure travel, from where vehicles say they are when streets are near; return each one's row of the matrices."""
    here = _placed(road, loaded.fleet)
    try:
        task = _task(loaded, here, day, opener)
    except InputError:
        if not here:
            raise
        # Somebody is where no street is: then each is where it was last.
        here = []
        task = _task(loaded, here, day, opener)
    rows = {one.route.vehicle_id: len(loaded.fleet.depots) + number for number, one in enumerate(here)}
    names = Names.of(task.problem)
    for vehicle_id, one in road.progress.items():
        if one.begun and one.broken_at is None and vehicle_id in names.vehicles and vehicle_id not in rows:
            rows[vehicle_id] = _row(task.problem, one, names)
    return task, rows


def _placed(road: Road, fleet: Fleet) -> list[Progress]:
    """Return the vehicles in service that say where they are."""
    in_service = {who.vehicle_id for who in fleet.vehicles}
    return [
        one
        for vehicle_id, one in road.progress.items()
        if vehicle_id in in_service and one.position is not None and one.broken_at is None and one.begun
    ]


def _task(loaded: Loaded, here: Sequence[Progress], day: PlannerOptions, opener: Opener) -> Task:
    depots = (*loaded.fleet.depots, *(_place(one, loaded.fleet.depots[0].commune_insee) for one in here))
    fleet = Fleet(vehicles=loaded.fleet.vehicles, depots=depots, disposal_sites=loaded.fleet.disposal_sites)
    placed = replace(loaded, fleet=fleet)
    return day_task(placed, measuring_of(placed, day, opener), policy=day.policy, options=day.day())


def _place(one: Progress, commune_insee: str) -> Place:
    assert one.position is not None
    return Place(
        commune_insee=commune_insee,
        place_id=f"@{one.route.vehicle_id}",
        kind=PlaceKind.DEPOT,
        longitude_deg=one.position.longitude_deg,
        latitude_deg=one.position.latitude_deg,
    )


def _row(problem: Problem, one: Progress, names: Names) -> int:
    place_id = str(one.here.place_id)
    if one.here.kind is StopKind.BIN and place_id in names.stops:
        return int(problem.location[names.stops[place_id]])
    if one.here.kind is StopKind.DISPOSAL and place_id in names.sites:
        return problem.disposals[names.sites[place_id]].location
    return problem.vehicles[names.vehicles[one.route.vehicle_id]].depot


def whole_plan(
    road: Road,
    loaded: Loaded,
    task: Task,
    *,
    rest: Rest,
    remade: Remade,
    day: PlannerOptions,
    solve_s: float,
    inputs: Mapping[str, Any],
) -> Plan:
    """Return the plan of the whole day: what lies behind as it was, and the rest as it was made anew."""
    whole = replace(task, problem=remade.problem)
    made = plan_of(
        replace(loaded, fleet=_with_positions(task, loaded, road)),
        whole,
        _without_loads(remade.solution, rest.on_board),
        remade.verdict,
        commune_insee=road.plan.commune_insee,
        made_at=road.now,
        as_of=road.plan.as_of,
        solve_s=solve_s,
        options=day,
        inputs={
            "happened": [one.as_json() for one in road.new],
            "iterations": remade.iterations,
            "rest_since": road.now.isoformat(),
            "homebound": sorted(road.homebound),
            "crews": road.plan.inputs.get("crews", {}),
            **inputs,
        },
    )
    routes = joined_routes(road.progress, {route.vehicle_id: route for route in made.routes}, now=road.now)
    visited = {stop.place_id for route in routes for stop in route.stops if stop.kind is StopKind.BIN}
    return replace(
        made,
        engine=ENGINE,
        distance_m=sum(route.distance_m for route in routes),
        duration_s=sum(route.duration_s for route in routes),
        routes=routes,
        left_out=tuple(_left(left_out_of(whole, remade.solution), road, visited)),
    )


def _left(left_out: Iterable[LeftOut], road: Road, visited: set[str | None]) -> Iterable[LeftOut]:
    """Yield the bins that are left with their reasons, without those that were emptied."""
    blocked, done = road.blocked, road.done
    for left in left_out:
        if left.place_id in blocked:
            at = blocked[left.place_id]
            text = f"Déclarée inaccessible à {at:%H:%M} UTC."
            yield LeftOut(place_id=left.place_id, reason=Reason(code="blocked", text=text, figures=left.reason.figures))
        elif left.place_id not in visited and left.place_id not in done:
            yield left


def _with_positions(task: Task, loaded: Loaded, road: Road) -> Fleet:
    """Return the fleet with as many depots as the matrices have: where vehicles were measured from is one of them."""
    extra = int(task.problem.disposals[0].location) - len(loaded.fleet.depots)
    depots = (
        *loaded.fleet.depots,
        *(_place(one, road.plan.commune_insee) for one in _placed(road, loaded.fleet)[:extra]),
    )
    return Fleet(vehicles=loaded.fleet.vehicles, depots=depots, disposal_sites=loaded.fleet.disposal_sites)


def _without_loads(solution: Solution, on_board: frozenset[int]) -> Solution:
    """Return the solution without the stops that stand for what is on board."""
    routes = tuple(
        replace(
            route,
            visits=tuple(v for v in route.visits if not (v.kind == "stop" and v.index in on_board)),
        )
        for route in solution.routes
    )
    return replace(solution, routes=routes)
