"""Messages that no collector should take for a reading: what broken, misconfigured and malicious senders publish.

Every one has to be refused whatever the decoder, so none is made by chance: random bytes may say something.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.fault_matrix.envelopes import Document, encoded
from cli.fault_matrix.town import Sensor, Town
from cli.fault_matrix.traffic import Publication, Reading, Traffic, document
from simulators import garbage
from simulators.envelopes import Application
from storage.model import PlaceKind

type Maker = Callable[[Reading], tuple[str, bytes] | None]
"""Makes a message out of a good reading; None when the kind does not fit the reading's network."""

_OVERSIZED_BYTES = 70_000
_OVERSIZED_SHARE = 0.01
_MOST_RECORDS = 1000
_INJECTIONS = (
    "'; DROP TABLE fill_reading; --",
    "$(reboot)",
    "%s%s%s%n",
    "{{7*7}}",
    "../../../etc/passwd",
    "<script>alert(1)</script>",
    "\u202e\u0007\u0085\ufeff",
    "NULL",
    "é" * 500,
)
_TIMES: tuple[object, ...] = (
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "0000-00-00T00:00:00Z", "2026-02-30T10:00:00Z",
    "2026-03-02T25:61:61Z", "2026-03-02T10:00:00", "2026-03-02", "10:00:00Z", "", "now()", "20260302T100000Z\u0000",
    "99999-01-01T00:00:00Z", None, [], {}, "1e999", "infinity", "-infinity",
)  # fmt: skip
_TEXTS = (
    b"", b" ", b"\x00", b"null", b"true", b"0", b"-", b"1e999999", b'""', b"[]", b"{}", b"[[]]", b"NaN", b"{]",
    b"\xef\xbb\xbf{}",
    b'{"readings": NaN}', b'{"a": "\xff\xfe"}', b'{"\\ud800": "\\udfff"}', b"\x1f\x8b\x08\x00" + bytes(200),
    b"[" * 50_000, b'{"a":' * 10_000, b'{"deviceInfo":' * 4_000, b"9" * 20_000, b'"' + b"\\u0000" * 5_000 + b'"',
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'a'>]><x>&a;</x>", b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x00" * 64,
)  # fmt: skip


class Hostility:
    """Makes hostile messages for a town."""

    def __init__(self, town: Town, traffic: Traffic) -> None:
        self._town = town
        self._traffic = traffic
        self._random = traffic.random
        self._makers: tuple[Maker, ...] = (
            self._text, self._truncated, self._flipped, self._other_time, self._missing_field, self._other_type,
            self._other_number, self._unknown_device, self._other_device, self._broken_frame, self._short_frame,
            self._injection, self._records, self._no_uplink, self._garbage,
        )  # fmt: skip

    @property
    def kinds(self) -> int:
        """How many kinds of hostility there are, oversized ones included."""
        return len(self._makers) + 1

    def publications(self, count: int) -> list[Publication]:
        """Return so many messages that have to be refused."""
        oversized = int(count * _OVERSIZED_SHARE)
        messages = [self._oversized(reading) for reading in self._traffic.readings(oversized)]
        stream = self._endless()
        messages += [next(stream) for _ in range(count - oversized)]
        return [self._traffic.refused(topic, payload) for topic, payload in messages]

    def _endless(self) -> Iterator[tuple[str, bytes]]:
        while True:
            for maker in self._makers:
                (reading,) = self._traffic.readings(1)
                made = maker(reading)
                if made is not None:
                    yield made

    def _topic(self, reading: Reading) -> str:
        return self._town.topic(reading.sensor)

    def _text(self, reading: Reading) -> tuple[str, bytes]:
        return self._topic(reading), self._random.choice(_TEXTS)

    def _oversized(self, reading: Reading) -> tuple[str, bytes]:
        return self._topic(reading), encoded(document(reading)) + b" " * _OVERSIZED_BYTES

    def _truncated(self, reading: Reading) -> tuple[str, bytes]:
        whole = encoded(document(reading))
        return self._topic(reading), whole[: self._random.randrange(1, len(whole) - 1)]

    def _flipped(self, reading: Reading) -> tuple[str, bytes]:
        """Turn a byte of the JSON's frame into one that JSON has no use for."""
        whole = bytearray(encoded(document(reading)))
        at = self._random.choice([index for index, byte in enumerate(whole) if byte in b"{}:"])
        whole[at] = self._random.choice((0x00, 0x08, 0xC0, 0xFF))
        return self._topic(reading), bytes(whole)

    def _other_time(self, reading: Reading) -> tuple[str, bytes]:
        moment = self._random.choice(_TIMES)
        body: Any = document(reading)
        match reading.sensor.envelope:
            case "native":
                body["readings"][0]["measured_at"] = moment
            case "chirpstack":
                body["time"] = moment
            case "ttn":
                body["uplink_message"]["received_at"] = body["received_at"] = moment
            case "actility":
                body["DevEUI_uplink"]["Time"] = moment
            case "live_objects":
                body["timestamp"] = body["created"] = moment
        return self._topic(reading), encoded(body)

    def _missing_field(self, reading: Reading) -> tuple[str, bytes]:
        body: Any = document(reading)
        match reading.sensor.envelope:
            case "native":
                del body["readings"]
            case "chirpstack":
                del body[self._random.choice(("time", "deviceInfo"))]
            case "ttn":
                del body[self._random.choice(("end_device_ids", "uplink_message"))]
            case "actility":
                del body["DevEUI_uplink"][self._random.choice(("Time", "DevEUI"))]
            case "live_objects":
                del body[self._random.choice(("metadata", "value", "streamId", "created"))]
        return self._topic(reading), encoded(body)

    def _other_type(self, reading: Reading) -> tuple[str, bytes]:
        """Put a thing of another type where a list or an object has to be."""
        wrong: object = self._random.choice((0, -1.5, "x", True, [[]], [None]))
        body: Document = document(reading)
        name = {
            "native": "readings", "chirpstack": "deviceInfo", "ttn": "end_device_ids", "actility": "DevEUI_uplink",
            "live_objects": "metadata",
        }[reading.sensor.envelope]  # fmt: skip
        return self._topic(reading), encoded(body | {name: wrong})

    def _other_number(self, reading: Reading) -> tuple[str, bytes]:
        """Write a counter that no device has."""
        number = self._random.choice(("-1", "4294967296", "1e400", "-0.5", "1" + "0" * 400))
        body: Any = document(reading)
        match reading.sensor.envelope:
            case "native":
                body["frame_counter"] = "NUMBER"
            case "chirpstack":
                body["fCnt"] = "NUMBER"
            case "ttn":
                body["uplink_message"]["f_cnt"] = "NUMBER"
            case "actility":
                body["DevEUI_uplink"]["FCntUp"] = "NUMBER"
            case "live_objects":
                body["metadata"]["network"]["lora"]["fcnt"] = "NUMBER"
        return self._topic(reading), encoded(body).replace(b'"NUMBER"', number.encode())

    def _unknown_device(self, reading: Reading) -> tuple[str, bytes]:
        return self._message_of(reading, f"{self._random.getrandbits(64):016x}")

    def _message_of(self, reading: Reading, eui: str) -> tuple[str, bytes]:
        envelope = reading.sensor.envelope
        stranger = Sensor(eui=eui, place_id="", kind=PlaceKind.BIN, envelope=envelope)
        body = document(
            Reading(sensor=stranger, at=reading.at, counter=reading.counter, distance_mm=500, occupied=False)
        )
        return self._town.topic_of(envelope, eui), encoded(body)

    def _other_device(self, reading: Reading) -> tuple[str, bytes] | None:
        """Write one device into the payload and another into the topic, where both name one."""
        if reading.sensor.envelope not in {"chirpstack", "actility"}:
            return None
        other = f"{self._random.getrandbits(64):016x}"
        return self._town.topic_of(reading.sensor.envelope, other), encoded(document(reading))

    def _broken_frame(self, reading: Reading) -> tuple[str, bytes] | None:
        """Write bytes that are no base64 or hexadecimal."""
        broken = self._random.choice(("A", "AXVcA", "@@@@", "AXVc=A==", "zz", "01 75", "0x0175", "é", "\u0000\u0000"))
        return self._with_frame(reading, text=broken)

    def _short_frame(self, reading: Reading) -> tuple[str, bytes] | None:
        """Cut a bin sensor's frame in the middle of a channel."""
        if reading.sensor.kind is not PlaceKind.BIN:
            return None
        match reading.sensor.envelope:
            case "chirpstack" | "ttn":
                return self._with_frame(reading, text=self._random.choice(("AXVcA4I=", "A4IB", "AQ==", "AXU=")))
            case _:
                return self._with_frame(reading, text=self._random.choice(("01755c0382", "038201", "01", "0175")))

    def _with_frame(self, reading: Reading, *, text: str) -> tuple[str, bytes] | None:
        body: Any = document(reading)
        match reading.sensor.envelope:
            case "native":
                return None
            case "chirpstack":
                body["data"] = text
            case "ttn":
                body["uplink_message"]["frm_payload"] = text
            case "actility":
                body["DevEUI_uplink"]["payload_hex"] = text
            case "live_objects":
                body["value"]["payload"] = text
        return self._topic(reading), encoded(body)

    def _injection(self, reading: Reading) -> tuple[str, bytes] | None:
        """Name the device by something that hopes to be run, shown or formatted."""
        text = self._random.choice(_INJECTIONS)
        if reading.sensor.envelope == "native":
            # A level of its own, in characters that brokers let pass (MQTT 3.1.1, 1.5.3).
            if "/" in text or not text.isprintable():
                return None
            return self._town.topic_of("native", text), encoded(document(reading))
        body = json.loads(json.dumps(document(reading)).replace(reading.sensor.eui.upper(), reading.sensor.eui))
        replaced = json.dumps(body).replace(f'"{reading.sensor.eui}"', json.dumps(text))
        replaced = replaced.replace(f":{reading.sensor.eui}", f":{json.dumps(text)[1:-1]}")
        return self._topic(reading), replaced.encode()

    def _records(self, reading: Reading) -> tuple[str, bytes] | None:
        """Send native records of which none is one."""
        if reading.sensor.envelope != "native":
            return None
        stamp = reading.at.isoformat()
        bad: tuple[object, ...] = (
            [],
            [{"measured_at": stamp}],
            [{"measured_at": stamp, "distance_mm": "812"}],
            [{"measured_at": stamp, "distance_mm": -1}],
            [{"measured_at": stamp, "distance_mm": 10**9}],
            [{"measured_at": stamp, "distance_mm": 10**4000}],
            [{"measured_at": stamp, "occupied": 1}],
            [{"measured_at": stamp, "fill_percent": 151}],
            [{"measured_at": stamp, "distance_mm": 500, "battery_percent": 101}],
            [None, 0, [], "x"],
            [{"measured_at": stamp, "distance_mm": 500}] * (_MOST_RECORDS + 1),
        )
        return self._topic(reading), json.dumps({"readings": self._random.choice(bad)}).encode()

    def _no_uplink(self, reading: Reading) -> tuple[str, bytes] | None:
        """Send what networks publish beside uplinks, and frames that nobody sent."""
        eui = reading.sensor.eui
        body: Any = document(reading)
        match reading.sensor.envelope:
            case "ttn":
                if self._random.random() < 0.5:  # noqa: PLR2004 - one or the other
                    return self._topic(reading), encoded(body | {"simulated": True})
                ids = {"dev_eui": eui.upper(), "device_id": "x", "application_ids": {"application_id": "ville"}}
                return self._topic(reading), encoded({"end_device_ids": ids, "join_accept": {"session_key_id": "AY=="}})
            case "actility":
                location = {"DevEUI": eui.upper(), "Time": reading.at.isoformat(), "DevLAT": "48.8"}
                return self._topic(reading), encoded({"DevEUI_location": location})
            case "live_objects":
                body["metadata"] = {"source": "urn:lo:nsid:mqtt:tracteur", "connector": "mqtt"}
                return self._topic(reading), encoded(body)
            case _:
                return None

    def _garbage(self, reading: Reading) -> tuple[str, bytes] | None:
        """Take what the simulated commune's neighbours publish."""
        if reading.sensor.envelope != "chirpstack":
            return None
        scene = garbage.Scene(
            commune_insee=self._town.insee,
            application=Application(name="essai"),
            known_eui=reading.sensor.eui,
            at=datetime.now(UTC) - timedelta(hours=1),
            nonce=f"{self._random.getrandbits(64):016x}",
        )
        kinds = [kind for kind in garbage.KINDS if kind is not garbage.oversized]
        topic, payload = self._random.choice(kinds)(scene)
        known = self._town.topic_of("chirpstack", reading.sensor.eui)
        prefix = known.partition("application/")[0]
        return (prefix + topic if topic.startswith("application/") else topic), payload
