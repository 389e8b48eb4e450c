"""Plan a day: load, price, measure, solve, check, explain, save. The one module of this room that reads and writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import structlog

from optimise.rounds.check import check
from optimise.rounds.day_loading import Opener, load_day, measuring_of
from optimise.rounds.day_task import day_task
from optimise.rounds.engines import Engine, Improvement
from optimise.rounds.engines.best_engine import BestEngine
from optimise.rounds.plan_making import plan_of, refusal, why_imposed_are_left
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.problem import EURO
from optimise.rounds.travel import open_travel
from storage import communes, plans
from storage.database import Connection
from storage.errors import PlanRefusedError
from storage.model import Plan

__all__ = ["PlannerEvent", "PlannerOptions", "Progress", "plan_day"]

log = structlog.get_logger()

_TOLD_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannerEvent:
    """What the planner is at: load, streets, travel, solve, check, explain or save; with the cost while it solves."""

    phase: str
    detail: str
    cost_eur: float | None = None
    elapsed_s: float = 0.0


type Progress = Callable[[PlannerEvent], None]


def plan_day(
    connection: Connection,
    commune_insee: str,
    *,
    service_date: date,
    as_of: datetime,
    options: PlannerOptions,
    progress: Progress | None = None,
    engine: Engine | None = None,
    stopped: Callable[[], bool] | None = None,
    opener: Opener = open_travel,
) -> Plan:
    """Plan the rounds of a day, save the plan and return it. `stopped` may end the search early with what it has.

    Reading and saving are one transaction each, and none is open while the engine works (unless the caller's own is).
    Raises InputError when something that a plan needs is missing, PlanRefusedError naming what the checker found.
    """
    tell = progress or (lambda _: None)
    engine = engine or BestEngine()
    with connection.transaction():
        loaded = load_day(connection, commune_insee, service_date=service_date, as_of=as_of, options=options)
        made_at = communes.clock(connection, commune_insee).now()
    tell(PlannerEvent(phase="load", detail=f"{len(loaded.bins)} bins, {len(loaded.fleet.vehicles)} vehicles"))

    tell(PlannerEvent(phase="streets", detail=options.extract.name if options.extract else "great circles"))
    measuring = measuring_of(loaded, options, opener)
    travel_source = next(iter(measuring.travels.values())).source
    tell(PlannerEvent(phase="travel", detail=f"{len(loaded.outlooks.of_bin)} bins, {travel_source}"))
    task = day_task(loaded, measuring, policy=options.policy, options=options.day())

    history: list[tuple[float, float]] = []

    def improved(better: Improvement) -> None:
        # A search improves thousands of times; people read a few of them.
        if history and better.elapsed_s - history[-1][0] < _TOLD_EVERY_S:
            return
        history.append((round(better.elapsed_s, 2), round(better.cost / EURO, 2)))
        cost_eur = better.cost / EURO
        tell(PlannerEvent(phase="solve", detail=better.phase, cost_eur=cost_eur, elapsed_s=better.elapsed_s))

    began_s = time.monotonic()
    solution = engine.solve(
        task.problem, limits=options.limits(), seed=options.seed, improved=improved, stopped=stopped
    )
    solve_s = time.monotonic() - began_s
    verdict = check(task.problem, solution)
    tell(
        PlannerEvent(phase="check", detail="accepted" if verdict.accepted else "refused", cost_eur=verdict.cost / EURO)
    )
    if not verdict.accepted:
        raise PlanRefusedError(refusal(verdict) + why_imposed_are_left(task, solution))

    tell(PlannerEvent(phase="explain", detail=f"{len(solution.routes)} routes, {len(solution.left_out)} bins left out"))
    plan = plan_of(
        loaded,
        task,
        solution,
        verdict,
        commune_insee=commune_insee,
        made_at=made_at,
        as_of=as_of,
        solve_s=solve_s,
        options=options,
        inputs={"cost_history_s_eur": history},
    )
    with connection.transaction():
        plans.save(connection, plan)
    tell(PlannerEvent(phase="save", detail=str(plan.plan_id)))
    log.info(
        "plan_saved",
        commune_insee=commune_insee,
        plan_id=str(plan.plan_id),
        routes=len(plan.routes),
        stops=sum(len(route.stops) for route in solution.routes),
        left_out=len(plan.left_out),
        distance_m=verdict.distance_m,
        solve_s=round(solve_s, 1),
    )
    return plan
