"""What the sensors of a simulated commune's bays and spaces report, beside who really stood there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from ingest.intake import IntakeRules, take_in_message
from ingest.message import Message
from ingest.topics import Network, network_of
from optimise.occupancy.frames import told_by
from optimise.occupancy.reports import NO_COUNTER, Report
from simulators.faults import FaultOptions, ailments
from simulators.timeline import Timeline
from simulators.world import World, build_world
from storage.model import OccupancyReading, PlaceKind, RegisteredDevice
from tests.commune import START, streets

INSEE = "93051"
NETWORKS = (
    Network(name="native", commune_insee=INSEE, envelope="native", topic_filter=f"voirie/v1/{INSEE}/+/readings"),
    Network(
        name="chirpstack", commune_insee=INSEE, envelope="chirpstack", topic_filter="application/+/device/+/event/up"
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stay:
    """One true stay as its sensor could tell it at best (its lag included), Unix seconds."""

    arrived_s: float
    left_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SessionCase:
    """Reports and truth by place; `alive_until_s` is when each place's sensor died, or the end."""

    world: World
    reports: Mapping[str, list[Report]]
    stays: Mapping[str, list[Stay]]
    alive_until_s: Mapping[str, float]


def town(*, seed: int, bays: int, spaces: int, days: int, native_share: float = 0.1) -> World:
    return build_world(
        streets(), seed=seed, start=START, days=days, bins=4, sensor_share=0.0, bays=bays, spaces=spaces,
        native_share=native_share,
    )  # fmt: skip


def occupancy_readings_of(world: World, faults: FaultOptions) -> list[OccupancyReading]:
    """Return what a collector would store of the history, in the order of arrival, each reading once."""
    rules = IntakeRules(networks=NETWORKS)
    registry = {
        (INSEE, device.eui): RegisteredDevice(
            device=replace(device.as_device(), device_id=number + 1), mountings=(device.as_mounting(number + 1),)
        )
        for number, device in enumerate(world.devices)
    }
    found: dict[tuple[int, datetime, int], OccupancyReading] = {}
    for publication in Timeline(world, faults).publications(world.start, world.history_until):
        network = network_of(NETWORKS, publication.topic)
        assert network is not None
        message = Message(
            network=network, topic=publication.topic, payload=publication.payload, received_at=publication.arrives_at
        )
        for reading in take_in_message(message, registry, rules).occupancy_readings:
            found.setdefault((reading.device_id, reading.measured_at, reading.record_index), reading)
    return list(found.values())


def report_of(reading: OccupancyReading, model: str) -> Report:
    return Report(
        at_us=round(reading.measured_at.timestamp() * 1_000_000),
        occupied=reading.occupied,
        told=told_by(model, -1 if reading.payload is None else len(reading.payload)),
        device_id=reading.device_id,
        record_index=reading.record_index,
        counter=NO_COUNTER if reading.frame_counter is None else reading.frame_counter,
    )


def case_of(*, seed: int, faults: FaultOptions, bays: int = 20, spaces: int = 20, days: int = 14) -> SessionCase:
    world = town(seed=seed, bays=bays, spaces=spaces, days=days)
    reports: dict[str, list[Report]] = defaultdict(list)
    for reading in occupancy_readings_of(world, faults):
        reports[reading.place_id].append(report_of(reading, world.devices[reading.device_id - 1].model))
    until_s = world.history_until.timestamp()
    dies_s = ailments(len(world.devices), faults, seed=seed, start_s=int(world.start.timestamp())).dies_s
    stays: dict[str, list[Stay]] = {}
    alive: dict[str, float] = {}
    for number, device in enumerate(world.devices):
        if device.place_kind is PlaceKind.BIN:
            continue
        truth = world.bays_truth if device.place_kind is PlaceKind.DELIVERY_BAY else world.spaces_truth
        sessions = truth.sessions_until(int(until_s))
        mine = np.flatnonzero(sessions.place == device.place_index)
        stays[device.place_id] = [
            Stay(
                arrived_s=float(sessions.arrive_s[index] + device.lag_s),
                left_s=float(sessions.depart_s[index] + device.lag_s),
            )
            for index in mine
        ]
        alive[device.place_id] = min(until_s, float(dies_s[number]))
    return SessionCase(world=world, reports=reports, stays=stays, alive_until_s=alive)


def with_flutter(case: SessionCase, *, share: float, seed: int) -> SessionCase:
    """Return the case with sensors that cannot decide: a share of the changes comes with a burst of opposite states."""
    generator = np.random.default_rng(seed)
    reports = {}
    for place_id, told in case.reports.items():
        burst: list[Report] = []
        for report in told:
            if report.occupied is None or generator.random() >= share:
                continue
            at_us = report.at_us
            for turn in range(2 * int(generator.integers(1, 4))):
                at_us += int(generator.uniform(2, 12) * 1e6)
                state = not report.occupied if turn % 2 == 0 else report.occupied
                burst.append(replace(report, at_us=at_us, occupied=state, counter=NO_COUNTER))
        reports[place_id] = told + burst
    return replace(case, reports=reports)
