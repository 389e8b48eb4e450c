"""Turn a policy's one dial until the promised share of bin-days has no overflow."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

_NEAR = 0.12
"""Near enough, in the logarithm of the overflow share: days that differ by luck differ by more."""
_LONGEST_STEP = math.log(8.0)
_USUAL_SLOPE = -0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class Try:
    """A position of the dial, larger being safer, and the share of bin-days with an overflow that came of it."""

    dial: float
    overflow_share: float


def turn(
    overflow_share: Callable[[float], float], *, first: float, allowed: float, bin_days: int, tries: int
) -> tuple[Try, ...]:
    """Return the positions tried, the best last: the nearest to `allowed`, on the same days with the same luck.

    Overflows fall about as a power of the dial. So each step is a straight line in logarithms: along the usual slope
    at first, between the two that bracket the target afterwards. Half an overflow in `bin_days` stands for none.
    """
    done: list[Try] = []
    dial = first
    for _ in range(tries):
        done.append(Try(dial=dial, overflow_share=overflow_share(dial)))
        if abs(_miss(done[-1], allowed, bin_days)) < _NEAR:
            break
        dial = _next(done, allowed, bin_days)
    best = min(done, key=lambda one: abs(_miss(one, allowed, bin_days)))
    return (*(one for one in done if one is not best), best)


def _miss(one: Try, allowed: float, bin_days: int) -> float:
    return math.log(max(one.overflow_share, 0.5 / bin_days) / allowed)


def _next(done: list[Try], allowed: float, bin_days: int) -> float:
    points = sorted((math.log(one.dial), _miss(one, allowed, bin_days)) for one in done)
    unsafe = [point for point in points if point[1] > 0]
    safe = [point for point in points if point[1] <= 0]
    if unsafe and safe and unsafe[-1][0] < safe[0][0]:
        (low, above), (high, below) = unsafe[-1], safe[0]
        # Not nearer to an end than a fifth: overflows jump, and a bracket must shrink.
        share = min(0.8, max(0.2, above / (above - below)))
        return math.exp(low + share * (high - low))
    at, miss = unsafe[-1] if not safe else safe[0]
    return math.exp(at + max(-_LONGEST_STEP, min(_LONGEST_STEP, -miss / _USUAL_SLOPE)))
