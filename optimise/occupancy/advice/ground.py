"""Shops, and places at the kerb where a bay could be, of an OpenStreetMap extract. Reads a file: stands at the rim."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.filter import KeyFilter

from optimise.occupancy.advice.scene import Origin, Spot, distances_m
from storage.errors import InputError

_FOOD = frozenset({"restaurant", "fast_food", "cafe", "bar", "pub", "ice_cream"})
_SERVED = _FOOD | {"pharmacy", "bank", "post_office", "marketplace"}
_STREETS = frozenset({"residential", "living_street", "unclassified", "tertiary", "secondary", "primary"})
_REACH_M = 400.0
"""Shops farther than this from all areas are another town's, or nobody's yet."""
_TOGETHER_M = 40.0
_EVERY_M = 20.0
_CLEAR_OF_JUNCTION_M = 12.0
_CLEAR_OF_AREA_M = 15.0
_KERB_M = 4.0
_METRES_OF_A_DEGREE = 111_195.0

type _Point = tuple[float, float]


def read_ground(
    extract: Path, areas: Sequence[_Point], *, within_m: float
) -> tuple[tuple[Origin, ...], tuple[Spot, ...]]:
    """Return the shops around `areas` (lon, lat), some together, and spots within `within_m` of one of them.

    A spot lies along a street that cars use, clear of junctions and of the areas; whether there is room (a driveway, a
    tree, a bus stop) somebody has to look. NotFoundError-like InputError when the file is missing or cannot be read.
    """
    if not extract.is_file():
        raise InputError(f"there is no street extract {str(extract)!r}")
    if not areas:
        return (), ()
    try:
        shops, ways, junctions = _read(extract, _box(areas))
    except RuntimeError as error:
        raise InputError(f"cannot read {str(extract)!r} as an OpenStreetMap extract: {error}") from error
    near = [
        shop
        for shop, apart in zip(shops, distances_m(shops, list(areas)).min(axis=1, initial=np.inf), strict=True)
        if apart <= _REACH_M
    ]
    origins = _together(near)
    return origins, _spots(ways, junctions, list(areas), origins, within_m=within_m)


def _box(areas: Sequence[_Point]) -> tuple[float, float, float, float]:
    points = np.array(areas)
    high = 2 * _REACH_M / _METRES_OF_A_DEGREE
    wide = high / max(0.1, float(np.cos(np.radians(points[:, 1].mean()))))
    (west, south), (east, north) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return west - wide, south - high, east + wide, north + high


def _read(
    extract: Path, box: tuple[float, float, float, float]
) -> tuple[list[_Point], list[tuple[str | None, list[_Point]]], set[_Point]]:
    west, south, east, north = box
    shops: list[_Point] = []
    ways: list[tuple[str | None, list[_Point]]] = []
    ends: Counter[_Point] = Counter()

    def inside(point: _Point) -> bool:
        return west <= point[0] <= east and south <= point[1] <= north

    entities = osmium.osm.NODE | osmium.osm.WAY
    items = (
        osmium.FileProcessor(extract, entities).with_locations().with_filter(KeyFilter("shop", "amenity", "highway"))
    )
    for item in items:
        sells = item.tags.get("shop") not in {None, "vacant", "no"} or item.tags.get("amenity") in _SERVED
        if isinstance(item, osmium.osm.Node):
            if sells and inside(point := (item.location.lon, item.location.lat)):
                shops.append(point)
        elif isinstance(item, osmium.osm.Way):
            line = [(node.location.lon, node.location.lat) for node in item.nodes if node.location.valid()]
            if not line or not any(map(inside, line)):
                continue
            if sells:
                shops.append((sum(x for x, _ in line) / len(line), sum(y for _, y in line) / len(line)))
            elif item.tags.get("highway") in _STREETS and len(line) > 1:
                ways.append((item.tags.get("name"), line))
                ends.update(set(line))
    return shops, ways, {point for point, times in ends.items() if times > 1}


def _together(shops: Sequence[_Point]) -> tuple[Origin, ...]:
    """Return shops by cells of some metres: those beside each other are delivered from one bay."""
    if not shops:
        return ()
    points = np.array(shops)
    shrink = np.cos(np.radians(points[:, 1].mean()))
    cells: defaultdict[tuple[int, int], list[_Point]] = defaultdict(list)
    for lon, lat in shops:
        metres = lon * shrink * _METRES_OF_A_DEGREE, lat * _METRES_OF_A_DEGREE
        cells[int(metres[0] // _TOGETHER_M), int(metres[1] // _TOGETHER_M)].append((lon, lat))
    return tuple(
        Origin(
            longitude_deg=round(sum(lon for lon, _ in inside) / len(inside), 6),
            latitude_deg=round(sum(lat for _, lat in inside) / len(inside), 6),
            shops=len(inside),
        )
        for _, inside in sorted(cells.items())
    )


def _spots(
    ways: Sequence[tuple[str | None, list[_Point]]],
    junctions: set[_Point],
    areas: list[_Point],
    origins: Sequence[Origin],
    *,
    within_m: float,
) -> tuple[Spot, ...]:
    found = [(point, name) for name, line in ways for point in _along(line)]
    for others, least, most in (
        (sorted(junctions), _CLEAR_OF_JUNCTION_M, np.inf),
        (areas, _CLEAR_OF_AREA_M, np.inf),
        ([one.at for one in origins], 0.0, within_m),
    ):
        found = _between(found, others, least=least, most=most)
    unique = sorted({(round(lon, 6), round(lat, 6)): name for (lon, lat), name in found}.items())
    return tuple(
        Spot(spot_id=f"{lat:.5f},{lon:.5f}", longitude_deg=lon, latitude_deg=lat, street=name)
        for (lon, lat), name in unique
    )


def _between(
    found: list[tuple[_Point, str | None]], others: list[_Point], *, least: float, most: float
) -> list[tuple[_Point, str | None]]:
    """Return the points whose nearest of `others` is from `least` to `most` metres away."""
    if not others:
        return found if np.isinf(most) else []
    kept = []
    for first in range(0, len(found), 2000):  # the distances of all at once would not fit
        some = found[first : first + 2000]
        nearest: NDArray[np.float64] = distances_m([point for point, _ in some], others).min(axis=1)
        kept += [one for one, apart in zip(some, nearest.tolist(), strict=True) if least <= apart <= most]
    return kept


def _along(line: Sequence[_Point]) -> list[_Point]:
    """Return points at the right kerb of a line, every twenty metres."""
    found = []
    for (x0, y0), (x1, y1) in pairwise(line):
        shrink = float(np.cos(np.radians(y0)))
        across, up = (x1 - x0) * shrink * _METRES_OF_A_DEGREE, (y1 - y0) * _METRES_OF_A_DEGREE
        length = float(np.hypot(across, up))
        if length < _EVERY_M / 2:
            continue
        right = (
            up / length * _KERB_M / (shrink * _METRES_OF_A_DEGREE),
            -across / length * _KERB_M / _METRES_OF_A_DEGREE,
        )
        count = max(1, int(length // _EVERY_M))
        shares = [(number + 0.5) / count for number in range(count)]
        found += [(x0 + (x1 - x0) * share + right[0], y0 + (y1 - y0) * share + right[1]) for share in shares]
    return found
