"""As much of MQTT 3.1.1 as a publisher needs, written to the socket in bulk.

paho's `publish` takes some 100 microseconds of a processor: on a small machine the publishers would take from the
broker and the readers what is measured of them. Sections are those of the OASIS standard.
"""

from __future__ import annotations

import socket
import ssl
import struct
from typing import Self

from ingest.address import BrokerAddress
from storage.errors import UnavailableError

_CONNECT, _CONNACK, _PUBLISH_QOS_1, _PUBACK, _DISCONNECT = 0x10, 0x20, 0x32, 0x40, 0xE0
_ANSWER_BYTES = 4  # both CONNACK (3.2) and PUBACK (3.4) are four bytes long
_NUMBERS = 65_535
_PATIENCE_S = 60.0
_KEEPALIVE_S = 600  # rumqttd takes no client that wants to be silent for ever (0)
_READ_BYTES = 65_536


class BulkPublisher:
    """Publishes with QoS 1 on a clean session, with at most `window` publications unacknowledged."""

    def __init__(self, address: BrokerAddress, client_id: str, *, window: int = 2000) -> None:
        self._window = window
        self.acknowledged = 0
        self._published = 0
        self._rest = 0
        plain = socket.create_connection((address.host, address.port), timeout=_PATIENCE_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = address.tls_context().wrap_socket(plain, server_hostname=address.host) if address.tls else plain
        self._socket.sendall(_connect_packet(client_id, address))
        answer = self._socket.recv(_ANSWER_BYTES)
        if len(answer) != _ANSWER_BYTES or answer[0] != _CONNACK or answer[3] != 0:
            raise UnavailableError(f"the broker refused a publisher: {answer.hex(' ') or 'no answer'}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.sendall(bytes((_DISCONNECT, 0)))
        self._socket.close()

    def publish(self, publications: list[tuple[str, bytes]]) -> None:
        """Publish, after waiting until there is room for all of them in the window."""
        while self._published + len(publications) - self.acknowledged > self._window:
            self._take_acknowledgements()
        packets = []
        for topic, payload in publications:
            self._published += 1
            packets.append(publish_packet(topic, payload, self._published % _NUMBERS + 1))
        self._socket.sendall(b"".join(packets))

    def wait(self) -> None:
        """Wait until the broker has acknowledged everything."""
        while self.acknowledged < self._published:
            self._take_acknowledgements()

    def _take_acknowledgements(self) -> None:
        """Count what has come: a publisher without subscriptions is sent nothing but acknowledgements."""
        try:
            got = self._socket.recv(_READ_BYTES)
        except (TimeoutError, ssl.SSLError) as error:
            raise UnavailableError("the broker acknowledges no publication any more") from error
        if not got:
            raise UnavailableError("the broker closed a publisher's connection")
        acknowledged, self._rest = divmod(self._rest + len(got), _ANSWER_BYTES)
        self.acknowledged += acknowledged


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _length(value: int) -> bytes:
    """Return a remaining length (2.2.3)."""
    encoded = bytearray()
    while True:
        value, digit = divmod(value, 128)
        encoded.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(encoded)


def _connect_packet(client_id: str, address: BrokerAddress) -> bytes:
    flags, fields = 0x02, _text(client_id)  # a clean session
    if address.user is not None:
        flags, fields = flags | 0x80, fields + _text(address.user)
        if address.password is not None:
            flags, fields = flags | 0x40, fields + _text(address.password)
    body = _text("MQTT") + bytes((4, flags)) + struct.pack(">H", _KEEPALIVE_S) + fields
    return bytes((_CONNECT,)) + _length(len(body)) + body


def publish_packet(topic: str, payload: bytes, number: int) -> bytes:
    """Return a PUBLISH packet of QoS 1 (3.3)."""
    head = _text(topic) + struct.pack(">H", number)
    return bytes((_PUBLISH_QOS_1,)) + _length(len(head) + len(payload)) + head + payload
