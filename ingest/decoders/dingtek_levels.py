"""Dingtek's ultrasonic level sensors: DF702 and DF703 for waste bins, DC410 under a lid, DF530 under a tank.

The traps: DF530 sits *below* what it measures, so that its level is the contents' height and its alarm means empty.
A level of 0 is no echo, not contact with the sensor's face, and what a sensor without an echo says of being full is not
believed; no range reaches beyond 5 m. `battery` in the network's object is an alarm, not a charge. The published codecs
read the temperature without its sign, and lose the angle's.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from ingest.decoders import beside
from ingest.decoders.codec_object import flag, number, text, whole
from ingest.decoders.codec_records import distance_mm
from ingest.decoders.decoded import Decoded, DeviceModel, Info, Measurement
from ingest.decoders.dingtek_frame import PARAMETERS, alarms, degrees_c, firmware, open_frame, unsigned
from ingest.envelopes import Uplink
from ingest.refusal import malformed
from storage.model import Quality

_SHORT, _LONG = 17, 25
_RANGE_MM = 5000
# The maker publishes no blind zone; nearer than this, no such transducer can tell an echo from its own ringing.
_BLIND_ZONE_MM = 30
# In DF530's interval, 1 to 60 are minutes and 61 to 84 are 1 to 24 hours.
_MINUTES = 60

_LEVEL_PARAMETERS = {
    "firmware": ("firmware", ""),
    "periodic_interval": ("upload_interval_h", " hours"),
    "periodic_upload_interval": ("upload_interval_h", " hours"),
    "uploadInterval": ("upload_interval_h", ""),
    "detection_interval": ("detection_interval_min", " minutes"),
    "periodic_detection_interval": ("detection_interval_min", " minutes"),
    "detectInterval": ("detection_interval_min", ""),
    "full_alarm_threshold": ("full_threshold_cm", " cm"),
    "levelThreshold": ("full_threshold_cm", ""),
    "fire_alarm_threshold": ("fire_threshold_c", " ℃"),
    "fireThreshold": ("fire_threshold_c", ""),
    "tilt_alarm_threshold": ("tilt_threshold_deg", " °"),
    "motion_alarm_threshold": ("tilt_threshold_deg", " °"),
    "fallThreshold": ("tilt_threshold_deg", ""),
    "tilt_enable": ("tilt_alarm_enabled", ""),
    "motion_alarm_enable": ("tilt_alarm_enabled", ""),
    "fallEnable": ("tilt_alarm_enabled", ""),
    "ultrasonic_range": ("ultrasonic_range_mm", " mm"),
    "workMode": ("work_mode", ""),
}


class _Level(msgspec.Struct, frozen=True, kw_only=True):
    """What one model has. `from_below`: it sits under what it measures, and its alarm means empty."""

    device_types: tuple[int, ...] = (0x01,)
    fire: bool = False
    tilt: bool = False
    from_below: bool = False


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a frame or an object says of a level, in our units."""

    level_mm: int
    temperature_c: float | None
    level_alarm: bool | None
    fire: bool | None
    tilted: bool | None
    battery_alarm: bool | None
    angle_deg: int | None = None
    device_counter: int | None = None


def _decode(kind: _Level, uplink: Uplink) -> Decoded:
    """Return the level, or the device's parameters."""
    frame = open_frame(uplink, device_types=kind.device_types)
    if frame[3] == PARAMETERS and len(frame) == _LONG:
        return Decoded(infos=(Info(kind="configuration", detail=_parameters(kind, frame)),))
    if frame[3] == PARAMETERS or len(frame) not in (_SHORT, _LONG):
        raise malformed(f"expected a report of {_SHORT} or {_LONG} bytes, got {len(frame)}")
    # The longer report has a position in front of the temperature.
    at = 8 if len(frame) == _SHORT else 16
    where: tuple[Info, ...] = ()
    if len(frame) == _LONG:
        longitude_deg, latitude_deg = struct.unpack("<ff", frame[8:16])
        where = beside.location(latitude_deg=latitude_deg, longitude_deg=longitude_deg)
    temperature_c = degrees_c(frame[at])
    if kind.from_below and len(frame) == _SHORT and frame[7] == 1:
        # DF530 writes a sign of its own in front (cndingtek/NB-IoT_Gateway, df530.py).
        temperature_c = -abs(temperature_c)
    level_alarm, fire = alarms(frame[at + 3])
    tilted, battery_alarm = alarms(frame[at + 4])
    angle_deg = frame[at + 2] if frame[at + 1] == 0 else -frame[at + 2]
    said = _Said(
        level_mm=unsigned(frame, 5),
        temperature_c=temperature_c,
        level_alarm=level_alarm,
        fire=fire,
        tilted=tilted,
        battery_alarm=battery_alarm,
        angle_deg=angle_deg,
        device_counter=unsigned(frame, at + 5),
    )
    return _reading(kind, said, where)


def _reading(kind: _Level, said: _Said, where: tuple[Info, ...]) -> Decoded:
    """Return the measurement that this model makes of what was said."""
    quality = _quality(kind, said.level_mm)
    temperature_c, refused_temperature = beside.temperature(said.temperature_c)
    measurement = Measurement(
        quality=quality,
        distance_mm=said.level_mm,
        from_below=True if kind.from_below else None,
        temperature_c=temperature_c,
        tilted=said.tilted if kind.tilt else None,
        fire=said.fire if kind.fire else None,
        full=said.level_alarm if quality is Quality.OK and not kind.from_below else None,
    )
    battery = (beside.battery_low(),) if said.battery_alarm else ()
    diagnostics = beside.diagnostics(
        angle_deg=said.angle_deg if kind.tilt else None,
        device_counter=said.device_counter,
        from_below=True if kind.from_below else None,
        empty_alarm=said.level_alarm if kind.from_below else None,
        full_alarm=said.level_alarm if quality is not Quality.OK and not kind.from_below else None,
    )
    return Decoded(measurements=(measurement,), infos=battery + where + refused_temperature + diagnostics)


def _quality(kind: _Level, level_mm: int) -> Quality:
    if not 0 < level_mm <= _RANGE_MM:
        return Quality.NO_TARGET
    if level_mm < _BLIND_ZONE_MM and not kind.from_below:
        return Quality.BLIND_ZONE
    return Quality.OK


def _parameters(kind: _Level, frame: bytes) -> dict[str, Any]:
    """Return the device's settings, with their units."""
    if kind.from_below:
        return {
            "firmware": firmware(frame),
            "upload_interval_min": _interval_min(frame[7]),
            "empty_threshold_cm": frame[9],
        }
    return {
        "firmware": firmware(frame),
        "upload_interval_h": frame[7],
        "detection_interval_min": frame[8],
        "full_threshold_cm": frame[9],
        **({"fire_threshold_c": frame[10]} if kind.fire else {}),
        "tilt_threshold_deg": frame[11],
        "tilt_alarm_enabled": frame[12] != 0,
        "ultrasonic_range_mm": 2000 if frame[13] == 0 else _RANGE_MM,
        "work_mode": frame[14],
    }


def _interval_min(code: int) -> int:
    return code if code <= _MINUTES else (code - _MINUTES) * 60


def _read_object(kind: _Level, decoded: Mapping[str, Any]) -> Decoded:
    """Return what the codecs of The Things Network's repository and of the maker's ChirpStack repository say."""
    level_mm = distance_mm(decoded, "level")
    if level_mm is None:
        return _object_parameters(kind, decoded)
    where: tuple[Info, ...] = ()
    latitude_deg, longitude_deg = number(decoded, "latitude"), number(decoded, "longitude")
    if latitude_deg is not None and longitude_deg is not None:
        where = beside.location(latitude_deg=latitude_deg, longitude_deg=longitude_deg)
    byte = whole(decoded, "temperature", unit=" ℃")
    said = _Said(
        level_mm=level_mm,
        temperature_c=None if byte is None else degrees_c(byte),
        level_alarm=flag(decoded, "empty" if kind.from_below else "full", "alarmLevel"),
        fire=flag(decoded, "fire", "alarmFire"),
        tilted=flag(decoded, "tilt", "motion", "alarmFall"),
        battery_alarm=flag(decoded, "battery", "alarmBattery"),
    )
    return _reading(kind, said, where)


def _object_parameters(kind: _Level, decoded: Mapping[str, Any]) -> Decoded:
    detail: dict[str, Any] = {}
    if kind.from_below:
        detail = _tank_parameters(decoded)
    else:
        for name, (ours, unit) in _LEVEL_PARAMETERS.items():
            if decoded.get(name) is None:
                continue
            if ours == "firmware":
                detail[ours] = text(decoded, name)
            elif ours == "tilt_alarm_enabled":
                detail[ours] = flag(decoded, name)
            else:
                detail[ours] = whole(decoded, name, unit=unit)
    if not detail:
        raise malformed("expected a level or parameters in the network's object, got neither")
    return Decoded(infos=(Info(kind="configuration", detail=detail),))


def _tank_parameters(decoded: Mapping[str, Any]) -> dict[str, Any]:
    interval = decoded.get("periodic_upload_interval")
    if isinstance(interval, str) and interval.endswith(" hours"):
        hours = whole(decoded, "periodic_upload_interval", unit=" hours")
        interval_min = None if hours is None else hours * 60
    else:
        interval_min = whole(decoded, "periodic_upload_interval", unit=" minutes")
    if interval_min is None:
        code = whole(decoded, "uploadInterval")
        interval_min = None if code is None else _interval_min(code)
    threshold_cm = whole(decoded, "empty_alarm_threshold", unit=" cm")
    if threshold_cm is None:
        threshold_cm = whole(decoded, "levelThreshold")
    said = {
        "firmware": text(decoded, "firmware"),
        "upload_interval_min": interval_min,
        "empty_threshold_cm": threshold_cm,
    }
    return {name: value for name, value in said.items() if value is not None}


def _model(name: str, title: str, kind: _Level) -> DeviceModel:
    return DeviceModel(
        name=name,
        title=title,
        measures="level",
        decode=partial(_decode, kind),
        read_object=partial(_read_object, kind),
        source="Dingtek, DF702 & DF703 LoRaWAN protocol V2.8; TheThingsNetwork/lorawan-devices, vendor/dingtek",
    )


_BIN = _Level(fire=True, tilt=True)

MODELS = (
    _model("dingtek-df702", "Dingtek DF702", _BIN),
    _model("dingtek-df703", "Dingtek DF703", _BIN),
    _model("dingtek-df530", "Dingtek DF530", _Level(from_below=True)),
    # The maker's own reader knows type 04, its examples show 01.
    _model("dingtek-dc410", "Dingtek DC410", _Level(device_types=(0x01, 0x04), tilt=True)),
)
