"""One seed, many independent streams: each named part of the commune draws from its own, whatever else is drawn."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a stream of random numbers is for. A number is never reused or changed: it is part of the commune's seed."""

    BINS = 1
    SECTORS = 2
    BAYS = 3
    SPACES = 4
    TOWN_ENDS = 5
    CHARACTER = 6
    DEPOSITS = 7
    WEATHER = 8
    FIXED_ROUNDS = 9
    DECLARATIONS = 10
    BAY_SESSIONS = 11
    SPACE_SESSIONS = 12
    DEVICES = 13
    TRANSMISSIONS = 14
    FAULTS = 15
    GARBAGE = 16
    LIVE_CREWS = 17
    SCENARIO = 18


def stream(seed: int, purpose: Stream, *indices: int) -> np.random.Generator:
    """Return the generator of `purpose` (and of its week, block, ...): the same in every process.

    NumPy's SeedSequence mixes the integers; nothing depends on hash() or on the order of earlier draws. It pads short
    sequences with zeros, so the number of indices comes before them: [7] and [7, 0] would be one stream.
    """
    return np.random.default_rng([int(purpose), len(indices), *indices, seed])
