"""Dingtek's parking sensors: DO200 and DO201 (ultrasonic and magnetometer), DO202 (radar and magnetometer).

The state is the sensor's own verdict (`alarmPark`), never the distance: DO202 measures none, and the two others say 0
or 9999 mm when they heard no echo, or did not listen. The maker's example of DO201 and DO202 has -117 degrees, which is
no temperature.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from ingest.decoders import beside
from ingest.decoders.codec_object import flag, number, text, whole
from ingest.decoders.decoded import Decoded, DeviceModel, Info, Measurement
from ingest.decoders.dingtek_frame import PARAMETERS, alarms, degrees_c, firmware, open_frame, signed, unsigned
from ingest.envelopes import Uplink
from ingest.refusal import malformed

_RANGE_MM = 5000
_WET_PERCENT = 100
# Published names of the parameters, and ours with their units.
_PARAMETERS = {
    "uploadInterval": "upload_interval_h",
    "ultraDetectInterval": "ultrasonic_interval_min",
    "magDetectInterval": "magnet_interval_s",
    "magThreshold": "magnet_threshold_mgs",
    "detectInterval": "detection_interval_min",
    "levelThreshold": "level_threshold_cm",
    "magnetThreshold": "magnet_threshold",
    "batteryThreshold": "battery_threshold_percent",
}


class _Bay(msgspec.Struct, frozen=True, kw_only=True):
    """What one model sends: sizes in bytes; `listens`: it measures a distance; `climate`: temperature and humidity."""

    device_type: int
    report_size: int
    parameters_size: int
    listens: bool
    climate: bool


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a frame or an object says of a bay."""

    occupied: bool
    battery_alarm: bool | None
    battery_v: float | None
    level_mm: int | None
    temperature_c: float | None
    diagnostics: tuple[Info, ...]


def _decode(kind: _Bay, uplink: Uplink) -> Decoded:
    """Return the state of the bay, or the device's parameters."""
    frame = open_frame(uplink, device_types=(kind.device_type,))
    expected = kind.parameters_size if frame[3] == PARAMETERS else kind.report_size
    if len(frame) != expected:
        raise malformed(f"expected a report of type {frame[3]:02x} of {expected} bytes, got {len(frame)}")
    if frame[3] == PARAMETERS:
        return Decoded(infos=(Info(kind="configuration", detail=_parameters(kind, frame)),))
    occupied, level_alarm = alarms(frame[7])
    magnet_alarm, battery_alarm = alarms(frame[8])
    counter_at = 19 if kind.climate else 17
    said = _Said(
        occupied=occupied,
        battery_alarm=battery_alarm,
        battery_v=unsigned(frame, 9) / 100,
        level_mm=unsigned(frame, 5),
        temperature_c=degrees_c(frame[17]) if kind.climate else None,
        diagnostics=beside.diagnostics(
            level_alarm=level_alarm,
            magnet_alarm=magnet_alarm,
            magnet_x=signed(frame, 11),
            magnet_y=signed(frame, 13),
            magnet_z=signed(frame, 15),
            humidity_percent=frame[18] if kind.climate and frame[18] <= _WET_PERCENT else None,
            device_counter=unsigned(frame, counter_at),
        ),
    )
    return _reading(kind, said)


def _reading(kind: _Bay, said: _Said) -> Decoded:
    heard = kind.listens and said.level_mm is not None and 0 < said.level_mm <= _RANGE_MM
    temperature_c, refused_temperature = beside.temperature(said.temperature_c)
    measurement = Measurement(
        occupied=said.occupied,
        distance_mm=said.level_mm if heard else None,
        temperature_c=temperature_c,
        battery_v=said.battery_v,
    )
    battery = (beside.battery_low(battery_v=said.battery_v),) if said.battery_alarm else ()
    return Decoded(measurements=(measurement,), infos=battery + refused_temperature + said.diagnostics)


def _parameters(kind: _Bay, frame: bytes) -> dict[str, Any]:
    common = {"firmware": firmware(frame), "upload_interval_h": frame[7]}
    if not kind.climate:
        return common | {
            "ultrasonic_interval_min": frame[8],
            "magnet_interval_s": frame[9],
            "magnet_threshold_mgs": unsigned(frame, 12),
        }
    return common | {
        "detection_interval_min": frame[8],
        **({"level_threshold_cm": frame[9]} if kind.listens else {}),
        "magnet_threshold": unsigned(frame, 10),
        "battery_threshold_percent": frame[12],
    }


def _read_object(kind: _Bay, decoded: Mapping[str, Any]) -> Decoded:
    """Return what the codecs of The Things Network's repository and of the maker's ChirpStack repository say."""
    occupied = flag(decoded, "alarmPark")
    if occupied is None:
        return _object_parameters(decoded)
    said = _Said(
        occupied=occupied,
        battery_alarm=flag(decoded, "alarmBattery"),
        battery_v=number(decoded, "volt"),
        level_mm=whole(decoded, "level"),
        temperature_c=number(decoded, "temperature"),
        diagnostics=beside.diagnostics(humidity_percent=whole(decoded, "humidity")),
    )
    return _reading(kind, said)


def _object_parameters(decoded: Mapping[str, Any]) -> Decoded:
    detail: dict[str, Any] = {
        ours: whole(decoded, name) for name, ours in _PARAMETERS.items() if decoded.get(name) is not None
    }
    if not detail:
        raise malformed("expected alarmPark or parameters in the network's object, got neither")
    firmware_text = text(decoded, "firmware")
    if firmware_text is not None:
        detail = {"firmware": firmware_text} | detail
    return Decoded(infos=(Info(kind="configuration", detail=detail),))


def _model(name: str, title: str, kind: _Bay) -> DeviceModel:
    return DeviceModel(
        name=name,
        title=title,
        measures="occupancy",
        decode=partial(_decode, kind),
        read_object=partial(_read_object, kind),
        source="TheThingsNetwork/lorawan-devices, vendor/dingtek; cndingtek/Chirpstack_codec; cndingtek/NB-IoT_Gateway",
    )


MODELS = (
    _model(
        "dingtek-do200",
        "Dingtek DO200",
        _Bay(device_type=0x02, report_size=21, parameters_size=17, listens=True, climate=False),
    ),
    _model(
        "dingtek-do201",
        "Dingtek DO201",
        _Bay(device_type=0x31, report_size=23, parameters_size=16, listens=True, climate=True),
    ),
    _model(
        "dingtek-do202",
        "Dingtek DO202",
        _Bay(device_type=0x32, report_size=23, parameters_size=16, listens=False, climate=True),
    ),
)
