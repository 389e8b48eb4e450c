"""Terabee LoRa Level Monitoring XL: light's time of flight, for containers and silos; six bytes, big endian.

Distance (mm), the device's own level (percent), battery (mV) and a byte of errors (user manual, page 31). A distance of
0 is nearer than 50 cm, 65535 farther than 60 m, 1 a failed reading; a level of 255 is an error. The published codec
keeps back all values when an error bit is set, and writes words for these distances and that level.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.decoders.codec_object import number, whole
from ingest.decoders.decoded import Decoded, DeviceModel, Info, Measurement
from ingest.envelopes import Uplink
from ingest.refusal import malformed
from storage.model import Quality

_LENGTH = 6
_TOO_CLOSE, _FAILED, _TOO_FAR = 0, 1, 0xFFFF
_NEAREST_MM, _FARTHEST_MM = 500, 60_000
_FULL_PERCENT = 100
_BATTERY_ERROR, _SENSOR_ERROR = 0x04, 0x08
_ERRORS = {
    0x01: "watchdog_reset",
    0x02: "radio_does_not_sleep",
    _BATTERY_ERROR: "battery_not_read",
    _SENSOR_ERROR: "sensor_does_not_answer",
}
_WORDS = {"TARGET_TOO_CLOSE": _TOO_CLOSE, "TARGET_TOO_FAR": _TOO_FAR, "INVALID_READING": _FAILED}
_LEVEL_ERROR = "LEVEL_ERROR"


def decode_lm_xl(uplink: Uplink) -> Decoded:
    """Return the distance, the device's own level, and its errors."""
    frame = uplink.payload
    if not frame:
        raise malformed("the frame is empty")
    if len(frame) != _LENGTH:
        raise malformed(f"expected {_LENGTH} bytes, got {len(frame)}")
    errors = frame[5]
    reading = _reading(
        distance_mm=int.from_bytes(frame[:2]),
        level_percent=frame[2],
        battery_v=None if errors & _BATTERY_ERROR else int.from_bytes(frame[3:5]) / 1000,
        silent=errors & _SENSOR_ERROR != 0,
    )
    infos: tuple[Info, ...] = ()
    if errors:
        known = [name for bit, name in _ERRORS.items() if errors & bit]
        infos = (Info(kind="device_error", detail={"errors": known, "error_bits": errors}),)
    return Decoded(measurements=(reading,), infos=infos)


def _reading(
    *, distance_mm: int | None, level_percent: float | None, battery_v: float | None, silent: bool = False
) -> Measurement:
    quality = Quality.SENSOR_FAULT if silent else _quality(distance_mm)
    level_known = quality is Quality.OK and level_percent is not None and 0 <= level_percent <= _FULL_PERCENT
    return Measurement(
        quality=quality,
        distance_mm=distance_mm,
        own_fill_fraction=level_percent / 100 if level_known and level_percent is not None else None,
        battery_v=battery_v,
    )


def _quality(distance_mm: int | None) -> Quality:
    if distance_mm is None:
        return Quality.OK
    if distance_mm == _FAILED:
        return Quality.SENSOR_FAULT
    if distance_mm < _NEAREST_MM:
        return Quality.BLIND_ZONE
    if distance_mm > _FARTHEST_MM:
        return Quality.NO_TARGET
    return Quality.OK


def read_lm_xl_object(decoded: Mapping[str, Any]) -> Decoded:
    """Return what the published codec says (TheThingsNetwork/lorawan-devices, vendor/terabee, lora-lm-xl.js)."""
    distance = decoded.get("distance")
    distance_mm = _WORDS[distance] if isinstance(distance, str) and distance in _WORDS else whole(decoded, "distance")
    error = decoded.get("levelPercentage") == _LEVEL_ERROR
    level_percent = None if error else number(decoded, "levelPercentage")
    if distance_mm is None and level_percent is None:
        raise malformed("expected distance or levelPercentage in the network's object, got neither")
    battery_mv = number(decoded, "batteryVoltage")
    reading = _reading(
        distance_mm=distance_mm,
        level_percent=level_percent,
        battery_v=None if battery_mv is None else battery_mv / 1000,
    )
    return Decoded(measurements=(reading,))


MODELS = (
    DeviceModel(
        name="terabee-lora-lm-xl",
        title="Terabee LoRa Level Monitoring XL",
        measures="level",
        decode=decode_lm_xl,
        read_object=read_lm_xl_object,
        source="Terabee, LoRa Level Monitoring XL user manual; TheThingsNetwork/lorawan-devices, vendor/terabee",
    ),
)
