"""The commune's own streets as GeoJSON, so that the map has a ground where no tile server may be asked.

Read lazily from the OpenStreetMap extract, cut to what the commune's places span, simplified by Douglas and Peucker's
algorithm (Cartographica 10, 1973) to what a screen can show, and kept in memory.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import structlog

from storage.errors import NotFoundError

log = structlog.get_logger()

type Lines = list[list[tuple[float, float]]]
type Box = tuple[float, float, float, float]

_METRES_PER_DEGREE = 111_320.0
_TOLERANCE_M = 2.5
_MARGIN_M = 600.0
_DECIMALS = 5  # about a metre

_HIGHWAYS = {
    "motorway": "major", "trunk": "major", "primary": "major", "motorway_link": "major", "trunk_link": "major",
    "primary_link": "major", "secondary": "middle", "secondary_link": "middle", "tertiary": "middle",
    "tertiary_link": "middle", "residential": "minor", "unclassified": "minor", "living_street": "minor",
    "road": "minor", "pedestrian": "minor", "service": "access", "footway": "path", "path": "path",
    "cycleway": "path", "steps": "path", "track": "path",
}  # fmt: skip
_GREENS = {
    "leisure": {"park", "garden", "pitch", "playground", "nature_reserve"},
    "landuse": {"grass", "forest", "cemetery", "recreation_ground", "meadow"},
    "natural": {"wood", "scrub", "heath", "wetland"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StreetsDocument:
    """A GeoJSON FeatureCollection, encoded, with its entity tag."""

    body: bytes
    etag: str


class StreetsCache:
    """Reads an extract at most once per extent; safe to share between threads."""

    def __init__(self, extract: Path | None) -> None:
        self._extract = extract
        self._lock = threading.Lock()
        self._document: tuple[Box | None, StreetsDocument] | None = None

    def document(self, box: Box | None) -> StreetsDocument:
        """Return the streets in `box` (west, south, east, north in degrees; None: all of the extract).

        NotFoundError when the API was given no extract.
        """
        if self._extract is None:
            raise NotFoundError("no extract of OpenStreetMap was given, so there are no streets to draw")
        with self._lock:
            if self._document is None or self._document[0] != box:
                body = msgspec.json.encode(read_streets(self._extract, box))
                etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                self._document = (box, StreetsDocument(body=body, etag=etag))
                log.info("streets_read", extract=self._extract.name, bytes=len(body))
            return self._document[1]


def with_margin(extent: Box, *, margin_m: float = _MARGIN_M) -> Box:
    """Return `extent` with a margin, rounded outwards to hundredths of a degree.

    The rounding keeps the box the same while places come and go.
    """
    west, south, east, north = extent
    latitude_margin = margin_m / _METRES_PER_DEGREE
    longitude_margin = latitude_margin / math.cos(math.radians((south + north) / 2))
    return (
        math.floor((west - longitude_margin) * 100) / 100,
        math.floor((south - latitude_margin) * 100) / 100,
        math.ceil((east + longitude_margin) * 100) / 100,
        math.ceil((north + latitude_margin) * 100) / 100,
    )


def read_streets(extract: Path, box: Box | None) -> dict[str, Any]:
    """Return a FeatureCollection with one MultiLineString per class of street and one MultiPolygon per kind of ground.

    Classes (property `class`): major, middle, minor, access, path, coast; green and water are grounds.
    """
    import osmium  # noqa: PLC0415 - heavy, and only needed where no tiles are

    lines: defaultdict[str, Lines] = defaultdict(list)
    grounds: defaultdict[str, list[Lines]] = defaultdict(list)
    keys = osmium.filter.KeyFilter("highway", "natural", "leisure", "landuse", "waterway")
    for item in osmium.FileProcessor(str(extract)).with_locations().with_areas(keys).with_filter(keys):
        if isinstance(item, osmium.osm.Way):
            kind = _line_class(item.tags)
            if kind is not None:
                points = [(node.lon, node.lat) for node in item.nodes if node.location.valid()]
                if len(points) > 1 and _touches(points, box):
                    lines[kind].append(simplify(points))
        elif isinstance(item, osmium.osm.Area):
            kind = _ground_class(item.tags)
            if kind is not None:
                for outer in item.outer_rings():
                    rings = [outer, *item.inner_rings(outer)]
                    shapes = [simplify([(node.lon, node.lat) for node in ring]) for ring in rings]
                    shapes = [shape for shape in shapes if len(shape) > 3]  # noqa: PLR2004 - a ring's first point closes it
                    if shapes and _touches(shapes[0], box):
                        grounds[kind].append(shapes)
    features = [_feature(kind, "MultiPolygon", grounds[kind]) for kind in ("water", "green") if kind in grounds]
    order = ("coast", "water_line", "path", "access", "minor", "middle", "major")
    features += [_feature(kind, "MultiLineString", lines[kind]) for kind in order if kind in lines]
    return {"type": "FeatureCollection", "features": features}


def _line_class(tags: Any) -> str | None:
    if tags.get("natural") == "coastline":
        return "coast"
    if tags.get("waterway") in {"river", "canal", "stream"}:
        return "water_line"
    if tags.get("area") == "yes":
        return None
    return _HIGHWAYS.get(tags.get("highway", ""))


def _ground_class(tags: Any) -> str | None:
    if (
        tags.get("natural") == "water"
        or tags.get("waterway") == "riverbank"
        or tags.get("landuse") in {"basin", "pond"}
    ):
        return "water"
    return "green" if any(tags.get(key) in values for key, values in _GREENS.items()) else None


def _feature(kind: str, geometry: str, coordinates: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"class": kind},
        "geometry": {"type": geometry, "coordinates": coordinates},
    }


def _touches(points: list[tuple[float, float]], box: Box | None) -> bool:
    if box is None:
        return True
    west, south, east, north = box
    return any(west <= longitude <= east and south <= latitude <= north for longitude, latitude in points)


def simplify(points: list[tuple[float, float]], *, tolerance_m: float = _TOLERANCE_M) -> list[tuple[float, float]]:
    """Return the line without the points within `tolerance_m` of what remains; ends stay. Rounded to a metre."""
    scale = math.cos(math.radians(points[0][1]))
    flat = [(lon * scale * _METRES_PER_DEGREE, lat * _METRES_PER_DEGREE) for lon, lat in points]
    kept = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        farthest, distance = 0, 0.0
        for index in range(first + 1, last):
            away = _distance_m(flat[index], flat[first], flat[last])
            if away > distance:
                farthest, distance = index, away
        if distance > tolerance_m:
            kept.add(farthest)
            spans += [(first, farthest), (farthest, last)]
    return [(round(points[index][0], _DECIMALS), round(points[index][1], _DECIMALS)) for index in sorted(kept)]


def _distance_m(point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]) -> float:
    """Return the distance from `point` to the segment from `start` to `end`, all in metres."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length
    along = min(1.0, max(0.0, along))
    return math.hypot(point[0] - start[0] - along * dx, point[1] - start[1] - along * dy)
