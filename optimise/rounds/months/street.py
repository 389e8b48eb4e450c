"""The account of every litre: what is in each bin, what found it full, and on which days.

A bin-day is kept when nothing that was thrown in on that day found the bin full. Deposits decide, not looks: a bin
that fills at ten in the evening and is emptied at seven counts for every litre in between, and a bin that stands full
while nobody comes counts for nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.months.arrays import HOUR_S, Floats
from optimise.rounds.months.town import Town

_LEAST_L = 1e-6


class Street:
    """The bins of a town from its first day on, as somebody empties them."""

    def __init__(self, town: Town) -> None:
        self._town = town
        count = len(town.bins)
        self._thrown_l = np.zeros((count, town.deposits_l.shape[1] + 1))
        np.cumsum(town.deposits_l, axis=1, out=self._thrown_l[:, 1:])
        self._all = np.arange(count)
        self.base_l = np.zeros(count)
        self.emptied_s = np.full(count, town.start_s, dtype=np.int64)

    def morning_s(self, day: int) -> int:
        """Return when day `day` begins, Unix seconds."""
        return self._town.start_s + day * 24 * HOUR_S

    def copy(self) -> Street:
        """Return the same street, to be emptied otherwise from here on."""
        twin = object.__new__(Street)
        twin._town, twin._thrown_l, twin._all = self._town, self._thrown_l, self._all
        twin.base_l, twin.emptied_s = self.base_l.copy(), self.emptied_s.copy()
        return twin

    def thrown_l(self, bins: NDArray[np.int64], at_s: NDArray[np.int64]) -> Floats:
        """Return the loose litres thrown into bins (k,) from the start until moments (k,), evenly within an hour."""
        hours = np.clip((at_s - self._town.start_s) / HOUR_S, 0.0, self._thrown_l.shape[1] - 1)
        whole = np.minimum(hours.astype(np.int64), self._thrown_l.shape[1] - 2)
        before = self._thrown_l[bins, whole]
        found: Floats = before + (hours - whole) * (self._thrown_l[bins, whole + 1] - before)
        return found

    def litres(self, at_s: int) -> Floats:
        """Return the loose litres in and beside every bin, (n,)."""
        return self.thrown_l(self._all, np.full(len(self._all), at_s)) - self.base_l

    def fills(self, at_s: int) -> Floats:
        """Return how full every bin is, (n,)."""
        return self._town.fill(self._all, self.litres(at_s))

    def hourly_fills(self, day: int) -> Floats:
        """Return every bin's fill at the 24 hours from the morning of `day` on, (n, 24), as it stands emptied now."""
        litres = np.maximum(self._thrown_l[:, day * 24 : day * 24 + 24] - self.base_l[:, None], 0.0)
        return self._town.fill(np.repeat(self._all, 24), litres.reshape(-1)).reshape(litres.shape)

    def live(self, day: int, bins: NDArray[np.int64], at_s: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Live day `day`, emptying bins (k,) at moments (k,) of it, each at most once.

        Returns how full each was (k,), and the litres that found each bin full during the day (n,).
        """
        begin_s = self._town.start_s + day * 24 * HOUR_S
        end_s = begin_s + 24 * HOUR_S
        count = len(self._all)
        full_l = self._town.full_l
        before = np.maximum(self.litres(begin_s) - full_l, 0.0)
        at_end = np.maximum(self.litres(end_s) - full_l, 0.0)
        over_l = at_end - before
        found_l = self.thrown_l(bins, at_s) - self.base_l[bins]
        fills = self._town.fill(bins, found_l)
        self.base_l[bins] = self.thrown_l(bins, at_s)
        self.emptied_s[bins] = at_s
        again = np.maximum(self.thrown_l(bins, np.full(len(bins), end_s)) - self.base_l[bins] - full_l[bins], 0.0)
        over_l[bins] = np.maximum(found_l - full_l[bins], 0.0) - before[bins] + again
        assert over_l.shape == (count,)
        return fills, np.where(over_l > _LEAST_L, over_l, 0.0)

    def full_days(self, day: int, chances_s: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return what a clairvoyant sees on day `day`: both (n, k), for chances (k,), the first of them today's.

        How bad it gets between each chance and the one before, if the bin is left until then; and the same if it is
        emptied at the first chance: 0 when nothing finds it full, else from 0.5 to 1 by the litres that do. Column 0
        is before today's chance.
        """
        n, k = len(self._all), len(chances_s)
        full_l = self._town.full_l[:, None]
        thrown = self.thrown_l(np.repeat(self._all, k), np.tile(chances_s, n)).reshape(n, k)
        begin = np.maximum(self.litres(self.morning_s(day))[:, None] - full_l, 0.0)
        left = np.maximum(thrown - self.base_l[:, None] - full_l, 0.0)
        emptied = np.maximum(thrown - thrown[:, :1] - full_l, 0.0)

        def badness(excess_l: Floats) -> Floats:
            return np.where(excess_l > _LEAST_L, 0.5 + 0.5 * np.minimum(excess_l / full_l, 1.0), 0.0)

        return (
            badness(np.diff(np.hstack([begin, left]), axis=1)),
            badness(np.diff(np.hstack([np.zeros((n, 1)), emptied]), axis=1)),
        )
