"""Everything the commune's sensors publish, in the order in which it reaches the broker, a few hours in memory."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from simulators import garbage
from simulators.devices import em310_udl, native, tps110
from simulators.envelopes import Application, Radio, Sender
from simulators.faults import FaultOptions
from simulators.fleet import SimulatedDevice
from simulators.randomness import Stream, stream
from simulators.transmissions import BLOCK_S, MOST_REPEAT_S, ROW, RowKind, Rows, Transmissions
from simulators.weather import temperatures_c
from simulators.world import World
from storage.model import PlaceKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATENCY_S = 3
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


class Timeline:
    """The publications of a world under given faults. The same world and faults give the same publications."""

    def __init__(self, world: World, faults: FaultOptions) -> None:
        self._world = world
        self._faults = faults
        self._transmissions = Transmissions(world, faults)
        self._senders = _senders(world)
        self._bin_of = np.array([device.place_index for device in world.devices], dtype=np.int64)
        self._empty_mm = np.array([device.empty_distance_mm or 0 for device in world.devices], dtype=np.float64)
        self._full_mm = np.array([device.full_distance_mm or 0 for device in world.devices], dtype=np.float64)
        # Real servers write nanoseconds. These digits stay below half a microsecond, so that whoever cuts and whoever
        # rounds them means the same moment.
        self._nanoseconds = [f"{number * 37 % 500:03d}" for number in range(len(world.devices))]

    def publications(
        self, since: datetime, until: datetime | None = None, *, look_ahead_s: float = BLOCK_S
    ) -> Iterator[Publication]:
        """Yield what arrives in [since, until), in order of arrival; without `until`, for ever.

        A level is looked up at most `look_ahead_s` before the message arrives: live, that bounds how late an emptying
        shows. Splitting the time in two gives the same publications as asking once, but for emptyings in between.
        """
        for rows in self._in_order(_micros(since), None if until is None else _micros(until)):
            first = 0
            while first < len(rows):
                horizon_us = rows["arrives_us"][first] + int(look_ahead_s * 1e6)
                last = int(np.searchsorted(rows["arrives_us"], horizon_us, side="right"))
                yield from self._write(rows[first:last])
                first = last

    def estimate(self, since: datetime, until: datetime) -> int:
        """Return about how many publications arrive in [since, until)."""
        world, faults = self._world, self._faults
        since_s, until_s = int(since.timestamp()), int(until.timestamp())
        sensors = sum(device.place_kind is PlaceKind.BIN for device in world.devices)
        messages = sensors * (until_s - since_s) / 3600
        for truth in (world.bays_truth, world.spaces_truth):
            sessions = truth.sessions_until(until_s)
            messages += len(truth) * (until_s - since_s) / tps110.HEARTBEAT_S
            messages += sum(
                int(((moments >= since_s) & (moments < until_s)).sum())
                for moments in (sessions.arrive_s, sessions.depart_s)
            )
        return round(messages * ((1 - faults.drop_rate) * (1 + faults.repeat_rate) + faults.garbage_rate))

    def _in_order(self, since_us: int, until_us: int | None) -> Iterator[Rows]:
        """Yield the rows that arrive in [since, until), sorted by arrival, block by block; what is late waits."""
        start_us = _micros(self._world.start)
        latest_s = self._faults.longest_delay_s + MOST_REPEAT_S + _LATENCY_S
        number = max(0, (since_us - start_us - latest_s * 1_000_000) // (BLOCK_S * 1_000_000))
        waiting = np.zeros(0, dtype=ROW)
        while until_us is None or start_us + number * BLOCK_S * 1_000_000 < until_us or len(waiting):
            block_end_us = start_us + (number + 1) * BLOCK_S * 1_000_000
            rows = np.concatenate([waiting, self._transmissions.block(number)])
            rows = rows[np.argsort(rows["arrives_us"], kind="stable")]
            ready = int(np.searchsorted(rows["arrives_us"], block_end_us))
            rows, waiting = rows[:ready], rows[ready:]
            if until_us is not None:
                rows, waiting = (part[part["arrives_us"] < until_us] for part in (rows, waiting))
            yield rows[rows["arrives_us"] >= since_us]
            number += 1

    def _write(self, rows: Rows) -> Iterator[Publication]:
        """Look up the truth of the rows and write their messages."""
        at_s = rows["measured_us"] // 1_000_000
        distances = self._distances_mm(rows, at_s).tolist()
        batteries = self._batteries(rows, at_s).tolist()
        celsius = temperatures_c(self._world.seed, at_s).tolist()
        for position, row in enumerate(rows.tolist()):
            named = _Row(*row)
            if named.kind == RowKind.GARBAGE:
                yield self._garbage(named)
            elif self._senders[named.device] is None:
                yield self._native(named, distances[position], batteries[position], celsius[position])
            else:
                yield self._uplink(named, distances[position], batteries[position], celsius[position])

    def _distances_mm(self, rows: Rows, at_s: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what the bins' sensors report, (n,); 0 for other rows."""
        distances = np.zeros(len(rows), dtype=np.int64)
        fills = np.flatnonzero(rows["kind"] == RowKind.FILL)
        if len(fills) == 0:
            return distances
        of_fills = rows[fills]
        device, ail = of_fills["device"], self._transmissions.ailments
        from_s, until_s = ail.frozen_from_s[device], ail.frozen_until_s[device]
        frozen = (at_s[fills] >= from_s) & (at_s[fills] < until_s)
        fraction = self._world.fill.fractions(self._bin_of[device], np.where(frozen, from_s, at_s[fills]))
        empty_mm, full_mm = self._empty_mm[device], self._full_mm[device]
        true_mm = empty_mm - fraction * (empty_mm - full_mm) + np.where(frozen, 0.0, of_fills["noise_mm"])
        heard = em310_udl.measured_mm(true_mm, of_fills["echo_luck"])
        distances[fills] = np.where(~frozen & (of_fills["wild_mm"] >= 0), of_fills["wild_mm"], heard)
        return distances

    def _batteries(self, rows: Rows, at_s: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the batteries' charge in percent, (n,)."""
        devices = self._world.devices
        first = np.array([device.battery_percent for device in devices])[rows["device"]]
        drain = np.array([device.drain_percent_a_day for device in devices])[rows["device"]]
        days = (at_s - int(self._world.start.timestamp())) / 86400
        percent: NDArray[np.int64] = np.clip(np.rint(first - drain * days), 1, 100).astype(np.int64)
        return percent

    def _uplink(self, row: _Row, distance_mm: int, battery: int, celsius: float) -> Publication:
        device = self._world.devices[row.device]
        sender = self._senders[row.device]
        assert sender is not None
        measured_at = _moment(row.measured_us)
        f_port, frame = _frame(row, device, distance_mm, battery, celsius)
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

    def _native(self, row: _Row, distance_mm: int, battery: int, celsius: float) -> Publication:
        device = self._world.devices[row.device]
        measured_at = _moment(row.measured_us)
        if row.kind == RowKind.FILL:
            payload = native.fill(
                measured_at=measured_at.isoformat(timespec="microseconds"),
                distance_mm=distance_mm,
                battery_percent=battery,
                temperature_c=celsius,
                tilted=row.tilted,
            )
        else:
            payload = native.occupancy(
                measured_at=measured_at.isoformat(timespec="microseconds"),
                occupied=row.occupied,
                battery_percent=battery,
                temperature_c=celsius,
            )
        topic = native.topic(commune_insee=device.commune_insee, device_id=device.eui)
        return Publication(topic, payload, _moment(row.arrives_us), Expect.READING, device.eui, measured_at)

    def _garbage(self, row: _Row) -> Publication:
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


@dataclass(slots=True)
class _Row:
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


def _frame(row: _Row, device: SimulatedDevice, distance_mm: int, battery: int, celsius: float) -> tuple[int, bytes]:
    """Return the fPort and the bytes that a LoRaWAN device sends for a row."""
    match row.kind:
        case RowKind.FILL:
            frame = em310_udl.reading(battery_percent=battery, distance_mm=distance_mm, tilted=row.tilted)
            return em310_udl.F_PORT, frame
        case RowKind.CHANGE:
            return tps110.CHANGE_PORT, tps110.change(occupied=row.occupied)
        case RowKind.HEARTBEAT:
            return tps110.HEARTBEAT_PORT, tps110.heartbeat(occupied=row.occupied, temperature_c=round(celsius))
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


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
