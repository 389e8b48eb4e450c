"""From an accepted solution to the plan that is stored: routes, reasons, and what it was made from. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec

from optimise.rounds import explain
from optimise.rounds.check import Verdict
from optimise.rounds.day_task import Loaded, Task
from optimise.rounds.plan_routes import planned_routes
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.solution import Solution
from storage import round_rules
from storage.model import LeftOut, Plan

_VIOLATIONS_TOLD = 10


def plan_of(
    loaded: Loaded,
    task: Task,
    solution: Solution,
    verdict: Verdict,
    *,
    commune_insee: str,
    made_at: datetime,
    as_of: datetime,
    solve_s: float,
    options: PlannerOptions,
    inputs: dict[str, Any],
) -> Plan:
    """Return the plan of a solution that the checker accepted, each stop and each bin left out with its reason.

    `inputs` is kept beside what every plan is made from.
    """
    served = explain.served_reasons(task.problem, solution, task.decisions, options=options.explain)
    return Plan(
        commune_insee=commune_insee,
        plan_id=uuid4(),
        service_date=loaded.calendar.service_date,
        made_at=made_at,
        as_of=as_of,
        engine=solution.engine,
        seed=options.seed,
        solve_s=round(solve_s, 3),
        travel_source=task.travels[0].source,
        forecast_run_id=loaded.outlooks.run.run_id,
        distance_m=float(verdict.distance_m),
        duration_s=float(verdict.duration_s),
        checker=verdict.as_json(),
        inputs=_inputs(loaded, task, options) | inputs,
        routes=planned_routes(
            task.problem,
            solution,
            bins=task.bins,
            fleet=loaded.fleet,
            calendar=loaded.calendar,
            travels=task.travels,
            kerb=task.kerb,
            reasons=served,
        ),
        left_out=left_out_of(task, solution),
    )


def left_out_of(task: Task, solution: Solution) -> tuple[LeftOut, ...]:
    """Return every bin that is not served, with its reason: also those that the problem does not hold."""
    reasons = dict(task.kept_out)
    for stop, reason in explain.left_out_reasons(task.problem, solution, task.decisions).items():
        reasons[task.problem.stop_ids[stop]] = reason
    return tuple(LeftOut(place_id=place_id, reason=reasons[place_id]) for place_id in sorted(reasons))


def why_imposed_are_left(task: Task, solution: Solution) -> str:
    """Return in French why imposed bins could not be served; empty when they are."""
    left = [stop for stop in solution.left_out if task.problem.must[stop]][:_VIOLATIONS_TOLD]
    if not left:
        return ""
    reasons = explain.left_out_reasons(task.problem, solution, task.decisions)
    return ". " + " ".join(f"{task.problem.stop_ids[stop]}: {reasons[stop].text}" for stop in left)


def refusal(verdict: Verdict) -> str:
    """Return what the checker found, in its words."""
    told = "; ".join(str(violation) for violation in verdict.violations[:_VIOLATIONS_TOLD])
    more = len(verdict.violations) - _VIOLATIONS_TOLD
    return f"the checker refused the plan: {told}{f'; and {more} more' if more > 0 else ''}"


def _inputs(loaded: Loaded, task: Task, options: PlannerOptions) -> dict[str, Any]:
    """Return what the plan was made from, so that it can be explained months later."""
    return {
        "bins": len(loaded.bins),
        "bins_in_problem": len(task.bins),
        "vehicles": [vehicle.vehicle_id for vehicle in loaded.fleet.vehicles],
        "fleet": msgspec.to_builtins(
            {
                "vehicles": loaded.fleet.vehicles,
                "depots": loaded.fleet.depots,
                "disposal_sites": loaded.fleet.disposal_sites,
            }
        ),
        "service_at": loaded.outlooks.service_at.isoformat(),
        "next_chance_at": loaded.outlooks.next_at.isoformat(),
        "forecast_as_of": loaded.outlooks.run.as_of.isoformat(),
        "forecast_model": loaded.outlooks.run.model_version,
        "policy": asdict(options.policy),
        "prices": asdict(options.prices),
        "wishes": asdict(options.wishes),
        "must_serve": sorted(options.must_serve),
        "must_not_serve": sorted(options.must_not_serve),
        "closed_ways": sorted(options.closed_ways),
        "traffic": None if options.traffic is None else asdict(options.traffic),
        "rules": json.loads(round_rules.encode(loaded.rules)),
        "kerb_side": options.kerb_side,
        "limits": asdict(options.limits()),
    }
