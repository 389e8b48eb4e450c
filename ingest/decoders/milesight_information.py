"""What Milesight's devices say of themselves: device information after joining, and answers to downlinks.

Channels `ff` and `fe`; the meaning of a type is the same for all models that have it. What has no unit to name keeps
its bytes, in hexadecimal (Milesight-IoT/SensorDecoders, em-series, decoders and READMEs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ingest.decoders.milesight_channels import Channel, not_zero, signed, unsigned


class _Field(NamedTuple):
    name: str
    length: int
    read: Callable[[bytes], Any] = bytes.hex


def _hardware(value: bytes) -> str:
    return f"v{value[0]:x}.{value[1] >> 4:x}"


def _firmware(value: bytes) -> str:
    return f"v{value[0]:x}.{value[1]:x}"


def _lorawan_class(value: bytes) -> str:
    return {0: "A", 1: "B", 2: "C", 3: "C to B"}.get(value[0], f"unknown ({value[0]})")


def _sent(_: bytes) -> bool:
    return True


def _concealed(_: bytes) -> str:
    return "set, not shown"


def _after_reserved_byte(value: bytes) -> int:
    return unsigned(value[1:])


_FIELDS = {
    0x01: _Field("protocol_version", 1),
    0x09: _Field("hardware_version", 2, _hardware),
    0x0A: _Field("firmware_version", 2, _firmware),
    0x0B: _Field("power_on", 1, _sent),
    0x0F: _Field("lorawan_class", 1, _lorawan_class),
    0x16: _Field("serial_number", 8),
    0xFE: _Field("reset", 1, _sent),
    0xFF: _Field("tsl_version", 2),
    0x02: _Field("collection_interval_s", 2, unsigned),
    0x03: _Field("report_interval_s", 2, unsigned),
    0x06: _Field("alarm_settings", 9),
    0x10: _Field("reboot", 1, _sent),
    0x11: _Field("clock_unix_s", 4, unsigned),
    0x13: _Field("install_height_enabled", 1, not_zero),
    0x17: _Field("time_zone", 2),
    0x1B: _Field("distance_range", 5),
    0x1C: _Field("recollection", 2),
    0x27: _Field("history_cleared", 1, _sent),
    0x28: _Field("status_queried", 1, _sent),
    0x2A: _Field("radar_calibrated", 1),
    0x35: _Field("d2d_key", 8, _concealed),
    0x3B: _Field("time_sync_enabled", 1, not_zero),
    0x3E: _Field("tilt_stops_distance", 1, not_zero),
    0x4A: _Field("time_synchronised", 1, _sent),
    0x56: _Field("tof_enabled", 1, not_zero),
    0x68: _Field("history_enabled", 1, not_zero),
    0x69: _Field("retransmission_enabled", 1, not_zero),
    0x6A: _Field("retransmission_interval", 3),
    0x70: _Field("people_existing_height_mm", 2, unsigned),
    0x71: _Field("working_mode", 1),
    0x77: _Field("install_height_mm", 2, unsigned),
    0x84: _Field("d2d_enabled", 1, not_zero),
    0x8E: _Field("report_interval_min", 3, _after_reserved_byte),
    0x96: _Field("d2d_master", 8),
    0xAB: _Field("distance_calibration", 3),
    0xBD: _Field("time_zone_min", 2, signed),
    0xF1: _Field("distance_calibration", 4),
    0xF2: _Field("alarm_reports", 2, unsigned),
    0xF5: _Field("alarm_release_enabled", 1, not_zero),
}
_OF_ALL_MODELS = (0x01, 0x09, 0x0A, 0x0B, 0x0F, 0x16, 0xFE, 0xFF, 0x06, 0x10)
# Answers of the extended kind: `f9` is the answer alone, `f8` has a result behind it (0: done).
_EXTENDED = {
    0x0D: _Field("retransmission", 3),
    0x12: _Field("distance_mode", 1),
    0x13: _Field("blind_zone_detection_enabled", 1, not_zero),
    0x14: _Field("signal_quality", 2),
    0x15: _Field("threshold_sensitivity", 2),
    0x16: _Field("peak_sorting", 1),
    0x39: _Field("collection_interval_min", 2, unsigned),
}
START_UP = frozenset({"power_on", "reset"})


def information_channels(*types: int) -> dict[bytes, Channel]:
    """Return the channels of device information, and of the answers that a model gives beside those of all models."""
    return {
        bytes((head, kind)): Channel("information", _FIELDS[kind].name, _FIELDS[kind].length, _FIELDS[kind].read)
        for head in (0xFF, 0xFE)
        for kind in (*_OF_ALL_MODELS, *types)
    }


def extended_channels(types: Iterable[int] = tuple(_EXTENDED)) -> dict[bytes, Channel]:
    """Return the channels of extended answers, without and with a result; with one, the bytes stay as they are."""
    channels: dict[bytes, Channel] = {}
    for kind in types:
        field = _EXTENDED[kind]
        channels[bytes((0xF9, kind))] = Channel("information", field.name, field.length, field.read)
        channels[bytes((0xF8, kind))] = Channel("information", f"{field.name}_and_result", field.length + 1, bytes.hex)
    return channels
