"""How often who comes finds every place taken, and how many came who were never seen: Erlang's loss model. Pure.

Sensors see only vehicles that found a place. Arrivals are taken as a Poisson stream; then the share of them that finds
all c places taken is the share of time in which they are (Wolff, Poisson arrivals see time averages, Operations
Research 30, 1982), and depends on the dwells by their mean alone (Erlang's B formula for M/G/c/c; Sevastyanov 1957). So
the occupied places that are measured, a(1 - B(c, a)), tell the load a that was offered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_REFUSED = 0.95
"""Beyond this the offered load is not told any more: what is said of fuller hours is a lower bound."""
_HALVINGS = 60
_HIGHEST_LOAD = 1e4

type Numbers = NDArray[np.float64]


def erlang_b(load: Numbers, places: NDArray[np.int64]) -> Numbers:
    """Return the share that finds all `places` (n,) taken, 0 to 1, of an offered `load` (n,) in places (erlangs).

    By the recursion of Jagerman, Some properties of the Erlang loss function, 1974. 0 places refuse everybody.
    """
    share = np.ones(np.broadcast(load, places).shape)
    for number in range(1, int(np.max(places, initial=0)) + 1):
        passed = load * share
        share = np.where(number <= places, passed / (number + passed), share)
    return share


def offered_load(carried: Numbers, places: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """Return the load (n,) that was offered and the share refused (n,), where `carried` (n,) places were occupied.

    A share is at most `MOST_REFUSED`, and the load what goes with it.
    """
    low, high = np.zeros(carried.shape), np.full(carried.shape, _HIGHEST_LOAD)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        refused = erlang_b(middle, places)
        # What is carried grows with what is offered; where too much would be refused, less was offered.
        below = (middle * (1 - refused) < carried) & (refused < MOST_REFUSED)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low, erlang_b(low, places)
