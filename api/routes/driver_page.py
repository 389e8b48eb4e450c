"""The driver's tablet: the choice of a vehicle, its round, and what keeps both for dead spots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from babel.dates import format_date, format_time
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from api.errors import DATABASE_AWAY
from api.here import CommuneInsee, Here, within
from api.pages.installable import manifest, worker
from api.pages.languages import language_of
from api.pages.rendering import page
from storage import places, plan_versions, plans
from storage.model import StopKind

router = APIRouter(include_in_schema=False)

_KEPT_S = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class _Offered:
    """A vehicle to choose; `bins` and `starts` are None when it stays at the depot today."""

    vehicle_id: str
    vehicle_name: str
    bins: int | None = None
    starts: str | None = None


@router.get("/{commune_insee}/tournee")
def driver_choice(request: Request, commune_insee: CommuneInsee) -> HTMLResponse:
    """Return the page on which a driver says which vehicle it is."""
    language = language_of(request)
    name, day, rounds, tomorrow = "", "", None, False
    try:
        with within(request, commune_insee, read_only=True) as here:
            name = here.commune.name
            day = format_date(here.today, "EEEE d MMMM", locale=language)
            rounds = _offered(here, language)
            next_day = here.today + timedelta(days=1)
            tomorrow = plan_versions.published(here.connection, here.insee, service_date=next_day) is not None
    except DATABASE_AWAY:
        pass  # the page says so
    return page(
        request, "driver_choice.html", commune_insee=commune_insee, commune_name=name, day=day, rounds=rounds,
        tomorrow=tomorrow,
    )  # fmt: skip


@router.get("/{commune_insee}/tournee.webmanifest")
def driver_manifest(request: Request, commune_insee: CommuneInsee) -> JSONResponse:
    """Return the manifest by which the tablet installs the page."""
    return JSONResponse(
        manifest(language_of(request), commune_insee),
        media_type="application/manifest+json",
        headers={"Cache-Control": f"public, max-age={_KEPT_S}", "Vary": "Accept-Language"},
    )


@router.get("/{commune_insee}/tournee-hors-reseau.js")
def driver_worker(commune_insee: CommuneInsee) -> Response:
    """Return the service worker. It stands in the commune's folder, so that its scope needs no header."""
    return Response(worker(commune_insee), media_type="text/javascript", headers={"Cache-Control": "no-cache"})


@router.get("/{commune_insee}/tournee/{vehicle_id}")
def driver_tablet(
    request: Request, commune_insee: CommuneInsee, vehicle_id: Annotated[str, Path(max_length=100)]
) -> HTMLResponse:
    """Return the page of a vehicle's round. It asks the API for what it shows, and keeps it."""
    return page(request, "driver_round.html", commune_insee=commune_insee, vehicle_id=vehicle_id)


def _offered(here: Here, language: str) -> list[_Offered]:
    """Return the vehicles, those with a round in today's published plan first; none when there is no plan."""
    version = plan_versions.published(here.connection, here.insee, service_date=here.today)
    if version is None:
        return []
    plan = plans.one(here.connection, here.insee, version.plan_id)
    vehicles = {vehicle.vehicle_id: vehicle.name for vehicle in places.vehicles(here.connection, here.insee)}
    going = [
        _Offered(
            vehicle_id=route.vehicle_id,
            vehicle_name=vehicles.get(route.vehicle_id, route.vehicle_id),
            bins=sum(stop.kind is StopKind.BIN for stop in route.stops),
            starts=format_time(route.start_at.astimezone(here.zone), "short", locale=language),
        )
        for route in plan.routes
    ]
    gone = {each.vehicle_id for each in going}
    staying = [_Offered(vehicle_id=each, vehicle_name=name) for each, name in vehicles.items() if each not in gone]
    return [*going, *staying]
