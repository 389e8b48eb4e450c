"""Distances on the ground, and boxes around a point. Pure."""

from __future__ import annotations

import math

_EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
_METRES_OF_A_DEGREE = math.pi * _EARTH_RADIUS_M / 180


def distance_m(start: tuple[float, float], end: tuple[float, float]) -> float:
    """Return the great-circle distance in metres between two (longitude, latitude) points in degrees (haversine)."""
    lon1, lat1, lon2, lat2 = map(math.radians, (*start, *end))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def box_around(point: tuple[float, float], metres: float) -> tuple[float, float, float, float]:
    """Return (west, south, east, north) of a box, degrees, that holds all that is within `metres` of a point."""
    longitude_deg, latitude_deg = point
    high = metres / _METRES_OF_A_DEGREE
    south, north = max(-90.0, latitude_deg - high), min(90.0, latitude_deg + high)
    narrowest = math.cos(math.radians(max(abs(south), abs(north))))
    wide = 360.0 if narrowest < 1e-6 else high / narrowest  # noqa: PLR2004 - at the poles
    return max(-180.0, longitude_deg - wide), south, min(180.0, longitude_deg + wide), north
