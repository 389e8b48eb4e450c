"""What OpenStreetMap says about the surroundings of a point: the only thing visible of a bin without a sensor.

Reads a file, hence stands at the rim: the numbers are stored with the bin, and forecasting sees the numbers alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.filter import KeyFilter
from scipy.spatial import cKDTree

RADII_M = (75, 250)

_KEYS = ("shop", "amenity", "tourism", "office", "leisure", "landuse", "highway", "railway", "public_transport")
_FOOD = frozenset({"restaurant", "fast_food", "cafe", "bar", "pub", "ice_cream", "food_court", "biergarten"})
_SCHOOLS = frozenset({"school", "kindergarten", "college", "university", "childcare", "library"})
_PARKS = frozenset({"park", "garden", "playground", "pitch", "dog_park", "nature_reserve", "sports_centre"})
_SIGHTS = frozenset({"attraction", "museum", "viewpoint", "hotel", "hostel", "gallery", "artwork"})
_SEATS = frozenset({"bench", "vending_machine", "waste_basket", "atm", "shelter"})
_STATIONS = frozenset({"station", "halt", "subway_entrance", "tram_stop"})
THEMES = ("shops", "food", "transport", "schools", "parks", "sights", "seats", "offices")

# Coarse classes: a town has too few sensors to learn each of OpenStreetMap's thirty.
_STREET_CLASSES = {
    "main": frozenset({"motorway", "trunk", "primary", "secondary", "tertiary"}),
    "residential": frozenset({"residential", "living_street", "unclassified", "service"}),
    "foot": frozenset({"pedestrian", "footway", "path", "steps", "cycleway", "track"}),
}
_NO_STREET_M = 500.0
_NO_CENTRE_M = 5_000.0
_NEAR_COMMUNE_M = 1_000.0
_SAMPLE_M = 8.0
_EARTH_M_PER_DEG = 111_195.0


class _Plane:
    """A local plane around the points, in metres: towns are small enough for an equirectangular projection."""

    def __init__(self, points: NDArray[np.float64]) -> None:
        self._origin = points.mean(axis=0)
        self._scale = np.array([np.cos(np.radians(self._origin[1])), 1.0]) * _EARTH_M_PER_DEG

    def metres(self, degrees: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return [lon, lat] degrees (n, 2) as [east, north] metres (n, 2)."""
        result: NDArray[np.float64] = (degrees - self._origin) * self._scale
        return result


def read_surroundings(extract: Path, points: Sequence[tuple[float, float]]) -> list[dict[str, float]]:
    """Return, for each [lon, lat] in degrees, the numbers that OpenStreetMap's `extract` gives around it.

    Counts within 75 m and 250 m (`shops_75m`, ...), the coarse class of the nearest street as indicators
    (`street_main`, `street_residential`, `street_foot`), its distance, and the distance to the centre (the median shop
    of those near any of the points, since an extract may hold a whole region).
    All keys are always present. Raises OSError or RuntimeError (pyosmium's) when the file cannot be read.
    """
    if not points:
        return []
    if not extract.is_file():
        raise FileNotFoundError(f"no OpenStreetMap extract at {extract}")
    where = np.asarray(points, dtype=np.float64)
    plane = _Plane(where)
    themes, streets = _read(extract)
    at = plane.metres(where)
    columns: dict[str, NDArray[np.float64]] = {}
    for theme in THEMES:
        found = _metres(plane, themes[theme])
        for radius_m in RADII_M:
            columns[f"{theme}_{radius_m}m"] = _count_within(found, at, radius_m)
    columns |= _nearest_street(plane, streets, at)
    shops = _metres(plane, themes["shops"])
    shops = shops[(cKDTree(at).query(shops)[0] if len(shops) else np.zeros(0)) < _NEAR_COMMUNE_M]
    # The median resists the shopping centre at the edge of the extract that would pull a mean away from the centre.
    columns["centre_distance_m"] = (
        np.linalg.norm(at - np.median(shops, axis=0), axis=1) if len(shops) else np.full(len(at), _NO_CENTRE_M)
    )
    names = list(columns)
    table = np.column_stack([columns[name] for name in names])
    return [dict(zip(names, row, strict=True)) for row in np.round(table, 1).tolist()]


def _themes_of(tags: osmium.osm.TagList) -> list[str]:
    amenity, leisure = tags.get("amenity"), tags.get("leisure")
    highway, railway = tags.get("highway"), tags.get("railway")
    belongs = {
        "shops": tags.get("shop") not in (None, "vacant", "no") or amenity == "marketplace",
        "food": amenity in _FOOD,
        "transport": highway == "bus_stop" or railway in _STATIONS or amenity in {"bus_station", "ferry_terminal"},
        "schools": amenity in _SCHOOLS,
        "parks": leisure in _PARKS or tags.get("landuse") == "recreation_ground",
        "sights": tags.get("tourism") in _SIGHTS or amenity in {"cinema", "theatre"},
        "seats": amenity in _SEATS,
        "offices": tags.get("office") is not None,
    }
    return [theme for theme, yes in belongs.items() if yes]


def _read(
    extract: Path,
) -> tuple[defaultdict[str, list[tuple[float, float]]], defaultdict[str, list[tuple[float, float]]]]:
    """Return the [lon, lat] of what belongs to each theme, and points along the streets of each class."""
    themes: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    streets: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    entities = osmium.osm.NODE | osmium.osm.WAY
    for item in osmium.FileProcessor(extract, entities).with_locations().with_filter(KeyFilter(*_KEYS)):
        if isinstance(item, osmium.osm.Node):
            for theme in _themes_of(item.tags):
                themes[theme].append((item.location.lon, item.location.lat))
        elif isinstance(item, osmium.osm.Way):
            line = [(node.location.lon, node.location.lat) for node in item.nodes if node.location.valid()]
            if not line:
                continue
            for theme in _themes_of(item.tags):
                # A building's or park's middle, by its corners, is near enough for a count within 75 m.
                themes[theme].append((sum(x for x, _ in line) / len(line), sum(y for _, y in line) / len(line)))
            kind = next((c for c, values in _STREET_CLASSES.items() if item.tags.get("highway") in values), None)
            # A pavement mapped as a way of its own says nothing about the street beside it.
            if kind is not None and item.tags.get("footway") not in {"sidewalk", "crossing"}:
                streets[kind].extend(_along(line))
    return themes, streets


def _along(line: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points along a line, at most `_SAMPLE_M` apart: the nearest point stands for the nearest street."""
    points = [line[0]]
    for (x0, y0), (x1, y1) in pairwise(line):
        shrink = float(np.cos(np.radians(y0)))
        length_m = float(np.hypot((x1 - x0) * shrink, y1 - y0)) * _EARTH_M_PER_DEG
        pieces = max(1, int(np.ceil(length_m / _SAMPLE_M)))
        points.extend((x0 + (x1 - x0) * k / pieces, y0 + (y1 - y0) * k / pieces) for k in range(1, pieces + 1))
    return points


def _metres(plane: _Plane, degrees: list[tuple[float, float]]) -> NDArray[np.float64]:
    return plane.metres(np.asarray(degrees, dtype=np.float64).reshape(-1, 2))


def _count_within(found: NDArray[np.float64], at: NDArray[np.float64], radius_m: float) -> NDArray[np.float64]:
    if not len(found):
        return np.zeros(len(at))
    counts = cKDTree(found).query_ball_point(at, radius_m, return_length=True)
    return np.asarray(counts, dtype=np.float64)


def _nearest_street(
    plane: _Plane, streets: dict[str, list[tuple[float, float]]], at: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    distances = np.full((len(_STREET_CLASSES), len(at)), _NO_STREET_M)
    for row, kind in enumerate(_STREET_CLASSES):
        if streets.get(kind):
            distances[row] = cKDTree(_metres(plane, streets[kind])).query(at, distance_upper_bound=_NO_STREET_M)[0]
    distances = np.minimum(distances, _NO_STREET_M)
    nearest = distances.argmin(axis=0)
    seen = distances.min(axis=0) < _NO_STREET_M
    columns = {
        f"street_{kind}": ((nearest == row) & seen).astype(np.float64) for row, kind in enumerate(_STREET_CLASSES)
    }
    main = list(_STREET_CLASSES).index("main")
    return columns | {"street_distance_m": distances.min(axis=0), "main_street_distance_m": distances[main]}
