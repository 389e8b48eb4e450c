"""Whatever a network, or somebody else, publishes: an envelope ends as a good uplink or as a refusal, nothing else."""

from __future__ import annotations

import json
import math
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.envelopes import Uplink, open_envelope
from ingest.refusal import RefusedError
from ingest.topics import EnvelopeKind, Network, device_of
from storage.model import RefusalReason

FOLDER = Path(__file__).parent / "envelopes"
KINDS: tuple[EnvelopeKind, ...] = get_args(EnvelopeKind.__value__)
EUI = "24e124713d000001"
EXPECTED = {RefusalReason.MALFORMED_ENVELOPE, RefusalReason.UNKNOWN_TOPIC, RefusalReason.SIMULATED_UPLINK}
CAREFULLY = settings(derandomize=True, deadline=None, max_examples=200)

# Written as they stand, since JSON has no name for some of them.
HOSTILE_TEXTS = [
    "NaN",
    "-Infinity",
    "1e400",
    "-0.0",
    '"NaN"',
    '"inf"',
    '"1e400"',
    "9" * 400,
    '"' + "9" * 400 + '"',
    "-1",
    '"-1"',
    "4294967296",
    "1.5",
    "true",
    "null",
    "{}",
    "[]",
    "[null]",
    "[{}]",
    '""',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"é"',
    '"=="',
    '"AQ"',
    '"0x01"',
    '"0001-01-01T00:00:00+14:00"',
    '"9999-12-31T23:59:59.9999999-14:00"',
    '"2026-03-02T05:10:60Z"',
    '"2026-02-30T05:10:00Z"',
    '"24e124713d000001\\n"',
    '"urn:lo:nsid:lora:24e124713d000001\\n"',
    "[" * 3000 + "]" * 3000,
    '{"a":' * 3000 + "1" + "}" * 3000,
    '"' + "0" * 100_001 + '"',
]


def golden_messages(kind: EnvelopeKind) -> list[Any]:
    contents = [json.loads(case.read_text(encoding="utf-8")) for case in sorted((FOLDER / kind).glob("*.json"))]
    return [content["message"] for content in contents if "message" in content]


def places_in(value: Any, *path: str | int) -> list[tuple[str | int, ...]]:
    """The path of every value in a document, the document's own first."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in items for place in places_in(one, *path, key))]


def text_with(document: Any, place: tuple[str | int, ...], replacement: str) -> bytes:
    """The document's JSON with the value at `place` written as `replacement`, whatever that is."""
    mark = "a mark that is in no message"
    if not place:
        return replacement.encode()
    changed = json.loads(json.dumps(document))
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = mark
    return json.dumps(changed).replace(f'"{mark}"', replacement).encode()


def outcome_of(kind: EnvelopeKind, payload: bytes, topic_device: str | None) -> Uplink | RefusedError:
    try:
        return open_envelope(kind, "sonde-1" if kind == "native" else topic_device, payload)
    except RefusedError as refused:
        return refused


def ends_well(kind: EnvelopeKind, payload: bytes, *, topic_device: str | None = None) -> Uplink | None:
    uplink = outcome_of(kind, payload, topic_device)
    if isinstance(uplink, RefusedError):
        assert uplink.reason in EXPECTED
        assert uplink.detail.isprintable()
        assert len(uplink.detail) < 1000
        return None
    assert re.fullmatch("sonde-1|[0-9a-f]{16}", uplink.device_eui)
    assert sum(what is not None for what in (uplink.payload, uplink.records, uplink.decoded)) == 1
    assert uplink.network_time is None or uplink.network_time.utcoffset() == timedelta(0)
    assert uplink.f_port is None or 0 <= uplink.f_port <= 255
    assert uplink.frame_counter is None or 0 <= uplink.frame_counter < 2**32
    assert all(number is None or math.isfinite(number) for number in (uplink.rssi_dbm, uplink.snr_db))
    return uplink


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_may_be_hostile(kind: EnvelopeKind):
    """Every hostile text at every place of a whole message: no place is left to chance."""
    good = [message for message in golden_messages(kind) if ends_well(kind, json.dumps(message).encode())]
    whole = max(good, key=lambda message: len(json.dumps(message)))
    outcomes = [
        ends_well(kind, text_with(whole, place, hostile)) for place in places_in(whole) for hostile in HOSTILE_TEXTS
    ]
    assert any(outcomes), "what is not read may be anything"
    assert not all(outcomes), "what is read may not"


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_may_be_missing(kind: EnvelopeKind):
    for message in golden_messages(kind):
        for place in places_in(message)[1:]:
            changed = json.loads(json.dumps(message))
            holder = changed
            for key in place[:-1]:
                holder = holder[key]
            del holder[place[-1]]
            ends_well(kind, json.dumps(changed).encode())


@CAREFULLY
@given(kind=st.sampled_from(KINDS), payload=st.binary(max_size=300))
@example(kind="ttn", payload=b"[" * 200_000)
@example(kind="actility", payload=b'{"DevEUI_uplink":' * 100_000)
@example(kind="live_objects", payload=b'{"value":' * 100_000)
@example(kind="chirpstack", payload=b'{"object":' * 100_000)
@example(kind="native", payload=b'{"readings":[' * 100_000)
def test_bytes_of_any_kind(kind: EnvelopeKind, payload: bytes):
    assert ends_well(kind, payload) is None


@CAREFULLY
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_messages_cut_and_flipped(data: st.DataObject, kind: EnvelopeKind):
    text = json.dumps(data.draw(st.sampled_from(golden_messages(kind)))).encode()
    at = data.draw(st.integers(0, len(text) - 1))
    until = data.draw(st.integers(at, min(len(text), at + 20)))
    ends_well(kind, text[:at] + data.draw(st.binary(max_size=8)) + text[until:])
    assert ends_well(kind, text[:at]) is None, "half a message is none"


NAMES = [
    "deviceInfo",
    "devEui",
    "time",
    "object",
    "data",
    "rxInfo",
    "end_device_ids",
    "dev_eui",
    "uplink_message",
    "frm_payload",
    "decoded_payload",
    "received_at",
    "simulated",
    "DevEUI_uplink",
    "DevEUI",
    "Time",
    "payload_hex",
    "payload",
    "Lrrs",
    "Lrr",
    "streamId",
    "created",
    "metadata",
    "source",
    "value",
    "network",
    "lora",
    "readings",
]


@CAREFULLY
@given(
    kind=st.sampled_from(KINDS),
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner),
        max_leaves=30,
    ),
)
def test_documents_of_any_form(kind: EnvelopeKind, document: Any):
    ends_well(kind, json.dumps(document).encode())


TOPIC_LIKE = (
    "(v3/|fifo/|router/~event/v1/data/new/typ/x/dev/|device/|voirie/v1/93051/)"
    "[0-9a-fA-F/:.a-z]{0,40}(/event/up|/up|/readings)?"
)


def device_or_refusal(kind: EnvelopeKind, topic: str) -> str | RefusedError | None:
    network = Network(name="essai", commune_insee="93051", envelope=kind, topic_filter="#")
    try:
        return device_of(network, topic)
    except RefusedError as refused:
        return refused


@CAREFULLY
@given(kind=st.sampled_from(KINDS), topic=st.text(max_size=80) | st.from_regex(TOPIC_LIKE))
def test_topics_of_any_form(kind: EnvelopeKind, topic: str):
    device = device_or_refusal(kind, topic)
    if isinstance(device, RefusedError):
        assert device.reason is RefusalReason.UNKNOWN_TOPIC
        assert device.detail.isprintable()
    else:
        assert device is None or re.fullmatch("[A-Za-z0-9._-]{1,64}", device)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "native"])
def test_a_topic_s_device_must_be_the_payload_s(kind: EnvelopeKind):
    agreed = 0
    for message in golden_messages(kind):
        text = json.dumps(message).encode()
        if ends_well(kind, text, topic_device=EUI):
            agreed += 1
        assert ends_well(kind, text, topic_device="0" * 16) is None
    assert agreed
