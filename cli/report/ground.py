"""The streets under a map, as SVG paths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from markupsafe import Markup

_METRES_PER_DEGREE = 111_195.0
_WIDTH = 1000
_MARGIN_M = 90.0
_CLASSES = ("water", "green", "minor", "middle", "major")
_FLAT, _TALL = 0.55, 1.4


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A map's projection, from degrees to units of a drawing of `width` x `height`, and what lies under it."""

    west: float
    north: float
    units_per_degree: tuple[float, float]
    height: float
    units_per_m: float
    shapes: tuple[Markup, ...] = ()
    width: float = _WIDTH

    def at(self, longitude_deg: float, latitude_deg: float) -> tuple[float, float]:
        """Return where a point is on the drawing."""
        across, down = self.units_per_degree
        return round((longitude_deg - self.west) * across, 1), round((self.north - latitude_deg) * down, 1)


def ground_of(points: Sequence[tuple[float, float]], extract: Path | None) -> Ground:
    """Return the ground of a map of `points` (lon, lat); without an extract it is bare.

    OSError or RuntimeError when the extract cannot be read.
    """
    longitudes, latitudes = [point[0] for point in points], [point[1] for point in points]
    middle = (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2
    shrink = math.cos(math.radians(middle[1]))
    width_m = (max(longitudes) - min(longitudes)) * shrink * _METRES_PER_DEGREE + 2 * _MARGIN_M
    height_m = (max(latitudes) - min(latitudes)) * _METRES_PER_DEGREE + 2 * _MARGIN_M
    # A town of one street is still drawn as a map.
    height_m, width_m = max(height_m, width_m * _FLAT), max(width_m, height_m / _TALL)
    units_per_m = _WIDTH / width_m
    west = middle[0] - width_m / 2 / shrink / _METRES_PER_DEGREE
    north = middle[1] + height_m / 2 / _METRES_PER_DEGREE
    bare = Ground(
        west=west,
        north=north,
        units_per_degree=(units_per_m * shrink * _METRES_PER_DEGREE, units_per_m * _METRES_PER_DEGREE),
        height=height_m * units_per_m,
        units_per_m=units_per_m,
    )
    if extract is None:
        return bare
    from api.streets import read_streets

    box = (west, north - height_m / _METRES_PER_DEGREE, 2 * middle[0] - west, north)
    shapes = tuple(_shapes(bare, read_streets(extract, box)))
    return Ground(
        west=bare.west,
        north=bare.north,
        units_per_degree=bare.units_per_degree,
        height=bare.height,
        units_per_m=units_per_m,
        shapes=shapes,
    )


def _shapes(ground: Ground, streets: dict[str, Any]) -> list[Markup]:
    of_class = {feature["properties"]["class"]: feature["geometry"] for feature in streets["features"]}
    shapes = []
    for name in _CLASSES:
        if name not in of_class:
            continue
        geometry = of_class[name]
        areas = geometry["type"] == "MultiPolygon"
        lines = [ring for area in geometry["coordinates"] for ring in area] if areas else geometry["coordinates"]
        # A line for each shape keeps the file readable, and a viewer's memory small.
        path = "\n".join(text for line in lines if (text := _path(ground, line, closed=areas)))
        shapes.append(Markup('<path class="ground {}" d="{}"/>').format(name, path))
    return shapes


def _path(ground: Ground, line: Sequence[tuple[float, float]], *, closed: bool) -> str:
    """Return a line as whole units relative to the point before; points that fall together are one."""
    points = [tuple(round(value) for value in ground.at(*point)) for point in line]
    kept = [point for index, point in enumerate(points) if index == 0 or point != points[index - 1]]
    if len(kept) < 2 or not any(_inside(ground, point) for point in kept):  # noqa: PLR2004 - a line takes two points
        return ""
    steps = [f"{x - x0} {y - y0}" for (x0, y0), (x, y) in pairwise(kept)]
    return f"M{kept[0][0]} {kept[0][1]}l{' '.join(steps)}" + ("z" if closed else "")


def _inside(ground: Ground, point: tuple[int, ...]) -> bool:
    return 0 <= point[0] <= ground.width and 0 <= point[1] <= ground.height
