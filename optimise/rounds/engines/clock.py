"""How long a drive takes when traffic slows it: the engines' arithmetic, in whole numbers without fractions.

A second of a period of p % drives 100 / p of the matrices' seconds. Counted in units of which a matrix' second has
`lcm(100, all p)`, every period drives a whole number of units in a second.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import pairwise

from optimise.rounds.parts import Traffic


class Clock:
    """Tells when drives end. Without traffic a unit is a second."""

    def __init__(self, traffic: Traffic | None) -> None:
        self._from_s = [] if traffic is None else list(traffic.from_s)
        percents = [] if traffic is None else [100, *traffic.percent]
        self._unit = math.lcm(*percents) if percents else 1
        self._rate = [self._unit * 100 // percent for percent in percents]
        if percents:
            # 100 / p of a unit-second must be whole for every p.
            self._unit *= math.lcm(*(percent // math.gcd(percent, self._unit * 100) for percent in percents))
            self._rate = [self._unit * 100 // percent for percent in percents]

    @property
    def steady(self) -> bool:
        """Whether a drive takes the same time at any hour."""
        return not self._from_s

    def units(self, base_s: int) -> int:
        """Return so many of the matrices' seconds in units."""
        return base_s * self._unit

    def covered(self, begin_s: int, end_s: int) -> int:
        """Return the units that can be driven between two moments."""
        if end_s <= begin_s:
            return 0
        if not self._from_s:
            return (end_s - begin_s) * self._unit
        period, at_s, done = bisect_right(self._from_s, begin_s), begin_s, 0
        while at_s < end_s:
            until_s = min(end_s, self._from_s[period]) if period < len(self._from_s) else end_s
            done += (until_s - at_s) * self._rate[period]
            at_s, period = until_s, period + 1
        return done

    def arrival_s(self, begin_s: int, units: int) -> int:
        """Return the first whole second at which so many units are driven."""
        if not self._from_s:
            return begin_s + units // self._unit
        period, at_s, left = bisect_right(self._from_s, begin_s), begin_s, units
        while period < len(self._from_s) and left > (self._from_s[period] - at_s) * self._rate[period]:
            left -= (self._from_s[period] - at_s) * self._rate[period]
            at_s = self._from_s[period]
            period += 1
        return at_s - (-left // self._rate[period])

    def latest_leave_s(self, arrive_s: int, base_s: int) -> int:
        """Return the latest moment to leave so as to be there by `arrive_s`."""
        if not self._from_s:
            return arrive_s - base_s
        units = self.units(base_s)
        slowest = max(1, self._unit // min(self._rate) + 1)
        low, high = arrive_s - base_s * slowest - 1, arrive_s
        while low < high:
            middle = (low + high + 1) // 2
            if self.arrival_s(middle, units) <= arrive_s:
                low = middle
            else:
                high = middle - 1
        return low


def typical_percent(traffic: Traffic, begin_s: int, end_s: int) -> int:
    """Return the mean pace of a span, rounded up: for searches that cannot follow the hours."""
    edges = [begin_s, *(s for s in traffic.from_s if begin_s < s < end_s), end_s]
    total = 0
    for from_s, until_s in pairwise(edges):
        period = bisect_right(traffic.from_s, from_s)
        total += (until_s - from_s) * (traffic.percent[period - 1] if period else 100)
    return -(-total // max(1, end_s - begin_s))
