"""Where to park: a page for everybody, a frame for the town's own sites, and a sign.

No account, no cookie, no script needed: what is asked stands in the address, and who asks the same gets the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote, urlencode

from babel.dates import format_time
from babel.units import format_unit
from fastapi import APIRouter, Query, Request, Response

from api.destinations import find
from api.errors import DATABASE_AWAY
from api.gazetteer.names import Named, NameKind
from api.here import CommuneInsee, Here, within
from api.models.parking_pages import ParkingQuery, SignQuery
from api.pages.languages import language_of
from api.pages.parking import WORDS, WORTH_IT, Item, Verdict
from api.pages.rendering import page_for_all
from api.parking_answers import Answer, everywhere, near
from api.security import let_be_embedded
from api.sign_numbers import Counted, count_around, count_group, group_called
from storage import places
from storage.errors import NotFoundError

router = APIRouter(include_in_schema=False, prefix="/{commune_insee}/stationner")

ARRIVALS_MIN = (0, 5, 10, 15, 20, 30, 45, 60)
_OTHERS = 4
_EMBEDDED = 6
_KILOMETRE_M = 1000


@router.get("")
def parking_page(request: Request, commune_insee: CommuneInsee, asked: Annotated[ParkingQuery, Query()]) -> Response:
    """Return the page: where somebody goes, and the places there."""
    return _shown(request, commune_insee, asked, "parking.html")


@router.get("/integre")
def parking_embedded(
    request: Request, commune_insee: CommuneInsee, asked: Annotated[ParkingQuery, Query()]
) -> Response:
    """Return the places alone, for a frame in a page of the town's sites."""
    let_be_embedded(request)
    return _shown(request, commune_insee, asked, "parking_embedded.html", most=_EMBEDDED)


@router.get("/panneau")
def parking_sign(request: Request, commune_insee: CommuneInsee, asked: Annotated[SignQuery, Query()]) -> Response:
    """Return one number as large as the screen; a question mark where it would be a guess."""
    status, counted, label = 200, None, ""
    address: dict[str, str | int] = {"at": asked.at, "max_age_min": asked.max_age_min, "as_json": "true"}
    try:
        with within(request, commune_insee, read_only=True) as here:
            counted, label, more = _counted(here, request, asked)
            address |= more
    except NotFoundError:
        status = 404
    except DATABASE_AWAY:
        status = 503
    return page_for_all(
        request,
        "parking_sign.html",
        status=status,
        commune_insee=commune_insee,
        asked=asked,
        number=None if counted is None else counted.number,
        label=label if asked.label else "",
        source=f"api/v1/communes/{commune_insee}/guidance/number?{urlencode(address)}" if counted else "",
    )


def _counted(here: Here, request: Request, asked: SignQuery) -> tuple[Counted, str, dict[str, str | int]]:
    """Return the count, its name, and how the API is asked for it."""
    if asked.zone:
        group = group_called(here, asked.zone, asked.vehicle.uses)
        counted = count_group(here, group, minutes=asked.at, max_age_min=asked.max_age_min)
        return counted, group.name or asked.zone, {"group_id": group.group_id}
    chosen, _ = _destination(here, request, asked)
    if chosen is None:
        raise NotFoundError(f"commune {here.insee} has no place called {asked.near!r}")
    point = (chosen.longitude_deg, chosen.latitude_deg)
    counted = count_around(
        here, point, uses=asked.vehicle.uses, radius_m=asked.radius_m, minutes=asked.at, max_age_min=asked.max_age_min
    )
    around: dict[str, str | int]
    around = {"lon": str(point[0]), "lat": str(point[1]), "radius_m": asked.radius_m, "vehicle": asked.vehicle.value}
    return counted, chosen.name, around


def _shown(
    request: Request, commune_insee: str, asked: ParkingQuery, template: str, *, most: int | None = None
) -> Response:
    chosen: Named | None = None
    others: Sequence[Named] = ()
    answer: Answer | None = None
    name, now = "", ""
    try:
        with within(request, commune_insee, read_only=True) as here:
            name = here.commune.name
            now = format_time(here.now.astimezone(here.zone), format="short", locale=language_of(request))
            chosen, others = _destination(here, request, asked)
            if chosen is not None:
                point = (chosen.longitude_deg, chosen.latitude_deg)
                answer = near(here, point, minutes=asked.at, vehicle=asked.vehicle, radius_m=asked.radius_m)
            elif not asked.near:
                answer = everywhere(here, _middle(here), vehicle=asked.vehicle)
        status = HTTPStatus.OK
    except DATABASE_AWAY:
        status = HTTPStatus.SERVICE_UNAVAILABLE
    return page_for_all(
        request,
        template,
        status=status,
        commune_insee=commune_insee,
        commune_name=name,
        now=now,
        asked=asked,
        arrivals=sorted({*ARRIVALS_MIN, asked.at}),
        chosen=chosen,
        others=others,
        down=status is not HTTPStatus.OK,
        answer=answer,
        items=[] if answer is None else answer.items[:most],
        **_helpers(request, asked),
    )


def _destination(here: Here, request: Request, asked: ParkingQuery | SignQuery) -> tuple[Named | None, Sequence[Named]]:
    """Return where somebody goes, and what else they may have meant."""
    point = asked.point
    if point is not None:
        lon, lat = point
        return Named(name=asked.near, kind=NameKind.PLACE, longitude_deg=lon, latitude_deg=lat), ()
    if not asked.near.strip():
        return None, ()
    found = find(here, request, asked.near, limit=_OTHERS + 1)
    return (found[0], found[1:]) if found else (None, ())


def _middle(here: Here) -> tuple[float, float]:
    west, south, east, north = places.extent(here.connection, here.insee) or (0.0, 0.0, 0.0, 0.0)
    return (west + east) / 2, (south + north) / 2


def _helpers(request: Request, asked: ParkingQuery) -> dict[str, object]:
    """Return what the templates say things with."""
    locale = language_of(request)

    def metres(value: float) -> str:
        if value < _KILOMETRE_M:
            return format_unit(value, "length-meter", length="short", format="0", locale=locale)
        return format_unit(value / _KILOMETRE_M, "length-kilometer", length="short", format="0.0", locale=locale)

    def again(**changed: object) -> str:
        """Return the query of this page with something else in it, in the language that was asked for."""
        lon, lat = asked.point or (None, None)
        told: dict[str, object]
        told = {"near": asked.near, "lon": lon, "lat": lat, "vehicle": asked.vehicle.value, "at": asked.at}
        told |= {"lang": request.query_params.get("lang")} | changed
        return urlencode({key: value for key, value in told.items() if value not in {None, ""}})

    def way_to(item: Item) -> str:
        point = f"{item.latitude_deg},{item.longitude_deg}"
        return f"geo:{point}?q={point}({quote(item.name or '')})"

    return {
        "metres": metres,
        "again": again,
        "way_to": way_to,
        "words": WORDS,
        "worth_it": WORTH_IT,
        "Verdict": Verdict,
        "asked_language": request.query_params.get("lang"),
    }
