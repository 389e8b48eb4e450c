"""Parking spaces, in the commune or near a point."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query

from api.errors import documented
from api.geo import distance_m
from api.here import Here, Reading
from api.models.parking import ParkingModel, SpaceModel, SpaceState
from storage.errors import InputError
from storage.kerb_now import kerb_now, known_of
from storage.model import KerbNow, PlaceKind

router = APIRouter(prefix="/communes/{commune_insee}/parking", tags=["parking"], responses=documented(404, 422, 503))

_STATES = {True: SpaceState.OCCUPIED, False: SpaceState.FREE, None: SpaceState.UNKNOWN}


@router.get("", summary="Parking spaces, now")
def list_spaces(
    here: Reading,
    lon: Annotated[float | None, Query(ge=-180, le=180, description="Longitude of the destination, degrees")] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90, description="Latitude of the destination, degrees")] = None,
    radius_m: Annotated[float, Query(gt=0, le=20_000, description="With a destination: how far around, metres")] = 500,
    state: Annotated[list[SpaceState] | None, Query(description="Only spaces in these states")] = None,
) -> ParkingModel:
    """Return all spaces, or those within `radius_m` of a destination, nearest first; unknown is never free."""
    if (lon is None) is not (lat is None):
        raise InputError("expected both lon and lat, or neither")
    destination = None if lon is None or lat is None else (lon, lat)
    view = kerb_now(here.connection, here.insee, now=here.now, zone=here.zone, kinds=[PlaceKind.PARKING_SPACE])
    spaces = [_space(item, here, destination) for item in view.places]
    if destination is not None:
        spaces = [item for item in spaces if item.distance_m is not None and item.distance_m <= radius_m]
        spaces.sort(key=lambda item: (item.distance_m or 0.0, item.place_id))
    counts = Counter(item.state for item in spaces)
    return ParkingModel(
        now=here.now,
        total=len(spaces),
        free=counts[SpaceState.FREE],
        occupied=counts[SpaceState.OCCUPIED],
        unknown=counts[SpaceState.UNKNOWN],
        spaces=[item for item in spaces if not state or item.state in state],
    )


def _space(item: KerbNow, here: Here, destination: tuple[float, float] | None) -> SpaceModel:
    point = (item.longitude_deg, item.latitude_deg)
    return SpaceModel(
        place_id=item.place_id,
        longitude_deg=item.longitude_deg,
        latitude_deg=item.latitude_deg,
        street=item.street,
        space_kind=item.space_kind or "standard",
        state=_STATES[known_of(item, here.now).occupied],
        heard_at=item.heard_at,
        distance_m=None if destination is None else round(distance_m(destination, point), 1),
    )
