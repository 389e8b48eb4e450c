"""The commune's streets, for maps without tiles."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from api.errors import documented
from api.here import Reading
from api.state import state_of
from api.streets import with_margin
from storage import places
from storage.errors import NotFoundError

router = APIRouter(prefix="/communes/{commune_insee}/streets", tags=["streets"], responses=documented(404, 422, 503))

_GEOJSON = "application/geo+json"
_EXAMPLE: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"class": "minor"},
            "geometry": {"type": "MultiLineString", "coordinates": [[[2.5531, 48.8486], [2.5537, 48.8489]]]},
        }
    ],
}


@router.get(
    "",
    summary="Streets as GeoJSON",
    response_class=Response,
    responses={
        200: {"description": "A FeatureCollection", "content": {_GEOJSON: {"example": _EXAMPLE}}},
        304: {"description": "What the client has is still right"},
    },
)
def streets(request: Request, here: Reading, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Return the streets around the commune's places, simplified, one feature per class of street.

    They come from OpenStreetMap (ODbL). 404 when this server has no extract of the commune.
    """
    state = state_of(request)
    if here.insee != state["options"].commune_insee:
        raise NotFoundError(f"this server has no streets of commune {here.insee}")
    extent = places.extent(here.connection, here.insee)
    document = state["streets"].document(None if extent is None else with_margin(extent))
    headers = {"ETag": document.etag, "Cache-Control": "public, max-age=3600"}
    # A proxy that compresses may have made the tag a weak one.
    if if_none_match is not None and document.etag in if_none_match.replace("W/", ""):
        return Response(status_code=304, headers=headers)
    return Response(document.body, media_type=_GEOJSON, headers=headers)
