"""The MQTT side of a collector: a persistent session over paho, messages taken in batches, acknowledged by hand.

MQTT 3.1.1 with clean_session false: the embedded broker's default listener answers nothing newer, and Mosquitto and
EMQX answer both. paho's network thread receives; the collector's thread takes and acknowledges.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

log = structlog.get_logger()

_PLAIN_PORT, _TLS_PORT = 1883, 8883
_KEEPALIVE_S = 60
_MAX_RECONNECT_DELAY_S = 10
# Fewer messages than this say nothing about the broker's window: they may be all there is.
_SMALLEST_WINDOW = 10


class Received(NamedTuple):
    """A message as paho handed it over. `session` counts connections: an acknowledgement is good for its own alone."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    session: int
    arrived_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are there, read from `mqtt://[user:password@]host[:port]` (`mqtts` for TLS)."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls: bool

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the address; ValueError names what is wrong, without the password."""
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError(
                f"expected a broker like mqtt://host:1883, got {parts.scheme}://{parts.hostname or ''}{parts.path}"
            )
        tls = parts.scheme == "mqtts"
        return cls(
            host=parts.hostname,
            port=parts.port or (_TLS_PORT if tls else _PLAIN_PORT),
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
        )


class BrokerSession:
    """A session that outlives its connections: the broker keeps what we have not acknowledged, also while we are away.

    `capacity` bounds what waits here: at that many messages the network thread stops reading, and TCP holds the broker
    back. Open it with `with`.
    """

    def __init__(self, *, address: BrokerAddress, client_id: str, filters: Sequence[str], capacity: int) -> None:
        self._address = address
        self._filters = [(topic_filter, 1) for topic_filter in filters]
        self._capacity = capacity
        self._queue: SimpleQueue[Received] = SimpleQueue()
        self._room = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._session = 0
        self._stalls_at: int | None = None
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        self._client.username_pw_set(address.user, address.password)
        if address.tls:
            self._client.tls_set_context(ssl.create_default_context())
        self._client.reconnect_delay_set(1, _MAX_RECONNECT_DELAY_S)
        self._client.on_pre_connect = self._on_pre_connect
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        # Connects in the network thread and tries again for as long as it takes, the first time too.
        self._client.connect_async(self._address.host, self._address.port, keepalive=_KEEPALIVE_S)
        self._client.loop_start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Disconnect after the acknowledgements that are on their way; the broker keeps the session."""
        self._closing.set()
        self._room.set()
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and not gone since."""
        return self._client.is_connected()

    @property
    def waiting(self) -> int:
        """How many messages have arrived and were not taken."""
        return self._queue.qsize()

    def is_current(self, message: Received) -> bool:
        """Whether the connection that brought the message still stands; otherwise the broker will send it again."""
        return message.session == self._session

    def take(self, limit: int, *, wait_s: float, idle_s: float) -> list[Received]:
        """Return up to `limit` messages: once there are so many, or `wait_s` after the first; none after `idle_s`.

        A broker whose window of unacknowledged messages is smaller than `limit` sends no more until we acknowledge
        (rumqttd: 100, Mosquitto's default: 20), so waiting would waste `wait_s` for each such batch. When a batch ends
        that way, its size is remembered, and later batches of that size are taken at once if nothing more is there.
        """
        batch: list[Received] = []
        self._append(batch, idle_s)
        if not batch:
            return batch
        deadline = last_arrival = time.monotonic()
        deadline += wait_s
        while len(batch) < limit:
            # Whatever has arrived goes first; only an empty queue is a reason to wait.
            if self._append(batch, 0):
                last_arrival = batch[-1].arrived_s
                continue
            if self._stalls_at is not None and len(batch) >= self._stalls_at:
                break
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                if time.monotonic() - last_arrival > wait_s / 2 and len(batch) >= _SMALLEST_WINDOW:
                    self._learn_window(len(batch), limit)
                break
            self._append(batch, remaining)
        else:
            self._stalls_at = None
        self._make_room()
        return batch

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Acknowledge what is stored, in the order of arrival: rumqttd drops a client that does otherwise.

        Messages of an earlier connection are passed over: the broker sends them again, and its numbers start anew.
        """
        for message in messages:
            # The lock keeps the session from changing between the comparison and the acknowledgement.
            with self._lock:
                if message.qos and message.session == self._session:
                    self._client.ack(message.mid, message.qos)

    def _append(self, batch: list[Received], wait_s: float) -> bool:
        """Append the next message of the present connection; False when none came in time."""
        while True:
            try:
                message = self._queue.get(timeout=wait_s) if wait_s > 0 else self._queue.get_nowait()
            except Empty:
                return False
            if message.session == self._session:
                batch.append(message)
                return True

    def _learn_window(self, size: int, limit: int) -> None:
        if size != self._stalls_at:
            log.info("broker_stopped_before_batch_was_full", messages=size, batch_messages=limit)
        self._stalls_at = size

    def _make_room(self) -> None:
        if self._queue.qsize() < self._capacity:
            self._room.set()

    # --- called by paho's network thread ---

    def _next_session(self) -> None:
        with self._lock:
            self._session += 1

    def _on_pre_connect(self, _client: Client, _userdata: Any) -> None:
        self._next_session()

    def _on_connect(
        self,
        client: Client,
        _userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason_code.is_failure:
            log.error("broker_refused_us", reason=str(reason_code))
            return
        log.info("broker_connected", host=self._address.host, session_present=flags.session_present)
        # Also with a session that the broker remembers: subscribing again is harmless, forgetting to is silence.
        client.subscribe(self._filters)

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        _mid: int,
        reason_codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        for (topic_filter, _), reason_code in zip(self._filters, reason_codes, strict=False):
            if reason_code.is_failure:
                log.error("subscription_refused", topic_filter=topic_filter, reason=str(reason_code))

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason_code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._next_session()
        if not self._closing.is_set():
            log.warning("broker_lost", reason=str(reason_code))

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError as error:
            # A broker must not let it through (MQTT 3.1.1, 1.5.3); if it does, the message is refused, not lost.
            topic = error.object.decode(errors="backslashreplace")
        self._queue.put(
            Received(topic, bytes(message.payload), message.mid, message.qos, self._session, time.monotonic()),
        )
        while self._queue.qsize() >= self._capacity and not self._closing.is_set():
            self._room.clear()
            # The queue may have been emptied before `clear`: then nobody would wake us, hence the time-out.
            self._room.wait(0.5)
