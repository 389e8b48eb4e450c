"""Travel without streets: great-circle distances times a detour factor, at one speed. A plan made so says so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.travel import Matrices, Point, Way

EARTH_RADIUS_M = 6_371_008.8  # mean radius of the WGS 84 ellipsoid


class GreatCircles:
    """Measures travel by great circles."""

    def __init__(self, *, detour_factor: float, speed_kmh: float) -> None:
        self._detour_factor = detour_factor
        self._speed_m_s = speed_kmh / 3.6

    @property
    def source(self) -> str:
        """Return "great_circle x FACTOR"."""
        return f"great_circle x {self._detour_factor:g}"

    def matrices(self, points: Sequence[Point], *, kerb: Sequence[bool]) -> Matrices:
        """Return travel between all points. Sides of streets are unknown here: `kerb` is answered with False."""
        where = np.radians(np.array(points, dtype=np.float64).reshape(-1, 2))
        distance_m = _haversine_m(where[:, None, :], where[None, :, :]) * self._detour_factor
        return Matrices(
            duration_s=np.ceil(distance_m / self._speed_m_s).astype(np.int64),
            distance_m=np.rint(distance_m).astype(np.int64),
            snap_m=(0.0,) * len(points),
            kerb=(False,) * len(kerb),
        )

    def way(self, points: Sequence[Point], *, kerb: Sequence[bool]) -> Way:  # noqa: ARG002 - the protocol's
        """Return straight lines through the points, with the metres that the matrices count for them."""
        where = np.radians(np.array(points, dtype=np.float64).reshape(-1, 2))
        legs = [float(_haversine_m(a, b)) * self._detour_factor for a, b in pairwise(where)]
        return Way(geometry=tuple(points), leg_m=tuple(legs))


def _haversine_m(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return great-circle distances of points in radians, (..., 2) as longitude and latitude."""
    half = np.sin((b - a) / 2) ** 2
    chord = half[..., 1] + np.cos(a[..., 1]) * np.cos(b[..., 1]) * half[..., 0]
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0, 1))))
