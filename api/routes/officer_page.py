"""The officer's phone: what to check now, on foot."""

from __future__ import annotations

from uuid import UUID, uuid5

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.admission import principal_of
from api.here import CommuneInsee
from api.pages.rendering import page
from api.principal import Principal

router = APIRouter(include_in_schema=False)

_HOLDERS = UUID("6f0b1c3e-98a4-4c0e-9a57-1d3b2f6c7e10")
"""The namespace of holders' ids that are made from sessions."""


@router.get("/{commune_insee}/controle")
def officer_page(request: Request, commune_insee: CommuneInsee) -> HTMLResponse:
    """Return the officer's page. Whose takes are one's own the server says, so that the phone keeps nothing for it."""
    return page(
        request, "officer.html", commune_insee=commune_insee, parts=("checks", "held", "log"),
        holder_id=_holder_of(principal_of(request)),
    )  # fmt: skip


def _holder_of(who: Principal) -> UUID | None:
    """Return what a session's takes are known by: the same after a reload, another one after the next log-in."""
    return None if who.session_id is None else uuid5(_HOLDERS, str(who.session_id))
