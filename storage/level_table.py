"""Measured levels in columns: a year of hourly levels as objects would fill the memory of a small server."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LevelTable:
    """Measured levels of bins in columns of one length, ordered by place and time, as forecasting sees them.

    `place_id`: object array (n,) of str; `measured_at_s`: int64 (n,), Unix seconds UTC; `fill_fraction`: float32 (n,).
    """

    place_id: NDArray[np.object_]
    measured_at_s: NDArray[np.int64]
    fill_fraction: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.place_id)
