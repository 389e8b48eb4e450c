"""Plans: rounds of a day, their stops, and the bins that they leave out, each with its reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from storage import plan_versions
from storage.database import Connection, ask, statement, together
from storage.errors import NotFoundError, PlanRefusedError
from storage.model import LeftOut, Plan, PlannedRoute, PlannedStop, PlanSource, Reason, Step


def save(connection: Connection, plan: Plan, *, source: PlanSource | None = None, publish: bool = True) -> None:
    """Store an accepted plan in the caller's transaction, as a draft or as the published plan of its day.

    What is published the live listeners are told. Raises PlanRefusedError for a plan that the independent checker did
    not accept; the table refuses it as well.
    """
    if plan.checker.get("accepted") is not True:
        raise PlanRefusedError
    key = {"commune_insee": plan.commune_insee, "plan_id": plan.plan_id}
    header = {name: value for name, value in asdict(plan).items() if name not in {"routes", "left_out"}}
    header |= {"checker": Jsonb(plan.checker), "inputs": Jsonb(plan.inputs)}
    routes, stops = [], []
    for route in plan.routes:
        row = asdict(route) | key | {"geometry": Jsonb(route.geometry)}
        del row["stops"]
        routes.append(row)
        stops += [
            asdict(stop)
            | key
            | {"route_index": route.route_index, "reason": _json(stop.reason), "steps": _steps(stop.steps)}
            for stop in route.stops
        ]
    left_out = [key | {"place_id": item.place_id, "reason": _json(item.reason)} for item in plan.left_out]
    connection.execute(statement("plans", "save_plan"), header)
    with connection.cursor() as cursor:
        for query, rows in (("save_route", routes), ("save_stop", stops), ("save_left_out", left_out)):
            if rows:
                cursor.executemany(statement("plans", query), rows)
    told = source or PlanSource()
    plan_versions.draft(connection, plan, told)
    if publish:
        plan_versions.publish(connection, plan.commune_insee, plan.plan_id, by=told.made_by, at=plan.made_at)


def _json(reason: Reason | None) -> Jsonb | None:
    return None if reason is None else Jsonb(asdict(reason))


def _steps(steps: tuple[Step, ...]) -> Jsonb:
    """Return steps as they are kept: a town keeps thousands a day, and most say little."""
    return Jsonb([{name: value for name, value in asdict(step).items() if value is not None} for step in steps])


@dataclass(frozen=True, kw_only=True)
class _Header:
    """A row of the table plan."""

    commune_insee: str
    plan_id: UUID
    service_date: date
    made_at: datetime
    as_of: datetime
    engine: str
    seed: int
    solve_s: float
    travel_source: str
    forecast_run_id: UUID | None
    distance_m: float
    duration_s: float
    checker: dict[str, Any]
    inputs: dict[str, Any]


def latest(connection: Connection, commune_insee: str, *, service_date: date | None = None) -> Plan | None:
    """Return the published plan of a day (or of the newest day), None when there is none."""
    parameters = {"commune_insee": commune_insee, "service_date": service_date}
    row = connection.execute(statement("plans", "latest"), parameters).fetchone()
    return None if row is None else one(connection, commune_insee, row[0])


def planned_dates(connection: Connection, commune_insee: str, *, since: date) -> set[date]:
    """Return the days from `since` on that have a plan."""
    parameters = {"commune_insee": commune_insee, "since": since}
    return {row[0] for row in connection.execute(statement("plans", "planned_dates"), parameters)}


def one(connection: Connection, commune_insee: str, plan_id: UUID, *, vehicle_id: str | None = None) -> Plan:
    """Return a plan with its routes, stops and left-out bins, or with the route of one vehicle alone.

    Raises NotFoundError when the commune has no such plan.
    """
    key = {"commune_insee": commune_insee, "plan_id": plan_id, "vehicle_id": vehicle_id}
    with together(connection):
        headers = ask(connection, _Header, statement("plans", "plan"), key)
        every_stop = ask(connection, dict[str, Any], statement("plans", "stops"), key)
        every_route = ask(connection, dict[str, Any], statement("plans", "routes"), key)
        left = ask(connection, LeftOut, statement("plans", "left_out"), key)
    header = headers.fetchone()
    if header is None:
        raise NotFoundError(f"commune {commune_insee} has no plan {plan_id}")
    stops: defaultdict[int, list[PlannedStop]] = defaultdict(list)
    for row in every_stop:
        stops[row.pop("route_index")].append(msgspec.convert(row, PlannedStop, strict=False))
    routes = tuple(
        msgspec.convert(row | {"stops": stops[row["route_index"]]}, PlannedRoute, strict=False) for row in every_route
    )
    return Plan(**asdict(header), routes=routes, left_out=tuple(left))
