"""Edit a saved plan: read, close streets, search around the locks, check, tell the difference, save a draft."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog

from optimise.rounds.day import Fleet, PriceOptions, WishOptions
from optimise.rounds.day_loading import Opener, load_day, measuring_of
from optimise.rounds.day_task import Loaded, Task, day_task
from optimise.rounds.editing.difference import difference
from optimise.rounds.editing.edits import Close, Crew, Edit, Without, documents_of, edits_from
from optimise.rounds.editing.remaking import LOCKS_SHARE, Asked, Remade, SearchLimits, asked_of, lock_prices, remake
from optimise.rounds.editing.wanted import Wanted, wanted
from optimise.rounds.plan_making import plan_of
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.policy import PolicyOptions
from optimise.rounds.problem import EURO, Traffic
from optimise.rounds.street_lines import read_street_lines
from optimise.rounds.travel import open_travel
from optimise.rounds.warm_streets import Lines
from storage import communes, plan_versions, plans
from storage.database import Connection
from storage.errors import ConflictError, InputError
from storage.model import Plan, PlanOrigin, PlanSource, PlanStatus, RoundRules, VehicleRule

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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Base:
    """The published plan that is edited, the edits, and what they have to keep."""

    plan: Plan
    documents: list[dict[str, Any]]
    edits: tuple[Edit, ...]
    options: PlannerOptions
    now: datetime


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

    Raises InputError for edits that make no sense, PlanRefusedError naming the bin and the rule that an edit breaks,
    ConflictError when the plan is not the published one of its day or its rounds are under way.
    """
    began_s = time.monotonic()
    with connection.transaction():
        base = _base(connection, commune_insee, plan_id, documents, options)
        loaded = load_day(
            connection, commune_insee, service_date=base.plan.service_date, as_of=base.plan.as_of,
            options=base.options, run_id=base.plan.forecast_run_id,
        )  # fmt: skip
    in_service = _in_service(base.plan, loaded)
    asked_for = wanted(
        base.plan,
        base.edits,
        vehicles=in_service,
        bins=frozenset(item.place_id for item in loaded.bins),
    )
    crews = {**base.plan.inputs.get("crews", {}), **_crews(base.edits)}
    loaded = _with_crews(loaded, crews, set(in_service) - asked_for.without)
    day = _with_streets_closed(base.edits, base.options, options)
    task = day_task(loaded, measuring_of(loaded, day, options.opener), policy=day.policy, options=day.day())
    measured_s = time.monotonic() - began_s
    asked = asked_of(task.problem, asked_for, task.kept_out, change_cost=round(options.change_eur * EURO))
    limits = options.search(began_s, base.edits)
    remade = remake(task.problem, asked, seed=day.seed, limits=limits, stopped=stopped)
    prices = _lock_prices(base, task, remade, loaded, limits)
    plan = plan_of(
        loaded,
        replace(task, problem=remade.problem),
        remade.solution,
        remade.verdict,
        commune_insee=commune_insee,
        made_at=base.now,
        as_of=base.plan.as_of,
        solve_s=time.monotonic() - began_s,
        options=_told(day, asked_for),
        inputs={
            "edited": str(base.plan.plan_id),
            "edits": base.documents,
            "crews": crews,
            "change_eur": options.change_eur,
            "iterations": remade.iterations,
        },
    )
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
    log.info(
        "plan_edited",
        commune_insee=commune_insee,
        plan_id=str(plan.plan_id),
        based_on=str(base.plan.plan_id),
        edits=len(base.edits),
        iterations=remade.iterations,
        measured_s=round(measured_s, 2),
        whole_s=round(time.monotonic() - began_s, 2),
    )
    return plan


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
) -> _Base:
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
    begins = min((route.start_at for route in plan.routes), default=None)
    if begins is not None and now >= begins:
        raise ConflictError(
            f"the rounds of {plan.service_date} are under way since {begins:%H:%M} UTC: "
            "declare what happened, and they are repaired"
        )
    edits = edits_from(every)
    return _Base(
        plan=plan,
        documents=documents_of(edits),
        edits=edits,
        options=options_of(plan, options.planner),
        now=now,
    )


def options_of(plan: Plan, options: PlannerOptions) -> PlannerOptions:
    """Return the options with the weights and orders that a plan was made with, as far as it says."""
    inputs = plan.inputs
    told: dict[str, Any] = {}
    kinds: tuple[tuple[str, type[Any]], ...] = (
        ("policy", PolicyOptions),
        ("prices", PriceOptions),
        ("wishes", WishOptions),
        ("traffic", Traffic),
        ("must_serve", frozenset[str]),
        ("must_not_serve", frozenset[str]),
        ("closed_ways", frozenset[int]),
    )
    for name, kind in kinds:
        if inputs.get(name) is not None:
            told[name] = msgspec.convert(inputs[name], kind, strict=False)
    return replace(options, **told)


def _in_service(plan: Plan, loaded: Loaded) -> list[str]:
    """Return the vehicles that may go out: those that no edit before kept at the depot."""
    planned = plan.inputs.get("vehicles")
    fleet = [vehicle.vehicle_id for vehicle in loaded.fleet.vehicles]
    return fleet if planned is None else [name for name in fleet if name in planned]


def _crews(edits: Sequence[Edit]) -> dict[str, int]:
    return {edit.vehicle_id: edit.people for edit in edits if isinstance(edit, Crew)}


def _with_crews(loaded: Loaded, crews: Mapping[str, int], in_service: set[str]) -> Loaded:
    """Return the day with the vehicles that go out, and with the crews that are told."""
    vehicles = tuple(who for who in loaded.fleet.vehicles if who.vehicle_id in in_service)
    if not vehicles:
        raise InputError("expected a vehicle to stay in service, got none")
    rules = {rule.vehicle_id: rule for rule in loaded.rules.vehicles}
    for vehicle_id, people in crews.items():
        rules[vehicle_id] = replace(rules.get(vehicle_id, VehicleRule(vehicle_id=vehicle_id)), crew=people)
    fleet = Fleet(vehicles=vehicles, depots=loaded.fleet.depots, disposal_sites=loaded.fleet.disposal_sites)
    told = RoundRules(
        bins=loaded.rules.bins, vehicles=tuple(rules.values()), disposal_sites=loaded.rules.disposal_sites
    )
    return replace(loaded, fleet=fleet, rules=told)


def _with_streets_closed(edits: Sequence[Edit], planner: PlannerOptions, options: EditorOptions) -> PlannerOptions:
    closed = set(planner.closed_ways)
    for edit in edits:
        if isinstance(edit, Close):
            closed |= _ways(edit, planner, options)
    return replace(planner, closed_ways=frozenset(closed))


def _told(planner: PlannerOptions, asked_for: Wanted) -> PlannerOptions:
    """Return the options as the plan keeps them: with the bins that the edits impose and leave."""
    imposed = asked_for.served | set(asked_for.round_of)
    return replace(
        planner,
        must_serve=(planner.must_serve - asked_for.left) | asked_for.served,
        must_not_serve=(planner.must_not_serve - imposed) | asked_for.left,
    )


def _ways(edit: Close, planner: PlannerOptions, options: EditorOptions) -> set[int]:
    if planner.extract is None:
        raise InputError("streets can only be closed where there are some: set streets.extract")
    if edit.way_id is not None:
        return {edit.way_id}
    return {way.way_id for way in options.lines(planner.extract).along(edit.line)}


def _lock_prices(
    base: _Base, task: Task, remade: Remade, loaded: Loaded, limits: SearchLimits
) -> dict[int, float | None]:
    """Return what each edit that holds a bin somewhere costs, by its number."""
    without: dict[int, Asked | None] = {}
    vehicles = [who.vehicle_id for who in loaded.fleet.vehicles]
    vehicles += [edit.vehicle_id for edit in base.edits if isinstance(edit, Without)]
    for number, edit in enumerate(base.edits, start=1):
        if edit.kind not in _LOCKS:
            continue
        others = [other for other in base.edits if other is not edit]
        try:
            asked_for = wanted(
                base.plan,
                others,
                vehicles=vehicles,
                bins=frozenset(item.place_id for item in loaded.bins),
            )
            asked = asked_of(task.problem, asked_for, task.kept_out, change_cost=0)
        except InputError:
            without[number] = None
            continue
        place_id = getattr(edit, "place_id", None)
        stops = {name: index for index, name in enumerate(task.problem.stop_ids)}
        without[number] = replace(asked, hot=(stops[place_id],) if place_id in stops else ())
    return lock_prices(task.problem, remade, without, seed=base.options.seed, limits=limits)
