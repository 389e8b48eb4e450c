"""A device's health, from its last days and when it was heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from ingest.review.alarm_options import AlarmOptions
from ingest.review.battery import empty_in_s
from ingest.review.habits import habits_of
from ingest.review.options import DAY_S
from ingest.review.silence import silence_limits
from storage.model import DeviceHealth
from storage.signal_table import DayTable, Floats, Ints

_RADIO_DAYS = 7
_EVENT_DRIVEN = {"bosch-tps110": 54 * 3600.0}
"""Models that speak when something changes: the least silence that means anything, two of the maker's heartbeats (24 h)
and a quarter of one, since a frame may get lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeardDevice:
    """A device that was heard: on which place, over which network (None: unknown), and when the last two times."""

    device_id: int
    model: str
    place_id: str
    network: str | None
    heard_at: datetime
    heard_before_at: datetime | None


def health_of(heard: list[HeardDevice], days: DayTable, options: AlarmOptions) -> list[DeviceHealth]:
    """Return the health of these devices; `days` are their last four weeks or so."""
    device_ids = np.array([one.device_id for one in heard], dtype=np.int64)
    habits = habits_of(days, device_ids)
    limits = silence_limits(days, device_ids, habits.period_s, options)
    rows_of = _rows_by_device(days.device_id)
    health = []
    for index, one in enumerate(heard):
        rows = rows_of.get(one.device_id, np.zeros(0, np.int64))
        last = rows[-_RADIO_DAYS:]
        lost, frames = int(days.lost[last].sum()), int(days.frames[last].sum())
        empty_s = empty_in_s((days.day[rows] * DAY_S).astype(np.float64), days.battery_percent[rows], options)
        known = int(days.frames[rows].sum()) >= options.silent_known_frames
        health.append(
            DeviceHealth(
                device_id=one.device_id,
                heard_at=one.heard_at,
                heard_before_at=one.heard_before_at,
                silent_after_s=max(float(limits[index]), _EVENT_DRIVEN.get(one.model, 0.0)),
                place_id=one.place_id,
                network=one.network,
                period_s=float(habits.period_s[index]) if known else None,
                noise_fraction=float(habits.noise_fraction[index]),
                step_fraction=float(habits.step_fraction[index]),
                repeat_share=float(habits.repeat_share[index]),
                battery_percent=_newest(days.battery_percent[rows]),
                battery_v=_newest(days.battery_v[rows]),
                battery_empty_at=None
                if empty_s is None
                else datetime.fromtimestamp(float(days.day[rows[-1]]) * DAY_S, UTC) + timedelta(seconds=empty_s),
                rssi_dbm=_median(days.rssi_dbm[last]),
                snr_db=_median(days.snr_db[last]),
                loss_fraction=lost / (lost + frames) if lost + frames >= options.loss_frames else None,
            )
        )
    return health


def _rows_by_device(device_id: Ints) -> Mapping[int, Ints]:
    known, starts = np.unique(device_id, return_index=True)
    return dict(zip(known.tolist(), np.split(np.arange(len(device_id)), starts[1:]), strict=True))


def _newest(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known[-1]) if len(known) else None


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
