"""Whether a measurement means anything: from a distance to a fill, and what is too late, too early or impossible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingest.decoders import Measurement
from ingest.refusal import RefusedError
from storage.bin_geometry import IMPLAUSIBLE, Level, LevelRules, judge_distance
from storage.model import Mounting, Quality, RefusalReason


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityRules(LevelRules):
    """The limits of belief: those of a level, and of a time.

    `max_future_s`: a device's clock may run ahead by this. `max_age_days`: older readings are refused.
    """

    max_future_s: float = 600
    max_age_days: float = 90

    def __post_init__(self) -> None:
        # Named, since a dataclass with slots is made anew, and `super()` would look for the class as it was.
        LevelRules.__post_init__(self)
        if self.max_future_s < 0:
            raise ValueError(f"expected max_future_s >= 0, got {self.max_future_s}")
        if self.max_age_days <= 0:
            raise ValueError(f"expected max_age_days > 0, got {self.max_age_days}")


_DAY_S = 86_400
# Street furniture in France stays well inside unless it burns, which sensors live to tell up to 125 °C or so; outside,
# the sensor (or its decoder) is wrong.
_COLDEST_C, _HOTTEST_C = -40.0, 150.0


def check_time(measured_at: datetime, *, now: datetime, rules: QualityRules) -> None:
    """Raise RefusedError when a reading of `measured_at` cannot be believed at `now` (both UTC)."""
    ahead_s = (measured_at - now).total_seconds()
    if ahead_s > rules.max_future_s:
        raise RefusedError(
            RefusalReason.IN_THE_FUTURE, f"measured at {measured_at.isoformat()}, which is {ahead_s:.0f} s from now"
        )
    if ahead_s < -_DAY_S * rules.max_age_days:
        raise RefusedError(
            RefusalReason.TOO_OLD, f"measured at {measured_at.isoformat()}, more than {rules.max_age_days:g} days ago"
        )


def judge_level(measurement: Measurement, mounting: Mounting, rules: QualityRules) -> Level:
    """Return the bin's level that the measurement stands for, given where the sensor is mounted."""
    if measurement.quality is not Quality.OK:
        return Level(quality=measurement.quality, fill_fraction=None)
    if measurement.distance_mm is not None:
        return judge_distance(
            measurement.distance_mm,
            mounting,
            tilted=bool(measurement.tilted),
            from_below=bool(measurement.from_below),
            rules=rules,
        )
    fill = measurement.own_fill_fraction
    plausible = fill is None or 0 <= fill <= rules.max_fill_fraction
    return Level(quality=Quality.OK, fill_fraction=fill) if plausible and not measurement.tilted else IMPLAUSIBLE


def plausible_temperature_c(temperature_c: float | None) -> float | None:
    """Return the temperature, None when no street is that cold and no burning bin that hot."""
    if temperature_c is None or not _COLDEST_C <= temperature_c <= _HOTTEST_C:
        return None
    return temperature_c


def plausible_battery_percent(battery_percent: float | None) -> float | None:
    """Return the battery's level, None when it is not a percentage (255 stands for unknown in LoRaWAN)."""
    if battery_percent is None or not 0 <= battery_percent <= 100:  # noqa: PLR2004 - a percentage
        return None
    return battery_percent
