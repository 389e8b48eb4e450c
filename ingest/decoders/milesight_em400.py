"""Milesight EM400-MUD, EM400-UDL (ultrasonic) and EM400-TLD (laser): distance, temperature and position, for bins.

The three share their channels but for the location, which the units with a cellular modem add: MUD and UDL write
longitude first, TLD latitude first. The vendor sells the TLD as one that tells of burning rubbish, and its temperature
alarm (an abrupt rise of more than 5 degrees, EM400 user guides) is how it does; of the other two it says no such
thing, so theirs is an event and no fire.

Ranges: the MUD sees 3 to 450 cm. The UDL is sold in two versions of different reach, which its frames do not tell, and
the laser's reach is not in the documents at hand: both get 10 m, and the bin's own depth refuses what lies beyond it.
As with the EM310-UDL, 0 mm is nothing seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ingest.decoders.decoded import DeviceModel
from ingest.decoders.milesight_channels import Channel, named, not_zero, percent, signed, tenths, unsigned
from ingest.decoders.milesight_information import information_channels
from ingest.decoders.milesight_objects import object_reader_of
from ingest.decoders.milesight_readings import decoder_of
from ingest.decoders.milesight_sensor import THRESHOLD_ALARMS, Sensor

_GEOFENCE = {0: "inside", 1: "outside", 2: "unset", 3: "unknown"}
_MOTION = {0: "unknown", 1: "start_moving", 2: "moving", 3: "stop_moving"}
_NOWHERE = b"\xff" * 8


def _temperature_alarm(value: bytes) -> tuple[float, str]:
    return tenths(value[:2]), named(THRESHOLD_ALARMS, value[2])


def _distance_alarm(value: bytes) -> dict[str, Any]:
    return {"distance": unsigned(value[:2]), "distance_alarm": named(THRESHOLD_ALARMS, value[2])}


def _location(first: str, second: str, value: bytes) -> dict[str, Any]:
    motion = {"geofence": named(_GEOFENCE, value[8] >> 4), "motion": named(_MOTION, value[8] & 0x0F)}
    if value[:8] == _NOWHERE:
        return {first: None, second: None} | motion
    return {first: signed(value[:4]) / 1e6, second: signed(value[4:8]) / 1e6} | motion


_LONGITUDE_FIRST = partial(_location, "longitude_deg", "latitude_deg")
_LATITUDE_FIRST = partial(_location, "latitude_deg", "longitude_deg")


def _channels(location: Callable[[bytes], dict[str, Any]]) -> dict[bytes, Channel]:
    return {
        b"\x01\x75": Channel("battery", "battery_percent", 1, percent),
        b"\x03\x67": Channel("temperature", "temperature_c", 2, tenths),
        b"\x04\x82": Channel("distance", "distance_mm", 2, unsigned),
        b"\x05\x00": Channel("position", "tilted", 1, not_zero),
        b"\x06\x88": Channel("notice", "location", 9, location),
        b"\x83\x67": Channel("temperature_alarm", "temperature_alarm", 3, _temperature_alarm),
        b"\x84\x82": Channel("distance_alarm", "distance_alarm", 3, _distance_alarm),
    } | information_channels(0x02, 0x03, 0x13, 0x1C, 0x28, 0x3E, 0x4A, 0x56, 0x70, 0x71, 0x77)


_MUD = Sensor(channels=_channels(_LONGITUDE_FIRST), blind_zone_mm=30, range_mm=4500)
_UDL = Sensor(channels=_channels(_LONGITUDE_FIRST), blind_zone_mm=30, range_mm=10_000)
_TLD = Sensor(channels=_channels(_LATITUDE_FIRST), blind_zone_mm=30, range_mm=10_000, fire_alarm=True)

MODELS = tuple(
    DeviceModel(
        name=f"milesight-em400-{variant.lower()}",
        title=f"Milesight EM400-{variant}",
        measures="level",
        decode=decoder_of(sensor),
        source=f"Milesight-IoT/SensorDecoders, em-series/em400-{variant.lower()}; EM400-{variant} user guide",
        read_object=object_reader_of(sensor),
    )
    for variant, sensor in (("MUD", _MUD), ("TLD", _TLD), ("UDL", _UDL))
)
