"""The present, by event time: what was measured, declared and predicted, each in its own field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.model.kinds import Quality


@dataclass(frozen=True, kw_only=True, slots=True)
class BinNow:
    """A bin with what was last measured, last declared and is now predicted for it, each in its own fields.

    `measured_…` is the last trusted reading; `filtered_…` that level with the noise taken out, as of the last review;
    `newest_…` the sensor's newest reading, with the verdict on it.
    """

    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    bin_kind: str
    volume_l: float
    sector: str | None
    has_sensor: bool
    measured_at: datetime | None
    measured_fill_fraction: float | None
    quality: Quality | None
    battery_percent: float | None
    last_emptied_at: datetime | None
    forecast_valid_at: datetime | None
    forecast_p10: float | None
    forecast_p50: float | None
    forecast_p90: float | None
    probability_full: float | None
    filtered_at: datetime | None = None
    filtered_fraction: float | None = None
    filtered_sd: float | None = None
    newest_at: datetime | None = None
    newest_quality: Quality | None = None
    newest_reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceNow:
    """A parking space with its last known occupancy."""

    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    space_kind: str
    heard_at: datetime | None
    occupied: bool | None


SENSOR_SILENT_AFTER = timedelta(hours=30)
"""A bay sensor that said nothing for this long is silent: TPS110 sends a heartbeat every 24 h (Bosch, TPS110)."""
