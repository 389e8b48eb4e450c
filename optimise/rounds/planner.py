"""Plan a day: load, price, measure, solve, check, explain, save. The one module of this room that reads and writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import structlog

from optimise.rounds import explain
from optimise.rounds.check import Verdict, check
from optimise.rounds.day import Calendar, Fleet, PriceOptions, day_problem
from optimise.rounds.engines import Engine, Improvement, Limits
from optimise.rounds.engines.ortools_engine import ORToolsEngine
from optimise.rounds.explain import ExplainOptions
from optimise.rounds.leaving import usual_detours_eur
from optimise.rounds.outlooks import Outlooks, read_outlooks
from optimise.rounds.plan_routes import planned_routes
from optimise.rounds.policy import Decision, PolicyOptions, decide
from optimise.rounds.problem import EURO, Problem
from optimise.rounds.solution import Solution
from optimise.rounds.travel import Travel, TravelOptions, open_travel, unreachable
from storage import bins as stored_bins
from storage import communes, places, plans
from storage.database import Connection
from storage.errors import InputError, PlanRefusedError
from storage.model import Bin, LeftOut, PlaceKind, Plan, Reason

log = structlog.get_logger()

_VIOLATIONS_TOLD = 10
_TOLD_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannerOptions:
    """How to plan. Units are in the names; each part's own options say what their weights mean.

    `solve_s` bounds the search by wall time, `iterations` by work (then a seed reproduces); one of them may be None.
    `next_chance_h`: when a bin left out is served next at the latest, a day on and somewhat later in its round.
    `must_serve`: bins that somebody imposes for this day.
    """

    extract: Path | None
    cache_dir: Path
    profile: Path
    solve_s: float | None = 20.0
    iterations: int | None = None
    seed: int = 0
    next_chance_h: float = 26.0
    kerb_side: bool = True
    max_snap_m: float = 150.0
    detour_factor: float = 1.4
    speed_kmh: float = 16.0
    must_serve: frozenset[str] = frozenset()
    policy: PolicyOptions = field(default_factory=PolicyOptions)
    prices: PriceOptions = field(default_factory=PriceOptions)
    explain: ExplainOptions = field(default_factory=ExplainOptions)

    def __post_init__(self) -> None:
        if not self.next_chance_h > 0:
            raise InputError(f"expected next_chance_h > 0, got {self.next_chance_h}")
        self.limits()
        self.travel()

    def limits(self) -> Limits:
        """Return when to stop the search."""
        return Limits(solve_s=self.solve_s, iterations=self.iterations)

    def travel(self) -> TravelOptions:
        """Return how to measure travel."""
        return TravelOptions(
            extract=self.extract,
            profile=self.profile,
            cache_dir=self.cache_dir,
            kerb_side=self.kerb_side,
            max_snap_m=self.max_snap_m,
            detour_factor=self.detour_factor,
            speed_kmh=self.speed_kmh,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannerEvent:
    """What the planner is at: load, streets, travel, solve, check, explain or save; with the cost while it solves."""

    phase: str
    detail: str
    cost_eur: float | None = None
    elapsed_s: float = 0.0


type Progress = Callable[[PlannerEvent], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Loaded:
    """What storage holds for the day."""

    bins: list[Bin]
    fleet: Fleet
    calendar: Calendar
    outlooks: Outlooks
    made_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    """The problem with what lies around it: the bins it holds, their decisions, and the bins kept out of it."""

    problem: Problem
    bins: list[Bin]
    decisions: list[Decision]
    kerb: tuple[bool, ...]
    kept_out: dict[str, Reason]


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
) -> Plan:
    """Plan the rounds of a day, save the plan and return it. `stopped` may end the search early with what it has.

    Reading and saving are one transaction each, and none is open while the engine works (unless the caller's own is).
    Raises InputError when something that a plan needs is missing, PlanRefusedError naming what the checker found.
    """
    tell = progress or (lambda _: None)
    engine = engine or ORToolsEngine()
    with connection.transaction():
        loaded = _load(connection, commune_insee, service_date=service_date, as_of=as_of, options=options)
    tell(PlannerEvent(phase="load", detail=f"{len(loaded.bins)} bins, {len(loaded.fleet.vehicles)} vehicles"))

    tell(PlannerEvent(phase="streets", detail=options.extract.name if options.extract else "great circles"))
    travel = open_travel(options.travel())
    tell(PlannerEvent(phase="travel", detail=f"{len(loaded.outlooks.of_bin)} bins, {travel.source}"))
    task = _task(loaded, travel, options)

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
        raise PlanRefusedError(_refusal(verdict))

    tell(PlannerEvent(phase="explain", detail=f"{len(solution.routes)} routes, {len(solution.left_out)} bins left out"))
    served = explain.served_reasons(task.problem, solution, task.decisions, options=options.explain)
    plan = Plan(
        commune_insee=commune_insee,
        plan_id=uuid4(),
        service_date=service_date,
        made_at=loaded.made_at,
        as_of=as_of,
        engine=solution.engine,
        seed=options.seed,
        solve_s=round(solve_s, 3),
        travel_source=travel.source,
        forecast_run_id=loaded.outlooks.run.run_id,
        distance_m=float(verdict.distance_m),
        duration_s=float(verdict.duration_s),
        checker=verdict.as_json(),
        inputs=_inputs(loaded, task, options, history),
        routes=planned_routes(
            task.problem,
            solution,
            bins=task.bins,
            fleet=loaded.fleet,
            calendar=loaded.calendar,
            travel=travel,
            kerb=task.kerb,
            reasons=served,
        ),
        left_out=_left_out(task, solution),
    )
    with connection.transaction():
        plans.save(connection, plan)
    tell(PlannerEvent(phase="save", detail=str(plan.plan_id)))
    log.info(
        "plan_saved",
        commune_insee=commune_insee,
        plan_id=str(plan.plan_id),
        routes=len(plan.routes),
        stops=len(served),
        left_out=len(plan.left_out),
        distance_m=verdict.distance_m,
        solve_s=round(solve_s, 1),
    )
    return plan


def _load(
    connection: Connection, commune_insee: str, *, service_date: date, as_of: datetime, options: PlannerOptions
) -> _Loaded:
    commune = communes.one(connection, commune_insee)
    calendar = Calendar(service_date=service_date, time_zone=commune.time_zone)
    fleet = Fleet(
        vehicles=tuple(places.vehicles(connection, commune_insee)),
        depots=tuple(places.of_kind(connection, commune_insee, PlaceKind.DEPOT)),
        disposal_sites=tuple(places.disposal_sites(connection, commune_insee)),
    )
    bins = stored_bins.every(connection, commune_insee)
    strangers = options.must_serve - {item.place_id for item in bins}
    if strangers:
        raise InputError(f"expected must_serve to name bins of commune {commune_insee}, got {sorted(strangers)[:5]}")
    service_at = calendar.middle(fleet.vehicles)
    outlooks = read_outlooks(
        connection,
        commune_insee,
        bins,
        as_of=as_of,
        service_at=service_at,
        next_at=service_at + timedelta(hours=options.next_chance_h),
    )
    made_at = communes.clock(connection, commune_insee).now()
    return _Loaded(bins=bins, fleet=fleet, calendar=calendar, outlooks=outlooks, made_at=made_at)


def _task(loaded: _Loaded, travel: Travel, options: PlannerOptions) -> _Task:
    """Measure travel, keep out the bins without forecast or way, and state the problem of the others."""
    outlooks = loaded.outlooks.of_bin
    known = [item for item in loaded.bins if item.place_id in outlooks]
    kept_out = {item.place_id: explain.no_forecast() for item in loaded.bins if item.place_id not in outlooks}
    anchors = loaded.fleet.anchors
    everywhere = [*anchors, *known]
    points = [(place.longitude_deg, place.latitude_deg) for place in everywhere]
    kerb = [False] * len(anchors) + [options.kerb_side] * len(known)
    matrices = travel.matrices(points, kerb=kerb)
    cut_off = unreachable(
        matrices,
        anchors=range(len(anchors)),
        max_snap_m=options.max_snap_m,
        names=[place.place_id for place in everywhere],
    )
    for row, cause in cut_off.items():
        kept_out[everywhere[row].place_id] = explain.cut_off(cause, snap_m=matrices.snap_m[row])
    rows = [row for row in range(len(everywhere)) if row not in cut_off]
    matrices = matrices.of(rows)
    served = [item for item in known if item.place_id not in kept_out]
    decisions = decide(
        [outlooks[item.place_id] for item in served],
        detour_eur=usual_detours_eur(
            matrices.of(range(len(anchors), len(rows))),
            service_s=np.array([item.service_s for item in served]),
            prices=options.prices.prices(),
        ),
        options=options.policy,
        must=options.must_serve,
    )
    problem = day_problem(
        bins=served,
        decisions=decisions,
        fleet=loaded.fleet,
        matrices=matrices,
        calendar=loaded.calendar,
        prices=options.prices.prices(),
    )
    return _Task(problem=problem, bins=served, decisions=decisions, kerb=matrices.kerb, kept_out=kept_out)


def _left_out(task: _Task, solution: Solution) -> tuple[LeftOut, ...]:
    reasons = dict(task.kept_out)
    for stop, reason in explain.left_out_reasons(task.problem, solution, task.decisions).items():
        reasons[task.problem.stop_ids[stop]] = reason
    return tuple(LeftOut(place_id=place_id, reason=reasons[place_id]) for place_id in sorted(reasons))


def _refusal(verdict: Verdict) -> str:
    told = "; ".join(str(violation) for violation in verdict.violations[:_VIOLATIONS_TOLD])
    more = len(verdict.violations) - _VIOLATIONS_TOLD
    return f"the checker refused the plan: {told}{f'; and {more} more' if more > 0 else ''}"


def _inputs(
    loaded: _Loaded, task: _Task, options: PlannerOptions, history: list[tuple[float, float]]
) -> dict[str, Any]:
    """Return what the plan was made from, so that it can be explained months later."""
    return {
        "bins": len(loaded.bins),
        "bins_in_problem": len(task.bins),
        "vehicles": [vehicle.vehicle_id for vehicle in loaded.fleet.vehicles],
        "service_at": loaded.outlooks.service_at.isoformat(),
        "next_chance_at": loaded.outlooks.next_at.isoformat(),
        "forecast_as_of": loaded.outlooks.run.as_of.isoformat(),
        "forecast_model": loaded.outlooks.run.model_version,
        "policy": asdict(options.policy),
        "prices": asdict(options.prices),
        "must_serve": sorted(options.must_serve),
        "kerb_side": options.kerb_side,
        "limits": asdict(options.limits()),
        "cost_history_s_eur": history,
    }
