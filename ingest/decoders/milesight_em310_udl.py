"""Milesight EM310-UDL: ultrasonic distance, for bins.

The trap of this model is its zero: a target beyond 4.5 m is reported as distance 0, and one nearer than 3 cm as 30 mm
(EM310-UDL user guide). Read naively, an open lid would be a bin that overflows.
"""

from __future__ import annotations

from ingest.decoders.decoded import DeviceModel
from ingest.decoders.milesight_channels import Channel, not_zero, percent, unsigned
from ingest.decoders.milesight_information import information_channels
from ingest.decoders.milesight_objects import object_reader_of
from ingest.decoders.milesight_readings import decoder_of
from ingest.decoders.milesight_sensor import Sensor

_SENSOR = Sensor(
    channels={
        b"\x01\x75": Channel("battery", "battery_percent", 1, percent),
        b"\x03\x82": Channel("distance", "distance_mm", 2, unsigned),
        b"\x04\x00": Channel("position", "tilted", 1, not_zero),
    }
    | information_channels(0x02, 0x03),
    blind_zone_mm=30,
    range_mm=4500,
)

MODELS = (
    DeviceModel(
        name="milesight-em310-udl",
        title="Milesight EM310-UDL",
        measures="level",
        decode=decoder_of(_SENSOR),
        source="Milesight-IoT/SensorDecoders, em-series/em310-udl; EM310-UDL user guide",
        read_object=object_reader_of(_SENSOR),
    ),
)
