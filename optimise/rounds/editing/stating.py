"""Edits as a problem: what they ask for, of rounds that have not begun or of what is left of those under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from optimise.rounds.day import Fleet
from optimise.rounds.day_loading import Opener, measuring_of
from optimise.rounds.day_task import Loaded, Task, day_task
from optimise.rounds.editing.ahead import ahead_of
from optimise.rounds.editing.edits import Close, Crew, Edit
from optimise.rounds.editing.remaking import Asked, asked_of
from optimise.rounds.editing.wanted import Wanted, wanted
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.problem import Problem
from optimise.rounds.repair.rest import Rest
from optimise.rounds.repair.road import Road
from optimise.rounds.repair.under_way import as_it_is, measured_rest
from optimise.rounds.warm_streets import Lines
from storage.errors import InputError
from storage.model import Plan, RoundRules, VehicleRule


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """The published plan that is edited, the edits, and what they have to keep; `road` where it is under way."""

    plan: Plan
    documents: list[dict[str, Any]]
    edits: tuple[Edit, ...]
    options: PlannerOptions
    now: datetime
    road: Road | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stated:
    """The edits as a problem: `ask` states what some of them ask for, at a cost of each change (problem.EURO)."""

    loaded: Loaded
    task: Task
    problem: Problem
    day: PlannerOptions
    crews: Mapping[str, int]
    asked_for: Wanted
    ask: Callable[[Sequence[Edit], int], Asked]
    road: Road | None = None
    rest: Rest | None = None


def stated(base: Base, loaded: Loaded, *, opener: Opener, lines: Lines) -> Stated:
    """State the edits of `base`: of whole rounds, or of what is left of those under way."""
    if base.road is None:
        return _beforehand(base, loaded, opener, lines)
    return _on_the_road(base, base.road, loaded, opener, lines)


def _beforehand(base: Base, loaded: Loaded, opener: Opener, lines: Lines) -> Stated:
    """State the edits of rounds that have not begun."""
    in_service = _in_service(base.plan, loaded)
    bins = frozenset(item.place_id for item in loaded.bins)
    asked_for = wanted(base.plan, base.edits, vehicles=in_service, bins=bins)
    crews = _crews(base)
    loaded = _with_crews(loaded, crews, set(in_service) - asked_for.without)
    day = _with_streets_closed(base, lines)
    task = day_task(loaded, measuring_of(loaded, day, opener), policy=day.policy, options=day.day())

    def ask(edits: Sequence[Edit], change_cost: int) -> Asked:
        told = wanted(base.plan, edits, vehicles=in_service, bins=bins)
        return asked_of(task.problem, told, task.kept_out, change_cost=change_cost)

    return Stated(loaded=loaded, task=task, problem=task.problem, day=day, crews=crews, asked_for=asked_for, ask=ask)


def _on_the_road(base: Base, road: Road, loaded: Loaded, opener: Opener, lines: Lines) -> Stated:
    """State the edits of rounds under way, of what is still ahead; the fleet and its rules are those of the plan."""
    bins = frozenset(item.place_id for item in loaded.bins)
    loaded = as_it_is(loaded, road)
    in_service = [who.vehicle_id for who in loaded.fleet.vehicles if who.vehicle_id not in road.homebound]

    def want(edits: Sequence[Edit]) -> Wanted:
        told = wanted(base.plan, edits, vehicles=in_service, bins=bins)
        return ahead_of(told, edits, progress=road.progress, done=road.done, blocked=road.blocked)

    asked_for = want(base.edits)
    # Who is on the road cannot stay at the depot: he comes home.
    called_home = {name for name in asked_for.without if name in road.progress and road.progress[name].begun}
    road = replace(road, homebound=road.homebound | asked_for.without)
    crews = _crews(base)
    out = asked_for.without - called_home
    loaded = _with_crews(loaded, crews, {who.vehicle_id for who in loaded.fleet.vehicles} - out)
    day = _with_streets_closed(base, lines)
    task, rest = measured_rest(loaded, road, day, opener=opener, change_cost=0)

    def ask(edits: Sequence[Edit], change_cost: int) -> Asked:
        return rest.with_edits(asked_of(task.problem, want(edits), task.kept_out, change_cost=change_cost))

    return Stated(
        loaded=loaded,
        task=task,
        problem=rest.problem,
        day=day,
        crews=crews,
        asked_for=asked_for,
        ask=ask,
        road=road,
        rest=rest,
    )


def _in_service(plan: Plan, loaded: Loaded) -> list[str]:
    """Return the vehicles that may go out: those that no edit before kept at the depot."""
    planned = plan.inputs.get("vehicles")
    fleet = [vehicle.vehicle_id for vehicle in loaded.fleet.vehicles]
    return fleet if planned is None else [name for name in fleet if name in planned]


def _crews(base: Base) -> dict[str, int]:
    told = {edit.vehicle_id: edit.people for edit in base.edits if isinstance(edit, Crew)}
    return {**base.plan.inputs.get("crews", {}), **told}


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


def _with_streets_closed(base: Base, lines: Lines) -> PlannerOptions:
    closed = set(base.options.closed_ways)
    for edit in base.edits:
        if isinstance(edit, Close):
            closed |= _ways(edit, base.options, lines)
    return replace(base.options, closed_ways=frozenset(closed))


def _ways(edit: Close, planner: PlannerOptions, lines: Lines) -> set[int]:
    if planner.extract is None:
        raise InputError("streets can only be closed where there are some: set streets.extract")
    if edit.way_id is not None:
        return {edit.way_id}
    return {way.way_id for way in lines(planner.extract).along(edit.line)}
