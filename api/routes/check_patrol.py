"""A proposed patrol: the most justified checks within a time, on foot. A hint, never evidence."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.errors import documented
from api.geo import rounded
from api.here import Reading
from api.models.checks import PatrolModel
from api.models.common import Model
from api.patrols import PatrolAim, PatrolGains, patrol_model, sensed, sites_of
from api.state import state_of
from storage.check_list import From, to_check
from storage.errors import UnavailableError
from storage.kerb.patrol import PatrolTask
from storage.model import PlaceKind

router = APIRouter(prefix="/communes/{commune_insee}", tags=["checks"], responses=documented(404, 422, 503))

_MOST = 200
"""So many of the places that are worth most are looked at: a patrol goes to some twenty, and colleagues to others."""


class PatrolQuery(Model):
    """Who walks, and for how long."""

    lon: float = Field(ge=-180, le=180, description="Where the officer stands, degrees; some ten metres do")
    lat: float = Field(ge=-90, le=90, description="Where the officer stands, degrees")
    minutes: int = Field(default=45, ge=5, le=240, description="The time there is")
    back: bool = Field(default=False, description="Whether the patrol ends where it starts")
    check_s: int = Field(default=120, ge=0, le=1800, description="How long a check takes, seconds")
    aim: PatrolAim = Field(
        default=PatrolAim.CHECKS, description="checks: most that are justified; worth: the same by their severity"
    )
    kind: list[PlaceKind] | None = Field(default=None, description="Only delivery_bay or parking_space")
    holder_id: UUID | None = Field(default=None, description="Tells one's own takes from others'")


@router.get("/checks/patrol", summary="A proposed patrol")
def propose_patrol(
    here: Reading, request: Request, response: Response, asked: Annotated[PatrolQuery, Query()]
) -> PatrolModel:
    """Return the most justified checks within some minutes from here on foot, each foreseen for its time of arrival.

    Nobody is sent where a colleague goes already. Nothing is taken by it: take the stops that you go to.
    """
    response.headers["Cache-Control"] = "no-store"
    plan = state_of(request)["ports"].patrols
    if plan is None:
        raise UnavailableError("this server plans no patrols: it was started without what plans them")
    worth, within_s = state_of(request)["options"].worth, asked.minutes * 60
    # No way is shorter than the straight one.
    reach_m = within_s * worth.walking_m_s / (2 if asked.back else 1)
    start = rounded(asked.lon, asked.lat)
    found = to_check(
        here.connection,
        here.insee,
        now=here.now,
        zone=here.zone,
        position=From(point=start, within_m=reach_m),
        kinds=sensed(asked.kind),
        ahead_s=within_s,
        most=_MOST,
        options=worth,
    ).checks
    gains = PatrolGains(now=here.now, within_s=within_s, aim=asked.aim, worth=worth)
    sites = sites_of(found, gains, holder_id=asked.holder_id)
    task = PatrolTask(start=start, sites=sites, within_s=within_s, back=asked.back, check_s=asked.check_s)
    return patrol_model(plan(task), task, found, gains)
