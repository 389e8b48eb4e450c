"""Netvox R718X: ultrasonic distance and temperature, for bins.

Frames of 11 bytes, big endian; port 6 reports (type 0 versions, type 1 a measurement), port 7 answers to downlinks
(Netvox LoRaWAN Application Command; TheThingsNetwork/lorawan-devices, vendor/netvox/payload/r718x.js). The second byte
is the device's type: the R718PE has the same ports with other fields, and its frames are refused.

`FillLevel` is the device's own idea, from a depth that is set in it; it is kept beside the distance. The documents at
hand name no code for a missing echo: 0 and whatever lies beyond the sound's reach are no target. What is an angle too
steep they do not say either, so that the inclination is told and no tilt is made of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ingest.decoders.codec_object import number, whole
from ingest.decoders.codec_records import as_raw, distance_mm
from ingest.decoders.decoded import Decoded, DeviceModel, Info, Measurement
from ingest.envelopes import Uplink
from ingest.refusal import malformed, quoted, unknown_port
from storage.model import Quality

_REPORT_PORT, _ANSWER_PORT = 6, 7
_LENGTH = 11
_DEVICE = 0x34
_VERSIONS, _STATUS = 0x00, 0x01
_LOW_BATTERY = 0x80
_BEYOND_SOUND_MM = 10_000
_MOST_PERCENT = 100
_SETTINGS = {0x81: "report", 0x83: "on_distance", 0x85: "fill_max_distance", 0x8B: "dead_zone"}
_DISTANCES = {0x84: "on_distance_mm", 0x86: "fill_max_distance_mm", 0x8C: "dead_zone_mm"}
_READ_REPORT = 0x82
_VOLTS = re.compile(r"(\d{1,2}(?:\.\d{1,2})?)\s*(\(low battery\))?")
_ANSWER_FIELDS = (
    *("Cmd", "Status", "MinTime", "MaxTime", "BatteryChange", "DistanceChange", "TempChange"),
    *("OnDistanceThreshold", "FillMaxDistance", "DeadZoneDistance"),
)


def decode_r718x(uplink: Uplink) -> Decoded:
    """Return the distance measured, or the device's information."""
    payload = uplink.payload
    if not payload:
        raise malformed("the frame is empty")
    if uplink.f_port not in (_REPORT_PORT, _ANSWER_PORT):
        raise unknown_port("R718X", uplink.f_port)
    if len(payload) != _LENGTH:
        raise malformed(f"expected a frame of {_LENGTH} bytes, got {len(payload)}")
    if payload[1] != _DEVICE:
        raise malformed(f"expected device type 0x{_DEVICE:02x}, got 0x{payload[1]:02x}: another model of the make")
    if uplink.f_port == _ANSWER_PORT:
        return Decoded(infos=(_answer(payload),))
    if payload[2] == _VERSIONS:
        return Decoded(infos=(_versions(payload),))
    if payload[2] != _STATUS:
        raise malformed(f"unknown report type {payload[2]}")
    return _measured(
        distance=_big(payload[5:7]),
        volts=(payload[3] & ~_LOW_BATTERY) / 10,
        low=bool(payload[3] & _LOW_BATTERY),
        temperature_c=_signed(payload[7:9]) / 10,
        fill_percent=payload[9],
        angle_deg=payload[10],
    )


def _measured(
    *,
    distance: int,
    volts: float | None,
    low: bool,
    temperature_c: float | None,
    fill_percent: float | None,
    angle_deg: float | None,
    raw: bytes | None = None,
) -> Decoded:
    quality = Quality.OK if 0 < distance <= _BEYOND_SOUND_MM else Quality.NO_TARGET
    level = None
    if quality is Quality.OK and fill_percent is not None and 0 <= fill_percent <= _MOST_PERCENT:
        level = fill_percent / 100
    measurement = Measurement(
        quality=quality,
        distance_mm=distance,
        own_fill_fraction=level,
        temperature_c=temperature_c,
        battery_v=volts,
        raw=raw,
    )
    infos = [Info(kind="battery_low", detail={"battery_v": volts})] if low else []
    if angle_deg is not None:
        infos.append(Info(kind="diagnostics", detail={"inclination_deg": angle_deg}, transient=True))
    return Decoded(measurements=(measurement,), infos=tuple(infos))


def _versions(payload: bytes) -> Info:
    detail = {
        "software_version": payload[3] / 10,
        "hardware_version": payload[4],
        "date_code": payload[5:9].hex(),
    }
    return Info(kind="start_up", detail=detail)


def _answer(payload: bytes) -> Info:
    command = payload[0]
    if command in _SETTINGS:
        return Info(kind="configuration", detail={"set": _SETTINGS[command], "done": payload[2] == 0})
    if command in _DISTANCES:
        return Info(kind="configuration", detail={_DISTANCES[command]: _big(payload[2:4])})
    if command == _READ_REPORT:
        detail = {
            "shortest_interval_s": _big(payload[2:4]),
            "longest_interval_s": _big(payload[4:6]),
            "battery_change_v": payload[6] / 10,
            "distance_change_mm": _big(payload[7:9]),
            "temperature_change_c": _big(payload[9:11]) / 10,
        }
        return Info(kind="configuration", detail=detail)
    raise malformed(f"unknown answer 0x{command:02x}")


def read_r718x_object(decoded: Mapping[str, Any]) -> Decoded:
    """Return what the device repository's codec says; RefusedError when the object is not of it."""
    device = decoded.get("Device", "R718X")
    if device != "R718X":
        raise malformed(f"the network's codec says that the device is {quoted(device)}")
    if "SWver" in decoded:
        detail = {
            "software_version": decoded["SWver"],
            "hardware_version": decoded.get("HWver"),
            "date_code": decoded.get("Datecode"),
        }
        return Decoded(infos=(Info(kind="start_up", detail=detail),))
    if "Cmd" in decoded:
        detail = {name: decoded[name] for name in _ANSWER_FIELDS if name in decoded}
        return Decoded(infos=(Info(kind="configuration", detail=detail),))
    distance = distance_mm(decoded, "Distance")
    if distance is None:
        raise malformed(f"no distance, but {quoted(sorted(map(str, decoded)))}")
    volts, low = _volts(decoded)
    return _measured(
        distance=distance,
        volts=volts,
        low=low,
        temperature_c=number(decoded, "Temp"),
        fill_percent=number(decoded, "FillLevel"),
        angle_deg=whole(decoded, "AngleOfInclination"),
        raw=as_raw(decoded),
    )


def _volts(decoded: Mapping[str, Any]) -> tuple[float | None, bool]:
    found = decoded.get("Volt")
    if not isinstance(found, str):
        return number(decoded, "Volt"), False
    match = _VOLTS.fullmatch(found.strip())
    if match is None:
        raise malformed(f"expected volts in Volt, got {quoted(found)}")
    return float(match[1]), match[2] is not None


def _big(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _signed(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


MODELS = (
    DeviceModel(
        name="netvox-r718x",
        title="Netvox R718X",
        measures="level",
        decode=decode_r718x,
        source="Netvox LoRaWAN Application Command; TheThingsNetwork/lorawan-devices, vendor/netvox/payload/r718x.js",
        read_object=read_r718x_object,
    ),
)
