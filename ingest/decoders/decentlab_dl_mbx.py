"""Decentlab DL-MBX: ultrasonic distance, for bins. Version 2 of Decentlab's protocol: 16-bit words, big endian.

A flag for each sensor says whether its words are there: a frame without a distance comes from a device that did not
reach its ultrasonic head. The device takes 15 samples and sends the valid ones' median and number (DL-MBX datasheet).

The traps are the heads' limits (MaxBotix HRXL-MaxSonar-WR datasheet): what is nearer than 30 cm (50 cm for the 10 m
head) is reported as 300 (500) mm, and where nothing echoes they report 5000 (9999) mm. The frame does not say which
head it has, so that these four values are no measurement with either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.decoders import beside
from ingest.decoders.codec_object import number
from ingest.decoders.decoded import Decoded, DeviceModel, Info, Measurement
from ingest.envelopes import Uplink
from ingest.refusal import RefusedError, malformed
from storage.model import Quality

_VERSION = 2
_HEADER = 5
_DISTANCE, _BATTERY = 0x0001, 0x0002
_NEAREST_MM, _NEAREST_OF_10_M_MM = 300, 500
_FARTHEST_MM, _FARTHEST_OF_10_M_MM = 5000, 9999


def decode_dl_mbx(uplink: Uplink) -> Decoded:
    """Return the distance and the battery's voltage."""
    frame = uplink.payload
    if not frame:
        raise malformed("the frame is empty")
    if frame[0] != _VERSION:
        raise malformed(f"expected version {_VERSION} of Decentlab's protocol, got {frame[0]}")
    if len(frame) < _HEADER:
        raise malformed(f"the frame is cut after {len(frame)} bytes")
    flags = int.from_bytes(frame[3:5])
    words = [int.from_bytes(frame[at : at + 2]) for at in range(_HEADER, len(frame) - 1, 2)]
    distance_mm = valid_samples = None
    if flags & _DISTANCE:
        if len(words) < 2:  # noqa: PLR2004 - a distance and a number of samples
            raise malformed("the frame is cut in the distance")
        distance_mm, valid_samples, *words = words
    battery_v = None
    cut: tuple[RefusedError, ...] = ()
    if flags & _BATTERY:
        if words:
            battery_v = words.pop(0) / 1000
        else:
            cut = (malformed("the frame is cut in the battery's voltage"),)
    reading = _reading(distance_mm, valid_samples, battery_v)
    told = beside.diagnostics(device_id=int.from_bytes(frame[1:3]), valid_samples=valid_samples)
    unknown: tuple[Info, ...] = ()
    if flags & ~(_DISTANCE | _BATTERY):
        detail = {"flags": flags, "words": "".join(f"{word:04x}" for word in words)}
        unknown = (Info(kind="unknown_sensor", detail=detail, transient=True),)
    return Decoded(measurements=(reading,), infos=told + unknown, unreadable=cut)


def _reading(distance_mm: int | None, valid_samples: int | None, battery_v: float | None) -> Measurement:
    return Measurement(quality=_quality(distance_mm, valid_samples), distance_mm=distance_mm, battery_v=battery_v)


def _quality(distance_mm: int | None, valid_samples: int | None) -> Quality:
    if distance_mm is None:
        return Quality.SENSOR_FAULT
    if valid_samples == 0 or distance_mm == _FARTHEST_MM or distance_mm >= _FARTHEST_OF_10_M_MM:
        return Quality.NO_TARGET
    if distance_mm <= _NEAREST_MM or distance_mm == _NEAREST_OF_10_M_MM:
        return Quality.BLIND_ZONE
    return Quality.OK


def read_dl_mbx_object(decoded: Mapping[str, Any]) -> Decoded:
    """Return what Decentlab's published codec says: each value in an object with its name and unit."""
    values = {name: said.get("value") if isinstance(said, Mapping) else said for name, said in decoded.items()}
    distance_mm, battery_v = number(values, "distance"), number(values, "battery_voltage")
    if distance_mm is None and battery_v is None:
        raise malformed("expected distance or battery_voltage in the network's object, got neither")
    valid_samples = number(values, "number_of_valid_samples")
    reading = _reading(
        None if distance_mm is None else round(distance_mm),
        None if valid_samples is None else round(valid_samples),
        battery_v,
    )
    return Decoded(measurements=(reading,))


MODELS = (
    DeviceModel(
        name="decentlab-dl-mbx",
        title="Decentlab DL-MBX",
        measures="level",
        decode=decode_dl_mbx,
        read_object=read_dl_mbx_object,
        source="decentlab/decentlab-decoders, DL-MBX; DL-MBX datasheet; MaxBotix HRXL-MaxSonar-WR datasheet",
    ),
)
