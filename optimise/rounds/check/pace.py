"""How far one gets between two moments when traffic slows driving: the checker's own arithmetic, in exact fractions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from optimise.rounds.parts import Traffic


def base_seconds_between(traffic: Traffic | None, begin_s: int, end_s: int) -> Fraction | int:
    """Return how many of the matrices' seconds can be driven between two moments."""
    if end_s <= begin_s:
        return 0
    if traffic is None:
        return end_s - begin_s
    return sum(
        (Fraction((until_s - from_s) * 100, percent) for from_s, until_s, percent in _periods(traffic, begin_s, end_s)),
        Fraction(0),
    )


def seconds_driven(traffic: Traffic | None, begin_s: int, base_s: Fraction | int) -> int:
    """Return after how many whole seconds so many of the matrices' seconds are driven."""
    if traffic is None:
        return int(base_s)
    left = Fraction(base_s)
    for from_s, until_s, percent in _periods(traffic, begin_s, max([begin_s, *traffic.from_s])):
        possible = Fraction((until_s - from_s) * 100, percent)
        if possible >= left:
            return from_s - begin_s + math.ceil(left * percent / 100)
        left -= possible
    last = traffic.percent[-1] if traffic.percent else 100
    return max([begin_s, *traffic.from_s]) - begin_s + math.ceil(left * last / 100)


def _periods(traffic: Traffic, begin_s: int, end_s: int) -> Iterator[tuple[int, int, int]]:
    """Yield the periods of one pace between two moments: from, until, percent."""
    edges = [(begin_s, 100), *zip(traffic.from_s, traffic.percent, strict=True)]
    for number, (from_s, percent) in enumerate(edges):
        until_s = edges[number + 1][0] if number + 1 < len(edges) else end_s
        low, high = max(from_s, begin_s), min(until_s, end_s)
        if low < high:
            yield low, high, percent
