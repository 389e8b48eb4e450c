"""The packets of MQTT 3.1.1 in a stream of bytes: messages taken out in bulk, everything else left as it came.

Section numbers are those of the OASIS standard (MQTT 3.1.1, 29 October 2014).
"""

from __future__ import annotations

from typing import NamedTuple

from storage.errors import VoirieError

_PUBLISH, _PUBLISH_MASK = 0x30, 0xF0
_QOS_MASK, _MOST_QOS = 0x06, 1
_MOST_LENGTH_BYTES = 4  # 2.2.3
_PUBACK = b"\x40\x02"


class ProtocolError(VoirieError):
    """What the broker sent is no MQTT."""


class Publication(NamedTuple):
    """One PUBLISH packet of QoS 0 or 1; `number` is its packet identifier, 0 with QoS 0."""

    topic: str
    payload: bytes
    number: int
    qos: int


class PacketReader:
    """Takes PUBLISH packets out of the bytes that it is fed, however they are cut."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0
        # The first packet is whole once so many bytes are held; 2 is the smallest packet.
        self._needed = 2

    def feed(self, data: bytes) -> tuple[list[Publication], bytes]:
        """Return the publications that are complete, and the other packets that are, as bytes and in their order.

        Raises ProtocolError when the bytes are no MQTT; nothing more can be read of that connection.
        """
        self._held += len(data)
        if self._parts or self._held < self._needed:
            # A large packet comes in many parts: they are joined once, when it is whole.
            self._parts.append(data)
            if self._held < self._needed:
                return [], b""
            data = b"".join(self._parts)
        publications, others, end, self._needed = _split(data)
        self._parts = [data[end:]] if end < len(data) else []
        self._held = len(data) - end
        return publications, others


def _split(data: bytes) -> tuple[list[Publication], bytes, int, int]:
    """Return publications, other packets, where the first incomplete packet begins, and how many bytes it needs."""
    publications: list[Publication] = []
    others: list[bytes] = []
    at, size, needed = 0, len(data), 2
    while at + 2 <= size:
        length, body = data[at + 1], at + 2
        if length > 127:  # noqa: PLR2004 - the continuation bit (2.2.3)
            length, body = _long_length(data, at + 1)
            if not body:
                needed = size - at + 1
                break
        end = body + length
        if end > size:
            needed = end - at
            break
        head = data[at]
        if head & _PUBLISH_MASK == _PUBLISH:
            publications.append(_publication(data, head, body, end))
        else:
            others.append(data[at:end])
        at = end
    return publications, b"".join(others), at, needed


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    """Return a remaining length of several bytes and where the body begins; 0 and 0 when it is not all there."""
    length = 0
    for index in range(_MOST_LENGTH_BYTES):
        if at + index >= len(data):
            return 0, 0
        digit = data[at + index]
        length |= (digit & 0x7F) << 7 * index
        if digit < 128:  # noqa: PLR2004 - the continuation bit (2.2.3)
            return length, at + index + 1
    raise ProtocolError("a packet's length takes more than four bytes")


def _publication(data: bytes, head: int, body: int, end: int) -> Publication:
    """Return the PUBLISH packet (3.3) whose variable header begins at `body`."""
    topic_at = body + 2
    payload_at = topic_at + (data[body] << 8 | data[body + 1]) if topic_at <= end else end + 1
    qos = (head & _QOS_MASK) >> 1
    if qos > _MOST_QOS:
        raise ProtocolError(f"a message of QoS {qos}, and the subscriptions are of QoS 1")
    number_at, payload_at = payload_at, payload_at + 2 * qos
    if payload_at > end:
        raise ProtocolError("a message's topic is longer than its packet")
    try:
        topic = data[topic_at:number_at].decode()
    except UnicodeDecodeError:
        # A broker must not let it through (1.5.3); if it does, the message is refused, not lost.
        topic = data[topic_at:number_at].decode(errors="backslashreplace")
    number = data[number_at] << 8 | data[number_at + 1] if qos else 0
    return Publication(topic, data[payload_at:end], number, qos)


def acknowledgements(numbers: list[int]) -> bytes:
    """Return the PUBACK packets (3.4) of these publications, in this order."""
    return b"".join([_PUBACK + number.to_bytes(2) for number in numbers])
