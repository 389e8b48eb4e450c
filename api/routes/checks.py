"""The police municipale's aid: what to check now, and what officers tell of it. A hint, never evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from api.errors import documented
from api.geo import rounded
from api.here import Here, Reading, Writing
from api.models.checks import (
    CheckCloseIn,
    CheckLogModel,
    CheckMapModel,
    CheckModel,
    CheckReleaseIn,
    ChecksModel,
    CheckStandModel,
    CheckTakeIn,
    HeldModel,
    HeldPlaceModel,
    HeldPlacesModel,
    PointModel,
    ToldCheckModel,
)
from api.models.common import Model
from api.patrols import sensed
from api.phrases import Language
from api.state import state_of
from storage import checks
from storage.check_list import From, to_check
from storage.checks import CheckDone
from storage.errors import InputError
from storage.kerb.worth import WorthOptions
from storage.model import CheckAct, CheckEvent, PlaceKind

router = APIRouter(prefix="/communes/{commune_insee}", tags=["checks"], responses=documented(404, 422, 503))

FUTURE_TOLERANCE = timedelta(minutes=10)
"""How far a phone's clock may be ahead."""
LATEST = timedelta(days=7)
"""A closing that is told later than this is not one of a check that anybody waits for."""

PlaceId = Annotated[str, Path(min_length=1, max_length=100, description="The place's id", examples=["ADL-01"])]


class CheckQuery(Model):
    """Whose list it is, and how much of it."""

    lon: float | None = Field(
        default=None, ge=-180, le=180, description="Where the officer stands, degrees; some ten metres do"
    )
    lat: float | None = Field(default=None, ge=-90, le=90, description="Where the officer stands, degrees")
    within_m: float = Field(default=1500, gt=0, le=20_000, description="With a position: how far around, metres")
    kind: list[PlaceKind] | None = Field(default=None, description="Only delivery_bay or parking_space")
    limit: int = Field(default=200, ge=1, le=1000, description="At most so many")
    holder_id: UUID | None = Field(default=None, description="Tells one's own takes from others'")

    lang: Language = Field(default=Language.FRENCH, description="The language of `rule`")

    @property
    def position(self) -> From | None:
        """Where the officer stands, rounded. Raises InputError when half of it is given."""
        if (self.lon is None) is not (self.lat is None):
            raise InputError("expected both lon and lat, or neither")
        if self.lon is None or self.lat is None:
            return None
        return From(point=rounded(self.lon, self.lat), within_m=self.within_m)


@router.get("/checks", summary="What to check now")
def list_checks(
    here: Reading, request: Request, response: Response, asked: Annotated[CheckQuery, Query()]
) -> ChecksModel:
    """Return where a check is justified, or will be on arrival, and what it is worth to who walks there; no proof.

    The position is rounded and used for this answer alone.
    """
    response.headers["Cache-Control"] = "no-store"
    return _listed(here, asked, worth=state_of(request)["options"].worth)


@router.get("/checks.geojson", summary="What to check now, as a map")
def map_checks(
    here: Reading, request: Request, response: Response, asked: Annotated[CheckQuery, Query()]
) -> CheckMapModel:
    """Return the list as a GeoJSON FeatureCollection."""
    response.headers["Cache-Control"] = "no-store"
    return CheckMapModel.of(_listed(here, asked, worth=state_of(request)["options"].worth))


@router.get("/checks/held", summary="Where officers go now")
def list_held(
    here: Reading,
    response: Response,
    holder_id: Annotated[UUID | None, Query(description="Tells one's own takes from others'")] = None,
) -> HeldPlacesModel:
    """Return the places that somebody took, whether anybody still stands there or not; not where officers are."""
    response.headers["Cache-Control"] = "no-store"
    found = checks.on_their_way(here.connection, here.insee, now=here.now)
    return HeldPlacesModel(now=here.now, places=[HeldPlaceModel.of(one, holder_id=holder_id) for one in found])


@router.get("/checks/log", summary="What officers told")
def list_told(
    here: Reading,
    response: Response,
    days: Annotated[int, Query(ge=1, le=400, description="How far back, days")] = 7,
    place_id: Annotated[str | None, Query(max_length=100, description="Only of this place")] = None,
    limit: Annotated[int, Query(ge=1, le=5000, description="At most so many, newest first")] = 1000,
) -> CheckLogModel:
    """Return takes, releases and closings as they were told; they are never changed. No vehicle is in them."""
    response.headers["Cache-Control"] = "no-store"
    since = here.now - timedelta(days=days)
    told = checks.log(here.connection, here.insee, since=since, place_id=place_id, limit=limit)
    return CheckLogModel(now=here.now, since=since, events=[ToldCheckModel.model_validate(one) for one in told])


@router.post("/checks/{place_id}/take", summary="Go and check a place", responses=documented(409))
def take_check(here: Writing, place_id: PlaceId, body: CheckTakeIn) -> CheckStandModel:
    """Tell colleagues that somebody goes there: nobody else is sent until it is closed, released or over.

    409 when a colleague goes there already: `held` says who and since when.
    """
    event = CheckEvent(
        event_id=body.event_id, place_id=place_id, act=CheckAct.TAKEN, told_by=here.by(body.by), happened_at=here.now
    )
    done = checks.take(
        here.connection, here.insee, event, holder_id=body.holder_id, hold=timedelta(seconds=body.hold_s)
    )
    return _stand(here, place_id, done, holder_id=body.holder_id)


@router.post("/checks/{place_id}/release", summary="Not go there after all", responses=documented(409))
def release_check(here: Writing, place_id: PlaceId, body: CheckReleaseIn) -> CheckStandModel:
    """Let one's own take go; of what one does not hold nothing is changed."""
    event = CheckEvent(
        event_id=body.event_id, place_id=place_id, act=CheckAct.RELEASED, told_by=here.by(body.by), happened_at=here.now
    )
    done = checks.release(here.connection, here.insee, event, holder_id=body.holder_id)
    return _stand(here, place_id, done, holder_id=body.holder_id)


@router.post("/checks/{place_id}/close", summary="Tell how a check ended", responses=documented(409))
def close_check(here: Writing, place_id: PlaceId, body: CheckCloseIn) -> CheckStandModel:
    """Close a check with its cause, kept for good: who stands there is not proposed again. Also of what nobody took."""
    happened_at = body.happened_at or here.now
    if not here.now - LATEST <= happened_at <= here.now + FUTURE_TOLERANCE:
        raise InputError(
            f"happened_at: expected within the last {LATEST.days} days, got {happened_at.isoformat()}, and now it is "
            f"{here.now.isoformat(timespec='seconds')}"
        )
    try:
        event = CheckEvent(
            event_id=body.event_id,
            place_id=place_id,
            act=CheckAct.CLOSED,
            told_by=here.by(body.by),
            happened_at=min(happened_at, here.now),
            cause=body.cause,
            comment=body.comment,
        )
    except ValueError as error:
        raise InputError(str(error)) from error
    done = checks.close(here.connection, here.insee, event, now=here.now)
    return _stand(here, place_id, done, holder_id=body.holder_id)


def _listed(here: Here, asked: CheckQuery, *, worth: WorthOptions) -> ChecksModel:
    position = asked.position
    found = to_check(
        here.connection,
        here.insee,
        now=here.now,
        zone=here.zone,
        position=position,
        kinds=sensed(asked.kind),
        most=asked.limit,
        options=worth,
    )
    return ChecksModel(
        now=here.now,
        position=None
        if position is None
        else PointModel(longitude_deg=position.point[0], latitude_deg=position.point[1]),
        total=found.total,
        checks=[
            CheckModel.of(one, now=here.now, zone=here.zone, holder_id=asked.holder_id, language=asked.lang)
            for one in found.checks
        ],
    )


def _stand(here: Here, place_id: str, done: CheckDone, *, holder_id: UUID | None) -> CheckStandModel:
    held = None if done.held is None else HeldModel.of(done.held, holder_id=holder_id)
    return CheckStandModel(now=here.now, place_id=place_id, changed=done.changed, held=held)
