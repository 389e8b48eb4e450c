"""ChirpStack v4's `up` event in JSON (api/proto/integration/integration.proto, message UplinkEvent).

It is proto3's JSON: a field that is 0, false or empty is left out, so an absent fCnt or fPort *is* 0.
"""

from __future__ import annotations

import msgspec

from ingest.envelopes.fields import (
    NOTHING,
    Counter,
    Decibels,
    Eui,
    Instant,
    Port,
    agreed_eui,
    best,
    in_utc,
    network_object,
    read,
)
from ingest.envelopes.uplink import Uplink

_WHAT = "ChirpStack's up event"


class _DeviceInfo(msgspec.Struct, frozen=True, rename="camel"):
    dev_eui: Eui


class _Reception(msgspec.Struct, frozen=True, gc=False):
    # No gateway hears 0 dBm, so an absent strength is unknown; an absent ratio is 0 dB, which is common.
    rssi: Decibels | None = None
    snr: Decibels = 0


class _UplinkEvent(msgspec.Struct, frozen=True, rename="camel"):
    device_info: _DeviceInfo
    # The server's verdict on when: the gateway's clock where it has a good one, else its own.
    time: Instant
    f_cnt: Counter = 0
    f_port: Port = 0
    data: bytes = b""
    object: msgspec.Raw = NOTHING
    rx_info: list[_Reception] = []


_DECODER = msgspec.json.Decoder(_UplinkEvent)


def open_chirpstack(topic_eui: str | None, payload: bytes) -> Uplink:
    """Return the device's bytes with the network's time; RefusedError when the JSON is not an `up` event."""
    event = read(_DECODER, payload, _WHAT)
    rssi_dbm, snr_db = best(event.rx_info)
    # The codec's object is large, and read only when the bytes are missing.
    decoded = None if event.data else network_object(event.object, _WHAT)
    return Uplink(
        device_eui=agreed_eui(topic_eui, event.device_info.dev_eui),
        payload=event.data if decoded is None else None,
        decoded=decoded,
        network_time=in_utc(event.time, _WHAT),
        f_port=event.f_port,
        frame_counter=event.f_cnt,
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
    )
