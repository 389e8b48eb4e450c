"""The Things Stack v3's uplink in JSON (The Things Stack documentation, "Data Formats", "MQTT Server", "Pub/Sub").

It is proto3's JSON too: an absent f_cnt or f_port *is* 0. The event time is when the Network Server received the frame
(`uplink_message.received_at`): gateways' clocks may be unset or wrong and differ from each other, that one is always
there, and it is the same in every copy of the message. `received_at` beside it is the Application Server's, which comes
later, and stands in when an old version sends nothing else.
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
    malformed,
    names_in,
    network_object,
    read,
    without_reading,
)
from ingest.envelopes.uplink import Uplink
from ingest.refusal import RefusedError, quoted
from storage.model import RefusalReason

_WHAT = "The Things Stack's uplink message"
# What an ApplicationUp holds instead of an uplink (api/ttn/lorawan/v3/messages.proto).
_OTHER_EVENTS = frozenset(
    {
        "join_accept",
        "downlink_ack",
        "downlink_nack",
        "downlink_sent",
        "downlink_failed",
        "downlink_queued",
        "downlink_queue_invalidated",
        "location_solved",
        "service_data",
        "uplink_normalized",
        "downlinks",
    }
)


class _DeviceIds(msgspec.Struct, frozen=True):
    dev_eui: Eui
    device_id: str | None = None


class _Reception(msgspec.Struct, frozen=True, gc=False):
    # No gateway hears 0 dBm, and a foreign network may hide its strength; an absent ratio is 0 dB, which is common.
    rssi: Decibels | None = None
    snr: Decibels = 0


class _UplinkMessage(msgspec.Struct, frozen=True):
    f_cnt: Counter = 0
    f_port: Port = 0
    frm_payload: bytes = b""
    decoded_payload: msgspec.Raw = NOTHING
    rx_metadata: list[_Reception] = []
    received_at: Instant | None = None


class _ApplicationUp(msgspec.Struct, frozen=True):
    end_device_ids: _DeviceIds
    uplink_message: _UplinkMessage | None = None
    received_at: Instant | None = None
    simulated: bool = False


_DECODER = msgspec.json.Decoder(_ApplicationUp)


def open_ttn(topic_eui: str | None, payload: bytes, *, topic_name: str | None = None) -> Uplink:
    """Return the device's bytes with the Network Server's time; RefusedError when it is simulated or no uplink.

    `topic_name`: the device_id of the topic, which must be the payload's where both say one.
    """
    up = read(_DECODER, payload, _WHAT)
    name = up.end_device_ids.device_id
    if topic_name is not None and name is not None and name != topic_name:
        raise malformed(f"the topic is of device {quoted(topic_name)}, the payload of {quoted(name)}")
    if up.simulated:
        raise RefusedError(
            RefusalReason.SIMULATED_UPLINK, f"device {up.end_device_ids.dev_eui.lower()} did not send it: simulated"
        )
    uplink = up.uplink_message
    if uplink is None:
        raise _no_uplink(payload)
    received_at = uplink.received_at or up.received_at
    if received_at is None:
        raise malformed(f"not {_WHAT}: neither the Network Server nor the Application Server says when it came")
    rssi_dbm, snr_db = best(uplink.rx_metadata)
    decoded = None if uplink.frm_payload else network_object(uplink.decoded_payload, _WHAT)
    return Uplink(
        device_eui=agreed_eui(topic_eui, up.end_device_ids.dev_eui),
        payload=uplink.frm_payload if decoded is None else None,
        decoded=decoded,
        network_time=in_utc(received_at, _WHAT),
        f_port=uplink.f_port,
        frame_counter=uplink.f_cnt,
        rssi_dbm=rssi_dbm,
        snr_db=snr_db,
    )


def _no_uplink(payload: bytes) -> RefusedError:
    events = sorted(names_in(payload, _WHAT) & _OTHER_EVENTS)
    if events:
        return without_reading(f"The Things Stack's {quoted(events[0])} carries no reading: take .../up alone")
    return malformed(f"not {_WHAT}: there is no uplink_message in it")
