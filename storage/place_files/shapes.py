"""Shapes of places: Well-Known Text and GeoJSON, and the point that stands for one. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from storage.errors import InputError

_WKT_POLYGON = re.compile(r"\s*POLYGON\s*(\(+)([^()]*)(\)+)\s*", re.IGNORECASE)
_MOST_POINTS = 10_000
_LEAST_RING = 4


def polygon_of_wkt(text: str) -> tuple[dict[str, Any], bool]:
    """Return the GeoJSON polygon of a text, and whether it was written as WKT has it. Raises InputError.

    The national schema's own example has single parentheses, which WKT does not know; they are taken.
    """
    found = _WKT_POLYGON.fullmatch(text)
    if found is None:
        raise InputError(f"expected POLYGON((longitude latitude, …)) without holes, got {text[:60]!r}")
    try:
        ring = [[float(number) for number in point.split()] for point in found[2].split(",")]
    except ValueError as error:
        raise InputError(f"expected numbers within POLYGON(…), got {text[:60]!r}") from error
    shape = {"type": "Polygon", "coordinates": [ring]}
    checked(shape)
    return shape, len(found[1]) == len(found[3]) == 2  # noqa: PLR2004 - ((…))


def checked(geometry: object) -> dict[str, Any]:
    """Return a GeoJSON Point, LineString or Polygon. Raises InputError."""
    if not isinstance(geometry, dict) or geometry.get("type") not in {"Point", "LineString", "Polygon"}:
        raise InputError("expected a geometry of type Point, LineString or Polygon")
    points = _points(geometry)
    if not 0 < len(points) <= _MOST_POINTS:
        raise InputError(f"expected 1 to {_MOST_POINTS} points, got {len(points)}")
    for point in points:
        if (
            not isinstance(point, list)
            or not 2 <= len(point) <= 3  # noqa: PLR2004 - with a height or without
            or not all(isinstance(number, int | float) and not isinstance(number, bool) for number in point)
            or not (-180 <= point[0] <= 180 and -90 <= point[1] <= 90)  # noqa: PLR2004 - degrees
        ):
            raise InputError(f"expected [longitude, latitude] in degrees, got {str(point)[:60]}")
    if geometry["type"] == "Polygon" and (len(points) < _LEAST_RING or points[0][:2] != points[-1][:2]):
        raise InputError("expected a polygon whose last point is its first")
    return geometry


def centre_of(geometry: dict[str, Any]) -> tuple[float, float]:
    """Return (longitude, latitude) of the point that stands for a checked geometry.

    Of a line it is the middle of its length; of a polygon, its centroid by area (the shoelace formula), computed on
    degrees, which is exact enough for a kerb.
    """
    points = [(float(point[0]), float(point[1])) for point in _points(geometry)]
    if geometry["type"] == "Polygon":
        return _centroid(points)
    if geometry["type"] == "LineString":
        return _middle(points)
    return points[0]


def _points(geometry: dict[str, Any]) -> list[Any]:
    coordinates = geometry.get("coordinates")
    if not isinstance(coordinates, list) or not coordinates:
        raise InputError("expected coordinates")
    if geometry["type"] == "Point":
        return [coordinates]
    if geometry["type"] == "Polygon":
        if not isinstance(coordinates[0], list):
            raise InputError("expected a polygon's rings")
        return coordinates[0]
    return coordinates


def _centroid(ring: Sequence[tuple[float, float]]) -> tuple[float, float]:
    # Numbers near the origin: the products of whole degrees would drown a bay's own extent.
    x0, y0 = ring[0]
    area = x = y = 0.0
    for (x1, y1), (x2, y2) in pairwise(ring):
        cross = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        area += cross
        x += (x1 + x2 - 2 * x0) * cross
        y += (y1 + y2 - 2 * y0) * cross
    if area == 0:
        return sum(point[0] for point in ring) / len(ring), sum(point[1] for point in ring) / len(ring)
    return x0 + x / (3 * area), y0 + y / (3 * area)


def _middle(line: Sequence[tuple[float, float]]) -> tuple[float, float]:
    lengths = [((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 for (x1, y1), (x2, y2) in pairwise(line)]
    left = sum(lengths) / 2
    for (x1, y1), (x2, y2), length in zip(line[:-1], line[1:], lengths, strict=True):
        if left <= length and length > 0:
            share = left / length
            return x1 + share * (x2 - x1), y1 + share * (y2 - y1)
        left -= length
    return line[0]
