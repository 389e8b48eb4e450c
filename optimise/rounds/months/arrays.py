"""Names of the arrays that months are played on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]
type Indices = NDArray[np.int64]

HOUR_S = 3600
DAY_S = 24 * HOUR_S
