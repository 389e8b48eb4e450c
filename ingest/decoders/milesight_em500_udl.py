"""Milesight EM500-UDL: ultrasonic distance, with a memory.

Stored moments (`20 ce`) have the device's own time. The alarm of a sudden change (`83 e9`) has a distance of its own,
in a unit that the vendor does not state: its README is silent, and its codec divides by ten what it takes for
millimetres everywhere else. A tenth of a distance would be a full bin, so this channel is an event and no measurement,
and so is a codec's object that has it.

The blind zone differs by version (3 cm, or 25 cm and more for the long ranges), which the frames do not tell: only what
is blind for all of them is refused here, and the mounting has to keep clear of the rest. The vendor's own example is a
distance of 30 mm, and no document at hand says of this model, as of the EM310-UDL, that it stands for less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.decoders.codec_object import number
from ingest.decoders.codec_records import distance_mm
from ingest.decoders.decoded import DeviceModel
from ingest.decoders.milesight_channels import Channel, named, percent, unsigned
from ingest.decoders.milesight_information import information_channels
from ingest.decoders.milesight_objects import object_reader_of
from ingest.decoders.milesight_readings import decoder_of
from ingest.decoders.milesight_sensor import Record, Sensor

_FARTHEST_SIGNED_M = 32.768
_ALARMS = {0: "normal", 1: "threshold_alarm", 2: "mutation_alarm"}


def _mutation(value: bytes) -> dict[str, Any]:
    return {
        "distance_unit_unknown": unsigned(value[:2]),
        "distance_mutation_unit_unknown": unsigned(value[2:4]),
        "distance_alarm": named(_ALARMS, value[4]),
    }


def _record(value: bytes) -> Record:
    return Record(unix_s=unsigned(value[:4]), distance=unsigned(value[4:]))


def _distance_of_object(decoded: Mapping[str, Any]) -> int | None:
    if "distance_mutation" in decoded or "distance_alarm" in decoded:
        return None
    found = number(decoded, "distance")
    if found is not None and abs(found) < _FARTHEST_SIGNED_M and not float(found).is_integer():
        # The codec of 2021 wrote signed metres, where today's writes millimetres, which are whole.
        return round(found * 1000) & 0xFFFF
    return distance_mm(decoded, "distance")


_SENSOR = Sensor(
    channels={
        b"\x01\x75": Channel("battery", "battery_percent", 1, percent),
        b"\x03\x82": Channel("distance", "distance_mm", 2, unsigned),
        b"\x83\xe9": Channel("notice", "alarm", 5, _mutation),
        b"\x20\xce": Channel("history", "stored", 6, _record),
    }
    | information_channels(
        0x02, 0x03, 0x11, 0x17, 0x1C, 0x27, 0x28, 0x35, 0x3B, 0x4A, 0x68, 0x69, 0x6A, 0x84, 0x96, 0xF1, 0xF2, 0xF5
    ),
    blind_zone_mm=29,
    range_mm=10_000,
)

MODELS = (
    DeviceModel(
        name="milesight-em500-udl",
        title="Milesight EM500-UDL",
        measures="level",
        decode=decoder_of(_SENSOR),
        source="Milesight-IoT/SensorDecoders, em-series/em500-udl; EM500 series user guides",
        read_object=object_reader_of(_SENSOR, read_distance=_distance_of_object),
    ),
)
