"""What just happened, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from secrets import randbelow
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.errors import documented
from api.here import KnownCommune
from api.live import FULL
from api.state import state_of

router = APIRouter(prefix="/communes/{commune_insee}/live", tags=["live"], responses=documented(404, 422, 503))

_RETRY_MS = 1500
_FULL_RETRY_MS = 25_000


def _retry_ms(kind: str) -> int:
    """Return when the client may come back: not all of them at the same moment after a restart."""
    least = _FULL_RETRY_MS if kind == FULL else _RETRY_MS
    return least + randbelow(least // 3)


@router.get("", summary="Live events", response_class=EventSourceResponse, response_model=None)
async def live_events(
    request: Request,
    commune: KnownCommune,
    *,
    last_event_id: Annotated[str | None, Header(description="The last event heard, as browsers name it")] = None,
    last_heard: Annotated[
        str | None, Query(alias="last_event_id", max_length=64, description="The same, of a client that opens anew")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events that say *what* changed; clients then ask the routes for the new state.

    `hello` opens a new stream; `readings` (with how many were stored), `service_events`, `alerts`, `checks`, `intake`,
    `forecast` and `plan` say what came in, at most twice a second each; `resync` asks to load everything again;
    `heartbeat` keeps the line open; `full` says that this process has no place for another stream. A client that
    reconnects with `Last-Event-ID` gets what it missed.
    """
    state = state_of(request)
    with state["metrics"].live_clients.track_inprogress():
        async for event in state["live"].events(commune.commune_insee, last_event_id or last_heard):
            data = {"stored": event.stored}
            yield ServerSentEvent(event=event.kind, id=event.event_id, data=data, retry=_retry_ms(event.kind))
