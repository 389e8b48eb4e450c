"""Silent devices, each by its own habit, and silent networks: one alert instead of a thousand.

A device is silent when it said nothing for longer than it ever does (but for its one longest gap, which may have been a
fault itself). It is back when it was heard twice. While its network is out, a device's silence is the network's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.review.alarm_options import AlarmOptions
from ingest.review.columns import grouped_extreme, grouped_median
from storage.signal_table import DayTable, Flags, Floats, Ints

_LATE_SHARE = 0.7
"""A device is overdue, though not yet silent, after this share of its limit."""


def silence_limits(days: DayTable, device_ids: Ints, period_s: Floats, options: AlarmOptions) -> Floats:
    """Return (s,) seconds after which each of the devices is silent, from its `days` and its `period_s` (s,)."""
    known, first_of, row = np.unique(device_ids, return_index=True, return_inverse=True)
    mine = np.isin(days.device_id, known)
    group = np.searchsorted(known, days.device_id[mine])
    gaps = days.longest_gap_s[mine].copy()
    frames = np.bincount(group, weights=days.frames[mine], minlength=len(known))
    longest = grouped_extreme(group, gaps, len(known), largest=True)
    # The one longest gap may be a fault of its own; where only one day is known it is all there is.
    order = np.lexsort((-np.nan_to_num(gaps, nan=-1.0), group))
    first = order[np.unique(group[order], return_index=True)[1]] if len(order) else order
    gaps[first] = np.nan
    second = grouped_extreme(group, gaps, len(known), largest=True)
    usual = np.where(np.isfinite(second), second, longest)[row]
    limit = np.maximum(options.silent_periods * period_s, options.silent_factor * np.nan_to_num(usual))
    # Who speaks when something changes has a heartbeat, mostly each day; one of them may get lost.
    wanders = grouped_median(group, np.abs(days.median_gap_s[mine] - period_s[first_of][group]), len(known))[row]
    irregular = (np.nan_to_num(usual) > options.silent_irregular * period_s) | (
        np.nan_to_num(wanders) > options.silent_wander * period_s
    )
    limit = np.where(irregular, np.maximum(limit, options.silent_irregular_s), limit)
    limit = np.where(frames[row] >= options.silent_known_frames, limit, options.silent_unknown_s)
    return np.clip(limit, options.silent_least_s, options.silent_most_s)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Heard:
    """When each of d devices was heard, Unix seconds float64 (d,), with what is known of its alert.

    `heard_s` last, `before_s` the time before (NaN: once only), `limit_s` how long it may say nothing, `excused_s` when
    its network's last outage ended (-inf: never), `network` int64 (d,): its number; `silent_since_s` when its open
    alert began (NaN: none is open).
    """

    heard_s: Floats
    before_s: Floats
    limit_s: Floats
    excused_s: Floats
    network: Ints
    silent_since_s: Floats


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Silence:
    """What to do: `opens` and `closes` (d,) bool of devices, the same of networks (m,), and `outage_since_s` (m,)."""

    opens: Flags
    closes: Flags
    network_opens: Flags
    network_closes: Flags
    outage_since_s: Floats


def judge_silence(heard: Heard, *, network_out: Flags, now_s: float, options: AlarmOptions) -> Silence:
    """Return which devices and networks fell silent or came back; `network_out` (m,): whose alert is open."""
    networks = len(network_out)
    quiet_s = now_s - np.maximum(heard.heard_s, heard.excused_s)
    silent_now = quiet_s > heard.limit_s
    known = np.isfinite(heard.silent_since_s)
    # Devices that are known to be silent say nothing of the network today, unless it is out already.
    counted = ~known | network_out[heard.network]
    devices = np.bincount(heard.network[counted], minlength=networks)
    late = (now_s - heard.heard_s > _LATE_SHARE * heard.limit_s) & counted
    share = np.bincount(heard.network[late], minlength=networks) / np.maximum(devices, 1)
    last_s = grouped_extreme(heard.network[counted], heard.heard_s[counted], networks, largest=True)
    # A limit is three periods or more: so often, at least, the network as a whole is heard.
    often = options.silent_periods / heard.limit_s[counted]
    rate = np.bincount(heard.network[counted], weights=often, minlength=networks)
    gap_s = np.maximum(options.network_least_s, options.network_gaps / np.maximum(rate, 1e-9))
    with np.errstate(invalid="ignore"):
        quiet = (now_s - last_s > gap_s) & (devices >= options.network_least)
    starts = ~network_out & quiet & (share >= options.network_silent_share)
    ends = network_out & (share < options.network_back_share)
    out = (network_out | starts) & ~ends
    # While it is quiet but not yet certain that the network is out, its devices wait for the verdict.
    waits = quiet & ~out & ~network_out
    opens = silent_now & ~known & ~(out | waits | ends)[heard.network]
    with np.errstate(invalid="ignore"):
        closes = known & (heard.before_s > heard.silent_since_s)
    return Silence(opens=opens, closes=closes, network_opens=starts, network_closes=ends, outage_since_s=last_s)
