"""Plan a day: load, price, measure, solve, check, explain, save. The one module of this room that reads and writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog

from optimise.rounds import explain
from optimise.rounds.check import Verdict, check
from optimise.rounds.day import Calendar, DayOptions, Fleet, PriceOptions, WishOptions
from optimise.rounds.day_task import Loaded, Measuring, Task, day_task, widths
from optimise.rounds.engines import Engine, Improvement, Limits
from optimise.rounds.engines.best_engine import BestEngine
from optimise.rounds.explain import ExplainOptions
from optimise.rounds.outlooks import read_outlooks
from optimise.rounds.plan_routes import planned_routes
from optimise.rounds.policy import PolicyOptions
from optimise.rounds.problem import EURO, Traffic
from optimise.rounds.solution import Solution
from optimise.rounds.travel import TravelOptions, open_travel
from storage import bins as stored_bins
from storage import communes, places, plans, round_rules
from storage.database import Connection
from storage.errors import InputError, PlanRefusedError
from storage.model import LeftOut, PlaceKind, Plan

log = structlog.get_logger()

_VIOLATIONS_TOLD = 10
_TOLD_EVERY_S = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannerOptions:
    """How to plan. Units are in the names; each part's own options say what their weights mean.

    `solve_s` bounds the search by wall time, `iterations` by work (then a seed reproduces); one of them may be None.
    `next_chance_h`: when a bin left out is served next at the latest, a day on and somewhat later in its round.
    `must_serve`: bins that somebody imposes for this day, `must_not_serve`: bins that are to be left. `closed_ways`:
    OpenStreetMap's ids of streets closed this day. `traffic`: how much longer driving takes by seconds from midnight.
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
    must_not_serve: frozenset[str] = frozenset()
    closed_ways: frozenset[int] = frozenset()
    traffic: Traffic | None = None
    policy: PolicyOptions = field(default_factory=PolicyOptions)
    prices: PriceOptions = field(default_factory=PriceOptions)
    wishes: WishOptions = field(default_factory=WishOptions)
    explain: ExplainOptions = field(default_factory=ExplainOptions)

    def __post_init__(self) -> None:
        if not self.next_chance_h > 0:
            raise InputError(f"expected next_chance_h > 0, got {self.next_chance_h}")
        self.limits()
        self.travel()
        self.day()

    def day(self) -> DayOptions:
        """Return what is decided for the day."""
        return DayOptions(
            prices=self.prices,
            wishes=self.wishes,
            must_serve=self.must_serve,
            must_not_serve=self.must_not_serve,
            traffic=self.traffic,
        )

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
            closed_ways=self.closed_ways,
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
    engine = engine or BestEngine()
    with connection.transaction():
        loaded = _load(connection, commune_insee, service_date=service_date, as_of=as_of, options=options)
        made_at = communes.clock(connection, commune_insee).now()
    tell(PlannerEvent(phase="load", detail=f"{len(loaded.bins)} bins, {len(loaded.fleet.vehicles)} vehicles"))

    tell(PlannerEvent(phase="streets", detail=options.extract.name if options.extract else "great circles"))
    measuring = _measuring(loaded, options)
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
        raise PlanRefusedError(_refusal(verdict) + _why_imposed_are_left(task, solution))

    tell(PlannerEvent(phase="explain", detail=f"{len(solution.routes)} routes, {len(solution.left_out)} bins left out"))
    served = explain.served_reasons(task.problem, solution, task.decisions, options=options.explain)
    plan = Plan(
        commune_insee=commune_insee,
        plan_id=uuid4(),
        service_date=service_date,
        made_at=made_at,
        as_of=as_of,
        engine=solution.engine,
        seed=options.seed,
        solve_s=round(solve_s, 3),
        travel_source=travel_source,
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
            travels=task.travels,
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
) -> Loaded:
    commune = communes.one(connection, commune_insee)
    calendar = Calendar(service_date=service_date, time_zone=commune.time_zone)
    fleet = Fleet(
        vehicles=tuple(places.vehicles(connection, commune_insee)),
        depots=tuple(places.of_kind(connection, commune_insee, PlaceKind.DEPOT)),
        disposal_sites=tuple(places.disposal_sites(connection, commune_insee)),
    )
    bins = stored_bins.every(connection, commune_insee)
    strangers = (options.must_serve | options.must_not_serve) - {item.place_id for item in bins}
    if strangers:
        raise InputError(
            f"expected must_serve and must_not_serve to name bins of commune {commune_insee}, "
            f"got {sorted(strangers)[:5]}"
        )
    service_at = calendar.middle(fleet.vehicles)
    outlooks = read_outlooks(
        connection,
        commune_insee,
        bins,
        as_of=as_of,
        service_at=service_at,
        next_at=service_at + timedelta(hours=options.next_chance_h),
    )
    rules = round_rules.every(connection, commune_insee)
    return Loaded(bins=bins, fleet=fleet, calendar=calendar, outlooks=outlooks, rules=rules)


def _measuring(loaded: Loaded, options: PlannerOptions) -> Measuring:
    """Open travel for each width of vehicle; streets are prepared for each once."""
    travels = {
        width: open_travel(replace(options.travel(), width_cm=width)) for width in widths(loaded.fleet, loaded.rules)
    }
    return Measuring(travels=travels, kerb_side=options.kerb_side, max_snap_m=options.max_snap_m)


def _left_out(task: Task, solution: Solution) -> tuple[LeftOut, ...]:
    reasons = dict(task.kept_out)
    for stop, reason in explain.left_out_reasons(task.problem, solution, task.decisions).items():
        reasons[task.problem.stop_ids[stop]] = reason
    return tuple(LeftOut(place_id=place_id, reason=reasons[place_id]) for place_id in sorted(reasons))


def _why_imposed_are_left(task: Task, solution: Solution) -> str:
    """Return in French why imposed bins could not be served; empty when they are."""
    left = [stop for stop in solution.left_out if task.problem.must[stop]][:_VIOLATIONS_TOLD]
    if not left:
        return ""
    reasons = explain.left_out_reasons(task.problem, solution, task.decisions)
    return ". " + " ".join(f"{task.problem.stop_ids[stop]}: {reasons[stop].text}" for stop in left)


def _refusal(verdict: Verdict) -> str:
    told = "; ".join(str(violation) for violation in verdict.violations[:_VIOLATIONS_TOLD])
    more = len(verdict.violations) - _VIOLATIONS_TOLD
    return f"the checker refused the plan: {told}{f'; and {more} more' if more > 0 else ''}"


def _inputs(loaded: Loaded, task: Task, options: PlannerOptions, history: list[tuple[float, float]]) -> dict[str, Any]:
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
        "wishes": asdict(options.wishes),
        "must_serve": sorted(options.must_serve),
        "must_not_serve": sorted(options.must_not_serve),
        "closed_ways": sorted(options.closed_ways),
        "traffic": None if options.traffic is None else asdict(options.traffic),
        "rules": json.loads(round_rules.encode(loaded.rules)),
        "kerb_side": options.kerb_side,
        "limits": asdict(options.limits()),
        "cost_history_s_eur": history,
    }
