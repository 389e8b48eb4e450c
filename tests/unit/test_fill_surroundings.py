"""What is read from OpenStreetMap around a point, on a map small enough to count by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import osmium
import pytest

from optimise.fill.surroundings import read_surroundings

LON, LAT = 2.55, 48.85
M = 1 / 111_195.0  # degrees of latitude in a metre
EAST_M = M / 0.6580  # degrees of longitude in a metre at this latitude

type Node = tuple[float, float, dict[str, str]]
type Way = tuple[list[tuple[float, float]], dict[str, str]]


@pytest.fixture
def draw(tmp_path: Path) -> Callable[[list[Node], list[Way]], Path]:
    def write(nodes: list[Node], ways: list[Way]) -> Path:
        path = tmp_path / "map.osm.pbf"
        with osmium.SimpleWriter(path) as writer:
            drawn: list[osmium.osm.mutable.Way] = []
            number = 0
            for east, north, tags in nodes:
                number += 1
                place = (LON + east * EAST_M, LAT + north * M)
                writer.add_node(osmium.osm.mutable.Node(id=number, version=1, location=place, tags=tags))
            for index, (line, tags) in enumerate(ways):
                refs = []
                for east, north in line:
                    number += 1
                    refs.append(number)
                    place = (LON + east * EAST_M, LAT + north * M)
                    writer.add_node(osmium.osm.mutable.Node(id=number, version=1, location=place))
                drawn.append(osmium.osm.mutable.Way(id=index + 1, version=1, nodes=refs, tags=tags))
            for way in drawn:
                writer.add_way(way)
        return path

    return write


def test_counts_are_by_distance_and_theme(draw: Callable[[list[Node], list[Way]], Path]) -> None:
    nodes: list[Node] = [
        (50, 0, {"shop": "bakery"}),
        (0, 60, {"amenity": "cafe"}),
        (0, 200, {"shop": "books"}),
        (0, -70, {"highway": "bus_stop"}),
        (0, 300, {"shop": "clothes"}),
        (10, 10, {"shop": "vacant"}),
    ]
    square = [(100.0, 100.0), (120.0, 100.0), (120.0, 120.0), (100.0, 120.0), (100.0, 100.0)]
    [found] = read_surroundings(draw(nodes, [(square, {"amenity": "school"})]), [(LON, LAT)])
    counted = {name: value for name, value in found.items() if name.endswith("m") and value and "distance" not in name}
    assert counted == {
        "shops_75m": 1, "shops_250m": 2, "food_75m": 1, "food_250m": 1, "transport_75m": 1, "transport_250m": 1,
        "schools_250m": 1,
    }  # fmt: skip


def test_the_nearest_street_counts_even_between_its_far_corners(
    draw: Callable[[list[Node], list[Way]], Path],
) -> None:
    ways: list[Way] = [
        ([(-400.0, 12.0), (400.0, 12.0)], {"highway": "primary"}),
        ([(0.0, -30.0), (50.0, -30.0)], {"highway": "residential"}),
        ([(-10.0, 2.0), (10.0, 2.0)], {"highway": "footway", "footway": "sidewalk"}),
    ]
    [found] = read_surroundings(draw([], ways), [(LON, LAT)])
    assert (found["street_main"], found["street_residential"], found["street_foot"]) == (1, 0, 0)
    assert found["street_distance_m"] == pytest.approx(12, abs=1)
    assert found["main_street_distance_m"] == found["street_distance_m"]


def test_the_centre_is_the_median_shop_near_the_points(draw: Callable[[list[Node], list[Way]], Path]) -> None:
    shops: list[Node] = [(float(100 + step), 0.0, {"shop": "bakery"}) for step in (-1, 0, 1)]
    far: list[Node] = [(40_000.0 + step, 0.0, {"shop": "mall"}) for step in range(9)]
    [found] = read_surroundings(draw(shops + far, []), [(LON, LAT)])
    assert found["centre_distance_m"] == pytest.approx(100, abs=2)


def test_every_point_has_the_same_names_even_on_an_empty_map(draw: Callable[[list[Node], list[Way]], Path]) -> None:
    path = draw([(9_000.0, 0.0, {"shop": "bakery"})], [])
    near, far = read_surroundings(path, [(LON, LAT), (LON + 9_000 * EAST_M, LAT)])
    assert near.keys() == far.keys()
    assert near["shops_75m"] == 0
    assert far["shops_75m"] == 1
    assert near["street_main"] + near["street_residential"] + near["street_foot"] == 0


def test_no_points_need_no_map(tmp_path: Path) -> None:
    assert read_surroundings(tmp_path / "none.osm.pbf", []) == []
    with pytest.raises(FileNotFoundError, match="no OpenStreetMap extract"):
        read_surroundings(tmp_path / "none.osm.pbf", [(LON, LAT)])
