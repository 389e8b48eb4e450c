"""What is usual for a device, learnt from its own days: how often it speaks, how noisy it is, how often it repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.review.columns import begins, grouped_extreme, grouped_median, shifted
from ingest.review.frames import lost_frames
from storage.model import Quality
from storage.signal_table import CODES, DayTable, Flags, Floats, Ints, SignalTable

_DAY_US = 86_400_000_000
_LONGEST_RUN = 24
"""A run longer than this tells no more of a habit: it may be a frozen sensor, which must not teach that it is usual."""
_LEAST_STEP = 1e-4
_STEADY_S = 8 * 3600
"""Three readings within this time lie on a line but for noise; over a day, a bin is filled and emptied."""
_QUIETEST, _NOISIEST = 0.006, 0.08
_LEAST_PAIRS = 24
_MAD = 1.4826
"""A normal distribution's standard deviation in median absolute deviations (Rousseeuw and Croux, 1993, JASA 88)."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Habits:
    """What is usual for each of s series, float64 (s,): NaN never, a careful default where little is known.

    `period_s` between frames, `noise_fraction` (standard deviation of a level), `step_fraction` (its smallest change),
    `repeat_share` (how often a level is the same as the one before).
    """

    period_s: Floats
    noise_fraction: Floats
    step_fraction: Floats
    repeat_share: Floats

    def at(self, rows: Ints | Flags) -> Habits:
        """Return those that `rows` marks or lists; given each reading's series, the habits of each reading."""
        return Habits(
            period_s=self.period_s[rows],
            noise_fraction=self.noise_fraction[rows],
            step_fraction=self.step_fraction[rows],
            repeat_share=self.repeat_share[rows],
        )


DEFAULT_PERIOD_S = 3600.0
DEFAULT_NOISE = 0.02
DEFAULT_REPEAT_SHARE = 0.95
"""An unknown sensor is taken for a coarse one: what repeats often is not called stuck soon."""


def days_of(table: SignalTable, device_ids: Ints) -> DayTable:
    """Return the days of the table's devices; `device_ids` (s,) names the device of each series.

    A day is right if the table holds all of it and the frame before it: gaps belong to the day in which they end.
    """
    device = device_ids[table.series]
    order = np.lexsort((table.measured_us, table.heard_us, device))
    device, heard_us = device[order], table.heard_us[order]
    groups, group = np.unique(np.stack([device, heard_us // _DAY_US]), axis=1, return_inverse=True)
    count = groups.shape[1]
    group = group.reshape(-1)
    # One frame may hold several records; they were heard at once.
    first = begins(device)
    frame = first.copy()
    frame[1:] |= heard_us[1:] != heard_us[:-1]
    frames = np.flatnonzero(frame)
    gap_s = np.full(len(frames), np.nan)
    gap_s[1:] = np.where(first[frames][1:], np.nan, np.diff(heard_us[frames]) / 1e6)
    lost = lost_frames(device[frames], gap_s, table.frame_counter[order][frames])
    repeats, changes, noise, step = _of_levels(table)
    signals = {
        name: grouped_median(group, getattr(table, name)[order], count)
        for name in ("battery_percent", "battery_v", "rssi_dbm", "snr_db")
    }
    return DayTable(
        device_id=groups[0],
        day=groups[1],
        readings=np.bincount(group, minlength=count),
        frames=np.bincount(group[frames], minlength=count),
        lost=np.bincount(group[frames], weights=lost, minlength=count).astype(np.int64),
        repeats=np.bincount(group, weights=repeats[order], minlength=count).astype(np.int64),
        changes=np.bincount(group, weights=changes[order], minlength=count).astype(np.int64),
        median_gap_s=grouped_median(group[frames], gap_s, count),
        longest_gap_s=grouped_extreme(group[frames], gap_s, count, largest=True),
        noise_fraction=_MAD * grouped_median(group, noise[order], count),
        step_fraction=grouped_extreme(group, step[order], count, largest=False),
        **signals,
    )


def _of_levels(table: SignalTable) -> tuple[Floats, Floats, Floats, Floats]:
    """Return for each reading (n,): a repeat, a change, its deviation as noise, its step; 0 or NaN without a level."""
    size = len(table)
    repeats, changes = np.zeros(size), np.zeros(size)
    noise, step = np.full(size, np.nan), np.full(size, np.nan)
    usable = np.flatnonzero((table.quality == CODES[Quality.OK]) & np.isfinite(table.fill_fraction))
    series, level = table.series[usable], table.fill_fraction[usable]
    value = raw_value(table)[usable]
    same = shifted(value, series, -1) == value
    after = ~begins(series)
    runs = np.arange(len(usable)) - np.maximum.accumulate(np.where(same, 0, np.arange(len(usable))))
    repeats[usable] = same & (runs <= _LONGEST_RUN)
    changes[usable] = after & ~same
    # The second difference of a steady filling is noise alone; its variance is 1.5 times a reading's.
    before, behind = shifted(level, series, -1), shifted(level, series, 1)
    at_s = table.at_s[usable]
    with np.errstate(invalid="ignore"):
        close = shifted(at_s, series, 1) - shifted(at_s, series, -1) <= _STEADY_S
    noise[usable] = np.where(close, np.abs(level - (before + behind) / 2) / np.sqrt(1.5), np.nan)
    jump = np.abs(level - before)
    step[usable] = np.where(jump > _LEAST_STEP, jump, np.nan)
    return repeats, changes, noise, step


def raw_value(table: SignalTable) -> Floats:
    """Return (n,) what the device itself said: the distance, else the level. Only good for comparing with itself."""
    return np.where(np.isfinite(table.distance_mm), table.distance_mm, table.fill_fraction)


def habits_of(days: DayTable, device_ids: Ints) -> Habits:
    """Return the habits of the devices `device_ids` (s,) as their `days` tell them."""
    known, row = np.unique(device_ids, return_inverse=True)
    mine = np.isin(days.device_id, known)
    group = np.searchsorted(known, days.device_id[mine])
    count = len(known)
    period = grouped_median(group, days.median_gap_s[mine], count)
    noise = grouped_median(group, days.noise_fraction[mine], count)
    step = grouped_extreme(group, days.step_fraction[mine], count, largest=False)
    repeats = np.bincount(group, weights=days.repeats[mine], minlength=count)
    pairs = repeats + np.bincount(group, weights=days.changes[mine], minlength=count)
    # As if it had been seen to repeat once more and to change once more: no share is 0 or 1.
    share = np.where(pairs >= _LEAST_PAIRS, (repeats + 1) / (pairs + 2), DEFAULT_REPEAT_SHARE)
    step = np.where(np.isfinite(step), step, 0.0)
    # A sensor that rounds is off by its rounding even where it repeats.
    noise = np.where(np.isfinite(noise), np.maximum(noise, step / np.sqrt(12)), DEFAULT_NOISE)
    return Habits(
        period_s=np.where(np.isfinite(period) & (period > 0), period, DEFAULT_PERIOD_S)[row],
        noise_fraction=np.clip(noise, _QUIETEST, _NOISIEST)[row],
        step_fraction=step[row],
        repeat_share=share[row],
    )
