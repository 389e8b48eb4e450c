"""Readings in columns, as the review sees them: 200,000 readings as objects would take minutes to judge."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from storage.model import Quality

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Flags = NDArray[np.bool_]

QUALITIES = tuple(Quality)
"""A quality's code in columns is its index here."""
CODES = {quality: code for code, quality in enumerate(QUALITIES)}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SignalTable:
    """Readings in columns of one length n, ordered by series, event time and record index.

    A series is one device on one place. int64: `series` (which one), `measured_us` (event time, Unix microseconds),
    `record_index`, `heard_us` (when the network heard the frame, else the event time), `quality` (code of the verdict
    at intake), `frame_counter` (-1 when unknown). float64, NaN when unknown: `fill_fraction`, `distance_mm`,
    `empty_distance_mm` (of the mounting), `temperature_c`, `battery_percent`, `battery_v`, `rssi_dbm`, `snr_db`. bool:
    `tilted`, `fire`, `full`; what the device did not say is not raised.
    """

    series: Ints
    measured_us: Ints
    record_index: Ints
    heard_us: Ints
    quality: Ints
    fill_fraction: Floats
    distance_mm: Floats
    empty_distance_mm: Floats
    temperature_c: Floats
    battery_percent: Floats
    battery_v: Floats
    rssi_dbm: Floats
    snr_db: Floats
    frame_counter: Ints
    tilted: Flags
    fire: Flags
    full: Flags

    def __len__(self) -> int:
        return len(self.series)

    @property
    def at_s(self) -> Floats:
        """(n,) event times, Unix seconds."""
        seconds: Floats = self.measured_us / 1e6
        return seconds


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class VerdictTable:
    """What the review says of n readings, in the order of their SignalTable.

    `quality` int64: codes; `reasons`: index of a reading to why it is not OK, in words; `filtered_fraction`,
    `filtered_sd`: the level with the noise taken out and its standard deviation, NaN unless the quality is OK.
    """

    quality: Ints
    reasons: dict[int, str]
    filtered_fraction: Floats
    filtered_sd: Floats

    def __len__(self) -> int:
        return len(self.quality)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayTable:
    """Devices day by day, in columns of one length d: what habits and health are learnt from.

    int64: `device_id`, `day` (days since 1970, UTC), and counts: `readings`, `frames`, `lost` (holes in the frame
    counter), `repeats` and `changes` (consecutive levels that were the same, or not). float64, NaN when unknown:
    `median_gap_s` and `longest_gap_s` between frames, `noise_fraction` (standard deviation of a level), `step_fraction`
    (smallest change of a level), and medians `battery_percent`, `battery_v`, `rssi_dbm`, `snr_db`.
    """

    device_id: Ints
    day: Ints
    readings: Ints
    frames: Ints
    lost: Ints
    repeats: Ints
    changes: Ints
    median_gap_s: Floats
    longest_gap_s: Floats
    noise_fraction: Floats
    step_fraction: Floats
    battery_percent: Floats
    battery_v: Floats
    rssi_dbm: Floats
    snr_db: Floats

    def __len__(self) -> int:
        return len(self.device_id)

    def where(self, keep: Flags) -> DayTable:
        """Return the days that `keep` (d,) marks."""
        return DayTable(**{field.name: getattr(self, field.name)[keep] for field in fields(self)})
