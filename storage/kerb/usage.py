"""What sums of seconds and counts say of places: shares, rates, a distribution of dwells. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

DWELL_BOUNDS_S = (300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14_400, 28_800, 86_400)
"""The classes of dwells end here; the last one is longer."""
SATURATED_SHARE = 0.85
"""An hour is saturated when more than this of what is known of it is occupied, and half of it is known."""
_DAY_S = 86_400
_WIDTH_95 = 1.96


@dataclass(frozen=True, kw_only=True, slots=True)
class UsageSums:
    """What adds up over places and hours.

    `awaited_s`: a sensor was there; `known_s` of it its state was known, the rest is offline. `dwell_counts` are of
    told dwells by class, empty when there are none. `wanted`, `refused` and `refused_var` (the variance of the number
    refused) are of delivery bays alone, None without any.
    """

    awaited_s: int = 0
    known_s: int = 0
    occupied_s: int = 0
    saturated_s: int = 0
    sessions: int = 0
    dwells: int = 0
    dwell_s: int = 0
    dwell_counts: tuple[int, ...] = ()
    limited: int = 0
    overstays: int = 0
    overstay_s: int = 0
    wanted: float | None = None
    refused: float | None = None
    refused_var: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """The figures that people read. What nothing is known of is None, never 0.

    Hours are place-hours. `turnover_per_day`: stays that began in a known day of one place. `mean_dwell_s`,
    `median_dwell_s` and `dwell_shares` are of told dwells; `overstay_share` is of stays whose limit was counted.
    `refused`: vehicles that found all places taken, by the loss model, within `refused_low` and `refused_high` in 95 of
    100 cases; `refused_share` is of all who wanted a place.
    """

    known_h: float
    offline_h: float
    offline_share: float | None
    occupied_share: float | None
    saturated_h: float
    saturated_share: float | None
    sessions: int
    turnover_per_day: float | None
    mean_dwell_s: float | None
    median_dwell_s: float | None
    dwell_shares: tuple[float, ...] | None
    overstays: int
    overstay_share: float | None
    overstay_h: float
    wanted: float | None
    refused: float | None
    refused_low: float | None
    refused_high: float | None
    refused_share: float | None


def usage_of(sums: UsageSums) -> Usage:
    """Return what the sums say."""
    known, awaited = sums.known_s, sums.awaited_s
    spread = None if sums.refused_var is None else _WIDTH_95 * math.sqrt(sums.refused_var)
    return Usage(
        known_h=round(known / 3600, 2),
        offline_h=round(max(awaited - known, 0) / 3600, 2),
        offline_share=_share(max(awaited - known, 0), awaited),
        occupied_share=_share(sums.occupied_s, known),
        saturated_h=round(sums.saturated_s / 3600, 2),
        saturated_share=_share(sums.saturated_s, known),
        sessions=sums.sessions,
        turnover_per_day=None if not known else round(sums.sessions * _DAY_S / known, 3),
        mean_dwell_s=None if not sums.dwells else round(sums.dwell_s / sums.dwells, 1),
        median_dwell_s=median_dwell_s(sums.dwell_counts),
        dwell_shares=None if not sums.dwells else tuple(round(n / sums.dwells, 4) for n in sums.dwell_counts),
        overstays=sums.overstays,
        overstay_share=_share(sums.overstays, sums.limited),
        overstay_h=round(sums.overstay_s / 3600, 2),
        wanted=_rounded(sums.wanted),
        refused=_rounded(sums.refused),
        refused_low=None if spread is None or sums.refused is None else round(max(0.0, sums.refused - spread), 2),
        refused_high=None if spread is None or sums.refused is None else round(sums.refused + spread, 2),
        refused_share=None if not sums.wanted or sums.refused is None else round(sums.refused / sums.wanted, 4),
    )


def median_dwell_s(counts: Sequence[int]) -> float | None:
    """Return the dwell that half of those counted do not exceed: within its class as if they lay evenly."""
    total = sum(counts)
    if not total:
        return None
    passed = 0
    for (low, high), number in zip(pairwise((0, *DWELL_BOUNDS_S, 2 * DWELL_BOUNDS_S[-1])), counts, strict=True):
        if passed + number >= total / 2:
            return round(low + (high - low) * (total / 2 - passed) / number, 1)
        passed += number
    return None  # counts are not negative: the loop has returned


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
