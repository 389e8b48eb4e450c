"""Milesight EM410-RDL: radar distance, with exceptions and with a memory.

The distance is signed; `fffd` is no target, `ffff` a fault of the sensor, `fffe` a distance that is switched off. The
exception channel says of its own distance that it is worth nothing: in the blind zone the radar still gives a number.
Stored moments (`20 ce`) have the device's own time, and bits for what was wrong at it.
"""

from __future__ import annotations

from typing import Any

from ingest.decoders.decoded import DeviceModel
from ingest.decoders.milesight_channels import Channel, named, not_zero, percent, signed, tenths, unsigned
from ingest.decoders.milesight_information import extended_channels, information_channels
from ingest.decoders.milesight_objects import object_reader_of
from ingest.decoders.milesight_readings import decoder_of
from ingest.decoders.milesight_sensor import EXCEPTIONS, THRESHOLD_ALARMS, Record, Sensor

_STORED_ALARMS = ("threshold_alarm", "threshold_alarm_release", "blind_zone_alarm", "blind_zone_alarm_release")
_BLIND, _MUTATION, _TILT = 0x04, 0x10, 0x20
_NO_TEMPERATURE = (b"\xfe\xff", b"\xff\xff")


def _distance_alarm(value: bytes) -> dict[str, Any]:
    return {"distance": unsigned(value[:2]), "distance_alarm": named(THRESHOLD_ALARMS, value[2])}


def _mutation_alarm(value: bytes) -> dict[str, Any]:
    return {
        "distance": unsigned(value[:2]),
        "distance_mutation_mm": signed(value[2:4]),
        "distance_alarm": named(THRESHOLD_ALARMS, value[4]),
    }


def _exception(value: bytes) -> tuple[int, str]:
    return unsigned(value[:2]), named(EXCEPTIONS, value[2])


def _radar_signal(value: bytes) -> dict[str, Any]:
    return {"rssi": signed(value) / 100}


def _record(value: bytes) -> Record:
    events = value[10]
    notes = tuple(name for bit, name in enumerate(_STORED_ALARMS) if events >> bit & 1)
    if events & _MUTATION:
        notes = (*notes, f"mutation_alarm ({signed(value[8:10])} mm)")
    return Record(
        unix_s=unsigned(value[:4]),
        distance=unsigned(value[4:6]),
        temperature_c=None if value[6:8] in _NO_TEMPERATURE else tenths(value[6:8]),
        tilted=bool(events & _TILT),
        exception=EXCEPTIONS[1] if events & _BLIND else None,
        notes=notes,
    )


_SENSOR = Sensor(
    channels={
        b"\x01\x75": Channel("battery", "battery_percent", 1, percent),
        b"\x03\x67": Channel("temperature", "temperature_c", 2, tenths),
        b"\x04\x82": Channel("distance", "distance_mm", 2, unsigned),
        b"\x05\x00": Channel("position", "tilted", 1, not_zero),
        b"\x06\xc7": Channel("diagnostics", "radar_signal", 2, _radar_signal),
        b"\x84\x82": Channel("distance_alarm", "distance_alarm", 3, _distance_alarm),
        b"\x94\x82": Channel("mutation_alarm", "distance_alarm", 5, _mutation_alarm),
        b"\xb4\x82": Channel("exception", "distance_exception", 3, _exception),
        b"\x20\xce": Channel("history", "stored", 11, _record),
    }
    | information_channels(0x1B, 0x1C, 0x27, 0x28, 0x2A, 0x3E, 0x4A, 0x68, 0x69, 0x6A, 0x8E, 0xAB, 0xBD, 0xF2)
    | extended_channels(),
    # Both are settings of the device, which reports what lies outside of them as an exception.
    blind_zone_mm=0,
    range_mm=0x7FFF,
    radar=True,
)

MODELS = (
    DeviceModel(
        name="milesight-em410-rdl",
        title="Milesight EM410-RDL",
        measures="level",
        decode=decoder_of(_SENSOR),
        source="Milesight-IoT/SensorDecoders, em-series/em410-rdl",
        read_object=object_reader_of(_SENSOR),
    ),
)
