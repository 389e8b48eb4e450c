"""Orange Live Objects' data message of a LoRa device (Live Objects user guide, "Data message", "LoRa connector").

A message of a FIFO comes on a topic that names no device, so the device is the payload's. `timestamp` is when the
network received the frame, and the event time; `created` is when Live Objects stored the message, seconds later, and
stands in when there is no timestamp. The frame is hexadecimal in `value.payload`; the platform's decoder, where one is
set, writes its fields beside it. An absent port or counter is unknown: this is no proto3.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ingest.envelopes.fields import (
    Counter,
    Decibels,
    Eui,
    Instant,
    Port,
    agreed_eui,
    from_hex,
    in_utc,
    malformed,
    read,
)
from ingest.envelopes.uplink import Uplink
from ingest.refusal import quoted

_WHAT = "Live Objects' data message"
_SOURCE = re.compile(r"urn:lo:nsid:lora:([0-9A-Fa-f]{16})")


class _Lora(msgspec.Struct, frozen=True, rename={"dev_eui": "devEUI"}):
    dev_eui: Eui | None = None
    port: Port | None = None
    fcnt: Counter | None = None
    rssi: Decibels | None = None
    snr: Decibels | None = None


class _Network(msgspec.Struct, frozen=True):
    lora: _Lora | None = None


class _Metadata(msgspec.Struct, frozen=True):
    source: str
    connector: str | None = None
    network: _Network | None = None


class _Value(msgspec.Struct, frozen=True):
    payload: str | None = None


class _DataMessage(msgspec.Struct, frozen=True, rename="camel"):
    # These two are in every data message, and in nothing else that a FIFO may carry.
    stream_id: str
    created: Instant
    metadata: _Metadata
    value: _Value
    timestamp: Instant | None = None


class _Decoded(msgspec.Struct, frozen=True):
    value: dict[str, Any]


_DECODER = msgspec.json.Decoder(_DataMessage)
_DECODED_DECODER = msgspec.json.Decoder(_Decoded)
_NO_LORA = _Lora()


def open_live_objects(topic_eui: str | None, payload: bytes) -> Uplink:
    """Return the device's bytes with the network's time; RefusedError when it is no data message of a LoRa device."""
    message = read(_DECODER, payload, _WHAT)
    lora = (message.metadata.network and message.metadata.network.lora) or _NO_LORA
    data = from_hex(message.value.payload, _WHAT) if message.value.payload else b""
    decoded = None if data else _decoded_value(payload)
    return Uplink(
        device_eui=agreed_eui(topic_eui, _eui(message.metadata, lora)),
        payload=data if decoded is None else None,
        decoded=decoded,
        network_time=in_utc(message.timestamp or message.created, _WHAT),
        f_port=lora.port,
        frame_counter=lora.fcnt,
        rssi_dbm=lora.rssi,
        snr_db=lora.snr,
    )


def _eui(metadata: _Metadata, lora: _Lora) -> str:
    """Return the DevEUI of the message's source; the network's own must be the same."""
    source = _SOURCE.fullmatch(metadata.source)
    if source is None:
        raise malformed(
            f"expected a LoRa device, urn:lo:nsid:lora:{{DevEUI}}, got {quoted(metadata.source)}"
            f" of connector {quoted(metadata.connector)}"
        )
    if lora.dev_eui is not None and lora.dev_eui.lower() != source[1].lower():
        raise malformed(f"the source is device {source[1].lower()}, the network's is {lora.dev_eui.lower()}")
    return source[1]


def _decoded_value(payload: bytes) -> dict[str, Any] | None:
    """Return what the platform's decoder wrote; the message is read again, because that is rare."""
    value = read(_DECODED_DECODER, payload, _WHAT).value
    value.pop("payload", None)
    return value or None
