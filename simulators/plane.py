"""A flat town: metres east and north of a middle point, exact to a few centimetres over a commune."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

_METRES_PER_DEGREE = 6_371_008.8 * math.pi / 180.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plane:
    """An equirectangular projection about a middle point in WGS 84 degrees."""

    longitude_deg: float
    latitude_deg: float

    @property
    def _metres_per_longitude(self) -> float:
        return _METRES_PER_DEGREE * math.cos(math.radians(self.latitude_deg))

    def to_metres(self, lonlat: ArrayLike) -> NDArray[np.float64]:
        """Return metres east and north, shape (n, 2), of [lon, lat] pairs, shape (n, 2)."""
        points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        middle = np.array([self.longitude_deg, self.latitude_deg])
        metres: NDArray[np.float64] = (points - middle) * np.array([self._metres_per_longitude, _METRES_PER_DEGREE])
        return metres

    def to_degrees(self, metres: ArrayLike) -> NDArray[np.float64]:
        """Return [lon, lat] pairs, shape (n, 2), of metres east and north, shape (n, 2)."""
        points = np.asarray(metres, dtype=np.float64).reshape(-1, 2)
        middle = np.array([self.longitude_deg, self.latitude_deg])
        degrees: NDArray[np.float64] = points / np.array([self._metres_per_longitude, _METRES_PER_DEGREE]) + middle
        return degrees
