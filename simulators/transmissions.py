"""When each sensor speaks and what the air does to it: rows of numbers, a block of hours at a time.

A block depends on the seed and its number only, never on what was emptied: levels are looked up when a row is written.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from simulators.devices import em310_udl, tps110
from simulators.faults import Ailments, FaultOptions, ailments, delays_us
from simulators.fleet import SimulatedDevice
from simulators.local_time import HOUR_S
from simulators.occupancy_truth import OccupancyTruth
from simulators.randomness import Stream, stream
from simulators.scenario import FaultKind
from simulators.world import World
from storage.model import PlaceKind

BLOCK_HOURS = 6
BLOCK_S = BLOCK_HOURS * HOUR_S
MOST_REPEAT_S = HOUR_S
_JITTER_S = 8.0
_MOST_JITTER_S = 60.0
_NOISE_MM = 7.0
_WILD_ECHO = 0.004
_TILTED = 0.0008
_START_UP_S = 1
_FLUTTER_S = 20
_TOGETHER_US = 1000
"""What was held back comes together: an hour of it in some seconds."""


class RowKind(IntEnum):
    """What a row is."""

    FILL = 0
    CHANGE = 1
    HEARTBEAT = 2
    START_UP = 3
    GARBAGE = 4


ROW = np.dtype(
    [
        ("arrives_us", np.int64),
        ("measured_us", np.int64),
        ("device", np.int32),
        ("kind", np.int8),
        ("occupied", np.bool_),
        ("tilted", np.bool_),
        ("counter", np.int64),
        ("noise_mm", np.float32),
        ("wild_mm", np.int32),  # -1: the echo is true
        ("echo_luck", np.float32),
        ("rssi", np.int32),
        ("snr", np.float32),
        ("channel", np.int8),
        ("uplink_id", np.int64),
        ("identity_high", np.uint64),
        ("identity_low", np.uint64),
    ]
)
"""One publication to be, times in Unix microseconds; the identity is the network's deduplication id or a nonce."""

Rows = NDArray[np.void]


class Transmissions:
    """The rows of a world's sensors."""

    def __init__(self, world: World, faults: FaultOptions) -> None:
        self._world = world
        self._faults = faults
        self._start_s = int(world.start.timestamp())
        self.ailments: Ailments = ailments(len(world.devices), faults, seed=world.seed, start_s=self._start_s)
        devices = world.devices
        self._bins = _of_kind(devices, PlaceKind.BIN)
        self._parking = [
            (_of_kind(devices, PlaceKind.DELIVERY_BAY), world.bays_truth),
            (_of_kind(devices, PlaceKind.PARKING_SPACE), world.spaces_truth),
        ]
        self._phase_s = np.array([device.phase_s for device in devices], dtype=np.int64)
        self._lag_s = np.array([device.lag_s for device in devices], dtype=np.int64)
        self._place = np.array([device.place_index for device in devices], dtype=np.int64)
        device_of = {device.place_id: number for number, device in enumerate(devices)}
        self._spells = [(device_of[spell.place_id], spell) for spell in world.spells if spell.place_id in device_of]
        # A device's clock ticks at its own fraction of a second, so that no two of its readings share a microsecond.
        self._tick_us = stream(world.seed, Stream.TRANSMISSIONS).integers(0, 1_000_000, len(devices))
        self._lorawan = np.array([not device.is_native for device in devices], dtype=np.bool_)

    def block(self, number: int) -> Rows:
        """Return the rows whose measurements fall into block `number` since the start, in no order, faults included."""
        generator = stream(self._world.seed, Stream.TRANSMISSIONS, number)
        parts = [self._fills(number, generator)]
        for devices, truth in self._parking:
            parts += [self._changes(number, devices, truth), self._heartbeats(number, devices, truth)]
        if number == 0:
            parts.append(self._start_ups())
        rows = np.concatenate([*parts, self._flutter(number)])
        rows = self._befallen(rows)
        self._add_air(rows, generator)
        self._hold_back(rows)
        return self._with_faults(rows, stream(self._world.seed, Stream.FAULTS, number))

    def _fills(self, number: int, generator: np.random.Generator) -> Rows:
        count = len(self._bins)
        rows = np.zeros(count * BLOCK_HOURS, dtype=ROW)
        hour = np.repeat(np.arange(BLOCK_HOURS) + number * BLOCK_HOURS, count)
        rows["device"] = np.tile(self._bins, BLOCK_HOURS)
        rows["kind"] = RowKind.FILL
        jitter_s = np.clip(generator.normal(0.0, _JITTER_S, len(rows)), -_MOST_JITTER_S, _MOST_JITTER_S)
        planned_s = self._start_s + hour * HOUR_S + self._phase_s[rows["device"]]
        rows["measured_us"] = planned_s * 1_000_000 + (jitter_s * 1e6).astype(np.int64)
        rows["counter"] = hour + 1
        rows["noise_mm"] = generator.normal(0.0, _NOISE_MM, len(rows))
        wild = generator.random(len(rows)) < _WILD_ECHO
        far = generator.integers(em310_udl.NEAREST_MM, em310_udl.FARTHEST_MM, len(rows))
        rows["wild_mm"] = np.where(wild, far, -1)
        rows["echo_luck"] = generator.random(len(rows))
        rows["tilted"] = generator.random(len(rows)) < _TILTED
        return rows

    def _changes(self, number: int, devices: NDArray[np.int64], truth: OccupancyTruth) -> Rows:
        """Return a row for each arrival and departure that a sensor notices within the block."""
        if len(devices) == 0:
            return np.zeros(0, dtype=ROW)
        since_s = self._start_s + number * BLOCK_S
        sessions = truth.sessions_until(since_s + BLOCK_S)
        parts = []
        for moments_s, occupied in ((sessions.arrive_s, True), (sessions.depart_s, False)):
            noticed_s = moments_s + self._lag_s[devices][sessions.place]
            within = (noticed_s >= since_s) & (noticed_s < since_s + BLOCK_S)
            rows = np.zeros(int(within.sum()), dtype=ROW)
            rows["device"] = devices[sessions.place[within]]
            rows["kind"] = RowKind.CHANGE
            rows["occupied"] = occupied
            rows["measured_us"] = noticed_s[within] * 1_000_000 + self._tick_us[rows["device"]]
            parts.append(rows)
        changes: Rows = np.concatenate(parts)
        changes["counter"] = self._spoken_since(changes, truth)
        return changes

    def _heartbeats(self, number: int, devices: NDArray[np.int64], truth: OccupancyTruth) -> Rows:
        since_s = number * BLOCK_S
        day = (since_s + BLOCK_S - 1 - self._phase_s[devices]) // tps110.HEARTBEAT_S
        beat_s = day * tps110.HEARTBEAT_S + self._phase_s[devices]
        due = (beat_s >= since_s) & (day >= 0)
        rows = np.zeros(int(due.sum()), dtype=ROW)
        rows["device"] = devices[due]
        rows["kind"] = RowKind.HEARTBEAT
        rows["measured_us"] = (self._start_s + beat_s[due]) * 1_000_000 + self._tick_us[rows["device"]]
        # The sensor still believes what it has not noticed yet.
        rows["occupied"] = truth.occupied(self._place[rows["device"]], self._noticed_s(rows))
        rows["counter"] = self._spoken_since(rows, truth)
        return rows

    def _start_ups(self) -> Rows:
        """Return each LoRaWAN device's first frame, counter 0, some seconds after it was mounted."""
        devices = np.flatnonzero(self._lorawan)
        rows = np.zeros(len(devices), dtype=ROW)
        rows["device"] = devices
        rows["kind"] = RowKind.START_UP
        rows["measured_us"] = (self._start_s + _START_UP_S) * 1_000_000 + self._tick_us[devices]
        for of_kind, truth in self._parking:
            mine = np.isin(devices, of_kind)
            rows["occupied"][mine] = truth.occupied(self._place[devices[mine]], self._noticed_s(rows[mine]))
        return rows

    def _noticed_s(self, rows: Rows) -> NDArray[np.int64]:
        """Return the moment whose truth each row's sensor reports, Unix seconds (n,)."""
        noticed: NDArray[np.int64] = rows["measured_us"] // 1_000_000 - self._lag_s[rows["device"]]
        return noticed

    def _spoken_since(self, rows: Rows, truth: OccupancyTruth) -> NDArray[np.int64]:
        """Return the frame counter of parking sensors' rows, (n,): heartbeats and changes since the start-up's 0."""
        device = rows["device"]
        since_s = rows["measured_us"] // 1_000_000 - self._start_s - self._phase_s[device]
        heartbeats = since_s // tps110.HEARTBEAT_S + 1
        place = self._place[device]
        # Who stood there before the sensor was mounted never came for it.
        unseen = truth.changes_until(place, np.full(len(rows), self._start_s - 1))
        spoken: NDArray[np.int64] = heartbeats + truth.changes_until(place, self._noticed_s(rows)) - unseen
        return spoken

    def _flutter(self, number: int) -> Rows:
        """Return the changes that sensors which cannot decide tell within the block."""
        since_s = self._start_s + number * BLOCK_S
        parts = [np.zeros(0, dtype=ROW)]
        for device, spell in self._spells:
            if spell.kind is FaultKind.FLUTTER:
                ticks = np.arange(spell.from_s, spell.until_s, _FLUTTER_S)
                inside = (ticks >= since_s) & (ticks < since_s + BLOCK_S)
                rows = np.zeros(int(inside.sum()), dtype=ROW)
                rows["device"] = device
                rows["kind"] = RowKind.CHANGE
                rows["occupied"] = np.flatnonzero(inside) % 2 == 0
                rows["measured_us"] = ticks[inside] * 1_000_000 + self._tick_us[device]
                truth = next(truth for devices, truth in self._parking if device in devices)
                rows["counter"] = self._spoken_since(rows, truth)
                parts.append(rows)
        return np.concatenate(parts)

    def _befallen(self, rows: Rows) -> Rows:
        """Return the rows that are left by spells of silence, and with what stuck sensors say."""
        at_s = rows["measured_us"] // 1_000_000
        keep = np.ones(len(rows), dtype=bool)
        for device, spell in self._spells:
            within = (rows["device"] == device) & (at_s >= spell.from_s) & (at_s < spell.until_s)
            if spell.kind is FaultKind.SILENT:
                keep &= ~within
            elif spell.kind is FaultKind.STUCK:
                keep &= ~(within & (rows["kind"] == RowKind.CHANGE))
                truth = next(truth for devices, truth in self._parking if device in devices)
                place = np.array([self._place[device]])
                before = truth.occupied(place, np.array([spell.from_s - self._lag_s[device]]))
                rows["occupied"][within] = before[0]
        return rows[keep]

    def _hold_back(self, rows: Rows) -> None:
        """Have what late sensors say arrive at the end of their spell, in the order in which it was measured."""
        at_s = rows["measured_us"] // 1_000_000
        for device, spell in self._spells:
            if spell.kind is FaultKind.LATE:
                within = (rows["device"] == device) & (at_s >= spell.from_s) & (at_s < spell.until_s)
                waited_us = (at_s[within] - spell.from_s) * _TOGETHER_US
                rows["arrives_us"][within] = spell.until_s * 1_000_000 + waited_us

    def _add_air(self, rows: Rows, generator: np.random.Generator) -> None:
        """Give each row its way through the network."""
        count = len(rows)
        rows["arrives_us"] = rows["measured_us"] + generator.integers(150_000, 2_500_000, count)
        rows["rssi"] = np.rint(generator.normal(-104.0, 9.0, count))
        rows["snr"] = generator.normal(3.0, 4.5, count)
        rows["channel"] = generator.integers(0, 8, count)
        rows["uplink_id"] = generator.integers(0, 2**32, count)
        rows["identity_high"] = generator.integers(0, 2**64, count, dtype=np.uint64)
        rows["identity_low"] = generator.integers(0, 2**64, count, dtype=np.uint64)

    def _with_faults(self, rows: Rows, generator: np.random.Generator) -> Rows:
        """Drop, delay and repeat rows, silence the dead, and add garbage."""
        faults, count = self._faults, len(rows)
        late = generator.random(count) < faults.delay_rate
        rows["arrives_us"] += np.where(late, delays_us(count, faults.longest_delay_s, generator), 0)
        dropped = generator.random(count) < faults.drop_rate
        alive = rows["measured_us"] < self.ailments.dies_s[rows["device"]] * 1_000_000
        repeated = generator.random(count) < faults.repeat_rate
        again_us = generator.integers(300_000, MOST_REPEAT_S * 1_000_000, count)
        published = rows[alive & ~dropped]
        repeats = rows[alive & ~dropped & repeated]
        repeats["arrives_us"] += again_us[alive & ~dropped & repeated]
        garbage = np.zeros(int(generator.poisson(faults.garbage_rate * count)), dtype=ROW)
        garbage["kind"] = RowKind.GARBAGE
        if len(garbage):
            self._make_up(garbage, rows["measured_us"], generator)
        return np.concatenate([published, repeats, garbage])

    def _make_up(self, garbage: Rows, moments_us: NDArray[np.int64], generator: np.random.Generator) -> None:
        count = len(garbage)
        garbage["arrives_us"] = generator.choice(moments_us, count) + generator.integers(0, 1_000_000, count)
        garbage["measured_us"] = garbage["arrives_us"]
        lorawan = np.flatnonzero(self._lorawan)
        garbage["device"] = generator.choice(lorawan, count) if len(lorawan) else -1
        garbage["counter"] = generator.integers(0, 2**31, count)
        garbage["identity_high"] = generator.integers(0, 2**64, count, dtype=np.uint64)


def _of_kind(devices: tuple[SimulatedDevice, ...], kind: PlaceKind) -> NDArray[np.int64]:
    """Return the numbers of the devices on places of this kind, in the order of the places."""
    numbers = [number for number, device in enumerate(devices) if device.place_kind is kind]
    return np.array(numbers, dtype=np.int64)
