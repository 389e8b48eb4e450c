"""Live events: one LISTEN on the database, shared by every open page.

The database sends a notice in the transaction that brings the data, so nobody is told of what was not committed.
Notices are kept in a ring: each stream remembers its place in it, so a slow page costs nothing, many notices become one
event, and a page that reconnects gets what it missed. When that is no longer known, it is told to load all again.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
import structlog

from storage.database import patiently

log = structlog.get_logger()

CHANNEL = "voirie_live"
RESYNC = "resync"
"""The event that says: what you missed is not known here, load everything again."""

FULL = "full"
"""The event that says: this process has no place for another stream; it then ends."""

_RING_SIZE = 2048
_CALM_S = 0.5
"""A stream sends at most one event of each kind in this time; a collector commits several times a second."""
_BACKOFF_S = (0.5, 1.0, 2.0, 5.0)
_ASK_S = 20.0
"""A listening connection is asked so often whether it still stands; nothing else would show that it does not."""


class _Notice(msgspec.Struct, frozen=True):
    kind: str
    commune_insee: str | None = None
    stored: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveEvent:
    """What a stream sends: `kind` is hello, resync, heartbeat or full, or names what changed (docs/http.md)."""

    event_id: str
    kind: str
    stored: int = 0


class LiveHub:
    """Listens while the application runs. Must be started, used and stopped in one event loop."""

    def __init__(self, database_url: str, *, heartbeat_s: float = 15.0, most_streams: int = 500) -> None:
        self._database_url = database_url
        self._heartbeat_s = heartbeat_s
        self._most_streams = most_streams
        self._streams = 0
        # An id of an earlier process must not be taken for one of ours.
        self._era = secrets.token_hex(4)
        self._last = 0
        self._ring: deque[tuple[int, _Notice]] = deque(maxlen=_RING_SIZE)
        self._wake = asyncio.Event()
        self._is_counted_on = False
        self._stopped = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.get_running_loop().create_task(self._listen(), name="voirie-live")

    def hang_up(self) -> None:
        """End every stream, so that a server that waits for its connections can stop."""
        self._stopped = True
        self._wake_streams()

    async def stop(self) -> None:
        """End every stream and stop listening."""
        self.hang_up()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @property
    def position(self) -> str:
        """The id of what was told last: a stream that goes on from it misses nothing that is committed from now on."""
        self._is_counted_on = True
        return self._event(self._last, RESYNC).event_id

    async def events(self, commune_insee: str, last_event_id: str | None = None) -> AsyncIterator[LiveEvent]:
        """Yield a commune's events until the hub stops, from `last_event_id` on if that is still known.

        When there are as many streams as may be, it says `full` and ends: the client comes back and loads all again.
        """
        if self._streams >= self._most_streams:
            yield self._event(self._last, FULL)
            return
        self._streams += 1
        try:
            async for event in self._stream(commune_insee, last_event_id):
                yield event
        finally:
            self._streams -= 1

    async def _stream(self, commune_insee: str, last_event_id: str | None) -> AsyncIterator[LiveEvent]:
        self._is_counted_on = True
        position = self._position_of(last_event_id)
        if position is None:
            position = self._last
            yield self._event(position, RESYNC if last_event_id else "hello")
        while not self._stopped:
            wake = self._wake
            events = self._since(position, commune_insee)
            position = self._last
            for event in events:
                yield event
            if events:
                await asyncio.sleep(_CALM_S)
                continue
            try:
                await asyncio.wait_for(wake.wait(), self._heartbeat_s)
            except TimeoutError:
                yield self._event(position, "heartbeat")

    def _event(self, position: int, kind: str, stored: int = 0) -> LiveEvent:
        return LiveEvent(event_id=f"{self._era}-{position}", kind=kind, stored=stored)

    def _position_of(self, event_id: str | None) -> int | None:
        era, _, number = (event_id or "").partition("-")
        if era != self._era or not number.isdecimal() or int(number) > self._last:
            return None
        return int(number)

    def _since(self, position: int, commune_insee: str) -> list[LiveEvent]:
        if position == self._last:
            return []
        if not self._ring or self._ring[0][0] > position + 1:
            return [self._event(self._last, RESYNC)]
        stored_by_kind: dict[str, int] = {}
        for number, notice in self._ring:
            if number > position and notice.commune_insee in {commune_insee, None}:
                stored_by_kind[notice.kind] = stored_by_kind.get(notice.kind, 0) + notice.stored
        return [self._event(self._last, kind, stored) for kind, stored in stored_by_kind.items()]

    def _publish(self, notice: _Notice) -> None:
        self._last += 1
        self._ring.append((self._last, notice))
        self._wake_streams()

    def _wake_streams(self) -> None:
        self._wake.set()
        self._wake = asyncio.Event()

    async def _listen(self) -> None:
        failures = 0
        missed = False
        while True:
            try:
                async with await _connect(self._database_url) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    # What was sent meanwhile is lost to us, as what was sent to pages that came before we listened.
                    if missed or self._is_counted_on:
                        self._publish(_Notice(kind=RESYNC))
                    missed, failures = False, 0
                    log.info("live_listening", channel=CHANNEL)
                    while True:
                        async for notify in connection.notifies(timeout=_ASK_S):
                            self._take(notify.payload)
                        await connection.execute("SELECT 1")
            except psycopg.OperationalError as error:
                wait_s = _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)]
                failures += 1
                missed = True
                log.warning("live_connection_lost", error=str(error), retry_in_s=wait_s)
                await asyncio.sleep(wait_s)

    def _take(self, payload: str) -> None:
        try:
            self._publish(msgspec.json.decode(payload, type=_Notice))
        except msgspec.DecodeError as error:
            log.warning("live_notice_ignored", payload=payload[:200], error=str(error))


async def _connect(database_url: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(
        patiently(database_url), application_name="voirie api live", autocommit=True
    )
