"""A device proves that a session is its own: the challenge, the answer, and the page that gives it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import Field

from api.admission import principal_of
from api.cookies import PROOF
from api.device_proof import LONGEST_ANSWER, ChallengeOverError, Marks, NotProvedError, challenge_in, public_key
from api.letting_in import within
from api.models.common import Model
from api.pages.rendering import page
from api.state import state_of
from storage import device_keys
from storage.device_keys import Binding

log = structlog.get_logger()

router = APIRouter(include_in_schema=False)

_NOT_PROVED = "this does not prove that the session is on this device: log in again"
_ASK_AGAIN = "this challenge is over, or was answered already: ask for another"


class JwkIn(Model):
    """The public half of the device's key."""

    kty: str = Field(max_length=10)
    crv: str = Field(max_length=10)
    x: str = Field(max_length=100)
    y: str = Field(max_length=100)


class AnswerIn(Model):
    """A signed challenge (JWT, ES256), and the first time the key that it was signed with."""

    answer: str = Field(max_length=LONGEST_ANSWER)
    device_key: JwkIn | None = None


@router.get("/appareil")
def device_page(request: Request, after: str = "") -> HTMLResponse:
    """Return the page that proves the device and goes on to `after`, relative to the root."""
    return page(request, "device.html", after=within(after))


@router.post("/appareil/defi")
def challenge_device(request: Request) -> JSONResponse:
    """Return a challenge for the device of this session, how long a proof lasts, and whether its key is known."""
    binding = _binding(request)
    return JSONResponse(
        {
            "challenge": Marks(binding.secret).challenge(datetime.now(UTC)),
            "bound": binding.device_key is not None,
            "lasts_s": binding.proof_s,
        },
        headers={"Cache-Control": "no-store"},
    )


@router.post("/appareil/preuve")
def prove_device(request: Request, body: AnswerIn) -> Response:
    """Give a new proof to the device that signed a challenge; the first time, bind the session to its key."""
    binding, who, now = _binding(request), principal_of(request), datetime.now(UTC)
    assert who.session_id is not None  # a binding is a session's
    marks = Marks(binding.secret)
    try:
        key = binding.device_key or public_key(body.device_key.model_dump() if body.device_key else {})
        challenged_at = marks.challenged_at(challenge_in(body.answer, device_key=key), now=now)
    except NotProvedError as error:
        log.warning("device_not_proved", session_id=str(who.session_id))
        raise HTTPException(403, _NOT_PROVED) from error
    except ChallengeOverError as error:
        raise HTTPException(409, _ASK_AGAIN) from error
    with state_of(request)["pool"].identity() as connection:
        if binding.device_key is None:
            done = device_keys.tell(connection, who.session_id, key, challenged_at=challenged_at, now=now)
        else:
            done = device_keys.answer(connection, who.session_id, challenged_at=challenged_at)
    if not done:  # answered before, or bound meanwhile
        raise HTTPException(409, _ASK_AGAIN)
    if binding.device_key is None:
        log.info("session_bound", session_id=str(who.session_id))
    response = JSONResponse({"lasts_s": binding.proof_s}, headers={"Cache-Control": "no-store"})
    lasts = timedelta(seconds=binding.proof_s)
    PROOF.give(request, response, marks.proof(now + lasts), lasts_s=lasts.total_seconds())
    return response


def _binding(request: Request) -> Binding:
    binding = principal_of(request).binding
    if binding is None:
        raise HTTPException(403, "only a session of a crew or a patrol is bound to its device")
    return binding
