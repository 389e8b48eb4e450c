"""Who of a commune's crews and patrols is on which device, for their chef, who may end it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.addresses import root_of
from api.admission import principal_of
from api.here import CommuneInsee
from api.noting import note
from api.pages.rendering import page
from api.pages.screens import ROLE_NAMES
from api.principal import Principal
from api.state import state_of
from storage import communes, teams
from storage.errors import NotFoundError
from storage.model import Role

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)

_CHEFS = {
    Role.DISPATCHER: frozenset({Role.DRIVER}),
    Role.PARKING_MANAGER: frozenset({Role.OFFICER}),
    Role.ADMINISTRATOR: teams.SHIFTS,
}
"""Whose sessions each may see and end."""


@router.get("/{commune_insee}/equipe")
def team_page(request: Request, commune_insee: CommuneInsee) -> HTMLResponse:
    """Return who is logged in on which device, since when, and when it was last heard of."""
    with state_of(request)["pool"].transaction([commune_insee]) as connection:
        commune = communes.one(connection, commune_insee)
    with state_of(request)["pool"].identity() as connection:
        found = teams.sessions(
            connection, commune_insee, _led_by(principal_of(request), commune_insee), now=datetime.now(UTC)
        )
    return page(
        request, "team.html", commune=commune, sessions=found, role_names=ROLE_NAMES,
        local=lambda moment: moment.astimezone(ZoneInfo(commune.time_zone)),
    )  # fmt: skip


@router.post("/{commune_insee}/equipe/sessions/{session_id}/fin")
def end_team_session(request: Request, commune_insee: CommuneInsee, session_id: UUID) -> Response:
    """End a session: its device is led to the log-in by its next request."""
    who = principal_of(request)
    try:
        with state_of(request)["pool"].identity([commune_insee]) as connection:
            account_id = teams.end(connection, commune_insee, _led_by(who, commune_insee), session_id)
            note(
                connection, who, "session.ended", f"session:{session_id}", commune_insee=commune_insee,
                account_id=str(account_id),
            )  # fmt: skip
    except NotFoundError:
        pass  # it ended meanwhile: the page shows what there is
    else:
        log.info("team_session_ended", session_id=str(session_id))
    return RedirectResponse(f"{root_of(request)}{commune_insee}/equipe", status_code=303)


def _led_by(who: Principal, commune_insee: str) -> frozenset[Role]:
    led = (roles for chef, roles in _CHEFS.items() if chef in who.roles_in(commune_insee))
    return frozenset[Role]().union(*led)
