"""Repair the rounds that are under way: read what happened, make the rest anew, check, publish the next version."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog

from optimise.rounds.day_loading import Opener, load_day
from optimise.rounds.editing.difference import difference
from optimise.rounds.editing.ground import Line
from optimise.rounds.editing.remaking import Remade, SearchLimits, remake
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.problem import EURO
from optimise.rounds.repair.rest import Rest
from optimise.rounds.repair.road import AFTER, BEFORE, Road, begins_at, ends_at, road_of
from optimise.rounds.repair.under_way import as_it_is, measured_rest, whole_plan
from optimise.rounds.told import options_of
from optimise.rounds.travel import open_travel
from storage import communes, plans, vehicle_events
from storage.database import Connection
from storage.errors import ConflictError, InputError, PlanRefusedError
from storage.model import Plan, PlanOrigin, PlanSource, ServiceEventKind

log = structlog.get_logger()


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
    loaded = as_it_is(loaded, road)
    task, rest = measured_rest(loaded, road, day, opener=options.opener, change_cost=round(options.change_eur * EURO))
    limits = SearchLimits(seconds=options.most_s, iterations=options.iterations)
    try:
        remade = remake(rest.problem, rest.asked, seed=day.seed, limits=limits)
    except PlanRefusedError:
        # Not everything that somebody imposed fits into what is left of the day; the rest is to be driven all the same.
        rest = rest.with_imposed_as_dear()
        remade = remake(rest.problem, rest.asked, seed=day.seed, limits=limits)
    barred = any(one.kind == ServiceEventKind.BLOCKED for one in road.new)
    if not barred and not _changes(remade, rest):
        with connection.transaction():
            vehicle_events.note_weighed(connection, commune_insee, road.plan.plan_id, road.names)
        return None
    plan = whole_plan(
        road,
        loaded,
        task,
        rest=rest,
        remade=remade,
        day=day,
        solve_s=time.monotonic() - began_s,
        inputs={"repaired": str(road.plan.plan_id), "change_eur": options.change_eur},
    )
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
            vehicle_events.note_weighed(connection, commune_insee, plan.plan_id, road.names)
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


def _road(connection: Connection, commune_insee: str, options: RepairOptions) -> Road | None:
    """Return the rounds that are under way or about to begin; None when there are none."""
    commune = communes.one(connection, commune_insee)
    now = communes.clock(connection, commune_insee).now()
    today = now.astimezone(ZoneInfo(commune.time_zone)).date()
    # Rounds over midnight are yesterday's.
    for service_date in (today, today - timedelta(days=1)):
        plan = plans.latest(connection, commune_insee, service_date=service_date)
        if plan is not None and plan.routes and begins_at(plan) - BEFORE <= now <= ends_at(plan) + AFTER:
            return road_of(connection, plan, now=now, late_s=options.late_min * 60)
    return None


def _changes(remade: Remade, rest: Rest) -> bool:
    """Whether anybody has another round than before, apart from unloadings."""

    def bins(lines: Mapping[int, Line]) -> dict[int, list[int]]:
        orders = {vehicle: [at for at in line if at >= 0] for vehicle, line in lines.items()}
        return {vehicle: order for vehicle, order in orders.items() if order}

    before, after = bins(rest.asked.lines), bins(remade.lines)
    # What a broken vehicle had to do has to be said to be left, if nobody takes it over.
    return before != after or bool(set(rest.asked.hot) - {at for order in after.values() for at in order})
