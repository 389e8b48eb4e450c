"""What `voirie decode` makes of a decoder's answer, whatever the decoder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.decode import bytes_of, decoded_document
from ingest.decoders import Decoded, DeviceModel, Info, Measurement
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError
from storage.errors import InputError
from storage.model import Quality, RefusalReason


def model(answer: Decoded | Exception, **changes: Any) -> DeviceModel:
    def read(_: Any) -> Decoded:
        if isinstance(answer, Exception):
            raise answer
        return answer

    known = {"name": "essai", "title": "Essai", "measures": "either", "source": "none", "decode": read}
    return DeviceModel(**(known | {"read_object": read} | changes))


def document(*measurements: Measurement, infos: tuple[Info, ...] = ()) -> dict[str, Any]:
    return decoded_document(model(Decoded(measurements=measurements, infos=infos)), "00")


def test_a_reading_has_the_documented_names_in_their_order():
    whole = Measurement(
        measured_at=datetime(2026, 3, 2, 5, 10, tzinfo=UTC),
        distance_mm=812,
        own_fill_fraction=0.235,
        occupied=False,
        temperature_c=-1.5,
        battery_percent=0,
        battery_v=3.6,
        tilted=False,
        fire=False,
        full=True,
        raw=b"\x00",
    )
    (reading,) = document(whole)["readings"]
    assert list(reading.items()) == [
        ("measured_at", "2026-03-02T05:10:00+00:00"),
        ("distance_mm", 812),
        ("fill_percent", 23.5),
        ("occupied", False),
        ("temperature_c", -1.5),
        ("battery_percent", 0),
        ("battery_v", 3.6),
        ("tilted", False),
        ("fire", False),
        ("full", True),
        ("quality", "ok"),
    ]


@pytest.mark.parametrize("quality", [quality for quality in Quality if quality is not Quality.OK])
def test_what_was_not_measured_is_no_level_and_no_state(quality: Quality):
    unmeasured = Measurement(quality=quality, distance_mm=0, own_fill_fraction=1.0, occupied=True, battery_percent=92)
    assert document(unmeasured)["readings"] == [{"battery_percent": 92, "quality": quality.value}]


def test_numbers_that_are_none_are_unknown():
    odd = Measurement(distance_mm=5, temperature_c=float("nan"), battery_v=float("inf"), own_fill_fraction=float("nan"))
    assert document(odd)["readings"] == [{"distance_mm": 5, "quality": "ok"}]


def test_one_information_is_its_kind_and_its_fields():
    assert document(infos=(Info(kind="start_up", detail={"firmware": "1.2"}),))["info"] == {
        "kind": "start_up",
        "firmware": "1.2",
    }


def test_several_informations_stand_side_by_side_and_none_is_lost():
    infos = (
        Info(kind="start_up", detail={"firmware": "1.2", "bytes": "00"}),
        Info(kind="configuration", detail={"period_s": 600, "bytes": "01", "firmware": "1.2", "kind": "full"}),
    )
    assert document(infos=infos)["info"] == {
        "kind": "start_up",
        "kinds": ["start_up", "configuration"],
        "firmware": "1.2",
        "bytes": "00",
        "period_s": 600,
        "configuration.bytes": "01",
        "configuration.kind": "full",
    }


def test_what_cannot_be_read_is_said():
    refused = RefusedError(RefusalReason.MALFORMED_PAYLOAD, "the frame is cut")
    partly = Decoded(measurements=(Measurement(distance_mm=5),), unreadable=(refused,))
    assert decoded_document(model(partly), "00")["errors"] == ["the frame is cut"]
    assert decoded_document(model(refused), "00", port=1)["errors"] == ["the frame is cut"]
    assert decoded_document(model(refused), "00")["errors"] == ["the frame is cut (no --port was given)"]


def test_a_decoder_that_fails_is_a_sentence():
    (error,) = decoded_document(model(IndexError("index out of range")), "00", port=1)["errors"]
    assert error == "the decoder of essai failed: IndexError: index out of range"


def test_the_uplink_is_as_a_network_would_deliver_it():
    seen: list[Any] = []

    def keep(given: Any) -> Decoded:
        seen.append(given)
        return Decoded()

    decoded_document(model(Decoded(), decode=keep), "01 75", port=85)
    decoded_document(model(Decoded(), read_object=keep), ' {"distance": 5}', port=85)
    decoded_document(model(Decoded(), decode=keep, takes_records=True), '{"readings": [{"a": 1}]}')
    assert seen == [
        Uplink(device_eui="", payload=b"\x01\x75", f_port=85),
        {"distance": 5},
        Uplink(device_eui="", records=(b'{"a":1}',)),
    ]


@pytest.mark.parametrize(
    "text", ["", " ", ":", "0x", "0", "0x0", "0g", "01 7", "01,75", "\u0660\u0661", "\0\0", "0x0X01", "+1"]
)
def test_what_is_no_hexadecimal_is_refused(text: str):
    with pytest.raises(InputError):
        bytes_of(text)
