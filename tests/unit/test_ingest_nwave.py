"""What is kept of a driver's tag: that there was one, and the place's state; never whose it was."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ingest.intake import IntakeRules, Taken, take_in_message
from ingest.message import Message
from ingest.topics import Network
from storage.model import Device, Mounting, PlaceKind, RegisteredDevice

INSEE, EUI = "93051", "0102030405060708"
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
TAG = bytes.fromhex("1f345678")


def take(frame: bytes, *, port: int) -> Taken:
    network = Network(name="lora", commune_insee=INSEE, envelope="chirpstack", topic_filter="#")
    mounting = Mounting(
        commune_insee=INSEE,
        device_id=1,
        place_id="PL-1",
        place_kind=PlaceKind.DELIVERY_BAY,
        mounted_at=NOW - timedelta(days=1),
    )
    device = Device(commune_insee=INSEE, eui=EUI, model="nwave-nps405", device_id=1)
    content = {
        "time": (NOW - timedelta(seconds=2)).isoformat(),
        "deviceInfo": {"devEui": EUI},
        "fPort": port,
        "data": base64.b64encode(frame).decode(),
    }
    message = Message(
        network=network,
        topic=f"application/1/device/{EUI}/event/up",
        payload=msgspec.json.encode(content),
        received_at=NOW,
    )
    registry = {(INSEE, EUI): RegisteredDevice(device=device, mountings=(mounting,))}
    return take_in_message(message, registry, IntakeRules(networks=(network,)))


@pytest.mark.parametrize("first", [0xD0, 0xD1])
def test_a_drivers_tag_is_not_kept(first: int):
    taken = take(bytes([first, 0x20]) + TAG, port=10)
    assert not taken.refused
    (event,) = taken.device_events
    assert event.kind == "user_registration"
    kept = [*taken.occupancy_readings, event]
    assert all(row.payload == bytes([first]) for row in kept)
    assert TAG.hex() not in msgspec.json.encode(event.detail).decode().lower()
    assert [reading.occupied for reading in taken.occupancy_readings] == [True] * (first & 1)


def test_what_comes_with_every_state_is_no_event():
    taken = take(bytes([0x95]), port=1)
    assert [reading.occupied for reading in taken.occupancy_readings] == [True]
    assert not taken.device_events
    assert taken.occupancy_readings[0].payload == bytes([0x95])
