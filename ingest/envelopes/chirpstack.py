"""ChirpStack v4's `up` event in JSON (api/proto/integration/integration.proto, message UplinkEvent).

It is proto3's JSON: a field that is 0, false or empty is left out, so an absent fCnt or fPort *is* 0.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from ingest.envelopes.uplink import Uplink
from ingest.refusal import RefusedError, quoted
from storage.model import RefusalReason


class _DeviceInfo(msgspec.Struct, frozen=True, rename="camel"):
    dev_eui: Annotated[str, Meta(pattern="^[0-9A-Fa-f]{16}$")]


class _Reception(msgspec.Struct, frozen=True):
    rssi: float = 0
    snr: float = 0


class _UplinkEvent(msgspec.Struct, frozen=True, rename="camel"):
    device_info: _DeviceInfo
    # A zone is required: a time without one could be anybody's.
    time: Annotated[datetime, Meta(tz=True)]
    f_cnt: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0
    f_port: Annotated[int, Meta(ge=0, le=255)] = 0
    data: bytes = b""
    rx_info: list[_Reception] = []


_DECODER = msgspec.json.Decoder(_UplinkEvent)


def open_chirpstack(device_eui: str, payload: bytes) -> Uplink:
    """Return the device's bytes with the network's time; RefusedError when the JSON is not an `up` event."""
    try:
        event = _DECODER.decode(payload)
        # Year 1 with a positive offset has no UTC: `astimezone` overflows.
        network_time = event.time.astimezone(UTC)
    except (msgspec.DecodeError, OverflowError) as error:
        raise RefusedError(
            RefusalReason.MALFORMED_ENVELOPE, f"not ChirpStack's up event: {quoted(str(error))}"
        ) from error
    announced_eui = event.device_info.dev_eui.lower()
    if announced_eui != device_eui:
        raise RefusedError(
            RefusalReason.MALFORMED_ENVELOPE,
            f"the topic is of device {device_eui}, the payload of {announced_eui}",
        )
    best = max(event.rx_info, key=lambda reception: reception.rssi) if event.rx_info else None
    return Uplink(
        device_eui=device_eui,
        payload=event.data,
        network_time=network_time,
        f_port=event.f_port,
        frame_counter=event.f_cnt,
        rssi_dbm=best.rssi if best else None,
        snr_db=best.snr if best else None,
    )
