"""Golden payloads: a folder a model, a file a case, from the makers' documents. Add a case by adding a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.decoders import Decoded, built_in_models, decode_uplink
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError
from tests.tools import missing

FOLDER = Path(__file__).parent / "payloads"
CASES = sorted(FOLDER.glob("*/*.json"))


def uplink(given: dict[str, Any]) -> Uplink:
    if "object" in given:
        return Uplink(device_eui="24e124713d000001", decoded=given["object"], f_port=given.get("f_port"))
    if "records" in given:
        return Uplink(device_eui="sonde-1", records=tuple(msgspec.json.encode(record) for record in given["records"]))
    return Uplink(device_eui="24e124713d000001", payload=bytes.fromhex(given["bytes"]), f_port=given["f_port"])


def said(decoded: Decoded) -> dict[str, Any]:
    """What the decoder said, in JSON's types, without what it left open."""
    measurements = [
        {name: value for name, value in msgspec.to_builtins(measurement).items() if value is not None and name != "raw"}
        for measurement in decoded.measurements
    ]
    for measurement in measurements:
        if "measured_at" in measurement:
            measurement["measured_at"] = measurement["measured_at"].replace("Z", "+00:00")
    return {
        "measurements": measurements,
        "infos": msgspec.to_builtins(decoded.infos),
        "unreadable": [refused.reason.value for refused in decoded.unreadable],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden_payload(case: Path):
    content = json.loads(case.read_text(encoding="utf-8"))
    model = built_in_models()[case.parent.name]
    expected = content["expected"]
    if "refused" in expected:
        with pytest.raises(RefusedError) as refusal:
            decode_uplink(model, uplink(content["uplink"]))
        assert refusal.value.reason.value == expected["refused"], content["why"]
        assert refusal.value.detail
    else:
        found = said(decode_uplink(model, uplink(content["uplink"])))
        wanted = {"measurements": [], "infos": [], "unreadable": []} | expected
        assert {name: list(value) for name, value in found.items()} == wanted, content["why"]


def test_every_model_has_golden_payloads_good_and_bad():
    for model in built_in_models():
        contents = [json.loads(case.read_text(encoding="utf-8")) for case in CASES if case.parent.name == model]
        assert any(content["expected"].get("measurements") for content in contents), model
        refused = [content for content in contents if {"refused", "unreadable"} & content["expected"].keys()]
        assert refused, model
        assert all(content["why"] and content["source"] for content in contents), model


def test_every_model_is_read_from_what_a_network_decoded():
    """Some networks send nothing else; a model whose uplinks are records already is Voirie's own."""
    assert [name for name, model in built_in_models().items() if model.read_object is None] == ["voirie-native"]


def test_a_network_s_object_is_no_native_message():
    with pytest.raises(RefusedError, match="carries no records"):
        decode_uplink(built_in_models()["voirie-native"], Uplink(device_eui="0" * 16, decoded={"distance": 1}))


@pytest.mark.parametrize(
    ("model", "vendor", "device"),
    [("milesight-em310-udl", "milesight-iot", "EM310-UDL"), ("bosch-tps110", "bosch", "TPS110 (fw 0.29.2)")],
)
def test_reference_uplinks_of_the_model(reference_data: Path, model: str, vendor: str, device: str):
    examples = json.loads((reference_data / "lorawan" / "uplink_examples.json").read_text(encoding="utf-8"))
    ours = [example for example in examples if (example["vendor"], example["device"]) == (vendor, device)]
    if not ours:
        missing(f"uplinks of {device} in the reference data")
    for example in ours:
        theirs = example["expected"]["data"]
        sent = Uplink(device_eui="0" * 16, payload=bytes.fromhex(example["bytes_hex"]), f_port=example["fPort"])
        (measurement,) = decode_uplink(built_in_models()[model], sent).measurements
        assert measurement.occupied == theirs.get("occupied")
        assert measurement.distance_mm == theirs.get("distance")
        assert measurement.battery_percent == theirs.get("battery")
        assert measurement.temperature_c == theirs.get("temperature")
        assert measurement.tilted == ((theirs["tilt"] == "tilt") if "tilt" in theirs else None)
