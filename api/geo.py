"""Distances on the ground. Pure."""

from __future__ import annotations

import math

_EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG


def distance_m(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Return the great-circle distance in metres between two (longitude, latitude) points in degrees (haversine)."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*start, *end))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))
