"""A simulated commune's readings as the review sees them, beside the truth that only the simulator knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from ingest.intake import IntakeRules, take_in_message
from ingest.message import Message
from ingest.review.declared import DeclaredTable
from ingest.review.habits import Habits, days_of, habits_of
from ingest.topics import Network, network_of
from simulators.faults import FaultOptions, ailments
from simulators.timeline import Timeline
from simulators.world import World, build_world
from storage.model import FillReading, PlaceKind, RegisteredDevice
from storage.signal_table import CODES, SignalTable
from tests.commune import START, streets

INSEE = "93051"


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """What the sensors said and what was true: `true_fraction` and `frozen` of readings, `dies_s` of devices."""

    world: World
    table: SignalTable
    habits: Habits
    declared: DeclaredTable
    device_ids: np.ndarray
    until_s: float
    true_fraction: np.ndarray
    frozen: np.ndarray
    dies_s: np.ndarray


def world_of(
    *, seed: int, bins: int = 100, days: int = 14, sensor_share: float = 1.0, start: datetime = START
) -> World:
    return build_world(
        streets(), seed=seed, start=start, days=days, bins=bins, sensor_share=sensor_share, bays=0, spaces=0
    )


def readings_of(world: World, faults: FaultOptions) -> list[FillReading]:
    """Return what a collector would store of the world's history; device_id is the device's number plus one."""
    networks = (
        Network(name="native", commune_insee=INSEE, envelope="native", topic_filter=f"voirie/v1/{INSEE}/+/readings"),
        Network(
            name="chirpstack",
            commune_insee=INSEE,
            envelope="chirpstack",
            topic_filter="application/+/device/+/event/up",
        ),
    )
    rules = IntakeRules(networks=networks)
    registry = {
        (INSEE, device.eui): RegisteredDevice(
            device=replace(device.as_device(), device_id=number + 1), mountings=(device.as_mounting(number + 1),)
        )
        for number, device in enumerate(world.devices)
    }
    found: dict[tuple[int, datetime, int], FillReading] = {}
    for publication in Timeline(world, faults).publications(world.start, world.history_until):
        network = network_of(networks, publication.topic)
        assert network is not None
        message = Message(
            network=network,
            topic=publication.topic,
            payload=publication.payload,
            received_at=publication.arrives_at,
        )
        for reading in take_in_message(message, registry, rules).fill_readings:
            found.setdefault((reading.device_id, reading.measured_at, reading.record_index), reading)
    return list(found.values())


def table_of(readings: list[FillReading], world: World) -> SignalTable:
    """Put readings in columns; the series is the device's number."""
    ordered = sorted(readings, key=lambda one: (one.device_id, one.measured_at, one.record_index))
    empty_mm = np.array([device.empty_distance_mm or np.nan for device in world.devices])

    def floats(name: str) -> np.ndarray:
        return np.array([np.nan if getattr(one, name) is None else getattr(one, name) for one in ordered], dtype=float)

    def flags(name: str) -> np.ndarray:
        return np.array([bool(getattr(one, name)) for one in ordered])

    series = np.array([one.device_id - 1 for one in ordered], dtype=np.int64)
    measured_us = np.array([_micros(one.measured_at) for one in ordered], dtype=np.int64)
    return SignalTable(
        series=series,
        measured_us=measured_us,
        record_index=np.array([one.record_index for one in ordered], dtype=np.int64),
        heard_us=np.array([_micros(one.network_time or one.measured_at) for one in ordered], dtype=np.int64),
        quality=np.array([CODES[one.quality] for one in ordered], dtype=np.int64),
        empty_distance_mm=empty_mm[series],
        frame_counter=np.array(
            [-1 if one.frame_counter is None else one.frame_counter for one in ordered], dtype=np.int64
        ),
        **{
            name: floats(name)
            for name in (
                "fill_fraction",
                "distance_mm",
                "temperature_c",
                "battery_percent",
                "battery_v",
                "rssi_dbm",
                "snr_db",
            )
        },
        **{name: flags(name) for name in ("tilted", "fire", "full")},
    )


def declared_of(world: World) -> DeclaredTable:
    """Return what the crews declared at the bins with a sensor; the series is the device's number."""
    series_of = {
        device.place_id: number for number, device in enumerate(world.devices) if device.place_kind is PlaceKind.BIN
    }
    rows = sorted(
        (
            series_of[event.place_id],
            event.happened_at.timestamp(),
            np.nan if event.found_fraction is None else event.found_fraction,
        )
        for event in world.declarations
        if event.place_id in series_of
    )
    return DeclaredTable(
        series=np.array([row[0] for row in rows], dtype=np.int64),
        at_s=np.array([row[1] for row in rows]),
        found=np.array([row[2] for row in rows]),
    )


def case_of(*, seed: int, faults: FaultOptions, bins: int = 100, days: int = 14) -> Case:
    world = world_of(seed=seed, bins=bins, days=days)
    table = table_of(readings_of(world, faults), world)
    bin_of = np.array([device.place_index for device in world.devices], dtype=np.int64)
    at_s = table.measured_us // 1_000_000
    ail = ailments(len(world.devices), faults, seed=seed, start_s=int(world.start.timestamp()))
    device_ids = np.arange(len(world.devices), dtype=np.int64) + 1
    return Case(
        world=world,
        table=table,
        habits=habits_of(days_of(table, device_ids), device_ids),
        declared=declared_of(world),
        device_ids=device_ids,
        until_s=world.history_until.timestamp(),
        true_fraction=world.fill.fractions(bin_of[table.series], at_s),
        dies_s=ail.dies_s,
        frozen=(at_s >= ail.frozen_from_s[table.series]) & (at_s < ail.frozen_until_s[table.series]),
    )


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
