"""When an alert opens and when it closes: always two thresholds, so that none flickers. docs/quality.md lists them."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ingest.review.options import DAY_S, HOUR_S

_OPENS_ABOVE = ("fire_c", "hot_c", "overflow_fraction", "loss_high", "network_silent_share")
_CLOSES_BELOW = ("fire_over_c", "hot_over_c", "overflow_over_fraction", "loss_low", "network_back_share")


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmOptions:
    """Thresholds of alerts; a name with `_over`, `_low` or `_back` is where the alert of its neighbour closes.

    Temperatures are degrees Celsius; a rise by `fire_rise_c` within `fire_rise_s` to at least `hot_c` is a fire too.
    `fault_readings` consecutive readings without a measurement over at least `fault_s` are a fault, `steady_readings`
    good ones end it (and tilting). A device is silent after the longest of three of its periods, `silent_factor` times
    its second longest gap in four weeks, `silent_least_s`; a new one after `silent_unknown_s`; one whose gaps reach
    `silent_irregular` periods, or whose days differ by `silent_wander` of a period, speaks when something changes, and
    is not silent before `silent_irregular_s`. A network of at least
    `network_least` devices is silent when `network_silent_share` of them are overdue and nobody was heard for
    `network_gaps` times what is usual. Batteries are in percent; `battery_empty_percent` is where a trend ends. Radio:
    the share of lost frames over a week of at least `loss_frames`, and both medians below `rssi_weak_dbm` and
    `snr_weak_db`; it is well again above these by `radio_margin_db`. A sensor is contradicted when officers found it
    wrong at least `contradicted_checks` times and more often than right.
    """

    fire_c: float = 70.0
    fire_over_c: float = 50.0
    fire_rise_c: float = 20.0
    fire_rise_s: float = 1.5 * HOUR_S
    hot_c: float = 55.0
    hot_over_c: float = 45.0
    overflow_fraction: float = 0.98
    overflow_over_fraction: float = 0.85
    fault_readings: int = 6
    fault_s: float = 3 * HOUR_S
    steady_readings: int = 2
    silent_periods: float = 3.0
    silent_factor: float = 1.3
    silent_least_s: float = 0.5 * HOUR_S
    silent_most_s: float = 14 * DAY_S
    silent_unknown_s: float = 26 * HOUR_S
    silent_known_frames: int = 8
    silent_irregular: float = 6.0
    silent_wander: float = 0.08
    silent_irregular_s: float = 54 * HOUR_S
    network_least: int = 5
    network_silent_share: float = 0.8
    network_back_share: float = 0.5
    network_gaps: float = 10.0
    network_least_s: float = 0.25 * HOUR_S
    battery_low_percent: float = 20.0
    battery_well_percent: float = 30.0
    battery_empty_percent: float = 10.0
    battery_trend_days: int = 14
    battery_trend_points: float = 2.0
    loss_high: float = 0.2
    loss_low: float = 0.1
    loss_frames: int = 20
    rssi_weak_dbm: float = -118.0
    snr_weak_db: float = -10.0
    radio_margin_db: float = 4.0
    contradicted_checks: int = 2

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not field.name.endswith(("_dbm", "snr_weak_db")) and value <= 0:
                raise ValueError(f"expected {field.name} > 0, got {value}")
        for opens, closes in zip(_OPENS_ABOVE, _CLOSES_BELOW, strict=True):
            if getattr(self, closes) >= getattr(self, opens):
                raise ValueError(f"expected {closes} < {opens}, got {getattr(self, closes)} and {getattr(self, opens)}")
        if self.battery_well_percent <= self.battery_low_percent:
            raise ValueError(
                f"expected battery_well_percent > battery_low_percent, got {self.battery_well_percent} and "
                f"{self.battery_low_percent}"
            )
