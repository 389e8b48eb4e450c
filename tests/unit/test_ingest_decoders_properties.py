"""What all decoders promise, whatever they are given: bytes of chance on any port, and JSON of chance as an object."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.decoders import Decoded, DeviceModel, built_in_models, decode_uplink
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError
from storage.model import Quality

MODELS = built_in_models()
FIRST_SOLD = datetime(2018, 1, 1, tzinfo=UTC)
# The same examples in every run; the pace of a shared machine says nothing of a decoder.
STEADY = settings(derandomize=True, deadline=None, database=None, max_examples=60)
PAYLOADS = Path(__file__).parent / "payloads"
PORTS = st.one_of(st.none(), st.sampled_from((1, 2, 3, 4, 5, 6, 7, 85)), st.integers(0, 255))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.just(10**400), st.floats(), st.text(max_size=8)),
    lambda values: st.one_of(
        st.lists(values, max_size=3),
        st.dictionaries(st.text(max_size=6), values, max_size=3),
    ),
    max_leaves=8,
)


@cache
def golden_uplinks(model: str) -> list[dict[str, Any]]:
    return [json.loads(case.read_text(encoding="utf-8"))["uplink"] for case in sorted(PAYLOADS.glob(f"{model}/*.json"))]


@st.composite
def payloads(draw: st.DrawFn, model: str) -> bytes:
    """Chance, or a frame that the model sends, cut, lengthened, or with some bytes changed: most are nearly right."""
    frames = [bytes.fromhex(given["bytes"]) for given in golden_uplinks(model) if "bytes" in given]
    if not frames or draw(st.integers(0, 3)) == 0:
        return draw(st.binary(max_size=64))
    frame = bytearray(draw(st.sampled_from(frames)))
    for _ in range(draw(st.integers(0, 3))):
        if frame:
            frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame[: draw(st.integers(0, len(frame)))] if draw(st.booleans()) else frame) + draw(
        st.binary(max_size=12)
    )


@st.composite
def objects(draw: st.DrawFn, model: str) -> dict[str, Any]:
    """Chance under the names that the model's codec writes."""
    known = [given["object"] for given in golden_uplinks(model) if "object" in given]
    names = sorted({name for each in known for name in each})
    if not names:
        return draw(st.dictionaries(st.text(max_size=6), JSON, max_size=5))
    decoded = dict(draw(st.sampled_from(known)))
    decoded |= draw(st.dictionaries(st.one_of(st.sampled_from(names), st.text(max_size=6)), JSON, max_size=3))
    return decoded


def read(model: DeviceModel, uplink: Uplink) -> Decoded | None:
    """What was decoded; None when it was refused. Whatever else is raised, the test fails with it."""
    try:
        return decode_uplink(model, uplink)
    except RefusedError:
        return None


def assert_honest(decoded: Decoded) -> None:
    assert decoded.measurements or decoded.infos or decoded.unreadable
    for measurement in decoded.measurements:
        if measurement.quality is not Quality.OK:
            assert measurement.own_fill_fraction is None
            assert measurement.occupied is None
        assert measurement.distance_mm is None or measurement.distance_mm >= 0
        # A clock that was never set must not write history.
        assert measurement.measured_at is None or measurement.measured_at >= FIRST_SOLD
    for refused in decoded.unreadable:
        assert refused.detail
    # Events and signals go into JSON and into tables.
    msgspec.json.encode([decoded.infos, decoded.measurements])


@pytest.mark.parametrize("name", sorted(name for name, model in MODELS.items() if not model.takes_records))
@STEADY
@given(data=st.data())
def test_any_bytes_on_any_port_are_decoded_or_refused(name: str, data: st.DataObject):
    uplink = Uplink(device_eui="0" * 16, payload=data.draw(payloads(name)), f_port=data.draw(PORTS))
    decoded = read(MODELS[name], uplink)
    if decoded is not None:
        assert_honest(decoded)


@pytest.mark.parametrize("name", sorted(name for name, model in MODELS.items() if model.read_object is not None))
@STEADY
@given(data=st.data())
def test_any_object_is_read_or_refused(name: str, data: st.DataObject):
    decoded = read(MODELS[name], Uplink(device_eui="0" * 16, decoded=data.draw(objects(name))))
    if decoded is not None:
        assert_honest(decoded)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_golden_frames_reach_what_the_properties_promise(name: str):
    """Chance alone would seldom get past the first byte: the frames that chance starts from must be decoded."""
    given_uplinks = golden_uplinks(name)
    assert given_uplinks
    if not MODELS[name].takes_records:
        sent = [
            Uplink(device_eui="0" * 16, payload=bytes.fromhex(given["bytes"]), f_port=given["f_port"])
            for given in given_uplinks
            if "bytes" in given
        ]
        read_ones = [decoded for uplink in sent if (decoded := read(MODELS[name], uplink)) is not None]
        assert any(decoded.measurements for decoded in read_ones)
        for decoded in read_ones:
            assert_honest(decoded)
