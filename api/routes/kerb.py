"""The kerb now, one place of it, and the stays that were."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.errors import documented
from api.here import Here, Reading
from api.kerb_map import kerb_parts
from api.models.kerb import KerbModel, KerbPlaceModel, KerbRowsModel, SessionModel, SessionsModel
from api.packing import packed
from storage import kerb_places, sessions
from storage.errors import InputError, NotFoundError
from storage.kerb_now import WHOLE_WORLD, kerb_map, kerb_now, parts_of
from storage.model import BayState, KerbPlace, PlaceKind

router = APIRouter(prefix="/communes/{commune_insee}/kerb", tags=["kerb"], responses=documented(404, 422, 503))

PlaceId = Annotated[str, Path(min_length=1, max_length=100, description="The place's id", examples=["ADL-01"])]
_SENSED = (PlaceKind.DELIVERY_BAY, PlaceKind.PARKING_SPACE)


@router.get("", summary="The kerb, now", response_model=KerbModel | KerbRowsModel)
def show_kerb(
    here: Reading,
    request: Request,
    bbox: Annotated[str | None, Query(max_length=200, description="Only within west,south,east,north, degrees")] = None,
    kind: Annotated[list[PlaceKind] | None, Query(description="Only delivery_bay or parking_space")] = None,
    state: Annotated[list[BayState] | None, Query(description="Only places in these states")] = None,
    *,
    as_rows: Annotated[bool, Query(description="Places as rows of values: less than half as long")] = False,
) -> Response:
    """Return every bay and space with its state by the rule in force; no overstay is a proof."""
    for one in kind or ():
        if one not in _SENSED:
            raise InputError(f"kind: expected {' or '.join(_SENSED)}, got {one}")
    view = kerb_map(
        here.connection, here.insee, now=here.now, zone=here.zone, kinds=kind or _SENSED, bounds=_bounds(bbox)
    )
    return packed(request, kerb_parts(view, states=state, as_rows=as_rows), media_type="application/json")


@router.get("/{place_id}", summary="One place at the kerb, now")
def show_place(here: Reading, place_id: PlaceId) -> KerbPlaceModel:
    """Return a place with its state and its rules in words, its sensor, and what its parts are up to."""
    place = _place(here, place_id)
    day = here.today
    if not (place.valid_from or day) <= day <= (place.valid_until or day):
        raise NotFoundError(f"{place_id} is not there today: its life is {place.valid_from} to {place.valid_until}")
    family = parts_of(here.connection, here.insee, place_id)
    view = kerb_now(here.connection, here.insee, now=here.now, zone=here.zone, place_ids=family)
    (row,) = (one for one in view.places if one.place_id == place_id)
    parts = Counter(view.standing(one).state for one in view.places if one.kind in _SENSED and one.place_id != place_id)
    timetable = view.timetables.of(row)
    return KerbPlaceModel.of(
        place=place,
        row=row,
        standing=view.standing(row),
        coming=timetable.next_in_force(here.now),
        view=view,
        zone=here.zone,
        parts=dict(parts),
    )


@router.get("/{place_id}/sessions", summary="Stays at a place")
def list_sessions(
    here: Reading,
    place_id: PlaceId,
    days: Annotated[int, Query(ge=1, le=400, description="How far back, days")] = 7,
    limit: Annotated[int, Query(ge=1, le=5000, description="At most so many, newest first")] = 1000,
) -> SessionsModel:
    """Return the stays at a place, as far as they are kept. Late readings change them."""
    _place(here, place_id)
    since = here.now - timedelta(days=days)
    found = sessions.of_place(
        here.connection, here.insee, place_id, since=since, until=here.now + timedelta(days=1), limit=limit
    )
    return SessionsModel(
        now=here.now, place_id=place_id, since=since, sessions=[SessionModel.of(session) for session in found]
    )


def _place(here: Here, place_id: str) -> KerbPlace:
    found = kerb_places.of_commune(here.connection, here.insee, place_ids=[place_id])
    if not found:
        raise NotFoundError(f"commune {here.insee} has no place {place_id!r} at the kerb")
    return found[0]


def _bounds(bbox: str | None) -> tuple[float, float, float, float]:
    if bbox is None:
        return WHOLE_WORLD
    try:
        west, south, east, north = (float(part) for part in bbox.split(","))
    except ValueError as error:
        raise InputError(f"bbox: expected west,south,east,north in degrees, got {bbox!r}") from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 - degrees
        raise InputError(f"bbox: expected west <= east and south <= north in degrees, got {bbox!r}")
    return west, south, east, north
