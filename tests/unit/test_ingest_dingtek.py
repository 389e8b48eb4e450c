"""Dingtek's reference uplinks, and what its level sensor under a tank means for the level."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.decoders import Measurement, built_in_models, decode_uplink
from ingest.envelopes import Uplink
from ingest.quality import QualityRules, judge_level
from storage.model import Mounting, PlaceKind, Quality
from tests.tools import missing

TANK = Mounting(
    commune_insee="93051",
    device_id=1,
    place_id="COR-1",
    place_kind=PlaceKind.BIN,
    mounted_at=datetime(2026, 3, 1, tzinfo=UTC),
    empty_distance_mm=1000,
    full_distance_mm=0,
)


def reference_uplinks(reference_data: Path, device: str) -> list[dict[str, Any]]:
    examples = json.loads((reference_data / "lorawan" / "uplink_examples.json").read_text(encoding="utf-8"))
    ours = [example for example in examples if (example["vendor"], example["device"]) == ("dingtek", device)]
    if not ours:
        missing(f"uplinks of {device} in the reference data")
    return ours


def decoded_once(model: str, example: dict[str, Any]) -> Measurement:
    sent = Uplink(device_eui="0" * 16, payload=bytes.fromhex(example["bytes_hex"]), f_port=example["fPort"])
    (measurement,) = decode_uplink(built_in_models()[model], sent).measurements
    return measurement


def test_reference_uplinks_of_the_bin_sensor(reference_data: Path):
    for example in reference_uplinks(reference_data, "DF702"):
        theirs = example["expected"]["data"]
        measurement = decoded_once("dingtek-df702", example)
        assert f"{measurement.distance_mm} mm" == theirs["level"]
        assert f"{measurement.temperature_c} ℃" == theirs["temperature"]
        assert (measurement.full, measurement.fire, measurement.tilted) == (
            theirs["full"],
            theirs["fire"],
            theirs["tilt"],
        )


def test_reference_uplinks_of_the_bay_sensor(reference_data: Path):
    for example in reference_uplinks(reference_data, "DO200"):
        theirs = example["expected"]["data"]
        measurement = decoded_once("dingtek-do200", example)
        assert measurement.occupied == theirs["alarmPark"]
        assert measurement.battery_v == theirs["volt"]


@pytest.mark.parametrize("model", ["dingtek-df702", "dingtek-df703", "dingtek-df530", "dingtek-dc410"])
def test_bytes_and_objects_of_one_frame_say_the_same(model: str):
    # The published codecs' output for the frame beside it (vendor/dingtek, *-codec.yaml).
    frame = "80000102110064000a000000000007" + "0081"
    objects: dict[str, dict[str, Any]] = {
        "dingtek-df702": {
            "level": "100 mm",
            "full": False,
            "fire": False,
            "tilt": False,
            "battery": False,
            "angle": "0 °",
            "temperature": "10 ℃",
        },
        "dingtek-df703": {
            "level": 100,
            "alarmLevel": False,
            "alarmFire": False,
            "alarmFall": False,
            "alarmBattery": False,
            "angle": 0,
            "temperature": 10,
            "frameCounter": 7,
        },
        "dingtek-df530": {
            "level": "100 mm",
            "empty": False,
            "battery": False,
            "temperature": "10 ℃",
            "frame_counter": 7,
        },
        "dingtek-dc410": {
            "level": "100 mm",
            "full": False,
            "motion": False,
            "battery": False,
            "angle": "0 °",
            "temperature": "10 ℃",
            "frame_counter": 7,
        },
    }
    kind = built_in_models()[model]
    from_bytes = decode_uplink(kind, Uplink(device_eui="0" * 16, payload=bytes.fromhex(frame), f_port=3))
    from_object = decode_uplink(kind, Uplink(device_eui="0" * 16, decoded=objects[model]))
    assert from_bytes.measurements == from_object.measurements


@pytest.mark.parametrize(("height_mm", "fill"), [(15, 0.015), (500, 0.5), (1000, 1.0)])
def test_a_sensor_below_sees_the_contents_height(height_mm: int, fill: float):
    seen = Measurement(distance_mm=height_mm, from_below=True)
    level = judge_level(seen, TANK, QualityRules())
    assert (level.quality, level.fill_fraction) == (Quality.OK, pytest.approx(fill))


def test_a_nearly_empty_tank_is_not_full():
    frame = bytes.fromhex("800001021100 0f00190000100000000081".replace(" ", ""))
    (measurement,) = decode_uplink(
        built_in_models()["dingtek-df530"], Uplink(device_eui="0" * 16, payload=frame, f_port=3)
    ).measurements
    level = judge_level(measurement, TANK, QualityRules())
    assert level.fill_fraction is not None
    assert level.fill_fraction < 0.05
    assert not measurement.full
