"""The chef's desk: the day's plan beside the map of bins, a bin's page, the month."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse

from api.admission import principal_of
from api.here import CommuneInsee
from api.pages.parts import DESK, parts_of
from api.pages.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/{commune_insee}/proprete")
def desk(request: Request, commune_insee: CommuneInsee) -> HTMLResponse:
    """Return the desk: what is odd today, the plan and its edits, the bins."""
    return _desk(request, "desk.html", commune_insee)


@router.get("/{commune_insee}/proprete/corbeilles/{place_id}")
def desk_bin(
    request: Request, commune_insee: CommuneInsee, place_id: Annotated[str, Path(min_length=1, max_length=100)]
) -> HTMLResponse:
    """Return the page of a bin; whether there is one, its scripts say."""
    return _desk(request, "desk_bin.html", commune_insee, place_id=place_id)


@router.get("/{commune_insee}/proprete/mois")
def desk_month(request: Request, commune_insee: CommuneInsee) -> HTMLResponse:
    """Return the page of a month: what rounds came to, beside the former ones."""
    return _desk(request, "desk_month.html", commune_insee)


def _desk(request: Request, template: str, commune_insee: str, **values: Any) -> HTMLResponse:
    parts = parts_of(principal_of(request), commune_insee, routes=DESK)
    return page(request, template, commune_insee=commune_insee, parts=parts, **values)
