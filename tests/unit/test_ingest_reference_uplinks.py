"""The device repository's uplinks of Milesight's and Dragino's sensors, from bytes and from what its codecs made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.decoders import Measurement, built_in_models, decode_uplink
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError
from tests.tools import missing

MAKERS = {"milesight-iot": "milesight", "dragino": "dragino"}


def examples(reference_data: Path, maker: str) -> list[dict[str, Any]]:
    """The maker's examples whose models we read, with our name of the model."""
    content = json.loads((reference_data / "lorawan" / "uplink_examples.json").read_text(encoding="utf-8"))
    ours = [
        example | {"model": f"{MAKERS[maker]}-{example['device'].lower()}"}
        for example in content
        if example["vendor"] == maker
    ]
    if not ours:
        missing(f"uplinks of {maker} in the reference data")
    assert {example["model"] for example in ours} <= built_in_models().keys()
    return ours


def sent(example: dict[str, Any]) -> Uplink:
    return Uplink(device_eui="0" * 16, payload=bytes.fromhex(example["bytes_hex"]), f_port=example["fPort"])


def decoded_by_the_network(example: dict[str, Any]) -> Uplink:
    return Uplink(device_eui="0" * 16, decoded=example["expected"]["data"], f_port=example["fPort"])


def only_measurement(example: dict[str, Any], uplink: Uplink) -> Measurement:
    (measurement,) = decode_uplink(built_in_models()[example["model"]], uplink).measurements
    return measurement


@pytest.mark.parametrize("read", [sent, decoded_by_the_network])
def test_milesight(reference_data: Path, read: Any):
    for example in examples(reference_data, "milesight-iot"):
        theirs = example["expected"]["data"]
        measurement = only_measurement(example, read(example))
        assert measurement.distance_mm == theirs["distance"]
        assert measurement.battery_percent == theirs["battery"]
        assert measurement.temperature_c == theirs.get("temperature")
        assert measurement.tilted == (theirs.get("position", theirs.get("tilt")) == "tilt")


@pytest.mark.parametrize("read", [sent, decoded_by_the_network])
def test_dragino(reference_data: Path, read: Any):
    for example in examples(reference_data, "dragino"):
        if "data" not in example["expected"]:
            continue
        theirs = example["expected"]["data"]
        measurement = only_measurement(example, read(example))
        assert f"{measurement.distance_mm} mm" == theirs["Distance"]
        assert measurement.battery_v == theirs["Bat"]
        assert measurement.temperature_c == float(theirs["TempC_DS18B20"])


def test_what_the_repository_calls_an_error_is_refused(reference_data: Path):
    wrong = [
        example for maker in MAKERS for example in examples(reference_data, maker) if "errors" in example["expected"]
    ]
    assert wrong
    for example in wrong:
        with pytest.raises(RefusedError):
            decode_uplink(built_in_models()[example["model"]], sent(example))


def test_stored_moments_keep_their_own_bytes_and_the_present_keeps_the_whole_payload():
    models = built_in_models()
    past = "20ce10e5a4692c03", "20ce68e7a4692003"
    frame = bytes.fromhex("03822c03" + "".join(past))
    present, *stored = decode_uplink(models["milesight-em500-udl"], Uplink(device_eui="1", payload=frame)).measurements
    assert present.raw is None
    assert [measurement.raw for measurement in stored] == [bytes.fromhex(raw) for raw in past]

    record = bytes.fromhex("0ceb02de0ccc4069a51910"), bytes.fromhex("0ceb02e60ccc4069a51dc0")
    log = Uplink(device_eui="1", payload=b"".join(record), f_port=3)
    logged = decode_uplink(models["dragino-dds45-lb"], log).measurements
    assert [measurement.raw for measurement in logged] == list(record)
    assert logged[0].measured_at != logged[1].measured_at


@pytest.mark.parametrize("model", ["milesight-em310-udl", "dragino-dds75-lb", "netvox-r718x"])
def test_what_the_network_decoded_is_kept_as_its_json(model: str):
    decoded = {"distance": 812, "Distance": 812}
    (measurement,) = decode_uplink(built_in_models()[model], Uplink(device_eui="1", decoded=decoded)).measurements
    assert json.loads(measurement.raw or b"") == decoded
