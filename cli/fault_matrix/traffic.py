"""What the town's devices publish in a row of the matrix, each message with what has to become of it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cli.fault_matrix.envelopes import WRITERS, Document, Frame, encoded
from cli.fault_matrix.town import Sensor, Town
from storage.model import PlaceKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HISTORY = timedelta(days=20)
_EM310_PORT, _TPS110_PORT = 85, 1


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a reading unique: the device, its event time in Unix microseconds, its rank in that moment."""

    eui: str
    measured_us: int
    record_index: int


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One message. With `keys` it holds these readings; without, it has to be refused and kept."""

    topic: str
    payload: bytes
    keys: tuple[Key, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.topic.encode() + self.payload).hexdigest())


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What one sensor saw at one moment, before it is wrapped."""

    sensor: Sensor
    at: datetime
    counter: int
    distance_mm: int
    occupied: bool
    padding: int = 0

    @property
    def key(self) -> Key:
        """The key of its row."""
        return key_of(self.sensor, self.at)


def key_of(sensor: Sensor, at: datetime, record_index: int = 0) -> Key:
    """Return the key of a sensor's reading at a moment (UTC)."""
    return Key(sensor.eui, (at - _EPOCH) // _MICROSECOND, record_index)


def document(reading: Reading) -> Document:
    """Return the reading as its network wraps it."""
    sensor = reading.sensor
    if sensor.envelope == "native":
        return {"frame_counter": reading.counter, "readings": [native_record(reading)], "note": "x" * reading.padding}
    if sensor.kind is PlaceKind.BIN:
        port, data = _EM310_PORT, b"\x01\x75\x5c\x03\x82" + reading.distance_mm.to_bytes(2, "little") + b"\x04\x00\x00"
    else:
        port, data = _TPS110_PORT, bytes((reading.occupied,))
    frame = Frame(
        eui=sensor.eui, f_port=port, data=data, counter=reading.counter, at=reading.at, padding=reading.padding
    )
    return WRITERS[sensor.envelope](frame)


def native_record(reading: Reading) -> Document:
    """Return the reading as a record of our own JSON."""
    what: Document = (
        {"distance_mm": reading.distance_mm} if reading.sensor.kind is PlaceKind.BIN else {"occupied": reading.occupied}
    )
    return {"measured_at": reading.at.isoformat(), **what, "battery_percent": 92}


class Traffic:
    """Readings of the town's sensors in turn, one a second of a history of days; no two share a key."""

    def __init__(self, town: Town, *, seed: int) -> None:
        self.town = town
        self.random = random.Random(seed)  # noqa: S311 - not a secret: the same seed gives the same messages
        self._number = 0

    def readings(self, count: int, *, padding: int = 0) -> Iterator[Reading]:
        """Yield the next readings."""
        for _ in range(count):
            number = self._number
            self._number += 1
            yield Reading(
                sensor=self.town.sensors[number % len(self.town.sensors)],
                at=self.town.began - _HISTORY + timedelta(seconds=number),
                counter=number,
                distance_mm=200 + number % 800,
                occupied=number % 3 == 0,
                padding=padding,
            )

    def publications(self, count: int, *, padding: int = 0) -> list[Publication]:
        """Return the next good messages, one reading each."""
        return [self.publication(reading) for reading in self.readings(count, padding=padding)]

    def publication(self, reading: Reading) -> Publication:
        """Return one reading as a good message."""
        return Publication(
            topic=self.town.topic(reading.sensor), payload=encoded(document(reading)), keys=(reading.key,)
        )

    def refused(self, topic: str, payload: bytes) -> Publication:
        """Return a message that has to be refused and kept."""
        return Publication(topic=topic, payload=payload)

    def history(self, readings: Sequence[Reading]) -> Publication:
        """Return readings of one native sensor as one message, as a device sends what it kept."""
        body: Document = {"readings": [native_record(reading) for reading in readings]}
        return Publication(
            topic=self.town.topic(readings[0].sensor),
            payload=encoded(body),
            keys=tuple(reading.key for reading in readings),
        )

    def later(self, reading: Reading, by: timedelta) -> Reading:
        """Return the reading as if its sensor had seen it at another time."""
        return replace(reading, at=reading.at + by)
