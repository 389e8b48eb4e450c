"""Two readings of the devices' documents meet: what the simulator writes, the collector's intake must understand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from ingest.intake import IntakeRules, take_in_message
from ingest.message import Message
from ingest.topics import Network
from simulators.faults import FaultOptions
from simulators.messages import Expect
from simulators.timeline import Timeline
from simulators.world import World
from storage.model import Quality, RefusalReason, RegisteredDevice
from tests.commune import build

NETWORKS = (
    Network(name="native", commune_insee="93051", envelope="native", topic_filter="voirie/v1/93051/+/readings"),
    Network(
        name="chirpstack", commune_insee="93051", envelope="chirpstack", topic_filter="application/+/device/+/event/up"
    ),
)


def registry(world: World) -> dict[tuple[str, str], RegisteredDevice]:
    return {
        (device.commune_insee, device.eui): RegisteredDevice(
            device=replace(device.as_device(), device_id=number), mountings=(device.as_mounting(number),)
        )
        for number, device in enumerate(world.devices, start=1)
    }


def test_intake_makes_of_each_publication_what_is_expected():
    world = build()
    rules, known = IntakeRules(networks=NETWORKS), registry(world)
    place_of = {device.eui: device.place_index for device in world.devices}
    seen: Counter[Expect] = Counter()
    reasons: Counter[RefusalReason] = Counter()
    errors: list[float] = []
    for publication in Timeline(world, FaultOptions(garbage_rate=0.01)).publications(world.start, world.history_until):
        message = Message(
            network=rules.network_of(publication.topic),
            topic=publication.topic,
            payload=publication.payload,
            received_at=world.history_until,
        )
        taken = take_in_message(message, known, rules)
        readings = [*taken.fill_readings, *taken.occupancy_readings]
        seen[publication.expect] += 1
        match publication.expect:
            case Expect.READING:
                assert [reading.measured_at for reading in readings] == [publication.measured_at]
                assert not taken.refused
            case Expect.EVENT:
                assert [event.measured_at for event in taken.device_events] == [publication.measured_at]
                assert not readings
                assert not taken.refused
            case Expect.REFUSED:
                assert not readings
                assert not taken.device_events
                reasons[taken.refused[0].reason] += 1
        for reading in taken.fill_readings:
            if reading.quality is Quality.OK and reading.fill_fraction is not None:
                truth = world.fill_fraction(place_of[str(publication.eui)], reading.measured_at)
                errors.append(abs(reading.fill_fraction - truth))
    assert all(seen[expected] > 50 for expected in Expect)
    assert set(reasons) == {
        RefusalReason.MALFORMED_ENVELOPE,
        RefusalReason.MALFORMED_PAYLOAD,
        RefusalReason.TOO_LARGE,
        RefusalReason.IN_THE_FUTURE,
        RefusalReason.UNKNOWN_DEVICE,
    }
    assert np.median(errors) < 0.02
    assert np.quantile(errors, 0.95) < 0.1
