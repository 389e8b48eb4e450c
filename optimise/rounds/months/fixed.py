"""The calendar of a well-run town without sensors: every sector as often as it needs.

It is tuned on the truth of the past, which no town has: its rounds are as good as such rounds can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.months.arrays import Flags, Floats
from optimise.rounds.months.sizing import overflow_days
from storage.errors import InputError

PERIODS = (1, 2, 3, 4, 5, 7)
_STEPS = 24


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Past:
    """What a town's past says of calendars: of n bins, the share of days with an overflow under each of PERIODS."""

    overflow_shares: Floats

    @classmethod
    def of(cls, deposits_l: NDArray[np.float32], full_l: Floats) -> Past:
        """Return it of deposits (n, h), hour 0 being a morning's, into bins that are full at `full_l` (n,)."""
        days = deposits_l.shape[1] // 24
        found = [overflow_days(deposits_l, full_l, period_days=period) / days for period in PERIODS]
        return cls(overflow_shares=np.stack(found, axis=1))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FixedCalendar:
    """Of n bins: each is emptied every `period_days` (n,), on days that leave the remainder `offset` (n,)."""

    period_days: NDArray[np.int64]
    offset: NDArray[np.int64]

    def __post_init__(self) -> None:
        if (self.period_days < 1).any():
            raise InputError(f"expected period_days >= 1, got {self.period_days.min()}")

    def due(self, day: int) -> Flags:
        """Return which bins are due on day `day`, (n,)."""
        return np.asarray((day + self.offset) % self.period_days == 0)


def tuned(past: Past, *, service: float, sectors: NDArray[np.int64], hot: bool) -> FixedCalendar:
    """Return the calendar with the fewest stops a day that would have kept the `service` over the past.

    `sectors` (n,): each bin's sector; `hot`: bins that hold a sector back may be on a daily round instead. What is
    bisected is the share of bin-days that may overflow in any one sector.
    """
    low, high = 1e-6, 0.5
    best = _calendar(past.overflow_shares, sectors, allowed=low, hot=hot)
    for _ in range(_STEPS):
        allowed = float(np.sqrt(low * high))
        found = _calendar(past.overflow_shares, sectors, allowed=allowed, hot=hot)
        if _overflows(past.overflow_shares, found) <= 1 - service:
            best, low = found, allowed
        else:
            high = allowed
    return best


def _overflows(shares: Floats, calendar: FixedCalendar) -> float:
    column = np.searchsorted(PERIODS, calendar.period_days)
    return float(shares[np.arange(len(shares)), column].mean())


def _calendar(shares: Floats, sectors: NDArray[np.int64], *, allowed: float, hot: bool) -> FixedCalendar:
    """Return the calendar in which each sector has the period with the fewest stops a day that overflow allows."""
    period = np.ones(len(shares), dtype=np.int64)
    offset = np.zeros(len(shares), dtype=np.int64)
    for sector in range(int(sectors.max(initial=-1)) + 1):
        members = np.flatnonzero(sectors == sector)
        best = float(len(members))
        for column, days in enumerate(PERIODS[1:], start=1):
            saved = shares[members, column] - shares[members, 0]
            worst_first = np.argsort(-saved, kind="stable")
            overflow = shares[members, column].sum() - np.concatenate([[0.0], np.cumsum(saved[worst_first])])
            fits = np.flatnonzero(overflow / len(members) <= allowed)
            daily = int(fits[0]) if len(fits) and (hot or fits[0] == 0) else len(members)
            stops = daily + (len(members) - daily) / days
            if stops < best:
                best = stops
                period[members] = days
                period[members[worst_first[:daily]]] = 1
        offset[members] = sector
    return FixedCalendar(period_days=period, offset=offset % period)
