"""A small map of a round, drawn from the commune's streets: one SVG, nothing asked from anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from api.exports.contents import numbers
from api.streets import simplify
from storage.model import PlannedRoute, PlannedStop, StopKind

type Line = Sequence[Sequence[float]]

_METRES_PER_DEGREE = 111_320.0
_WIDE = 1000
_LEAST_SPAN_M = 200.0
_MARGIN_SHARE = 0.06
_FLATTEST = 0.45
_TALLEST = 0.75
_DRAWN = ("water", "green", "coast", "water_line", "minor", "middle", "major")
_DETAILS_PER_WIDTH = 400
"""A line keeps what a four hundredth of the map's width shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A stop on the sketch: where, of what kind, and the number that it has in the list."""

    x: int
    y: int
    kind: str
    number: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sketch:
    """A drawing `width` x `height` units large: paths by class, the first at the bottom, the way, and the stops."""

    width: int
    height: int
    paths: tuple[tuple[str, str], ...]
    way: str
    marks: tuple[Mark, ...]


def sketch(route: PlannedRoute, streets: Iterable[dict[str, Any]]) -> Sketch | None:
    """Return the sketch of a round on streets (GeoJSON features with a `class`); None when it has no places."""
    stops = [stop for stop in route.stops if stop.longitude_deg is not None and stop.latitude_deg is not None]
    points = [*route.geometry, *((stop.longitude_deg, stop.latitude_deg) for stop in stops)]
    if not points:
        return None
    frame = _Frame([(float(x or 0), float(y or 0)) for x, y in points])
    number_of = numbers(route)
    by_class = {feature["properties"]["class"]: feature["geometry"] for feature in streets}
    paths = []
    for kind in _DRAWN:
        lines = [line for line in _lines(by_class.get(kind)) if frame.shows(line)]
        if lines:
            paths.append((kind, "".join(frame.path(line) for line in lines)))
    marks = [_mark(frame, stop, number_of.get(stop.stop_index)) for stop in stops if stop.kind is not StopKind.BREAK]
    return Sketch(
        width=_WIDE,
        height=frame.height,
        paths=tuple(paths),
        way=frame.path(route.geometry) if len(route.geometry) > 1 else "",
        marks=tuple(marks),
    )


def _mark(frame: _Frame, stop: PlannedStop, number: int | None) -> Mark:
    x, y = frame.at(stop.longitude_deg or 0.0, stop.latitude_deg or 0.0)
    return Mark(x=x, y=y, kind=stop.kind.value, number=number)


class _Frame:
    """The part of the world that a sketch shows, and where on it things are."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        longitudes, latitudes = zip(*points, strict=True)
        middle = (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2
        self._metres = _METRES_PER_DEGREE * math.cos(math.radians(middle[1])), _METRES_PER_DEGREE
        span = max((max(longitudes) - min(longitudes)) * self._metres[0], _LEAST_SPAN_M)
        rise = max((max(latitudes) - min(latitudes)) * self._metres[1], _LEAST_SPAN_M)
        width = max(span, rise / _TALLEST) * (1 + 2 * _MARGIN_SHARE)
        height = max(rise * (1 + 2 * _MARGIN_SHARE), width * _FLATTEST)
        self._scale = _WIDE / width
        self.height = round(height * self._scale)
        self._corner = middle[0] - width / 2 / self._metres[0], middle[1] + height / 2 / self._metres[1]
        self._tolerance_m = width / _DETAILS_PER_WIDTH

    def at(self, longitude: float, latitude: float) -> tuple[int, int]:
        """Return where a place is, whole units from the upper left corner."""
        return (
            round((longitude - self._corner[0]) * self._metres[0] * self._scale),
            round((self._corner[1] - latitude) * self._metres[1] * self._scale),
        )

    def shows(self, line: Line) -> bool:
        """Whether the line's box meets the frame."""
        places = [self.at(point[0], point[1]) for point in line]
        across, down = zip(*places, strict=True)
        return bool(max(across) >= 0 and min(across) <= _WIDE and max(down) >= 0 and min(down) <= self.height)

    def path(self, line: Line) -> str:
        """Return a line as an SVG path, without the details that nobody could see."""
        plain = simplify([(point[0], point[1]) for point in line], tolerance_m=self._tolerance_m)
        places = [self.at(*point) for point in plain]
        return "M" + "L".join(f"{x} {y}" for x, y in places)


def _lines(geometry: dict[str, Any] | None) -> list[Line]:
    if geometry is None:
        return []
    if geometry["type"] == "MultiPolygon":
        return [ring for rings in geometry["coordinates"] for ring in rings]
    return list(geometry["coordinates"])
