"""Whether a measurement means anything: from a distance to a fill, and what is too late, too early or impossible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.decoders import Measurement
from ingest.refusal import RefusedError
from storage.model import Mounting, Quality, RefusalReason


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityRules:
    """The limits of belief.

    `max_future_s`: a device's clock may run ahead by this. `max_age_days`: older readings are refused.
    `bottom_tolerance_fraction`, `bottom_tolerance_mm`: a distance beyond the bin's bottom by more than the larger of
    the two (the first as a share of the bin's depth) is no bin's bottom. `max_fill_fraction`: no heap stands higher.
    """

    max_future_s: float = 600
    max_age_days: float = 90
    bottom_tolerance_fraction: float = 0.10
    bottom_tolerance_mm: float = 50
    max_fill_fraction: float = 1.5

    def __post_init__(self) -> None:
        for name in ("max_future_s", "bottom_tolerance_fraction", "bottom_tolerance_mm"):
            if getattr(self, name) < 0:
                raise ValueError(f"expected {name} >= 0, got {getattr(self, name)}")
        if self.max_age_days <= 0:
            raise ValueError(f"expected max_age_days > 0, got {self.max_age_days}")
        if self.max_fill_fraction < 1:
            raise ValueError(f"expected max_fill_fraction >= 1, got {self.max_fill_fraction}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """What a measurement says of a bin's level: `fill_fraction` is None unless the quality is OK and it is known."""

    quality: Quality
    fill_fraction: float | None


# Street furniture in France stays well inside; outside, the sensor (or its decoder) is wrong.
_COLDEST_C, _HOTTEST_C = -40.0, 85.0


def check_time(measured_at: datetime, *, now: datetime, rules: QualityRules) -> None:
    """Raise RefusedError when a reading of `measured_at` cannot be believed at `now` (both UTC)."""
    ahead = measured_at - now
    if ahead > timedelta(seconds=rules.max_future_s):
        raise RefusedError(
            RefusalReason.IN_THE_FUTURE,
            f"measured at {measured_at.isoformat()}, which is {ahead.total_seconds():.0f} s from now",
        )
    if ahead < -timedelta(days=rules.max_age_days):
        raise RefusedError(
            RefusalReason.TOO_OLD, f"measured at {measured_at.isoformat()}, more than {rules.max_age_days:g} days ago"
        )


def judge_level(measurement: Measurement, mounting: Mounting, rules: QualityRules) -> Level:
    """Return the bin's level that the measurement stands for, given where the sensor is mounted."""
    if measurement.quality is not Quality.OK:
        return Level(quality=measurement.quality, fill_fraction=None)
    if measurement.distance_mm is None:
        fill = measurement.own_fill_fraction
        plausible = fill is None or 0 <= fill <= rules.max_fill_fraction
    elif mounting.empty_distance_mm is None or mounting.full_distance_mm is None:
        fill = None
        plausible = measurement.distance_mm >= 0
    else:
        depth_mm = mounting.empty_distance_mm - mounting.full_distance_mm
        tolerance_mm = max(rules.bottom_tolerance_mm, rules.bottom_tolerance_fraction * depth_mm)
        # A sensor under the contents sees their height; one above them, what is missing.
        height_mm = mounting.empty_distance_mm - measurement.distance_mm
        if measurement.from_below:
            height_mm = measurement.distance_mm
        lowest, fill = -tolerance_mm / depth_mm, height_mm / depth_mm
        plausible = measurement.distance_mm >= 0 and lowest <= fill <= rules.max_fill_fraction
        fill = max(0.0, fill)
    # A tilted sensor looks elsewhere: the lid is open, or the bin lies on its side.
    if not plausible or measurement.tilted:
        return Level(quality=Quality.IMPLAUSIBLE, fill_fraction=None)
    return Level(quality=Quality.OK, fill_fraction=fill)


def plausible_temperature_c(temperature_c: float | None) -> float | None:
    """Return the temperature, None when no street is that cold or hot."""
    if temperature_c is None or not _COLDEST_C <= temperature_c <= _HOTTEST_C:
        return None
    return temperature_c


def plausible_battery_percent(battery_percent: float | None) -> float | None:
    """Return the battery's level, None when it is not a percentage (255 stands for unknown in LoRaWAN)."""
    if battery_percent is None or not 0 <= battery_percent <= 100:  # noqa: PLR2004 - a percentage
        return None
    return battery_percent
