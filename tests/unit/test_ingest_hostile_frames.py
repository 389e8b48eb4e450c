"""Whatever arrives, a decoder answers with what it read or with a refusal; and what it read is a value of JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.decoders import Decoded, DeviceModel, Info, built_in_models, decode_uplink
from ingest.envelopes import Uplink
from ingest.placing import events_once
from ingest.refusal import RefusedError
from storage.model import Quality

FOLDER = Path(__file__).parent / "payloads"
HOSTILE_VALUES = (None, True, -1, 10**400, 1e308, "", "NaN", "1e999", "mm", [], {}, [[]])
FROM_BYTES = sorted(name for name, model in built_in_models().items() if not model.takes_records)
FROM_OBJECTS = sorted(name for name, model in built_in_models().items() if model.read_object is not None)


def golden(model: str) -> Iterator[dict[str, Any]]:
    for path in sorted((FOLDER / model).glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))["uplink"]


def decoded_or_refused(model: DeviceModel, uplink: Uplink) -> Decoded | None:
    try:
        return decode_uplink(model, uplink)
    except RefusedError as refused:
        assert refused.detail  # noqa: PT017 - a refusal is one of two good ends
        return None


def assert_sound(decoded: Decoded | None) -> None:
    if decoded is None:
        return
    kinds = [info.kind for info in events_once(decoded.infos)]
    assert len(kinds) == len(set(kinds)), "an event's key is its kind: of two, one would be lost"
    json.dumps(msgspec.to_builtins(decoded.infos), allow_nan=False)
    for measurement in decoded.measurements:
        json.dumps(msgspec.to_builtins(measurement), allow_nan=False)
        if measurement.quality is not Quality.OK:
            assert measurement.own_fill_fraction is None
            assert measurement.occupied is None


@pytest.mark.parametrize("name", FROM_BYTES)
def test_cut_and_damaged_frames(name: str):
    model, dice = built_in_models()[name], random.Random(name)
    for given in golden(name):
        if "bytes" not in given:
            continue
        frame = bytes.fromhex(given["bytes"])
        ports = {given["f_port"], 0, 1, 2, 3, 5, 10, 85, None}
        damaged = [frame[:end] for end in range(len(frame) + 1)]
        for _ in range(60 if frame else 0):
            at = dice.randrange(len(frame))
            damaged.append(frame[:at] + bytes((dice.randrange(256),)) + frame[at + 1 :])
        damaged += [frame + frame, frame + b"\x00", bytes(len(frame)), b"\xff" * len(frame)]
        for one in damaged:
            for port in ports:
                assert_sound(decoded_or_refused(model, Uplink(device_eui="0" * 16, payload=one, f_port=port)))


@pytest.mark.parametrize("name", FROM_BYTES)
def test_noise(name: str):
    model, dice = built_in_models()[name], random.Random(f"noise of {name}")
    for _ in range(2_000):
        frame = dice.randbytes(dice.randrange(1, 60))
        port = dice.choice((0, 1, 2, 3, 4, 5, 6, 7, 10, 85, 192, None))
        assert_sound(decoded_or_refused(model, Uplink(device_eui="0" * 16, payload=frame, f_port=port)))


def test_several_events_of_one_kind_are_kept_as_one():
    alarms = tuple(Info(kind="alarm", detail={"number": number}) for number in range(3))
    told = (*alarms, Info(kind="axes", detail={}, transient=True), Info(kind="location", detail={"latitude_deg": 48.8}))
    first, second = events_once(told)
    assert (first.kind, first.detail) == ("alarm", {"each": [{"number": 0}, {"number": 1}, {"number": 2}]})
    assert (second.kind, second.detail) == ("location", {"latitude_deg": 48.8})


@pytest.mark.parametrize("name", FROM_OBJECTS)
def test_objects_with_hostile_values(name: str):
    model = built_in_models()[name]
    for given in golden(name):
        if "object" not in given:
            continue
        for field in given["object"]:
            for value in HOSTILE_VALUES:
                for hostile in (given["object"] | {field: value}, given["object"] | {field: {"value": value}}):
                    assert_sound(decoded_or_refused(model, Uplink(device_eui="0" * 16, decoded=hostile)))


@pytest.mark.parametrize("name", FROM_OBJECTS)
def test_every_object_reader_has_golden_objects_good_and_bad(name: str):
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((FOLDER / name).glob("*.json"))]
    objects = [content["expected"] for content in contents if "object" in content["uplink"]]
    assert any(expected.get("measurements") for expected in objects)
    assert any({"refused", "unreadable"} & expected.keys() for expected in objects)
