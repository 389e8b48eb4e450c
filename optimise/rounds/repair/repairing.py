"""Repair the rounds that are under way: read what happened, make the rest anew, check, publish the next version."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from optimise.rounds.day import Fleet
from optimise.rounds.day_loading import Opener, load_day, measuring_of
from optimise.rounds.day_task import Loaded, Task, day_task
from optimise.rounds.editing.difference import difference
from optimise.rounds.editing.editor import options_of
from optimise.rounds.editing.ground import Line
from optimise.rounds.editing.remaking import ENGINE, Names, Remade, SearchLimits, remake
from optimise.rounds.plan_making import left_out_of, plan_of
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.problem import EURO, Problem
from optimise.rounds.repair.happenings import Happening, happenings
from optimise.rounds.repair.joined import joined_routes
from optimise.rounds.repair.progress import Progress, progress_of
from optimise.rounds.repair.rest import Rest, rest_of
from optimise.rounds.solution import Solution
from optimise.rounds.travel import open_travel
from storage import alerts, communes, plans, round_rules, vehicle_events
from storage.database import Connection
from storage.errors import ConflictError, InputError
from storage.model import (
    FillForecast,
    LeftOut,
    Place,
    PlaceKind,
    Plan,
    PlanOrigin,
    PlanSource,
    Reason,
    ServiceEvent,
    ServiceEventKind,
    StopKind,
)

log = structlog.get_logger()

_BEFORE = timedelta(hours=3)
_AFTER = timedelta(hours=8)
_TOLERANCE = timedelta(minutes=10)
"""How far ahead a tablet's clock may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RepairOptions:
    """How rounds are repaired.

    `change_eur`: what each bin that changes its round or its turn costs, beside its way. `late_min`: minutes behind the
    plan from which on a crew's rest is made anew. `most_s` bounds the search by wall time, `iterations` by work.
    """

    planner: PlannerOptions
    change_eur: float = 2.0
    late_min: float = 20.0
    most_s: float | None = 2.0
    iterations: int | None = None
    opener: Opener = field(default=open_travel)

    def __post_init__(self) -> None:
        if not self.change_eur >= 0:
            raise InputError(f"expected change_eur >= 0, got {self.change_eur}")
        if not self.late_min > 0:
            raise InputError(f"expected late_min > 0, got {self.late_min}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Road:
    """The published plan, and what is known of it on the road."""

    plan: Plan
    progress: dict[str, Progress]
    happened: list[Happening]
    weighed: frozenset[str]
    events: Sequence[ServiceEvent]
    now: datetime

    @property
    def done(self) -> frozenset[str]:
        """The bins that were emptied."""
        return frozenset(event.place_id for event in self.events if event.kind is ServiceEventKind.EMPTIED)

    @property
    def blocked(self) -> dict[str, datetime]:
        """The bins that nobody can come to, and since when."""
        found = {event.place_id: event.happened_at for event in self.events if event.kind is ServiceEventKind.BLOCKED}
        return {place_id: at for place_id, at in found.items() if place_id not in self.done}

    @property
    def urgent(self) -> frozenset[str]:
        """The bins that are full now."""
        return frozenset(one.place_id for one in self.happened if one.urgent and one.place_id is not None)

    @property
    def new(self) -> list[Happening]:
        """What calls for a repair and was not weighed before."""
        return [one for one in self.happened if one.calls and one.name not in self.weighed]


def repair_rounds(connection: Connection, commune_insee: str, *, options: RepairOptions) -> Plan | None:
    """Repair the rounds under way, if something new calls for it, and publish them; return the plan, or None.

    What was weighed once is not weighed again, so calling this at any time and twice is harmless. The bin that a driver
    is heading for stays the next one.
    """
    began_s = time.monotonic()
    with connection.transaction():
        road = _road(connection, commune_insee, options)
        if road is None or not road.new:
            return None
        day = options_of(road.plan, options.planner)
        loaded = load_day(
            connection, commune_insee, service_date=road.plan.service_date, as_of=road.plan.as_of, options=day,
            run_id=road.plan.forecast_run_id,
        )  # fmt: skip
    loaded = _as_it_is(loaded, road)
    task, starts = _measured(loaded, road, day, options)
    rest = rest_of(
        task.problem,
        road.progress,
        calendar=loaded.calendar,
        now=road.now,
        starts=starts,
        done=road.done,
        blocked=frozenset(road.blocked),
        urgent=road.urgent,
        change_cost=round(options.change_eur * EURO),
    )
    limits = SearchLimits(seconds=options.most_s, iterations=options.iterations)
    remade = remake(rest.problem, rest.asked, seed=day.seed, limits=limits)
    names = road.weighed | {one.name for one in road.happened}
    barred = any(one.kind == ServiceEventKind.BLOCKED for one in road.new)
    if not barred and not _changes(remade, rest):
        with connection.transaction():
            vehicle_events.note_weighed(connection, commune_insee, road.plan.plan_id, names)
        return None
    plan = _joined_plan(road, loaded, task, rest, remade, day, solve_s=time.monotonic() - began_s)
    plan = replace(plan, inputs=plan.inputs | {"change_eur": options.change_eur})
    source = PlanSource(
        origin=PlanOrigin.REPAIRED,
        based_on=road.plan.plan_id,
        made_by="voirie",
        edits=tuple(one.as_json() for one in road.new),
        difference=difference(road.plan, plan),
    )
    try:
        with connection.transaction():
            plans.save(connection, plan, source=source)
            vehicle_events.note_weighed(connection, commune_insee, plan.plan_id, names)
    except ConflictError:
        # Somebody published meanwhile: what happened is weighed again, for that plan.
        log.info("repair_overtaken", commune_insee=commune_insee, plan_id=str(road.plan.plan_id))
        return None
    log.info(
        "rounds_repaired",
        commune_insee=commune_insee,
        plan_id=str(plan.plan_id),
        based_on=str(road.plan.plan_id),
        why=[one.kind for one in road.new],
        whole_s=round(time.monotonic() - began_s, 2),
    )
    return plan


def _road(connection: Connection, commune_insee: str, options: RepairOptions) -> _Road | None:
    """Return the rounds that are under way or about to begin; None when there are none."""
    commune = communes.one(connection, commune_insee)
    now = communes.clock(connection, commune_insee).now()
    today = now.astimezone(ZoneInfo(commune.time_zone)).date()
    # Rounds over midnight are yesterday's.
    for service_date in (today, today - timedelta(days=1)):
        plan = plans.latest(connection, commune_insee, service_date=service_date)
        if plan is None or not plan.routes:
            continue
        begins = min(route.start_at for route in plan.routes)
        ends = max(route.end_at for route in plan.routes)
        if begins - _BEFORE <= now <= ends + _AFTER:
            break
    else:
        return None
    span = {"since": begins - _BEFORE, "until": now + _TOLERANCE}
    events = vehicle_events.at_bins(connection, commune_insee, **span)
    of_vehicles = vehicle_events.between(connection, commune_insee, **span)
    progress = progress_of(
        plan,
        events=events,
        vehicle_events=of_vehicles,
        positions=vehicle_events.positions(connection, commune_insee),
        now=now,
    )
    opened = [alert for alert in alerts.open_now(connection, commune_insee) if alert.opened_at >= span["since"]]
    found = happenings(
        progress,
        plan_name=str(plan.plan_id),
        events=events,
        vehicle_events=of_vehicles,
        alerts=opened,
        now=now,
        late_s=options.late_min * 60,
    )
    weighed = vehicle_events.weighed(connection, commune_insee, plan.plan_id)
    return _Road(plan=plan, progress=progress, happened=found, weighed=weighed, events=events, now=now)


def _as_it_is(loaded: Loaded, road: _Road) -> Loaded:
    """Return the day with the fleet and the rules of the plan, less what broke down, and with bins that are full."""
    inputs = road.plan.inputs
    out = {name for name, one in road.progress.items() if one.broken_at is not None}
    planned = set(inputs.get("vehicles", [])) or {vehicle.vehicle_id for vehicle in loaded.fleet.vehicles}
    vehicles = tuple(who for who in loaded.fleet.vehicles if who.vehicle_id in planned - out)
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


def _measured(loaded: Loaded, road: _Road, day: PlannerOptions, options: RepairOptions) -> tuple[Task, dict[str, int]]:
    """Measure travel, from where vehicles say they are when streets are near; return each one's row of the matrices."""
    here = [one for one in road.progress.values() if one.position is not None and one.broken_at is None and one.begun]
    try:
        task = _task(loaded, here, day, options)
    except InputError:
        if not here:
            raise
        # Somebody is where no street is: then each is where it was last.
        here = []
        task = _task(loaded, here, day, options)
    rows = {one.route.vehicle_id: len(loaded.fleet.depots) + number for number, one in enumerate(here)}
    names = Names.of(task.problem)
    for vehicle_id, one in road.progress.items():
        if one.begun and one.broken_at is None and vehicle_id in names.vehicles and vehicle_id not in rows:
            rows[vehicle_id] = _row(task.problem, one, names)
    return task, rows


def _task(loaded: Loaded, here: Sequence[Progress], day: PlannerOptions, options: RepairOptions) -> Task:
    depots = (*loaded.fleet.depots, *(_place(one, loaded.fleet.depots[0].commune_insee) for one in here))
    fleet = Fleet(vehicles=loaded.fleet.vehicles, depots=depots, disposal_sites=loaded.fleet.disposal_sites)
    placed = replace(loaded, fleet=fleet)
    return day_task(placed, measuring_of(placed, day, options.opener), policy=day.policy, options=day.day())


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
    return problem.vehicles[names.vehicles[one.route.vehicle_id]].depot


def _changes(remade: Remade, rest: Rest) -> bool:
    """Whether anybody has another round than before, apart from unloadings."""

    def bins(lines: Mapping[int, Line]) -> dict[int, list[int]]:
        orders = {vehicle: [at for at in line if at >= 0] for vehicle, line in lines.items()}
        return {vehicle: order for vehicle, order in orders.items() if order}

    before, after = bins(rest.asked.lines), bins(remade.lines)
    # What a broken vehicle had to do has to be said to be left, if nobody takes it over.
    return before != after or bool(set(rest.asked.hot) - {at for order in after.values() for at in order})


def _joined_plan(  # noqa: PLR0917 - one caller, above
    road: _Road,
    loaded: Loaded,
    task: Task,
    rest: Rest,
    remade: Remade,
    day: PlannerOptions,
    *,
    solve_s: float,
) -> Plan:
    anchors = _with_positions(task, loaded, road)
    whole = replace(task, problem=remade.problem)
    made = plan_of(
        replace(loaded, fleet=anchors),
        whole,
        _without_loads(remade.solution, rest.on_board),
        remade.verdict,
        commune_insee=road.plan.commune_insee,
        made_at=road.now,
        as_of=road.plan.as_of,
        solve_s=solve_s,
        options=day,
        inputs={
            "repaired": str(road.plan.plan_id),
            "happened": [one.as_json() for one in road.new],
            "iterations": remade.iterations,
            "rest_since": road.now.isoformat(),
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


def _left(left_out: Iterable[LeftOut], road: _Road, visited: set[str | None]) -> Iterable[LeftOut]:
    """Yield the bins that are left with their reasons, without those that were emptied."""
    for left in left_out:
        if left.place_id in road.blocked:
            at = road.blocked[left.place_id]
            text = f"Déclarée inaccessible à {at:%H:%M} UTC."
            yield LeftOut(place_id=left.place_id, reason=Reason(code="blocked", text=text, figures=left.reason.figures))
        elif left.place_id not in visited and left.place_id not in road.done:
            yield left


def _with_positions(task: Task, loaded: Loaded, road: _Road) -> Fleet:
    """Return the fleet with as many depots as the matrices have: where vehicles were measured from is one of them."""
    extra = int(task.problem.disposals[0].location) - len(loaded.fleet.depots)
    here = [one for one in road.progress.values() if one.position is not None and one.broken_at is None and one.begun]
    depots = (*loaded.fleet.depots, *(_place(one, road.plan.commune_insee) for one in here[:extra]))
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
