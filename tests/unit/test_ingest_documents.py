"""The examples of docs/mqtt.md, taken out of the document and through intake; and its tables, against the code."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest

from ingest.decoders import built_in_models
from ingest.intake import IntakeRules, Taken, take_in_message
from ingest.message import Message
from ingest.topics import EnvelopeKind, Network
from storage.model import Device, Mounting, PlaceKind, Quality, RefusalReason, RegisteredDevice
from tests.tools import REPOSITORY

TEXT = (REPOSITORY / "docs" / "mqtt.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: ([a-z-]+) -->\n```json\n(.*?)```", TEXT, re.DOTALL))
INSEE = "93051"
ENVELOPES: dict[str, EnvelopeKind] = {
    "native": "native",
    "chirpstack": "chirpstack",
    "ttn": "ttn",
    "actility": "actility",
    "live-objects": "live_objects",
}
TOPICS: dict[EnvelopeKind, str] = {
    "native": f"voirie/v1/{INSEE}/{{eui}}/readings",
    "chirpstack": "application/9f1c/device/{eui}/event/up",
    "ttn": "v3/corbeilles@ville/devices/cor-0001/up",
    "actility": "mqtt/things/{eui}/uplink",
    "live_objects": "fifo/corbeilles",
}
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
REVIEWED = {
    Quality.IMPOSSIBLE_JUMP,
    Quality.UNCONFIRMED,
    Quality.STUCK,
    Quality.BLOCKED,
    Quality.OUT_OF_CALIBRATION,
}


def take(example: str, *, eui: str, model: str, kind: PlaceKind) -> Taken:
    envelope = ENVELOPES[example.rpartition("-")[0]]
    topic = TOPICS[envelope].format(eui=eui)
    network = Network(name="doc", commune_insee=INSEE, envelope=envelope, topic_filter="#")
    mounting = Mounting(
        commune_insee=INSEE,
        device_id=1,
        place_id="ICI",
        place_kind=kind,
        mounted_at=NOW - timedelta(days=1),
        empty_distance_mm=1000,
        full_distance_mm=200,
    )
    device = Device(commune_insee=INSEE, eui=eui, model=model, device_id=1)
    registry = {(INSEE, eui): RegisteredDevice(device=device, mountings=(mounting,))}
    message = Message(network=network, topic=topic, payload=EXAMPLES[example].encode(), received_at=NOW)
    return take_in_message(message, registry, IntakeRules(networks=(network,)))


def test_native_bin():
    taken = take("native-bin", eui="sonde-1", model="voirie-native", kind=PlaceKind.BIN)
    first, second = taken.fill_readings
    assert (first.fill_fraction, first.distance_mm, first.temperature_c, first.frame_counter) == (
        0.235,
        812,
        11.5,
        1041,
    )
    assert (second.quality, second.fill_fraction) == (Quality.NO_TARGET, None)
    assert not taken.refused


def test_native_space():
    taken = take("native-space", eui="sonde-2", model="voirie-native", kind=PlaceKind.PARKING_SPACE)
    (reading,) = taken.occupancy_readings
    assert (reading.occupied, reading.measured_at) == (True, datetime(2026, 3, 2, 7, 5, tzinfo=UTC))


@pytest.mark.parametrize("example", ["chirpstack-bin", "ttn-bin", "actility-bin", "live-objects-bin"])
def test_one_frame_by_four_networks(example: str):
    taken = take(example, eui="24e124713d000001", model="milesight-em310-udl", kind=PlaceKind.BIN)
    (reading,) = taken.fill_readings
    assert (reading.distance_mm, reading.battery_percent, reading.frame_counter) == (812, 92, 1041)
    assert (reading.rssi_dbm, reading.snr_db) == (-97, 7.2)
    assert reading.measured_at.replace(microsecond=0) == datetime(2026, 3, 2, 5, 10, tzinfo=UTC)
    assert reading.network_time == reading.measured_at


def test_chirpstack_bay():
    taken = take("chirpstack-bay", eui="58a0cb0000200001", model="bosch-tps110", kind=PlaceKind.DELIVERY_BAY)
    (reading,) = taken.occupancy_readings
    assert (reading.occupied, reading.frame_counter) == (True, 0)


def test_every_example_is_tested():
    tested = {"native-bin", "native-space", "chirpstack-bin", "chirpstack-bay"}
    assert set(EXAMPLES) == tested | {"ttn-bin", "actility-bin", "live-objects-bin"}
    for example in EXAMPLES.values():
        msgspec.json.decode(example)


def test_every_envelope_is_documented():
    table = TEXT.split("| envelope | who publishes |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == set(TOPICS)
    assert set(TOPICS) == set(get_args(EnvelopeKind.__value__))


def first_cells(heading: str) -> set[str]:
    """The codes in the first column of the table under a heading."""
    section = TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([a-z0-9_-]+)` \|", section, re.MULTILINE))


def test_the_tables_name_what_the_code_knows():
    assert first_cells("Refused messages") == {reason.value for reason in RefusalReason}
    judged_at_intake = set(Quality) - REVIEWED - {Quality.OK}
    assert first_cells("No measurement") == {quality.value for quality in judged_at_intake}
    assert first_cells("Models") == set(built_in_models())
