"""The operator's page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.here import CommuneInsee
from api.pages.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/{commune_insee}/exploitation")
def operator_page(request: Request, commune_insee: CommuneInsee) -> HTMLResponse:
    """Return the page of whoever runs the installation."""
    return page(request, "operator.html", commune_insee=commune_insee)
