"""The MQTT side of a collector: a persistent session over paho, messages taken in batches, acknowledged by hand.

MQTT 3.1.1 with clean_session false: the embedded broker's default listener answers nothing newer, and Mosquitto and
EMQX answer both.

A thread of ours turns paho's loop, because paho's own wakes the collector for every message and waits for the socket
again after every packet: at thousands of messages a second the two threads did little but hand the interpreter to each
other. This one reads what has arrived, and wakes the collector once a batch.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

log = structlog.get_logger()

_PLAIN_PORT, _TLS_PORT = 1883, 8883
_KEEPALIVE_S = 60
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.5, 10.0
_TURN_S = 1.0
_GOODBYE_S = 5.0
# Packets read before acknowledgements and pings get their turn.
_BURST = 200
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
    back. Open it with `with`; a broker that does not answer is tried again for as long as it takes.
    """

    def __init__(self, *, address: BrokerAddress, client_id: str, filters: Sequence[str], capacity: int) -> None:
        self._address = address
        self._filters = [(topic_filter, 1) for topic_filter in filters]
        self._capacity = capacity
        self._client = self._make_client(client_id)
        self._thread = threading.Thread(target=self._run, name=f"mqtt {client_id}", daemon=True)
        self._closing = threading.Event()
        # Written by the network thread alone.
        self._session = 0
        self._arrived: deque[Received] = deque()
        self._received = 0
        self._accepted = False
        self._reading_paused = False
        # Written by the collector's thread alone.
        self._wanted = 1
        self._stalls_at: int | None = None
        # Between the two.
        self._enough = threading.Event()
        self._to_acknowledge: deque[Received] = deque()
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Disconnect after the acknowledgements that are on their way; the broker keeps the session."""
        self._closing.set()
        self._wake()
        self._thread.join()
        self._waker.close()
        self._woken.close()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and not gone since."""
        return self._client.is_connected()

    @property
    def waiting(self) -> int:
        """How many messages have arrived and were not taken."""
        return len(self._arrived)

    def is_current(self, message: Received) -> bool:
        """Whether the connection that brought the message is still the last; otherwise the broker sends it again."""
        return message.session == self._session

    def take(self, limit: int, *, wait_s: float, idle_s: float) -> list[Received]:
        """Return up to `limit` messages: once there are so many, or `wait_s` after the first; none after `idle_s`.

        A broker whose window of unacknowledged messages is smaller than `limit` sends no more until we acknowledge
        (rumqttd: 100, Mosquitto's default: 20), so waiting would waste `wait_s` for each such batch. When a batch ends
        that way, its size is remembered, and as soon as later batches have that size they are taken with what is there.
        """
        self._await(1, idle_s)
        if not self._arrived:
            return []
        target = min(self._stalls_at or limit, limit)
        self._await(target, wait_s)
        batch: list[Received] = []
        while self._arrived and len(batch) < limit:
            message = self._arrived.popleft()
            # What an earlier connection brought and nobody took comes again on this one.
            if message.session == self._session:
                batch.append(message)
        if self._reading_paused:
            self._wake()
        if len(batch) == limit:
            self._stalls_at = None
        elif _SMALLEST_WINDOW <= len(batch) < target and time.monotonic() - batch[-1].arrived_s > wait_s / 2:
            log.info("broker_stopped_before_batch_was_full", messages=len(batch), batch_messages=limit)
            self._stalls_at = len(batch)
        return batch

    def acknowledge(self, messages: Sequence[Received]) -> None:
        """Acknowledge what is stored, in the order of arrival: rumqttd drops a client that does otherwise.

        Messages of an earlier connection are passed over: the broker sends them again, and its numbers start anew.
        """
        self._to_acknowledge.extend(messages)
        self._wake()

    def _await(self, count: int, timeout_s: float) -> None:
        """Wait until `count` messages have arrived."""
        self._wanted = count
        self._enough.clear()
        if len(self._arrived) < count:
            self._enough.wait(timeout_s)

    def _wake(self) -> None:
        """Wake the network thread; a full pipe will wake it as well."""
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"\0")

    # --- the network thread ---

    def _run(self) -> None:
        delay_s = _FIRST_DELAY_S
        while not self._closing.is_set():
            try:
                self._client.connect(self._address.host, self._address.port, keepalive=_KEEPALIVE_S)
                self._session += 1
                self._serve()
            except OSError as error:
                log.warning("broker_does_not_answer", host=self._address.host, error=str(error))
            except Exception:
                # Ending here would leave a collector that waits for messages for ever.
                log.exception("broker_connection_failed", host=self._address.host)
            else:
                if self._accepted:
                    delay_s = _FIRST_DELAY_S
            self._closing.wait(delay_s)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    def _serve(self) -> None:
        """Turn paho's loop until the connection is gone, or we have said goodbye."""
        client = self._client
        self._accepted = False
        more_to_read = False
        goodbye_at_s: float | None = None
        with _Watch(self._woken, client.socket()) as watch:
            while client.socket() is not None:
                self._reading_paused = len(self._arrived) >= self._capacity
                readable = watch.wait(
                    0 if more_to_read else _TURN_S, reading=not self._reading_paused, writing=client.want_write()
                )
                self._send_acknowledgements()
                more_to_read = readable and self._read()
                client.loop_write()
                client.loop_misc()
                if self._closing.is_set():
                    if goodbye_at_s is None:
                        goodbye_at_s = time.monotonic()
                        client.disconnect()
                    elif time.monotonic() - goodbye_at_s > _GOODBYE_S:
                        return

    def _read(self) -> bool:
        """Read the messages that are there; True when there may be more."""
        for _ in range(_BURST):
            before = self._received
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or self._received == before:
                return False
            if len(self._arrived) >= self._capacity:
                return False
        return True

    def _send_acknowledgements(self) -> None:
        while self._to_acknowledge:
            message = self._to_acknowledge.popleft()
            if message.qos and message.session == self._session:
                self._client.ack(message.mid, message.qos)

    # --- paho's callbacks, in the network thread ---

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
        self._accepted = True
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
        if not self._closing.is_set():
            log.warning("broker_lost", reason=str(reason_code))

    def _on_message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError as error:
            # A broker must not let it through (MQTT 3.1.1, 1.5.3); if it does, the message is refused, not lost.
            topic = error.object.decode(errors="backslashreplace")
        self._arrived.append(
            Received(topic, bytes(message.payload), message.mid, message.qos, self._session, time.monotonic())
        )
        self._received += 1
        if len(self._arrived) >= self._wanted and not self._enough.is_set():
            self._enough.set()

    def _make_client(self, client_id: str) -> Client:
        address = self._address
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.username_pw_set(address.user, address.password)
        if address.tls:
            client.tls_set_context(ssl.create_default_context())
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        # With this callback paho queues what it has to say for our loop, instead of writing each packet at once.
        client.on_socket_register_write = lambda *_: None
        return client


class _Watch:
    """Waits until the connection can be read or written, or somebody writes to the waker's other end."""

    def __init__(self, woken: socket.socket, connection: Any) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(woken, selectors.EVENT_READ)
        self._woken = woken
        self._connection = connection
        self._events = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._selector.close()

    def wait(self, timeout_s: float, *, reading: bool, writing: bool) -> bool:
        """Wait at most `timeout_s`; return whether the connection can be read."""
        events = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if writing else 0)
        if events != self._events:
            if not events:
                self._selector.unregister(self._connection)
            elif not self._events:
                self._selector.register(self._connection, events)
            else:
                self._selector.modify(self._connection, events)
            self._events = events
        readable = False
        for key, ready in self._selector.select(timeout_s):
            if key.fileobj is self._woken:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
            elif ready & selectors.EVENT_READ:
                readable = True
        # TLS may hold back what the socket no longer shows: with no time to wait, a look costs nothing.
        return readable or (reading and timeout_s == 0)
