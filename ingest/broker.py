"""The MQTT side of a collector: a persistent session over paho, messages taken in batches, acknowledged by hand.

MQTT 3.1.1 with clean_session false: the embedded broker's default listener answers nothing newer, and Mosquitto and
EMQX answer both.

A thread of ours turns paho's loop, because paho's own wakes the collector for every message and waits for the socket
again after every packet: at thousands of messages a second the two threads did little but hand the interpreter to each
other. This one reads what has arrived in bulk (`ingest.bulk_socket`), and wakes the collector once a batch.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.address import BrokerAddress, refusal_told
from ingest.bulk_socket import BulkClient, BulkSocket
from ingest.packets import acknowledgements
from ingest.watch import Watch

log = structlog.get_logger()

_KEEPALIVE_S = 30
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.5, 10.0
_TURN_S = 1.0
# Longer than a broker takes that answers at all: rumqttd with a full window never does.
_GOODBYE_S = 1.0
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


class BrokerSession:
    """A session that outlives its connections: the broker keeps what we have not acknowledged, also while we are away.

    `capacity` bounds what waits here: at that many messages the network thread stops reading, and TCP holds the broker
    back. Open it with `with`; a broker that does not answer is tried again for as long as it takes. `on_accepted` is
    called with each connection that the broker accepts, and told whether it still knew the session. `leaving`: end the
    subscriptions instead of making them, so that only what already waits still comes.
    """

    def __init__(
        self,
        *,
        address: BrokerAddress,
        client_id: str,
        filters: Sequence[str],
        capacity: int,
        keepalive_s: int = _KEEPALIVE_S,
        on_accepted: Callable[[bool], None] = lambda _: None,
        leaving: bool = False,
    ) -> None:
        self._address = address
        self._keepalive_s = keepalive_s
        self._on_accepted = on_accepted
        self._leaving = leaving
        self._filters = [(topic_filter, 1) for topic_filter in filters]
        self._capacity = capacity
        self._client = self._make_client(client_id)
        self._thread = threading.Thread(target=self._run, name=f"mqtt {client_id}", daemon=True)
        self._closing = threading.Event()
        # Written by the network thread alone.
        self._session = 0
        self._arrived: deque[Received] = deque()
        self._accepted = False
        self._farewell = _Farewell()
        self._reading_paused = False
        # Written by the collector's thread alone.
        self._wanted = 1
        self._stalls_at: int | None = None
        # Between the two.
        self._enough = threading.Event()
        self._subscribed = threading.Event()
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

    def wait_until_subscribed(self, timeout_s: float) -> bool:
        """Wait until the broker knows our subscriptions, so that it keeps messages for us from now on."""
        return self._subscribed.wait(timeout_s)

    @property
    def subscribed(self) -> bool:
        """Whether the broker has confirmed our subscriptions (their end, when leaving) on the present connection."""
        return self._client.is_connected() and self._subscribed.is_set()

    def subscribe_again(self) -> None:
        """Ask for the subscriptions once more: harmless when they are there, and the end of silence when not."""
        self._ask()
        self._wake()

    def _ask(self) -> int | None:
        """Ask for the subscriptions, or for their end when leaving; return the request's number."""
        if self._leaving:
            return self._client.unsubscribe([name for name, _ in self._filters])[1]
        return self._client.subscribe(self._filters)[1]

    @property
    def waiting(self) -> int:
        """How many messages have arrived and were not taken."""
        return len(self._arrived)

    @property
    def eldest_s(self) -> float | None:
        """When the message that waits longest arrived, by the monotonic clock; None when none waits."""
        try:
            return self._arrived[0].arrived_s
        except IndexError:
            return None

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
                self._client.connect(self._address.host, self._address.port, keepalive=self._keepalive_s)
                self._session += 1
                self._serve()
            except OSError as error:
                log.warning(
                    "broker_does_not_answer", host=self._address.host, error=refusal_told(error, self._address.host)
                )
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
        connection = client.bulk_socket()
        if connection is None:
            return
        self._accepted = False
        self._farewell = _Farewell()
        with Watch(self._woken, connection) as watch:
            while client.socket() is not None:
                turn_s = _TURN_S if self._farewell.began_s is None else _GOODBYE_S / 10
                self._reading_paused = len(self._arrived) >= self._capacity and not self._closing.is_set()
                readable = watch.wait(
                    0 if connection.has_unread and not self._reading_paused else turn_s,
                    reading=not self._reading_paused,
                    writing=connection.has_unsent or client.want_write(),
                )
                closing = self._closing.is_set()
                self._send_acknowledgements(connection)
                if readable:
                    self._read(connection)
                if closing:
                    self._say_goodbye()
                client.loop_write()
                connection.flush()
                self._let_paho_read(connection)
                client.loop_misc()

    def _say_goodbye(self) -> None:
        """Disconnect once the broker has read our acknowledgements.

        Closing a connection on which messages wait unread resets it, and the broker then loses what it has not read
        either: the last batch would come again. It answers in order, so the answer to a subscription, which changes
        nothing, says that it has read what went before.
        """
        farewell = self._farewell
        if farewell.began_s is None:
            farewell.began_s = time.monotonic()
            farewell.mid = self._ask()
        elif farewell.answered or time.monotonic() - farewell.began_s > _GOODBYE_S:
            self._client.disconnect()

    def _read(self, connection: BulkSocket) -> None:
        """Take the messages that are there, and let paho read the rest."""
        arrived_s = time.monotonic()
        publications = connection.receive()
        self._let_paho_read(connection)
        if not publications or self._closing.is_set():
            # While closing nobody takes them any more; unacknowledged, they come again to the next collector.
            return
        session = self._session
        self._arrived.extend([Received(*publication, session, arrived_s) for publication in publications])
        if len(self._arrived) >= self._wanted and not self._enough.is_set():
            self._enough.set()

    def _let_paho_read(self, connection: BulkSocket) -> None:
        """Let paho take the packets that are no messages, and end a connection that failed."""
        while connection.has_for_paho and self._client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            pass

    def _send_acknowledgements(self, connection: BulkSocket) -> None:
        numbers: list[int] = []
        while self._to_acknowledge:
            message = self._to_acknowledge.popleft()
            if message.qos and message.session == self._session:
                numbers.append(message.mid)
        if numbers:
            connection.send(acknowledgements(numbers))

    # --- paho's callbacks, in the network thread ---

    def _on_connect(
        self,
        _client: Client,
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
        self._on_accepted(flags.session_present)
        if not flags.session_present:
            self._subscribed.clear()
            if self._session > 1 and not self._leaving:
                log.warning("broker_forgot_session", hint="messages that were published meanwhile went nowhere")
        # Also with a session that the broker remembers: subscribing again is harmless, forgetting to is silence.
        self._ask()
        if flags.session_present and not self._leaving:
            # It remembers the last subscription; rumqttd confirms this one only once there is room in its window.
            self._subscribed.set()

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: Any,
        mid: int,
        reason_codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if mid == self._farewell.mid:
            self._farewell.answered = True
        for (topic_filter, _), reason_code in zip(self._filters, reason_codes, strict=False):
            if reason_code.is_failure:
                log.error("subscription_refused", topic_filter=topic_filter, reason=str(reason_code))
                self._subscribed.clear()
                return
        self._subscribed.set()

    def _on_unsubscribe(self, _client: Client, _userdata: Any, mid: int, *_: Any) -> None:
        if mid == self._farewell.mid:
            self._farewell.answered = True
        self._subscribed.set()

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

    def _make_client(self, client_id: str) -> BulkClient:
        address = self._address
        client = BulkClient(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.username_pw_set(address.user, address.password)
        if address.tls:
            client.tls_set_context(address.tls_context())
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_disconnect = self._on_disconnect
        # With this callback paho queues what it has to say for our loop.
        client.on_socket_register_write = lambda *_: None
        return client


@dataclass(kw_only=True, slots=True)
class _Farewell:
    """The question asked before we leave, and whether it was answered."""

    began_s: float | None = None
    mid: int | None = None
    answered: bool = False
