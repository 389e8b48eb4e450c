from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulators.devices import em310_udl, native, tps110
from simulators.envelopes import FREQUENCIES_HZ, Application, Radio, Sender

RADIO = Radio(rssi=-101, snr=6.25, channel=3, uplink_id=4217106255)


def example(reference_data: Path, device: str, description: str) -> dict[str, Any]:
    """A vector that the makers or the community published."""
    vectors = json.loads((reference_data / "lorawan" / "uplink_examples.json").read_text(encoding="utf-8"))
    found: dict[str, Any]
    (found,) = [v for v in vectors if v["device"].startswith(device) and v["description"] == description]
    return found


def test_em310_udl_writes_the_documented_frame():
    frame = em310_udl.reading(battery_percent=92, distance_mm=2116, tilted=True)
    assert frame == bytes.fromhex("01755C03824408040001")


def test_em310_udl_writes_the_published_vector(reference_data: Path):
    vector = example(reference_data, "EM310-UDL", "example 1")
    expected = vector["expected"]["data"]
    frame = em310_udl.reading(
        battery_percent=expected["battery"], distance_mm=expected["distance"], tilted=expected["tilt"] == "tilt"
    )
    assert (em310_udl.F_PORT, frame.hex()) == (vector["fPort"], vector["bytes_hex"])


def test_tps110_writes_the_published_vectors(reference_data: Path):
    status = example(reference_data, "TPS110", "Parking Status")
    assert (tps110.CHANGE_PORT, tps110.change(occupied=True).hex()) == (status["fPort"], status["bytes_hex"])
    beat = example(reference_data, "TPS110", "Heartbeat")
    frame = tps110.heartbeat(occupied=True, temperature_c=beat["expected"]["data"]["temperature"])
    assert (tps110.HEARTBEAT_PORT, frame.hex()) == (beat["fPort"], beat["bytes_hex"])


def test_tps110_start_up_has_version_reset_cause_and_state():
    frame = tps110.start_up(occupied=True)
    assert len(frame) == 17
    assert frame[12:] == bytes((0, 29, 2, 2, 1))
    assert tps110.start_up(occupied=False)[16] == 0


def test_em310_udl_measures_within_its_range():
    true_mm = np.array([-50.0, 10.0, 10.0, 30.4, 812.6, 9000.0])
    luck = np.array([0.1, 0.1, 0.9, 0.9, 0.9, 0.9])
    assert em310_udl.measured_mm(true_mm, luck).tolist() == [30, 30, 60, 30, 813, 4500]


def test_em310_udl_joins_with_its_serial_number():
    frame = em310_udl.joined(serial=bytes.fromhex("24e124713d000001"))
    assert b"\xff\x16" + bytes.fromhex("24e124713d000001") in frame


def sender(**changes: Any) -> Sender:
    return Sender(
        **{
            "application": Application(name="corbeilles"),
            "profile": "Milesight EM310-UDL",
            "device_name": 'COR-0001 "église"',
            "dev_eui": "24e124713d000001",
            "dev_addr": "0189a3f1",
            "tags": {"insee": "93051"},
            "gateway_id": "0016c001f1500812",
            "gateway_lonlat": (2.35, 48.85),
            "spreading_factor": 9,
        }
        | changes
    )


def uplink(origin: Sender, *, f_cnt: int = 17, radio: Radio = RADIO) -> dict[str, Any]:
    payload = origin.uplink(
        deduplication_id="5c7a1e0e-33f5-4a1c-8d5b-0f6f2a4c9b11",
        time="2026-03-02T05:10:00.482113007+00:00",
        f_cnt=f_cnt,
        f_port=85,
        data_base64="AXVcA4JECAQAAQ==",
        radio=radio,
    )
    event: dict[str, Any] = json.loads(payload)
    return event


def test_chirpstack_uplink_has_the_fields_of_real_ones():
    origin = sender()
    event = uplink(origin)
    assert set(event) == {
        *("deduplicationId", "time", "deviceInfo", "devAddr", "adr", "dr", "fCnt", "fPort", "data"),
        *("rxInfo", "txInfo", "regionConfigId"),
    }
    info = event["deviceInfo"]
    assert origin.topic == f"application/{info['applicationId']}/device/24e124713d000001/event/up"
    assert info["deviceName"] == 'COR-0001 "église"'
    assert b64decode(event["data"], validate=True) == bytes.fromhex("01755C03824408040001")
    assert event["rxInfo"][0]["rssi"] == -101
    assert event["rxInfo"][0]["crcStatus"] == "CRC_OK"
    assert event["txInfo"]["frequency"] == FREQUENCIES_HZ[3] == 867_100_000
    assert event["txInfo"]["modulation"]["lora"]["spreadingFactor"] == 9
    assert event["dr"] == 3


def test_chirpstack_leaves_out_what_is_zero():
    event = uplink(sender(spreading_factor=12), f_cnt=0, radio=Radio(rssi=-120, snr=-12.0, channel=0, uplink_id=1))
    assert "fCnt" not in event
    assert "dr" not in event
    assert "channel" not in event["rxInfo"][0]


def test_native_messages_are_json_with_units():
    bin_message = json.loads(
        native.fill(
            measured_at="2026-03-02T05:10:00+00:00",
            distance_mm=812,
            battery_percent=91,
            temperature_c=7.5,
            tilted=False,
        )
    )
    assert bin_message == {
        "readings": [
            {
                "measured_at": "2026-03-02T05:10:00+00:00",
                "distance_mm": 812,
                "battery_percent": 91,
                "temperature_c": 7.5,
                "tilted": False,
            }
        ]
    }
    bay_message = json.loads(
        native.occupancy(
            measured_at="2026-03-02T05:10:00+00:00", occupied=True, battery_percent=91, temperature_c=-0.04
        )
    )
    assert bay_message["readings"][0]["occupied"] is True


@pytest.mark.parametrize("count", [8])
def test_frequencies_are_eu868(count: int):
    assert len(set(FREQUENCIES_HZ)) == count
    assert all(863_000_000 <= frequency <= 870_000_000 for frequency in FREQUENCIES_HZ)
