"""What one forecast of bays said, in columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

SAMPLED_MIN = (15, 30, 60)
"""The minutes ahead at which forecasts of bays are judged."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BaySample:
    """What was foretold from data until `as_of` of p bays of which anything was.

    `place_id`, `use`, `evidence`: (p,) str; `free` (p,): 1 free, 0 taken by its sensor then, NaN without its word;
    `chance` (3, p) of being free after each of SAMPLED_MIN.
    """

    as_of: datetime
    place_id: NDArray[np.object_]
    use: NDArray[np.object_]
    evidence: NDArray[np.object_]
    free: NDArray[np.float64]
    chance: NDArray[np.float64]
