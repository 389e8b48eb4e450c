"""From a row of numbers to the MQTT message that a sensor's network, or the sensor itself, publishes."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np

from simulators import garbage
from simulators.devices import em310_udl, native, tps110
from simulators.envelopes import Application, Radio, Sender
from simulators.fleet import SimulatedDevice
from simulators.randomness import Stream, stream
from simulators.transmissions import RowKind
from simulators.world import World
from storage.model import PlaceKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BINS_APPLICATION = Application(name="corbeilles")
_PARKING_APPLICATION = Application(name="stationnement")
_PROFILES = {em310_udl.MODEL: "Milesight EM310-UDL", tps110.MODEL: "Bosch TPS110"}


class Expect(StrEnum):
    """What a collector should make of a publication."""

    READING = "reading"
    EVENT = "event"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Publication:
    """One MQTT message. `eui` and `measured_at` are None for what should be refused."""

    topic: str
    payload: bytes
    arrives_at: datetime
    expect: Expect
    eui: str | None
    measured_at: datetime | None


@dataclass(slots=True)
class Row:
    """A row of `transmissions.ROW` with its fields' names, in their order."""

    arrives_us: int
    measured_us: int
    device: int
    kind: int
    occupied: bool
    tilted: bool
    counter: int
    noise_mm: float
    wild_mm: int
    echo_luck: float
    rssi: int
    snr: float
    channel: int
    uplink_id: int
    identity_high: int
    identity_low: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sensor sees when it speaks; the distance is 0 but for bins."""

    distance_mm: int
    battery_percent: int
    temperature_c: float


class Writer:
    """Writes the messages of a world's sensors."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._senders = _senders(world)
        # Real servers write nanoseconds. These digits stay below half a microsecond, so that whoever cuts and whoever
        # rounds them means the same moment.
        self._nanoseconds = [f"{number * 37 % 500:03d}" for number in range(len(world.devices))]

    def write(self, row: Row, seen: Seen) -> Publication:
        """Return the publication of a row."""
        if row.kind == RowKind.GARBAGE:
            return self._garbage(row)
        sender = self._senders[row.device]
        return self._native(row, seen) if sender is None else self._uplink(row, seen, sender)

    def _uplink(self, row: Row, seen: Seen, sender: Sender) -> Publication:
        device = self._world.devices[row.device]
        measured_at = _moment(row.measured_us)
        f_port, frame = _frame(row, device, seen)
        identity = f"{row.identity_high:016x}{row.identity_low:016x}"
        return Publication(
            sender.topic,
            sender.uplink(
                deduplication_id=f"{identity[:8]}-{identity[8:12]}-4{identity[13:16]}-a{identity[17:20]}-{identity[20:]}",
                time=f"{measured_at.isoformat(timespec='microseconds')[:26]}{self._nanoseconds[row.device]}+00:00",
                f_cnt=row.counter,
                f_port=f_port,
                data_base64=b64encode(frame).decode(),
                radio=Radio(rssi=row.rssi, snr=row.snr, channel=row.channel, uplink_id=row.uplink_id),
            ),
            _moment(row.arrives_us),
            Expect.EVENT if row.kind == RowKind.START_UP else Expect.READING,
            device.eui,
            measured_at,
        )

    def _native(self, row: Row, seen: Seen) -> Publication:
        device = self._world.devices[row.device]
        measured_at = _moment(row.measured_us)
        if row.kind == RowKind.FILL:
            payload = native.fill(
                measured_at=measured_at.isoformat(timespec="microseconds"),
                distance_mm=seen.distance_mm,
                battery_percent=seen.battery_percent,
                temperature_c=seen.temperature_c,
                tilted=row.tilted,
            )
        else:
            payload = native.occupancy(
                measured_at=measured_at.isoformat(timespec="microseconds"),
                occupied=row.occupied,
                battery_percent=seen.battery_percent,
                temperature_c=seen.temperature_c,
            )
        topic = native.topic(commune_insee=device.commune_insee, device_id=device.eui)
        return Publication(topic, payload, _moment(row.arrives_us), Expect.READING, device.eui, measured_at)

    def _garbage(self, row: Row) -> Publication:
        nonce = f"{row.identity_high:016x}"
        arrives_at = _moment(row.arrives_us)
        known_eui = self._world.devices[row.device].eui if row.device >= 0 else nonce
        scene = garbage.Scene(
            commune_insee=self._world.commune_insee,
            application=_BINS_APPLICATION,
            known_eui=known_eui,
            at=arrives_at,
            nonce=nonce,
        )
        topic, payload = garbage.KINDS[row.counter % len(garbage.KINDS)](scene)
        return Publication(topic, payload, arrives_at, Expect.REFUSED, None, None)


def _frame(row: Row, device: SimulatedDevice, seen: Seen) -> tuple[int, bytes]:
    """Return the fPort and the bytes that a LoRaWAN device sends for a row."""
    match row.kind:
        case RowKind.FILL:
            frame = em310_udl.reading(
                battery_percent=seen.battery_percent, distance_mm=seen.distance_mm, tilted=row.tilted
            )
            return em310_udl.F_PORT, frame
        case RowKind.CHANGE:
            return tps110.CHANGE_PORT, tps110.change(occupied=row.occupied)
        case RowKind.HEARTBEAT:
            return tps110.HEARTBEAT_PORT, tps110.heartbeat(
                occupied=row.occupied, temperature_c=round(seen.temperature_c)
            )
        case _ if device.model == em310_udl.MODEL:
            return em310_udl.F_PORT, em310_udl.joined(serial=bytes.fromhex(device.eui))
        case _:
            return tps110.START_UP_PORT, tps110.start_up(occupied=row.occupied)


def _senders(world: World) -> list[Sender | None]:
    """Return each LoRaWAN device's place in the network server, None for native devices."""
    generator = stream(world.seed, Stream.DEVICES, 1)
    gateways = [
        (f"0016c001f1{generator.integers(2**24):06x}", (item.longitude_deg, item.latitude_deg))
        for item in generator.choice(np.array(world.bins, dtype=object), size=min(4, len(world.bins)), replace=False)
    ]
    senders: list[Sender | None] = []
    for device in world.devices:
        gateway_id, where = gateways[int(generator.integers(len(gateways)))]
        dev_addr = f"{0x26000000 + int(generator.integers(2**25)):08x}"
        if device.is_native:
            senders.append(None)
            continue
        is_bin = device.place_kind is PlaceKind.BIN
        senders.append(
            Sender(
                application=_BINS_APPLICATION if is_bin else _PARKING_APPLICATION,
                profile=_PROFILES[device.model],
                device_name=device.place_id,
                dev_eui=device.eui,
                dev_addr=dev_addr,
                tags={"insee": device.commune_insee},
                gateway_id=gateway_id,
                gateway_lonlat=where,
                spreading_factor=device.spreading_factor,
            )
        )
    return senders


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
