"""Where somebody goes, by what they type: found on this server."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from api.caching import kept
from api.destinations import find
from api.errors import documented
from api.here import Reading
from api.models.destinations import DestinationsModel

router = APIRouter(
    prefix="/communes/{commune_insee}/destinations", tags=["guidance"], responses=documented(404, 422, 503)
)

_KEPT_S = 3600


@router.get("", summary="Streets, addresses and places by name", response_model=DestinationsModel)
def find_destinations(
    here: Reading,
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=100, description="What somebody types, perhaps wrongly")],
    limit: Annotated[int, Query(ge=1, le=20, description="At most so many, the likeliest first")] = 6,
) -> Response:
    """Return what may be meant: without accents, with slips, not to its end. From OpenStreetMap (ODbL)."""
    found = [asdict(one) for one in find(here, request, q, limit=limit)]
    content = msgspec.json.encode({"destinations": found})
    return kept(request, content, media_type="application/json", max_age_s=_KEPT_S)
