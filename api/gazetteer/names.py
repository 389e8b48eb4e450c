"""What has a name, or a house number, in an OpenStreetMap extract."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

type Point = tuple[float, float]
type Box = tuple[float, float, float, float]

_SAME_DEG = 0.0015  # some 150 m: of one name within it one is kept, as of a shop that is both a node and a building
_PLACES = {
    "amenity": None, "shop": None, "tourism": None, "leisure": None, "historic": None, "healthcare": None,
    "railway": {"station", "halt", "tram_stop", "subway_entrance"}, "public_transport": {"station"},
    "office": {"government", "association"},
    "place": {"square", "suburb", "quarter", "neighbourhood", "island", "hamlet", "village"},
}  # fmt: skip
_NO_DESTINATIONS = {"atm", "bench", "bicycle_rental", "recycling", "vending_machine", "waste_basket", "artwork"}


class NameKind(StrEnum):
    """What a name is of."""

    STREET = "street"
    ADDRESS = "address"
    PLACE = "place"


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A street, a house number of it, or a place, at a point (degrees). `detail`: a place's address, when known."""

    name: str
    kind: NameKind
    longitude_deg: float
    latitude_deg: float
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Names:
    """What has a name, and by the street's name the points of its house numbers."""

    named: Sequence[Named]
    numbers: dict[str, dict[str, Point]]


def read_names(extract: Path, box: Box | None) -> Names:
    """Return what has a name in `box` (west, south, east, north in degrees; None: all of the extract).

    A street stands at that point of it which is nearest to its middle.
    """
    import osmium  # noqa: PLC0415 - heavy, and only needed when somebody searches

    streets: defaultdict[str, list[Point]] = defaultdict(list)
    numbers: defaultdict[str, dict[str, Point]] = defaultdict(dict)
    places: defaultdict[str, list[Named]] = defaultdict(list)
    keys = osmium.filter.KeyFilter("name", "addr:housenumber")
    for item in osmium.FileProcessor(str(extract)).with_locations().with_filter(keys):
        points = [point for point in _points(item) if _inside(point, box)]
        if not points:
            continue
        tags = item.tags
        name = tags.get("name")
        if "highway" in tags and name is not None and len(points) > 1:
            streets[name] += points
            continue
        middle = _middle(points)
        street, number = tags.get("addr:street"), tags.get("addr:housenumber")
        if street and number:
            for one in number.replace(",", ";").split(";"):
                numbers[street].setdefault(one.strip().casefold().replace(" ", ""), middle)
        if name is not None and _is_destination(tags):
            _add(places[name], _place(name, middle, street, number))
    named = [
        Named(name=name, kind=NameKind.STREET, longitude_deg=lon, latitude_deg=lat)
        for name, (lon, lat) in ((name, _middle(points)) for name, points in sorted(streets.items()))
    ]
    for name, found in sorted(places.items()):
        if name not in streets:  # stops are often called after their street
            named += found
    return Names(named=named, numbers=dict(numbers))


def _points(item: Any) -> Iterator[Point]:
    nodes = getattr(item, "nodes", None)
    if nodes is None:
        location = getattr(item, "location", None)
        if location is not None and location.valid():
            yield location.lon, location.lat
        return
    for node in nodes:
        if node.location.valid():
            yield node.lon, node.lat


def _inside(point: Point, box: Box | None) -> bool:
    if box is None:
        return True
    west, south, east, north = box
    return west <= point[0] <= east and south <= point[1] <= north


def _middle(points: Sequence[Point]) -> Point:
    """Return the point of these that is nearest to the mean of all."""
    lon = sum(point[0] for point in points) / len(points)
    lat = sum(point[1] for point in points) / len(points)
    found = min(points, key=lambda point: (point[0] - lon) ** 2 + (point[1] - lat) ** 2)
    return round(found[0], 5), round(found[1], 5)


def _is_destination(tags: Any) -> bool:
    return any(
        key in tags and tags[key] not in _NO_DESTINATIONS and (values is None or tags[key] in values)
        for key, values in _PLACES.items()
    )


def _place(name: str, point: Point, street: str | None, number: str | None) -> Named:
    detail = None if street is None else f"{number} {street}" if number else street
    return Named(name=name, kind=NameKind.PLACE, longitude_deg=point[0], latitude_deg=point[1], detail=detail)


def _add(found: list[Named], one: Named) -> None:
    for other in found:
        apart = (abs(other.longitude_deg - one.longitude_deg), abs(other.latitude_deg - one.latitude_deg))
        if max(apart) < _SAME_DEG:
            return
    found.append(one)
