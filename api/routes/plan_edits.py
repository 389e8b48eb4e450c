"""The chef's edits of a plan: asked here, made by the worker that has the streets in memory, waited for or polled."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from api.errors import EditRefusedError, documented
from api.here import CommuneInsee, Reading, within
from api.models.plan_edits import PlanEditsIn, PlanRequestModel
from api.routes.plans import PlanId
from api.state import state_of
from storage import plan_requests, plan_versions
from storage.database import Connection
from storage.errors import UnavailableError
from storage.model import PlanRequest, RequestState

router = APIRouter(prefix="/communes/{commune_insee}", tags=["plans"], responses=documented(404, 413, 422, 503))

_POLL_S = 0.1
_ACCEPTED = 202
MOST_WAITING = 8
_WAITING = threading.BoundedSemaphore(MOST_WAITING)


@router.post(
    "/plans/{plan_id}/edits",
    summary="Edit a plan",
    responses=documented(409) | {_ACCEPTED: {"model": PlanRequestModel, "description": "Asked, not answered yet"}},
)
def edit_plan(
    request: Request,
    response: Response,
    commune_insee: CommuneInsee,
    plan_id: PlanId,
    body: PlanEditsIn,
    *,
    wait_s: Annotated[float, Query(ge=0, le=30, description="How long to wait for the answer, seconds")] = 8.0,
) -> PlanRequestModel:
    """Make a draft of a plan with edits, and say what they change. Nobody drives it before it is published.

    Of rounds under way the rest is edited: what is done and the stop that each vehicle heads for stay.

    202 with the request when the answer takes longer than `wait_s`, or many wait already: ask for it again. 422
    (`edit-refused`) when an edit makes no sense or breaks a rule, naming the bin and the rule.
    """
    port = state_of(request)["ports"].at_once
    if port is None:
        raise UnavailableError("this server has no worker to ask")
    with within(request, commune_insee) as here:
        plan_versions.one(here.connection, here.insee, plan_id)
        asked = plan_requests.ask(
            here.connection, here.insee, body.request_id, plan_id=plan_id, edits=body.edits, by=here.by(body.by)
        )
    if asked.state is RequestState.WAITING:
        port.edit(commune_insee, body.request_id)
    with _place_to_wait() as may_wait:
        return _answered(request, response, commune_insee, body.request_id, wait_s=wait_s if may_wait else 0.0)


@contextmanager
def _place_to_wait() -> Iterator[bool]:
    """Yield whether there is a place left among those that wait: each holds a thread that serves everybody."""
    may_wait = _WAITING.acquire(blocking=False)
    try:
        yield may_wait
    finally:
        if may_wait:
            _WAITING.release()


def _answered(
    request: Request, response: Response, commune_insee: str, request_id: UUID, *, wait_s: float
) -> PlanRequestModel:
    """Return the request as soon as it is answered, or as it is after `wait_s`."""
    until = time.monotonic() + wait_s
    while True:
        with within(request, commune_insee, read_only=True) as here:
            found = plan_requests.one(here.connection, here.insee, request_id)
            if found.state is not RequestState.WAITING:
                if found.state is RequestState.REFUSED:
                    raise EditRefusedError((found.answer or {}).get("detail"))
                return _told(here.connection, found)
        if time.monotonic() >= until:
            response.status_code = _ACCEPTED
            return _told(None, found)
        time.sleep(_POLL_S)


@router.get("/plan-requests/{request_id}", summary="A request for edits")
def plan_request(
    here: Reading, request_id: Annotated[UUID, Path(description="The id that the client made")]
) -> PlanRequestModel:
    """Return what became of a request: still waiting, done (with the draft), refused (with the rule) or failed."""
    return _told(here.connection, plan_requests.one(here.connection, here.insee, request_id))


def _told(connection: Connection | None, found: PlanRequest) -> PlanRequestModel:
    difference = None
    if connection is not None and found.made_plan_id is not None:
        difference = plan_versions.one(connection, found.commune_insee, found.made_plan_id).difference
    return PlanRequestModel(
        request_id=found.request_id,
        plan_id=found.plan_id,
        asked_by=found.asked_by,
        asked_at=found.asked_at,
        state=found.state,
        detail=(found.answer or {}).get("detail"),
        made_plan_id=found.made_plan_id,
        difference=difference,
        answered_at=found.answered_at,
    )
