"""What just happened, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.errors import documented
from api.here import KnownCommune
from api.state import state_of

router = APIRouter(prefix="/communes/{commune_insee}/live", tags=["live"], responses=documented(404, 422, 503))

_RETRY_MS = 2000


@router.get("", summary="Live events", response_class=EventSourceResponse, response_model=None)
async def live_events(
    request: Request, commune: KnownCommune, last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events that say *what* changed; clients then ask the routes for the new state.

    `hello` opens a new stream; `readings` (with how many were stored), `service_events`, `forecast` and `plan` say what
    came in, at most twice a second each; `resync` asks to load everything again; `heartbeat` keeps the line open. A
    client that reconnects with `Last-Event-ID` gets what it missed.
    """
    state = state_of(request)
    with state["metrics"].live_clients.track_inprogress():
        async for event in state["live"].events(commune.commune_insee, last_event_id):
            yield ServerSentEvent(event=event.kind, id=event.event_id, data={"stored": event.stored}, retry=_RETRY_MS)
