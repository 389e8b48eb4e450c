"""The truth about every bin's fill at every moment, given who emptied what and when."""

from __future__ import annotations

import bisect
import threading

import numpy as np
from numpy.typing import NDArray

from simulators.fill_process import FillProcess
from simulators.local_time import HOUR_S, WEEK_HOURS

_FAR_S = 2**40
"""Larger than any Unix second in use: keys `bin * _FAR_S + second` sort by bin, then by time."""


class FillTruth:
    """Cumulative litres on an hourly grid, less what emptyings took. Grows by weeks as later moments are asked for.

    Times are int64 Unix seconds. Safe to use from several threads.
    """

    def __init__(self, process: FillProcess, *, start_s: int) -> None:
        self._process = process
        self._start_s = start_s
        self._lock = threading.RLock()
        self._cumulative = process.first_litres()[:, None]
        self._emptied: list[list[int]] = [[] for _ in range(len(self._cumulative))]
        self._keys = np.zeros(0, dtype=np.int64)
        self._base_l = np.zeros(0)
        self._stale = False

    def __len__(self) -> int:
        return len(self._cumulative)

    def fractions(
        self, bins: NDArray[np.int64], at_s: NDArray[np.int64], *, known_until_s: int | None = None
    ) -> NDArray[np.float64]:
        """Return the fill fraction, (k,), of bins (k,) at moments (k,); emptyings after `known_until_s` are ignored.

        ValueError for moments before the start.
        """
        if len(at_s) == 0:
            return np.zeros(0)
        with self._lock:
            litres = self._litres(bins, at_s)
            seen_s = at_s if known_until_s is None else np.minimum(at_s, known_until_s)
            self._index_emptyings()
            last = np.searchsorted(self._keys, bins * _FAR_S + seen_s, side="right") - 1
            emptied = (
                (last >= 0) & (self._keys[last] // _FAR_S == bins) if len(self._keys) else np.zeros(len(bins), bool)
            )
            base = np.where(emptied, self._base_l[last], 0.0) if len(self._keys) else np.zeros(len(bins))
        return self._process.level(bins, litres - base)

    def empty(self, bin_index: int, at_s: int) -> float:
        """Empty a bin and return how full it was. The same emptying twice counts once."""
        with self._lock:
            found = float(self.fractions(np.array([bin_index]), np.array([at_s]))[0])
            moments = self._emptied[bin_index]
            place = bisect.bisect_left(moments, at_s)
            if place == len(moments) or moments[place] != at_s:
                moments.insert(place, at_s)
                self._stale = True
            return found

    def emptyings(self, bin_index: int) -> tuple[int, ...]:
        """Return the moments at which a bin was emptied, ascending."""
        with self._lock:
            return tuple(self._emptied[bin_index])

    def cumulative_litres(self, bin_index: int, at_s: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the litres thrown into a bin from the start (and before) to each moment (k,), emptied or not."""
        with self._lock:
            return self._litres(np.full(len(at_s), bin_index), at_s)

    def _litres(self, bins: NDArray[np.int64], at_s: NDArray[np.int64]) -> NDArray[np.float64]:
        since = at_s - self._start_s
        if since.min() < 0:
            raise ValueError("expected moments at or after the commune's start")
        hour = since // HOUR_S
        self._grow(int(hour.max()) + 1)
        share = (since % HOUR_S) / HOUR_S
        return self._cumulative[bins, hour] * (1.0 - share) + self._cumulative[bins, hour + 1] * share

    def _grow(self, hours: int) -> None:
        """Generate whole weeks until the grid reaches `hours`."""
        known = self._cumulative.shape[1] - 1
        blocks = [self._cumulative]
        while known < hours:
            litres = self._process.week_litres(known // WEEK_HOURS)
            blocks.append(blocks[-1][:, -1:] + np.cumsum(litres, axis=1))
            known += WEEK_HOURS
        if len(blocks) > 1:
            self._cumulative = np.concatenate(blocks, axis=1)

    def _index_emptyings(self) -> None:
        if not self._stale:
            return
        bins = np.repeat(np.arange(len(self._emptied)), [len(moments) for moments in self._emptied])
        moments_s = np.array([moment for moments in self._emptied for moment in moments], dtype=np.int64)
        self._keys = bins * _FAR_S + moments_s
        self._base_l = self._litres(bins, moments_s)
        self._stale = False
