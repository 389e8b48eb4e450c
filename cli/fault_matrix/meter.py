"""Counts MQTT packets as they pass through a proxy: what a collector was given, and what it acknowledged."""

from __future__ import annotations

from collections import Counter

_PUBLISH, _PUBACK = 3, 4
_QOS_1 = 0b0010
_DUPLICATE = 0b1000
# A remaining length has at most four bytes of seven bits each (MQTT 3.1.1, 2.2.3).
_SEVEN_BITS, _MORE = 0x7F, 0x80


class PacketCounter:
    """Counts the packets of one direction by type; their bodies are skipped."""

    def __init__(self) -> None:
        self.publishes = 0
        self.repeats = 0
        self.acknowledgements = 0
        self.packets: Counter[int] = Counter()
        self._to_skip = 0
        self._head = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Count the packets whose head ends in this chunk."""
        at, end = 0, len(chunk)
        while at < end:
            if self._to_skip:
                step = min(self._to_skip, end - at)
                self._to_skip -= step
                at += step
                continue
            self._head.append(chunk[at])
            at += 1
            if len(self._head) > 1 and not self._head[-1] & _MORE:
                self._count(self._head[0])
                self._to_skip = sum((byte & _SEVEN_BITS) << 7 * index for index, byte in enumerate(self._head[1:]))
                self._head.clear()

    def _count(self, first: int) -> None:
        kind = first >> 4
        self.packets[kind] += 1
        if kind == _PUBACK:
            self.acknowledgements += 1
        elif kind == _PUBLISH and first & _QOS_1:
            self.publishes += 1
            self.repeats += bool(first & _DUPLICATE)


class MqttMeter:
    """Both directions of one MQTT connection; a tap of the proxy."""

    def __init__(self) -> None:
        self._up, self._down = PacketCounter(), PacketCounter()

    def up(self, chunk: bytes) -> None:
        """Count what the client sends."""
        self._up.feed(chunk)

    def down(self, chunk: bytes) -> None:
        """Count what the broker sends."""
        self._down.feed(chunk)

    @property
    def received(self) -> int:
        """Messages (QoS 1) that the client was given."""
        return self._down.publishes

    @property
    def redelivered(self) -> int:
        """Those of them that the broker marked as given before."""
        return self._down.repeats

    @property
    def acknowledged(self) -> int:
        """Messages that the client acknowledged."""
        return self._up.acknowledgements

    @property
    def held(self) -> int:
        """Messages that the client was given and has not acknowledged."""
        return self.received - self.acknowledged

    @property
    def resent(self) -> int:
        """Publications that the client sent and marked as sent before."""
        return self._up.repeats
