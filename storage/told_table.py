"""What forecasts said, in columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What was predicted, in columns of one length n: for `valid_s` from data until `as_of_s`, Unix seconds.

    `place_id`, `evidence`: (n,) str; `quantiles`: (n, 5) of fill, p05, p10, p50, p90, p95.
    """

    place_id: NDArray[np.object_]
    valid_s: NDArray[np.int64]
    as_of_s: NDArray[np.int64]
    quantiles: NDArray[np.float64]
    evidence: NDArray[np.object_]
