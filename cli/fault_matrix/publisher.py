"""The devices' side of a row: publishes with QoS 1 until the broker acknowledges, and keeps the ledger of both."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from cli.fault_matrix.traffic import Publication
from cli.fault_matrix.waiting import wait
from ingest.address import BrokerAddress
from storage.errors import UnavailableError

_CONNECT_S = 15.0
_KEEPALIVE_S = 2
_RECONNECT_S = 1


@dataclass(kw_only=True, slots=True)
class Ledger:
    """What was handed over to publishers, and what the broker has acknowledged of it, in order."""

    published: list[Publication] = field(default_factory=list)
    acknowledged: list[Publication] = field(default_factory=list)


class Publisher:
    """One client that publishes; use it as a context manager. Not for several threads.

    What a broken connection leaves unacknowledged is published again on the next, so the broker may see it twice.
    """

    def __init__(self, address: BrokerAddress, *, client_id: str, ledger: Ledger, in_flight: int = 200) -> None:
        self._address = address
        self._ledger = ledger
        self._unacknowledged: dict[int, Publication] = {}
        # Written by paho's thread, which holds paho's locks meanwhile: it may not wait for ours.
        self._numbers: deque[int] = deque()
        self._connected = threading.Event()
        self.disconnections = 0
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        client.username_pw_set(self._address.user, self._address.password)
        if self._address.tls:
            client.tls_set_context(self._address.tls_context())
        client.max_inflight_messages_set(in_flight)
        client.reconnect_delay_set(_RECONNECT_S, _RECONNECT_S)
        client.on_connect = lambda *_: self._connected.set()
        client.on_disconnect = self._count_disconnection
        client.on_publish = self._note
        self._client = client

    def __enter__(self) -> Self:
        """Connect. Raises UnavailableError when the broker does not answer."""
        try:
            self._client.connect(self._address.host, self._address.port, keepalive=_KEEPALIVE_S)
        except OSError as error:
            raise UnavailableError(f"the broker does not answer: {error}") from error
        self._client.loop_start()
        if not self._connected.wait(_CONNECT_S):
            self._client.loop_stop()
            raise UnavailableError("the broker did not accept the publisher")
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._take_notes()

    def publish(self, publications: Iterable[Publication]) -> None:
        """Hand messages over; nothing is waited for."""
        for publication in publications:
            info = self._client.publish(publication.topic, publication.payload, qos=1)
            if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
                raise UnavailableError("the publisher's queue is full")
            self._unacknowledged[info.mid] = publication
            self._ledger.published.append(publication)
            self._take_notes()

    @property
    def outstanding(self) -> int:
        """How many messages the broker has not acknowledged."""
        self._take_notes()
        return len(self._unacknowledged)

    def settle(self, *, patience_s: float = 120.0) -> None:
        """Wait until the broker has acknowledged everything; UnavailableError when it does not."""
        if not wait(lambda: self.outstanding == 0, patience_s=patience_s):
            raise UnavailableError(f"the broker left {self.outstanding} publications unacknowledged")

    def _count_disconnection(self, *_: Any) -> None:
        self.disconnections += 1

    def _note(self, _client: Client, _userdata: Any, number: int, *_: Any) -> None:
        self._numbers.append(number)

    def _take_notes(self) -> None:
        """Look the acknowledged numbers up; one that is not known yet is looked up the next time."""
        for _ in range(len(self._numbers)):
            number = self._numbers.popleft()
            publication = self._unacknowledged.pop(number, None)
            if publication is None:
                self._numbers.append(number)
            else:
                self._ledger.acknowledged.append(publication)
