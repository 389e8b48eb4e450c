"""Milesight's distance sensors: what one model sees, and what a moment that it tells of is as a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from ingest.decoders.decoded import Measurement
from ingest.decoders.milesight_channels import Channel
from storage.model import Quality

# Milesight's codes in distance channels (EM500 series user guides; EM410-RDL codec for `fffe`).
FAILED = 0xFFFF
DISABLED = 0xFFFE
NO_TARGET = 0xFFFD
_LARGEST_SIGNED = 0x7FFF

THRESHOLD_ALARMS = {0: "threshold_alarm_release", 1: "threshold_alarm", 2: "mutation_alarm"}
EXCEPTIONS = {0: "blind_zone_alarm_release", 1: "blind_zone_alarm", 2: "no_target", 3: "sensor_exception"}
RAISED = "threshold_alarm"
RELEASED = EXCEPTIONS[0]


class Record(NamedTuple):
    """A stored moment. `distance`: as the device wrote it, 0..65535. `exception`: what it said of it, None: nothing."""

    unix_s: int
    distance: int
    temperature_c: float | None = None
    tilted: bool | None = None
    exception: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sensor:
    """What one model of distance sensor sends and sees.

    `channels`: its table. `blind_zone_mm`: up to this distance, inclusive, it sees nothing. `range_mm`: nor beyond
    this one. `radar`: whether a distance may be negative or switched off, and stored moments say whether the device was
    tilted. `fire_alarm`: whether the vendor means a fire by the model's temperature alarm.
    """

    channels: Mapping[bytes, Channel]
    blind_zone_mm: int
    range_mm: int
    radar: bool = False
    fire_alarm: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.blind_zone_mm < self.range_mm <= FAILED:
            raise ValueError(f"expected 0 <= blind zone < range, got {self.blind_zone_mm} and {self.range_mm}")


class Moment(msgspec.Struct):
    """What a frame, or a codec's object, says of the present."""

    distance: int | None = None
    exception: str | None = None
    battery_percent: float | None = None
    temperature_c: float | None = None
    tilted: bool | None = None
    fire: bool | None = None


def measurement_of(
    moment: Moment, sensor: Sensor, *, measured_at: datetime | None = None, raw: bytes | None = None
) -> Measurement:
    """Return the measurement that a moment is: the present one, or a stored one with its own time and bytes."""
    quality = _quality(moment.distance, moment.exception, sensor)
    nonsense = moment.distance is None or (quality is Quality.IMPLAUSIBLE)
    return Measurement(
        quality=quality,
        measured_at=measured_at,
        distance_mm=None if nonsense else moment.distance,
        temperature_c=moment.temperature_c,
        battery_percent=moment.battery_percent,
        tilted=moment.tilted,
        fire=moment.fire,
        raw=raw,
    )


_EXCEPTION_QUALITIES = {"blind_zone_alarm": Quality.BLIND_ZONE, "no_target": Quality.NO_TARGET}


def _quality(distance: int | None, exception: str | None, sensor: Sensor) -> Quality:
    if exception is not None:
        # Any other exception, known or not, is a measurement that failed.
        return _EXCEPTION_QUALITIES.get(exception, Quality.SENSOR_FAULT)
    if distance is None:
        return Quality.OK
    if distance == FAILED:
        return Quality.SENSOR_FAULT
    if sensor.radar and distance > _LARGEST_SIGNED and distance != NO_TARGET:
        # A negative distance is what a calibration gone wrong leaves.
        return Quality.IMPLAUSIBLE
    if distance in (0, NO_TARGET) or distance > sensor.range_mm:
        return Quality.NO_TARGET
    return Quality.BLIND_ZONE if distance <= sensor.blind_zone_mm else Quality.OK
