"""The truth about every bin's fill at every moment, given who emptied what and when."""

from __future__ import annotations

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
        self._keys = np.zeros(0, dtype=np.int64)
        self._base_l = np.zeros(0)

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
            last = np.searchsorted(self._keys, bins * _FAR_S + seen_s, side="right") - 1
            # Index -1 means no emptying before: the sentinel at the end belongs to no bin.
            emptied = np.append(self._keys, -1)[last] // _FAR_S == bins
            base_l = np.where(emptied, np.append(self._base_l, 0.0)[last], 0.0)
        return self._process.level(bins, np.maximum(litres - base_l, 0.0))

    def empty(self, bins: NDArray[np.int64], at_s: NDArray[np.int64]) -> NDArray[np.float64]:
        """Empty bins (k,), each at its own moment (k,), and return how full each was, (k,).

        An emptying told twice counts once; emptyings may be told in any order.
        """
        with self._lock:
            found = self.fractions(bins, at_s)
            keys = np.setdiff1d(bins * _FAR_S + at_s, self._keys)
            all_keys = np.concatenate([self._keys, keys])
            base_l = np.concatenate([self._base_l, self._litres(keys // _FAR_S, keys % _FAR_S)])
            order = np.argsort(all_keys)
            self._keys, self._base_l = all_keys[order], base_l[order]
            return found

    def emptyings_s(self, bin_index: int) -> NDArray[np.int64]:
        """Return the moments at which a bin was emptied, ascending."""
        with self._lock:
            first, last = np.searchsorted(self._keys, [bin_index * _FAR_S, (bin_index + 1) * _FAR_S])
            return self._keys[first:last] % _FAR_S

    def cumulative_litres(self, bin_index: int, at_s: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the litres thrown into a bin from the start (and before) to each moment (k,), emptied or not."""
        with self._lock:
            return self._litres(np.full(len(at_s), bin_index), at_s)

    def _litres(self, bins: NDArray[np.int64], at_s: NDArray[np.int64]) -> NDArray[np.float64]:
        if len(at_s) == 0:
            return np.zeros(0)
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
