from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.decoders import built_in_models, decode_uplink
from ingest.envelopes import open_envelope
from ingest.refusal import RefusedError
from ingest.topics import EnvelopeKind
from storage.model import RefusalReason

EUI = "24e124713d000001"
TIME = "2026-03-02T05:10:00Z"
OBJECT = {"distance": 812, "battery": 92}


def event(**changes: Any) -> bytes:
    whole = {
        "time": "2026-03-02T05:10:00.482113+00:00",
        "deviceInfo": {"devEui": EUI, "tags": {"a": "b"}},
        "fCnt": 7,
        "fPort": 85,
        "data": "AXVc",
        "rxInfo": [{"rssi": -110, "snr": 9.5}, {"rssi": -97, "snr": 7.2}, {"gatewayId": "x"}],
    } | changes
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def test_chirpstack_event():
    uplink = open_envelope("chirpstack", EUI, event(rxInfo=[{"rssi": -110, "snr": 9.5}, {"rssi": -97, "snr": 7.2}]))
    assert uplink.device_eui == EUI
    assert uplink.payload == bytes.fromhex("01755c")
    assert uplink.network_time == datetime(2026, 3, 2, 5, 10, 0, 482113, tzinfo=UTC)
    assert (uplink.f_port, uplink.frame_counter) == (85, 7)
    assert (uplink.rssi_dbm, uplink.snr_db) == (-97, 7.2), "the best gateway's"


def test_what_proto3_leaves_out_is_zero():
    uplink = open_envelope("chirpstack", EUI, event(fCnt=..., fPort=..., data=..., rxInfo=...))
    assert (uplink.frame_counter, uplink.f_port, uplink.payload, uplink.rssi_dbm) == (0, 0, b"", None)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        pytest.param("2026-03-02T05:10:00.482113400Z", datetime(2026, 3, 2, 5, 10, 0, 482113, tzinfo=UTC), id="ns"),
        pytest.param("2026-03-02T06:10:00+01:00", datetime(2026, 3, 2, 5, 10, tzinfo=UTC), id="an offset"),
        pytest.param("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC), id="a gateway's unset clock"),
    ],
)
def test_times_are_utc(time: str, expected: datetime):
    assert open_envelope("chirpstack", EUI, event(time=time)).network_time == expected


def test_the_deveui_is_one_in_any_case():
    assert open_envelope("chirpstack", EUI, event(deviceInfo={"devEui": EUI.upper()})).device_eui == EUI


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[]", id="no object"),
        pytest.param(event()[:-20], id="cut"),
        pytest.param(event(time=...), id="no time"),
        pytest.param(event(time="2026-03-02T05:10:00"), id="a time without a zone"),
        pytest.param(event(time="0001-01-01T00:00:00+02:00"), id="a time before UTC's first"),
        pytest.param(event(time=None), id="null"),
        pytest.param(event(deviceInfo=...), id="no device"),
        pytest.param(event(deviceInfo={"devEui": "24e1"}), id="half a DevEUI"),
        pytest.param(event(deviceInfo={"devEui": "24e124713d000002"}), id="not the topic's device"),
        pytest.param(event(fCnt=-1), id="a negative counter"),
        pytest.param(event(fCnt=2**40), id="a counter beyond 32 bits"),
        pytest.param(event(fPort=256), id="a port beyond 8 bits"),
        pytest.param(event(data="AXVcA"), id="base64 cut in a quantum"),
        pytest.param(event(data="%%%%"), id="no base64"),
        pytest.param(event(data=[1, 2]), id="bytes as numbers"),
    ],
)
def test_what_is_no_uplink_event_is_refused(payload: bytes):
    with pytest.raises(RefusedError) as refusal:
        open_envelope("chirpstack", EUI, payload)
    assert refusal.value.reason is RefusalReason.MALFORMED_ENVELOPE
    assert "\0" not in refusal.value.detail


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("chirpstack", {"time": TIME, "deviceInfo": {"devEui": EUI}, "fPort": 85, "object": OBJECT}),
        (
            "ttn",
            {"end_device_ids": {"dev_eui": EUI}, "received_at": TIME, "uplink_message": {"decoded_payload": OBJECT}},
        ),
        ("actility", {"DevEUI_uplink": {"Time": TIME, "DevEUI": EUI, "payload": OBJECT}}),
        (
            "live_objects",
            {"streamId": "s", "created": TIME, "metadata": {"source": f"urn:lo:nsid:lora:{EUI}"}, "value": OBJECT},
        ),
    ],
)
def test_what_a_network_decoded_is_read_where_the_bytes_are_missing(kind: EnvelopeKind, message: dict[str, Any]):
    uplink = open_envelope(kind, None, json.dumps(message).encode())
    assert (uplink.payload, uplink.decoded) == (None, OBJECT)
    (measurement,) = decode_uplink(built_in_models()["milesight-em310-udl"], uplink).measurements
    assert (measurement.distance_mm, measurement.battery_percent) == (812, 92)


def test_native_records_stay_apart():
    body = b'{"frame_counter": 3, "readings": [{"a": 1}, {"b": [1, 2]}], "later": true}'
    uplink = open_envelope("native", "sonde-1", body)
    assert uplink.records == (b'{"a": 1}', b'{"b": [1, 2]}')
    assert (uplink.device_eui, uplink.frame_counter, uplink.payload) == ("sonde-1", 3, None)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"{}", id="no readings"),
        pytest.param(b'{"readings": []}', id="an empty list"),
        pytest.param(b'{"readings": 812}', id="a number"),
        pytest.param(b'{"readings": [' + b",".join([b"{}"] * 1001) + b"]}", id="too many"),
        pytest.param(b'{"readings": [{}], "frame_counter": "7"}', id="a counter in text"),
    ],
)
def test_what_is_no_native_message_is_refused(payload: bytes):
    with pytest.raises(RefusedError) as refusal:
        open_envelope("native", "sonde-1", payload)
    assert refusal.value.reason is RefusalReason.MALFORMED_ENVELOPE
