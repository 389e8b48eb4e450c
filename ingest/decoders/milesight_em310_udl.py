"""Milesight EM310-UDL: ultrasonic distance, for bins.

The frame is a chain of channel, type and value, and its length is known from channel and type alone, so what follows an
unknown channel cannot be read (Milesight-IoT/SensorDecoders, em-series/em310-udl/README.md). The port is not looked at:
it is a setting of the device.

The trap of this model is its zero: a target beyond 4.5 m is reported as distance 0, and one nearer than 3 cm as 30 mm
(EM310-UDL user guide). Read naively, an open lid would be a bin that overflows.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ingest.decoders.decoded import Decoded, DeviceModel, Info, Measurement
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError
from storage.model import Quality, RefusalReason

_BLIND_ZONE_MM = 30
_RANGE_MM = 4500
# Milesight's codes in distance channels (EM500 series user guides): collection failed, out of range.
_FAILED = 0xFFFF
_OUT_OF_RANGE = 0xFFFD

_BATTERY = b"\x01\x75"
_DISTANCE = b"\x03\x82"
_POSITION = b"\x04\x00"
# Device information, and answers to downlinks, by type: name and length of the value.
_INFORMATION = {
    0x01: ("protocol_version", 1),
    0x09: ("hardware_version", 2),
    0x0A: ("firmware_version", 2),
    0x0B: ("power_on", 1),
    0x0F: ("lorawan_class", 1),
    0x16: ("serial_number", 8),
    0xFE: ("reset", 1),
    0xFF: ("tsl_version", 2),
    0x02: ("collection_interval", 2),
    0x03: ("report_interval", 2),
    0x06: ("distance_alarm", 9),
    0x10: ("reboot", 1),
}
_CHANNELS = {_BATTERY: ("battery", 1), _DISTANCE: ("distance", 2), _POSITION: ("position", 1)} | {
    bytes((channel, kind)): named for channel in (0xFF, 0xFE) for kind, named in _INFORMATION.items()
}


class _Frame(msgspec.Struct):
    """What the channels of one frame said."""

    distance_mm: int | None = None
    battery_percent: int | None = None
    tilted: bool | None = None
    information: dict[str, Any] = {}
    unknown: dict[str, Any] | None = None


def decode_em310_udl(uplink: Uplink) -> Decoded:
    """Return the distance measured, or the device's information."""
    if not uplink.payload:
        raise RefusedError(RefusalReason.MALFORMED_PAYLOAD, "the frame is empty")
    frame = _read(uplink.payload)
    infos: list[Info] = []
    if frame.information:
        kind = "start_up" if frame.information.keys() & {"power_on", "reset"} else "configuration"
        infos.append(Info(kind=kind, detail=frame.information))
    if frame.unknown:
        infos.append(Info(kind="unknown_channel", detail=frame.unknown))
    if frame.distance_mm is None:
        if not infos:
            detail = {"battery_percent": frame.battery_percent, "tilted": frame.tilted}
            infos.append(Info(kind="status", detail=detail))
        return Decoded(infos=tuple(infos))
    measurement = Measurement(
        quality=_quality(frame.distance_mm),
        distance_mm=frame.distance_mm,
        battery_percent=frame.battery_percent,
        tilted=frame.tilted,
    )
    return Decoded(measurements=(measurement,), infos=tuple(infos))


def _read(payload: bytes) -> _Frame:
    """Return what the frame's channels say, as far as they are known."""
    frame = _Frame()
    at = 0
    while at < len(payload):
        channel = payload[at : at + 2]
        known = _CHANNELS.get(channel)
        if known is None:
            if frame.distance_mm is None:
                raise RefusedError(RefusalReason.MALFORMED_PAYLOAD, f"unknown channel {channel.hex(' ')} at byte {at}")
            # A newer firmware may add channels at the end: the distance before them is good.
            frame.unknown = {"at_byte": at, "bytes": payload[at:].hex()}
            break
        name, length = known
        value = payload[at + 2 : at + 2 + length]
        if len(value) < length:
            raise RefusedError(RefusalReason.MALFORMED_PAYLOAD, f"the frame is cut in channel {channel.hex(' ')}")
        if channel == _BATTERY:
            frame.battery_percent = value[0]
        elif channel == _DISTANCE:
            frame.distance_mm = int.from_bytes(value, "little")
        elif channel == _POSITION:
            frame.tilted = value[0] != 0
        else:
            frame.information[name] = value.hex()
        at += 2 + length
    return frame


def _quality(distance_mm: int) -> Quality:
    if distance_mm == _FAILED:
        return Quality.SENSOR_FAULT
    if distance_mm in (0, _OUT_OF_RANGE) or distance_mm > _RANGE_MM:
        return Quality.NO_TARGET
    if distance_mm <= _BLIND_ZONE_MM:
        return Quality.BLIND_ZONE
    return Quality.OK


MODELS = (
    DeviceModel(
        name="milesight-em310-udl",
        title="Milesight EM310-UDL",
        measures="level",
        decode=decode_em310_udl,
        source="Milesight-IoT/SensorDecoders, em-series/em310-udl; EM310-UDL user guide",
    ),
)
