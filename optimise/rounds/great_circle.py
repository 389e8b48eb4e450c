"""Travel without streets: great-circle distances times a detour factor, at one speed. A plan made so says so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.travel import Leg, Matrices, Point, Way
from storage.model import COMPASS, Manoeuvre, Modifier, Step

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
        """Return straight lines through the points, with the metres that the matrices count for them.

        Each leg is one step that says where to go, and that nothing is known of the streets.
        """
        where = np.radians(np.array(points, dtype=np.float64).reshape(-1, 2))
        legs = []
        for number, (a, b) in enumerate(pairwise(where), start=1):
            distance_m = float(_haversine_m(a, b)) * self._detour_factor
            step = Step(
                manoeuvre=Manoeuvre.DIRECT,
                modifier=compass_point(_bearing_deg(a, b)),
                distance_m=round(distance_m, 1),
                duration_s=round(distance_m / self._speed_m_s, 1),
                point_index=number - 1,
            )
            legs.append(Leg(distance_m=distance_m, point_index=number, steps=(step,)))
        return Way(geometry=tuple(points), legs=tuple(legs))


def compass_point(bearing_deg: float) -> Modifier:
    """Return the point of the compass of a bearing, degrees clockwise from north."""
    return COMPASS[round(bearing_deg / 45) % len(COMPASS)]


def _bearing_deg(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the bearing of `b` from `a` over so short a way that the earth is flat; both in radians."""
    east = (b[0] - a[0]) * np.cos((a[1] + b[1]) / 2)
    return float(np.degrees(np.arctan2(east, b[1] - a[1])))


def _haversine_m(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return great-circle distances of points in radians, (..., 2) as longitude and latitude."""
    half = np.sin((b - a) / 2) ** 2
    chord = half[..., 1] + np.cos(a[..., 1]) * np.cos(b[..., 1]) * half[..., 0]
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(chord, 0, 1))))
