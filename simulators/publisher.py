"""Publish a timeline over MQTT with QoS 1, and write down what the broker acknowledged.

Many publications are in flight at a time, but never more than `in_flight`. After a broken connection those that were
not acknowledged are published again: the broker may see one twice, the ledger never.
"""

from __future__ import annotations

import asyncio
import math
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiomqtt
import structlog

from simulators.ledger import LedgerWriter
from simulators.messages import Expect, Publication
from storage.errors import UnavailableError
from storage.model import Clock

_PROGRESS_S = 0.25
_LOOK_S = 0.2
_KEEPALIVE_S = 15
_PORTS = {"mqtt": 1883, "mqtts": 8883}

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class PublisherOptions:
    """How to publish.

    `in_flight`: most publications without acknowledgement; `backlog_limit`: with a backlog callback, most publications
    that the broker holds for its collectors, whose log is bounded; `patience_s`: how long to try to reach the broker;
    `ca_file`: the certificates that vouch for an mqtts:// broker, instead of those that the system trusts. `cert_file`,
    `key_file`: our own, for a broker that asks for it.
    """

    broker_url: str
    client_id: str
    in_flight: int = 64
    backlog_limit: int = 20_000
    patience_s: float = 60.0
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        if urlsplit(self.broker_url).scheme not in _PORTS or not urlsplit(self.broker_url).hostname:
            raise ValueError("expected broker_url of the form mqtt://[user:password@]host[:port], or mqtts://")
        if not 1 <= self.in_flight <= 65_535:  # noqa: PLR2004 - MQTT's packet identifiers
            raise ValueError(f"expected in_flight within 1..65535, got {self.in_flight}")
        if self.backlog_limit < 1:
            raise ValueError(f"expected backlog_limit >= 1, got {self.backlog_limit}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far publishing is; `reached` is the commune's time of the latest publication that was acknowledged."""

    acknowledged: int
    reached: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What was published: acknowledged publications by what is expected of them, and how often the connection broke."""

    acknowledged: int
    by_expectation: Mapping[Expect, int]
    reconnections: int
    seconds: float


Backlog = Callable[[int], int]
"""Given how many publications are acknowledged, return how many of them no collector has taken in yet."""


class Publisher:
    """Publishes one timeline, once."""

    def __init__(
        self,
        options: PublisherOptions,
        publications: Iterator[Publication],
        *,
        ledger: LedgerWriter | None = None,
        clock: Clock | None = None,
        backlog: Backlog | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        """With a `clock` each publication waits for its time on it; without, the broker sets the pace."""
        self._options = options
        self._publications = publications
        self._ledger = ledger
        self._clock = clock
        self._backlog = backlog
        self._progress = progress
        self._stop = threading.Event()
        self._again: deque[Publication] = deque()
        self._counts: Counter[Expect] = Counter()
        self._acknowledged = 0
        self._reached: datetime | None = None
        self._told_at = -math.inf
        self._looked_at = -math.inf

    def run(self, stop: threading.Event) -> Published:
        """Publish until the timeline ends or `stop` is set. UnavailableError when the broker cannot be reached."""
        self._stop = stop
        return asyncio.run(self._run())

    async def _run(self) -> Published:
        began = time.monotonic()
        self._turn = asyncio.Lock()
        reconnections, failing_since = 0, None
        while True:
            before = self._acknowledged
            try:
                await self._publish_until_done()
                break
            except* (aiomqtt.MqttError, OSError) as group:
                now = time.monotonic()
                if failing_since is None or self._acknowledged > before:
                    failing_since = now
                cause = group.exceptions[0]
                if now - failing_since > self._options.patience_s:
                    raise UnavailableError(f"the MQTT broker cannot be reached: {cause}") from group
                reconnections += 1
                log.warning("broker_lost", error=str(cause), unacknowledged=len(self._again))
            await asyncio.sleep(_LOOK_S)
            if self._stop.is_set():
                break
        self._tell(force=True)
        return Published(
            acknowledged=self._acknowledged,
            by_expectation=dict(self._counts),
            reconnections=reconnections,
            seconds=time.monotonic() - began,
        )

    async def _publish_until_done(self) -> None:
        """Publish on one connection. Raises a group with MqttError when it breaks."""
        async with asyncio.TaskGroup() as connection, self._client() as client:
            client.pending_calls_threshold = self._options.in_flight
            watch = connection.create_task(_until_broken(client))
            async with asyncio.TaskGroup() as workers:
                for _ in range(self._options.in_flight):
                    workers.create_task(self._work(client))
            watch.cancel()

    def _client(self) -> aiomqtt.Client:
        parts = urlsplit(self._options.broker_url)
        return aiomqtt.Client(
            parts.hostname or "",
            parts.port or _PORTS[parts.scheme],
            tls_context=self._tls_context() if parts.scheme == "mqtts" else None,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            identifier=self._options.client_id,
            keepalive=_KEEPALIVE_S,
            # Before connecting: paho reads it once, and its own default of 20 would hold the workers back.
            max_inflight_messages=self._options.in_flight,
            timeout=10,
        )

    def _tls_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._options.ca_file)
        if self._options.cert_file is not None:
            context.load_cert_chain(self._options.cert_file, self._options.key_file)
        return context

    async def _work(self, client: aiomqtt.Client) -> None:
        """Publish one publication after the other."""
        while (publication := await self._next()) is not None:
            try:
                await client.publish(publication.topic, publication.payload, qos=1, timeout=math.inf)
            except BaseException:
                # Also when cancelled because the connection broke under another worker.
                self._again.append(publication)
                raise
            self._acknowledged += 1
            self._counts[publication.expect] += 1
            self._reached = publication.arrives_at
            if self._ledger is not None:
                self._ledger.record(publication)

    async def _next(self) -> Publication | None:
        """Return what to publish next when its time has come; None when there is nothing more."""
        if self._free_to_publish():
            return self._again.popleft() if self._again else next(self._publications, None)
        async with self._turn:
            if self._stop.is_set():
                return None
            if not self._again:
                publication = next(self._publications, None)
                if publication is None:
                    return None
                self._again.append(publication)
            # It stays at hand while waiting: a cancelled worker must not take it with it.
            await self._wait_for_collectors()
            await self._wait_until(self._again[0].arrives_at)
            self._tell()
            return None if self._stop.is_set() else self._again.popleft()

    def _free_to_publish(self) -> bool:
        """Whether there is nothing to wait for and nobody to tell: the rule in a history, so it must be cheap."""
        now = time.monotonic()
        return (
            self._clock is None
            and not self._turn.locked()
            and not self._stop.is_set()
            and now - self._told_at < _PROGRESS_S
            and (self._backlog is None or now - self._looked_at < _LOOK_S)
        )

    async def _wait_until(self, arrives_at: datetime) -> None:
        if self._clock is None:
            return
        moment = self._clock.wall_time(arrives_at)
        while not self._stop.is_set() and (ahead_s := (moment - datetime.now(UTC)).total_seconds()) > 0:
            self._tell()
            await asyncio.sleep(min(ahead_s, _LOOK_S))

    async def _wait_for_collectors(self) -> None:
        """Hold while the broker keeps more for the collectors than it should."""
        now = time.monotonic()
        if self._backlog is None or now - self._looked_at < _LOOK_S:
            return
        while not self._stop.is_set():
            waiting = await asyncio.to_thread(self._backlog, self._acknowledged)
            self._looked_at = time.monotonic()
            if waiting < self._options.backlog_limit:
                return
            self._tell()
            await asyncio.sleep(_LOOK_S)

    def _tell(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if self._progress is not None and (force or now - self._told_at >= _PROGRESS_S):
            self._told_at = now
            self._progress(Progress(acknowledged=self._acknowledged, reached=self._reached))


async def _until_broken(client: aiomqtt.Client) -> None:
    """Raise MqttError when the connection breaks: a publication in flight would wait for ever."""
    async for _ in client.messages:
        pass
