"""A driver's round of today, and what changed in it."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.errors import documented
from api.here import Here, Reading
from api.models.driver_rounds import DeclaredModel, DriverRoundModel, RoundChangesModel
from api.models.plans import RouteModel
from api.phrases import Language, catalogue
from api.routes.plans import vehicle_names
from api.routes.service_events import FUTURE_TOLERANCE
from storage import places, plan_versions, plans, vehicle_events
from storage.errors import NotFoundError
from storage.model import Plan, PlannedRoute, StopKind
from storage.turns import out_of_turn

router = APIRouter(prefix="/communes/{commune_insee}/rounds", tags=["plans"], responses=documented(404, 422, 503))


@router.get("/{vehicle_id}", summary="A driver's round of the day")
def driver_round(
    here: Reading,
    vehicle_id: Annotated[str, Path(max_length=100, description="Id of the vehicle")],
    service_date: Annotated[date | None, Query(description="Local day of service; otherwise today")] = None,
    *,
    known_version: Annotated[int | None, Query(ge=1, description="The version that the tablet has")] = None,
    lang: Annotated[Language, Query(description="Language of the steps' sentences")] = Language.FRENCH,
) -> DriverRoundModel:
    """Return a vehicle's round in the published plan, whole only when it differs from what the tablet has."""
    day = service_date or here.today
    version = plan_versions.published(here.connection, here.insee, service_date=day)
    if version is None or version.version is None:
        raise NotFoundError(f"commune {here.insee} has no plan on {day}")
    plan = plans.one(here.connection, here.insee, version.plan_id, vehicle_id=vehicle_id)
    route = _route(plan, vehicle_id)
    # A tablet asks every few seconds, nearly always knowing this very version.
    before = route if known_version == version.version else _known(here, vehicle_id, day, known_version)
    changed = known_version is None or _times(before) != _times(route)
    told = None
    if changed and route is not None:
        told = RouteModel.of(plan, route, vehicle_names(here), phrases=catalogue(lang))
    return DriverRoundModel(
        vehicle_id=vehicle_id,
        service_date=day,
        plan_id=plan.plan_id,
        version=version.version,
        changed=changed,
        changes=None if known_version is None else _changes(before, route),
        route=told,
        streets={} if told is None else places.streets_of(here.connection, here.insee, _places(route)),
        declared=_declared(here, route, day),
    )


def _places(route: PlannedRoute | None) -> set[str]:
    stops = () if route is None else route.stops
    return {stop.place_id for stop in stops if stop.place_id is not None}


def _declared(here: Here, route: PlannedRoute | None, day: date) -> list[DeclaredModel]:
    """Return what was declared at a round's bins since its local day began: also after midnight, and by others."""
    wanted = set(_bins(route))
    since = datetime.combine(day, time(), here.zone)
    told = vehicle_events.at_bins(here.connection, here.insee, since=since, until=here.now + FUTURE_TOLERANCE)
    return [DeclaredModel.of(event) for event in told if event.place_id in wanted]


def _route(plan: Plan, vehicle_id: str) -> PlannedRoute | None:
    return next((route for route in plan.routes if route.vehicle_id == vehicle_id), None)


def _known(here: Here, vehicle_id: str, day: date, known_version: int | None) -> PlannedRoute | None:
    """Return the round as it was in a version, None when it was in none."""
    if known_version is None:
        return None
    for version in plan_versions.of_day(here.connection, here.insee, service_date=day):
        if version.version == known_version:
            return _route(plans.one(here.connection, here.insee, version.plan_id, vehicle_id=vehicle_id), vehicle_id)
    return None


def _changes(before: PlannedRoute | None, route: PlannedRoute | None) -> RoundChangesModel:
    old, now = _bins(before), _bins(route)
    return RoundChangesModel(
        added=[place_id for place_id in now if place_id not in old],
        removed=[place_id for place_id in old if place_id not in now],
        reordered=out_of_turn(old, now),
    )


def _times(route: PlannedRoute | None) -> list[tuple[str | None, datetime]] | None:
    return None if route is None else [(stop.place_id, stop.arrive_at) for stop in route.stops]


def _bins(route: PlannedRoute | None) -> list[str]:
    stops = () if route is None else route.stops
    return [str(stop.place_id) for stop in stops if stop.kind is StopKind.BIN]
