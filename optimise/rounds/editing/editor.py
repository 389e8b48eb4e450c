"""Edit a saved plan: read, close streets, search around the locks, check, tell the difference, save a draft."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from optimise.rounds.day_loading import Opener, load_day, measuring_of
from optimise.rounds.day_task import day_task
from optimise.rounds.editing.difference import difference
from optimise.rounds.editing.edits import Edit, Without, documents_of, edits_from
from optimise.rounds.editing.remaking import LOCKS_SHARE, Asked, Remade, SearchLimits, lock_prices, remake
from optimise.rounds.editing.stating import Base, Stated, stated
from optimise.rounds.editing.wanted import Wanted
from optimise.rounds.plan_making import plan_of
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.problem import EURO
from optimise.rounds.repair.road import AFTER, Road, begins_at, ends_at, road_of
from optimise.rounds.repair.under_way import whole_plan
from optimise.rounds.street_lines import read_street_lines
from optimise.rounds.told import options_of
from optimise.rounds.travel import open_travel
from optimise.rounds.warm_streets import Lines
from storage import communes, plan_versions, plans, vehicle_events
from storage.database import Connection
from storage.errors import ConflictError, InputError
from storage.model import Plan, PlanOrigin, PlanSource, PlanStatus

log = structlog.get_logger()

_LOCKS = frozenset({"lock", "move", "add", "drop"})


@dataclass(frozen=True, kw_only=True, slots=True)
class EditorOptions:
    """How plans are edited.

    `whole_s` is what an edit may take from reading to saving; the search gets what the rest leaves, `least_s` at
    least and `most_s` at most; `share_s` more when a vehicle stays at home, whose whole round is shared out.
    `change_eur`: what each bin that changes its round or its turn costs, beside its way.
    `iterations` bounds the search by work instead.
    """

    planner: PlannerOptions
    whole_s: float = 3.5
    least_s: float = 0.6
    most_s: float = 2.5
    share_s: float = 0.9
    after_s: float = 0.9
    change_eur: float = 0.2
    iterations: int | None = None
    opener: Opener = field(default=open_travel)
    lines: Lines = field(default=read_street_lines)

    def __post_init__(self) -> None:
        for name in ("whole_s", "least_s", "most_s"):
            if not getattr(self, name) > 0:
                raise InputError(f"expected {name} > 0, got {getattr(self, name)}")
        if not self.change_eur >= 0:
            raise InputError(f"expected change_eur >= 0, got {self.change_eur}")

    def search(self, began_s: float, edits: Sequence[Edit]) -> SearchLimits:
        """Return how long to search for `edits` when the work began at that moment of `time.monotonic`."""
        if self.iterations is not None:
            return SearchLimits(seconds=None, iterations=self.iterations)
        left_s = self.whole_s - (time.monotonic() - began_s) - self.after_s
        most_s = self.most_s
        if any(isinstance(edit, Without) for edit in edits):
            left_s, most_s = left_s + self.share_s, most_s + self.share_s
        if any(edit.kind in _LOCKS for edit in edits):
            left_s /= 1 + LOCKS_SHARE
        return SearchLimits(seconds=min(most_s, max(self.least_s, left_s)))


def edit_plan(
    connection: Connection,
    commune_insee: str,
    plan_id: UUID,
    documents: Sequence[dict[str, Any]],
    *,
    by: str,
    options: EditorOptions,
    stopped: Callable[[], bool] = lambda: False,
) -> Plan:
    """Make a draft of a plan with `documents` (edits), or of a draft with more of them; save it and return it.

    Of rounds under way the rest is edited: what is done and the stop that each vehicle heads for stay. Raises
    InputError for edits that make no sense, PlanRefusedError naming the bin and the rule that an edit breaks,
    ConflictError when the plan is not the published one of its day or its rounds are over.
    """
    began_s = time.monotonic()
    with connection.transaction():
        base = _base(connection, commune_insee, plan_id, documents, options)
        loaded = load_day(
            connection, commune_insee, service_date=base.plan.service_date, as_of=base.plan.as_of,
            options=base.options, run_id=base.plan.forecast_run_id,
        )  # fmt: skip
    asks = stated(base, loaded, opener=options.opener, lines=options.lines)
    measured_s = time.monotonic() - began_s
    asked = asks.ask(base.edits, round(options.change_eur * EURO))
    limits = options.search(began_s, base.edits)
    remade = remake(asks.problem, asked, seed=asks.day.seed, limits=limits, stopped=stopped)
    prices = _lock_prices(base, asks, remade, limits)
    plan = _made(base, asks, remade, solve_s=time.monotonic() - began_s, change_eur=options.change_eur)
    changes = difference(base.plan, plan) | {
        "locks": [
            {"edit": number, **base.documents[number - 1], "cost_eur": None if price is None else round(price, 2)}
            for number, price in prices.items()
        ]
    }
    source = PlanSource(
        origin=PlanOrigin.EDITED,
        based_on=base.plan.plan_id,
        made_by=by,
        edits=tuple(base.documents),
        difference=changes,
    )
    with connection.transaction():
        plans.save(connection, plan, source=source, publish=False)
        if asks.road is not None:
            vehicle_events.note_weighed(connection, commune_insee, plan.plan_id, asks.road.names)
    log.info(
        "plan_edited",
        commune_insee=commune_insee,
        plan_id=str(plan.plan_id),
        based_on=str(base.plan.plan_id),
        edits=len(base.edits),
        under_way=asks.road is not None,
        iterations=remade.iterations,
        measured_s=round(measured_s, 2),
        whole_s=round(time.monotonic() - began_s, 2),
    )
    return plan


def _made(base: Base, asks: Stated, remade: Remade, *, solve_s: float, change_eur: float) -> Plan:
    """Return the plan of the rounds as they were made anew."""
    inputs = {
        "edited": str(base.plan.plan_id),
        "edits": base.documents,
        "crews": asks.crews,
        "change_eur": change_eur,
        "iterations": remade.iterations,
    }
    day = _told(asks.day, asks.asked_for)
    if asks.road is not None and asks.rest is not None:
        return whole_plan(
            asks.road,
            asks.loaded,
            asks.task,
            rest=asks.rest,
            remade=remade,
            day=day,
            solve_s=solve_s,
            inputs=inputs,
        )
    return plan_of(
        asks.loaded,
        replace(asks.task, problem=remade.problem),
        remade.solution,
        remade.verdict,
        commune_insee=base.plan.commune_insee,
        made_at=base.now,
        as_of=base.plan.as_of,
        solve_s=solve_s,
        options=day,
        inputs=inputs | {"homebound": sorted({*base.plan.inputs.get("homebound", ()), *asks.asked_for.without})},
    )


def warm_up(connection: Connection, plan: Plan, *, options: EditorOptions) -> None:
    """Measure what an edit of a plan would ask for, so that what `options` opens travel with has it in memory."""
    day = options_of(plan, options.planner)
    if day.extract is not None:
        options.lines(day.extract)
    with connection.transaction():
        loaded = load_day(
            connection, plan.commune_insee, service_date=plan.service_date, as_of=plan.as_of, options=day,
            run_id=plan.forecast_run_id,
        )  # fmt: skip
    day_task(loaded, measuring_of(loaded, day, options.opener), policy=day.policy, options=day.day())


def _base(
    connection: Connection,
    commune_insee: str,
    plan_id: UUID,
    documents: Sequence[dict[str, Any]],
    options: EditorOptions,
) -> Base:
    version = plan_versions.one(connection, commune_insee, plan_id)
    every = [*version.edits, *documents]
    if version.status is PlanStatus.DRAFT and version.based_on is not None:
        version = plan_versions.one(connection, commune_insee, version.based_on)
    else:
        every = list(documents)
    if version.status is not PlanStatus.PUBLISHED:
        raise ConflictError(f"plan {version.plan_id} is {version.status}: edit the published one")
    plan = plans.one(connection, commune_insee, version.plan_id)
    now = communes.clock(connection, commune_insee).now()
    edits = edits_from(every)
    return Base(
        plan=plan,
        documents=documents_of(edits),
        edits=edits,
        options=options_of(plan, options.planner),
        now=now,
        road=_road(connection, plan, now=now),
    )


def _road(connection: Connection, plan: Plan, *, now: datetime) -> Road | None:
    """Return what is known of a plan's rounds on the road, None before they begin."""
    if not plan.routes or now < begins_at(plan):
        return None
    if now > ends_at(plan) + AFTER:
        raise ConflictError(f"the rounds of {plan.service_date} are over since {ends_at(plan):%H:%M} UTC")
    return road_of(connection, plan, now=now, late_s=math.inf)


def _told(planner: PlannerOptions, asked_for: Wanted) -> PlannerOptions:
    """Return the options as the plan keeps them: with the bins that the edits impose and leave."""
    imposed = asked_for.served | set(asked_for.round_of)
    return replace(
        planner,
        must_serve=(planner.must_serve - asked_for.left) | asked_for.served,
        must_not_serve=(planner.must_not_serve - imposed) | asked_for.left,
    )


def _lock_prices(base: Base, asks: Stated, remade: Remade, limits: SearchLimits) -> dict[int, float | None]:
    """Return what each edit that holds a bin somewhere costs, by its number."""
    without: dict[int, Asked | None] = {}
    stops = {name: index for index, name in enumerate(asks.task.problem.stop_ids)}
    for number, edit in enumerate(base.edits, start=1):
        if edit.kind not in _LOCKS:
            continue
        try:
            asked = asks.ask([other for other in base.edits if other is not edit], 0)
        except InputError:
            without[number] = None
            continue
        place_id = getattr(edit, "place_id", None)
        without[number] = replace(asked, hot=(stops[place_id],) if place_id in stops else ())
    return lock_prices(asks.problem, remade, without, seed=base.options.seed, limits=limits)
