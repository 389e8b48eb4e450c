"""What networks publish, written from their own documentation: the matrix shares no code with what reads it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ingest.topics import EnvelopeKind

type Document = dict[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What a LoRaWAN device sent and when the network heard it. `padding`: bytes of text that nobody reads."""

    eui: str
    f_port: int
    data: bytes
    counter: int
    at: datetime
    padding: int = 0


def chirpstack(frame: Frame) -> Document:
    """Write ChirpStack v4's `up` event."""
    return {
        "deduplicationId": f"{frame.counter:08x}-33f5-4a1c-8d5b-{frame.eui[:12]}",
        "time": frame.at.isoformat(),
        "deviceInfo": {"tenantName": "Ville", "devEui": frame.eui, "tags": {"remplissage": "x" * frame.padding}},
        "devAddr": "0189a3f1",
        "fCnt": frame.counter,
        "fPort": frame.f_port,
        "data": b64encode(frame.data).decode(),
        "rxInfo": [{"gatewayId": "0016c001f1500812", "rssi": -97, "snr": 7.2}],
    }


def ttn(frame: Frame) -> Document:
    """Write The Things Stack v3's uplink."""
    return {
        "end_device_ids": {
            "device_id": f"eui-{frame.eui}",
            "application_ids": {"application_id": "ville"},
            "dev_eui": frame.eui.upper(),
        },
        "received_at": (frame.at + timedelta(milliseconds=250)).isoformat().replace("+00:00", "Z"),
        "uplink_message": {
            "f_port": frame.f_port,
            "f_cnt": frame.counter,
            "frm_payload": b64encode(frame.data).decode(),
            "rx_metadata": [{"gateway_ids": {"gateway_id": "toit"}, "rssi": -101, "snr": -2.5}],
            "received_at": frame.at.isoformat().replace("+00:00", "Z"),
            "locations": {"remplissage": "x" * frame.padding},
        },
    }


_ZONE = timezone(timedelta(hours=2))


def actility(frame: Frame) -> Document:
    """Write ThingPark's uplink report as older platforms do: numbers as text, times with the operator's zone."""
    return {
        "DevEUI_uplink": {
            "Time": frame.at.astimezone(_ZONE).isoformat(timespec="microseconds"),
            "DevEUI": frame.eui.upper(),
            "FPort": str(frame.f_port),
            "FCntUp": str(frame.counter),
            "payload_hex": frame.data.hex(),
            "LrrRSSI": "-104.000000",
            "LrrSNR": "4.250000",
            "CustomerData": {"remplissage": "x" * frame.padding},
        }
    }


def live_objects(frame: Frame) -> Document:
    """Write Orange Live Objects' data message."""
    stamp = frame.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "metadata": {
            "source": f"urn:lo:nsid:lora:{frame.eui.upper()}",
            "connector": "lora",
            "network": {
                "lora": {"devEUI": frame.eui.upper(), "port": frame.f_port, "fcnt": frame.counter, "rssi": -95.0}
            },
        },
        "type": "dataMessage",
        "version": 1,
        "streamId": f"urn:lo:nsid:lora:{frame.eui.upper()}!uplink",
        "created": stamp,
        "timestamp": stamp,
        "model": "lora_v0",
        "value": {"payload": frame.data.hex()},
        "tags": ["x" * frame.padding],
    }


WRITERS: dict[EnvelopeKind, Callable[[Frame], Document]] = {
    "chirpstack": chirpstack,
    "ttn": ttn,
    "actility": actility,
    "live_objects": live_objects,
}


def encoded(document: Document) -> bytes:
    """Return a document as it goes on the wire."""
    return json.dumps(document, ensure_ascii=False).encode()
