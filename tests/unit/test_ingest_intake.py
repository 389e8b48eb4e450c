from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decoders import Decoded, built_in_models
from ingest.envelopes import Uplink
from ingest.intake import IntakeRules, Taken, take_in_message
from ingest.message import Message
from ingest.quality import QualityRules
from ingest.topics import Network
from storage.model import Device, Mounting, PlaceKind, Quality, RefusalReason, RegisteredDevice

INSEE = "93051"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BIN, BAY, NATIVE_BIN, STOCK = "24e124713d000001", "58a0cb0000200001", "sonde-1", "24e124713d0000ff"
CHIRPSTACK = Network(
    name="lora", commune_insee=INSEE, envelope="chirpstack", topic_filter="application/+/device/+/event/up"
)
NATIVE = Network(name="natif", commune_insee=INSEE, envelope="native", topic_filter=f"voirie/v1/{INSEE}/+/readings")
RULES = IntakeRules(networks=(CHIRPSTACK, NATIVE))


def device(number: int, eui: str, model: str, *mountings: Mounting) -> RegisteredDevice:
    registered = Device(commune_insee=INSEE, eui=eui, model=model, device_id=number)
    return RegisteredDevice(device=registered, mountings=mountings)


def mounting(number: int, place_id: str, kind: PlaceKind, **changes: Any) -> Mounting:
    known = {"mounted_at": NOW - timedelta(days=30)} | changes
    return Mounting(commune_insee=INSEE, device_id=number, place_id=place_id, place_kind=kind, **known)


GEOMETRY = {"empty_distance_mm": 1000, "full_distance_mm": 200}
REGISTRY = {
    (INSEE, registered.device.eui): registered
    for registered in (
        device(1, BIN, "milesight-em310-udl", mounting(1, "COR-0001", PlaceKind.BIN, **GEOMETRY)),
        device(2, BAY, "bosch-tps110", mounting(2, "ADL-01", PlaceKind.DELIVERY_BAY)),
        device(3, NATIVE_BIN, "voirie-native", mounting(3, "COR-0002", PlaceKind.BIN, **GEOMETRY)),
        device(4, STOCK, "milesight-em310-udl"),
        device(5, "24e124713d000005", "of-another-maker", mounting(5, "COR-0003", PlaceKind.BIN)),
        device(6, "24e124713d000006", "milesight-em310-udl", mounting(6, "STA-0001", PlaceKind.PARKING_SPACE)),
        device(7, "58a0cb0000200007", "bosch-tps110", mounting(7, "COR-0004", PlaceKind.BIN)),
        device(8, "58a0cb0000200008", "voirie-native", mounting(8, "COR-0005", PlaceKind.BIN)),
        device(
            9,
            "24e124713d000009",
            "milesight-em310-udl",
            mounting(9, "COR-0007", PlaceKind.BIN, mounted_at=NOW - timedelta(days=1), **GEOMETRY),
            mounting(9, "COR-0006", PlaceKind.BIN, unmounted_at=NOW - timedelta(days=2), **GEOMETRY),
        ),
    )
}


def uplink(eui: str, frame: str, *, port: int = 85, at: datetime = NOW, **changes: Any) -> Message:
    body = {
        "time": at.isoformat(),
        "deviceInfo": {"devEui": eui},
        "fPort": port,
        "data": b64encode(bytes.fromhex(frame)).decode(),
        "fCnt": 7,
    } | changes
    return Message(
        network=CHIRPSTACK,
        topic=f"application/x/device/{eui}/event/up",
        payload=json.dumps(body).encode(),
        received_at=NOW,
    )


def whole(payload: bytes) -> Message:
    return Message(CHIRPSTACK, f"application/1/device/{BIN}/event/up", payload, NOW)


def native(*records: Mapping[str, Any], eui: str = NATIVE_BIN) -> Message:
    payload = json.dumps({"readings": records}).encode()
    return Message(network=NATIVE, topic=f"voirie/v1/{INSEE}/{eui}/readings", payload=payload, received_at=NOW)


def take(message: Message, rules: IntakeRules = RULES) -> Taken:
    return take_in_message(message, REGISTRY, rules)


def reasons(taken: Taken) -> list[RefusalReason]:
    return [refused.reason for refused in taken.refused]


def test_a_bin_s_distance_becomes_its_fill():
    taken = take(uplink(BIN, "01 75 5c 03 82 58 02 04 00 00"))
    (reading,) = taken.fill_readings
    assert (reading.place_id, reading.device_id, reading.measured_at) == ("COR-0001", 1, NOW)
    assert (reading.quality, reading.fill_fraction, reading.distance_mm) == (Quality.OK, 0.5, 600)
    assert (reading.battery_percent, reading.tilted, reading.frame_counter) == (92, False, 7)
    assert reading.payload == bytes.fromhex("01 75 5c 03 82 58 02 04 00 00")
    assert not taken.occupancy_readings
    assert not taken.device_events
    assert not taken.refused


def test_a_bay_s_state_is_kept_with_its_place():
    (reading,) = take(uplink(BAY, "01 ff", port=2)).occupancy_readings
    assert (reading.place_id, reading.occupied, reading.temperature_c) == ("ADL-01", True, -1)


def test_nothing_seen_is_never_full():
    (reading,) = take(uplink(BIN, "03 82 00 00")).fill_readings
    assert (reading.quality, reading.fill_fraction, reading.distance_mm) == (Quality.NO_TARGET, None, 0)


def test_a_faulty_sensor_is_never_occupied():
    record = {"measured_at": NOW.isoformat(), "occupied": True, "status": "sensor_fault"}
    registry = REGISTRY | {
        (INSEE, "s"): device(9, "s", "voirie-native", mounting(9, "STA-0002", PlaceKind.PARKING_SPACE))
    }
    (reading,) = take_in_message(native(record, eui="s"), registry, RULES).occupancy_readings
    assert (reading.quality, reading.occupied) == (Quality.SENSOR_FAULT, None)


def test_a_start_up_is_an_event_and_no_reading():
    taken = take(uplink(BAY, "00" * 12 + "00 1d 02 02 01", port=3))
    (event,) = taken.device_events
    assert (event.kind, event.device_id, event.measured_at) == ("start_up", 2, NOW)
    assert not taken.occupancy_readings


def test_a_reading_belongs_to_the_place_of_its_own_time():
    moved = "24e124713d000009"
    at = {days: take(uplink(moved, "03 82 58 02", at=NOW - timedelta(days=days))) for days in (0.5, 1.5, 2.5)}
    assert at[0.5].fill_readings[0].place_id == "COR-0007"
    assert reasons(at[1.5]) == [RefusalReason.NOT_MOUNTED], "between the two it hung nowhere"
    assert at[2.5].fill_readings[0].place_id == "COR-0006"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(uplink("24e124713d0000aa", "03 82 58 02"), RefusalReason.UNKNOWN_DEVICE, id="unknown device"),
        pytest.param(uplink("24e124713d000005", "03 82 58 02"), RefusalReason.UNKNOWN_MODEL, id="unknown model"),
        pytest.param(uplink(STOCK, "03 82 58 02"), RefusalReason.NOT_MOUNTED, id="in stock"),
        pytest.param(uplink(BIN, "03 82 58"), RefusalReason.MALFORMED_PAYLOAD, id="cut frame"),
        pytest.param(uplink(BIN, "03 82 58 02", time="soon"), RefusalReason.MALFORMED_ENVELOPE, id="no time"),
        pytest.param(
            uplink(BIN, "03 82 58 02", at=NOW + timedelta(hours=1)), RefusalReason.IN_THE_FUTURE, id="in an hour"
        ),
        pytest.param(uplink(BIN, "03 82 58 02", at=NOW - timedelta(days=91)), RefusalReason.TOO_OLD, id="too old"),
        pytest.param(uplink("24e124713d000006", "03 82 58 02"), RefusalReason.NOT_MOUNTED, id="a level on a space"),
        pytest.param(uplink("58a0cb0000200007", "01", port=1), RefusalReason.NOT_MOUNTED, id="a state on a bin"),
        pytest.param(uplink("58a0cb0000200008", "01"), RefusalReason.MALFORMED_PAYLOAD, id="bytes of a native device"),
        pytest.param(native({"measured_at": "x"}), RefusalReason.MALFORMED_PAYLOAD, id="a bad record"),
        pytest.param(uplink(BIN, "00" * 50_000), RefusalReason.TOO_LARGE, id="too large"),
        pytest.param(whole(b'{"a":' * 33 + b"1" + b"}" * 33), RefusalReason.TOO_DEEP, id="too deep"),
    ],
)
def test_refusals_keep_the_message_whole(message: Message, reason: RefusalReason):
    taken = take(message)
    (refused,) = taken.refused
    assert refused.reason is reason
    assert (refused.topic, refused.payload, refused.network) == (message.topic, message.payload, message.network.name)
    assert refused.detail
    assert not taken.fill_readings
    assert not taken.occupancy_readings


def test_a_bad_record_does_not_cost_the_good_ones():
    good = {"measured_at": "2026-03-02T11:00:00Z", "distance_mm": 600}
    later = {"measured_at": "2026-03-02T14:00:00Z", "distance_mm": 600}
    taken = take(native(good, {"measured_at": "x"}, later, good | {"measured_at": "2026-03-02T11:30:00Z"}))
    assert [reading.measured_at.hour * 60 + reading.measured_at.minute for reading in taken.fill_readings] == [660, 690]
    assert set(reasons(taken)) == {RefusalReason.MALFORMED_PAYLOAD, RefusalReason.IN_THE_FUTURE}


def test_history_sent_again_and_cut_elsewhere_has_the_same_keys():
    records = [{"measured_at": f"2026-03-02T{hour:02}:00:00Z", "distance_mm": 500 + hour} for hour in range(1, 10)]
    whole = take(native(*records)).fill_readings
    again = [*take(native(*records[:4])).fill_readings, *take(native(*records[4:])).fill_readings]
    assert [(one.measured_at, one.record_index) for one in whole] == [
        (one.measured_at, one.record_index) for one in again
    ]


def test_records_of_one_moment_are_told_apart():
    record = {"measured_at": "2026-03-02T11:00:00Z", "distance_mm": 600}
    taken = take(native(record, record | {"distance_mm": 700}))
    assert [one.record_index for one in taken.fill_readings] == [0, 1]


def test_an_exception_in_a_decoder_becomes_a_refusal():
    def broken(uplink: Uplink, /) -> Decoded:
        raise ZeroDivisionError("a fault\0of ours")

    model = msgspec.structs.replace(built_in_models()["milesight-em310-udl"], decode=broken)
    rules = IntakeRules(networks=(CHIRPSTACK,), models={model.name: model})
    (refused,) = take(uplink(BIN, "03 82 58 02"), rules).refused
    assert refused.reason is RefusalReason.INTERNAL_ERROR
    assert "ZeroDivisionError" in refused.detail
    assert "\0" not in refused.detail, "PostgreSQL stores no NUL in a text"


def test_a_message_nobody_subscribed_to_goes_to_the_first_network_and_is_refused():
    network = RULES.network_of("elsewhere/1")
    message = Message(network=network, topic="elsewhere/1", payload=b"{}", received_at=NOW)
    assert network is CHIRPSTACK
    assert reasons(take(message)) == [RefusalReason.UNKNOWN_TOPIC]


def accounted(taken: Taken) -> int:
    return len(taken.fill_readings) + len(taken.occupancy_readings) + len(taken.device_events) + len(taken.refused)


@given(frame=st.binary(max_size=40), port=st.integers(0, 255), eui=st.sampled_from([BIN, BAY]))
def test_any_bytes_end_as_something_and_nothing_raises(frame: bytes, port: int, eui: str):
    taken = take(uplink(eui, frame.hex(), port=port))
    assert accounted(taken) >= 1
    assert RefusalReason.INTERNAL_ERROR not in reasons(taken)
    for reading in taken.fill_readings:
        assert (reading.quality is Quality.OK) or reading.fill_fraction is None


@given(
    payload=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    topic=st.sampled_from(
        [
            (NATIVE, f"voirie/v1/{INSEE}/{NATIVE_BIN}/readings"),
            (CHIRPSTACK, f"application/x/device/{BIN}/event/up"),
        ]
    ),
)
def test_any_payload_ends_as_a_refusal_with_its_reason(payload: bytes, topic: tuple[Network, str]):
    network, name = topic
    taken = take(Message(network=network, topic=name, payload=payload, received_at=NOW))
    assert accounted(taken) >= 1
    for refused in taken.refused:
        assert refused.reason is not RefusalReason.INTERNAL_ERROR
        assert refused.payload == payload
        assert "\0" not in refused.detail


_record = st.fixed_dictionaries(
    {},
    optional={
        "measured_at": st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()) | st.text(max_size=30),
        "distance_mm": st.integers(-(10**12), 10**12) | st.floats(),
        "fill_percent": st.floats(),
        "occupied": st.booleans(),
        "status": st.sampled_from(["ok", "no_target", "??"]),
        "temperature_c": st.floats(),
        "battery_percent": st.floats(),
    },
)


@given(st.lists(_record, min_size=1, max_size=5))
def test_every_native_record_is_stored_or_refused(records: list[dict[str, Any]]):
    taken = take(native(*records))
    assert accounted(taken) >= 1
    assert RefusalReason.INTERNAL_ERROR not in reasons(taken)
    stored = len(taken.fill_readings)
    assert stored == len(records) or taken.refused


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: IntakeRules(networks=()), "at least one network"),
        (lambda: IntakeRules(networks=(NATIVE,), max_payload_bytes=0), "expected max_payload_bytes > 0, got 0"),
        (lambda: IntakeRules(networks=(NATIVE,), quality=QualityRules(max_age_days=-1)), "max_age_days > 0"),
    ],
)
def test_rules_refuse_nonsense(make: Any, rule: str):
    with pytest.raises(ValueError, match=rule):
        make()
