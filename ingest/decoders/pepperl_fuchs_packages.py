"""The packages of Pepperl+Fuchs' WILSEN.sonic devices: identifier, our name with its unit, bytes, meaning.

Facts from TDOCT7056 (payloads 1 to 3) and actility/device-catalog, vendors/pf (answers to commands).
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import msgspec

Value = bool | float | int | str | None


def _byte(value: bytes) -> int:
    return value[0]


def _count(value: bytes) -> int:
    return int.from_bytes(value)


def _micro_degrees(value: bytes) -> float:
    return int.from_bytes(value, signed=True) / 1_000_000


def _celsius(value: bytes) -> float:
    return float(struct.unpack(">f", value)[0])


def _centimetres(value: bytes) -> int:
    return int.from_bytes(value) * 10


def _decivolts(value: bytes) -> float:
    return value[0] / 10


def _yes(value: bytes) -> bool:
    return value[0] != 0


def _text(value: bytes) -> str:
    return value.split(b"\0")[0].decode("ascii", errors="replace")


def _version(value: bytes) -> str:
    return ".".join(str(int.from_bytes(value[at : at + 2])) for at in (0, 2, 4))


def _spreading(value: bytes) -> int | str:
    return "adaptive" if value[0] == 0xFF else value[0]  # noqa: PLR2004 - the maker's code for the network's choice


def _done(_value: bytes) -> bool:
    return True


class Package(msgspec.Struct, frozen=True):
    """One kind of package: our name for it, the bytes that it has at least, and what they mean."""

    name: str
    length: int
    read: Callable[[bytes], Value]

    def value(self, said: bytes) -> Value:
        """Return what the bytes mean: a text takes them all, a number as many as it has."""
        return self.read(said if self.read is _text else said[: self.length])


MEASURED = {
    0x0201: Package("temperature_c", 4, _celsius),
    0x0B01: Package("distance_mm", 2, _centimetres),
    0x0B02: Package("distance_mm", 2, _count),
    0x0B06: Package("fill_percent", 1, _byte),
    0x5001: Package("latitude_deg", 4, _micro_degrees),
    0x5002: Package("longitude_deg", 4, _micro_degrees),
    0x5101: Package("battery_v", 1, _decivolts),
}
STATUS = {
    0x0B07: Package("echo_amplitude", 1, _byte),
    0x2A25: Package("serial_number", 14, _text),
    0x2A26: Package("serial_number", 6, _count),
    0x3101: Package("transmissions", 2, _count),
    0x3102: Package("position_searches", 2, _count),
    0x3103: Package("measurements", 4, _count),
}
# Answers to commands: the settings that they leave behind.
SETTINGS = {
    0xF101: Package("bluetooth_enabled", 1, _yes),
    0xF102: Package("device_name", 1, _text),
    0xF103: Package("counters_reset", 0, _done),
    0xF104: Package("factory_reset", 0, _done),
    0xF105: Package("password_changed", 0, _done),
    0xF108: Package("device_name_1", 1, _text),
    0xF109: Package("device_name_2", 1, _text),
    0xF201: Package("position_search_enabled", 1, _yes),
    0xF202: Package("position_interval_s", 4, _count),
    0xF203: Package("next_position_s", 4, _count),
    0xF204: Package("position_accuracy_mode", 1, _byte),
    0xF205: Package("position_confirmed", 1, _yes),
    0xF206: Package("position_transmissions", 1, _byte),
    0xF207: Package("position_search_started", 0, _done),
    0xF301: Package("confirmed", 1, _yes),
    0xF302: Package("transmissions_each", 1, _byte),
    0xF303: Package("spreading_factor", 1, _spreading),
    0xF304: Package("transmission_enabled", 1, _yes),
    0xF305: Package("upload_interval_s", 4, _count),
    0xF306: Package("next_upload_s", 4, _count),
    0xF307: Package("downlink_configuration", 1, _yes),
    0xF308: Package("downlink_answers", 1, _yes),
    0xF309: Package("sub_band", 1, _byte),
    0xF401: Package("beam_width_code", 1, _byte),
    0xF402: Package("burst_length_code", 1, _byte),
    0xF403: Package("transmitting_power_code", 1, _byte),
    0xF404: Package("sensitivity_code", 1, _byte),
    0xF405: Package("full_distance_mm", 2, _count),
    0xF406: Package("empty_distance_mm", 2, _count),
    0xF407: Package("sequence_enabled", 1, _yes),
    0xF408: Package("evaluation_code", 1, _byte),
    0xF409: Package("measurements_each", 1, _byte),
    0xF40A: Package("measurement_interval_ms", 2, _count),
    0xF40B: Package("filter_enabled", 1, _yes),
    0xF40C: Package("filter_code", 1, _byte),
    0xF40D: Package("additional_measurements", 1, _byte),
    0xF501: Package("part_number", 4, _count),
    0xF502: Package("hardware", 6, _version),
    0xF503: Package("firmware", 6, _version),
}
