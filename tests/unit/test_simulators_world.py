from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial import cKDTree

from simulators.fill_process import MOST_FILL
from simulators.kerbs import find_kerbs
from simulators.world import World, build_world
from storage.model import PlaceKind
from tests.commune import START, build, streets

FINGERPRINT = """
import hashlib, sys
from datetime import timedelta
from tests.commune import build
from tests.unit.test_simulators_world import fingerprint
print(fingerprint(build(seed=int(sys.argv[1]))))
"""


@cache
def town() -> World:
    return build()


@cache
def city() -> World:
    return build_world(streets(), seed=1, start=START, days=14)


def fingerprint(world: World) -> str:
    """A digest of all that the seed decides."""
    later = world.history_until + timedelta(days=9)
    parts = [
        repr(world.bins),
        repr(world.delivery_bays),
        repr(world.parking_spaces),
        repr((world.depot, world.disposal_site, world.devices)),
        repr(world.declarations),
        world.fill_fractions(world.history_until).tobytes().hex(),
        world.fill_fractions(later).tobytes().hex(),
        world.bays_occupied(later).tobytes().hex(),
        world.spaces_occupied(later).tobytes().hex(),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def test_same_seed_is_the_same_commune_in_every_process():
    seen = {
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT, "5"],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": salt, "PATH": ""},
        ).stdout.splitlines()[-1]
        for salt in ("1", "2")
    }
    assert seen == {fingerprint(town())}
    assert fingerprint(build(seed=6)) not in seen


def test_weeks_ahead_do_not_depend_on_what_was_asked_before():
    asked_in_order, asked_at_once = build(), build()
    for day in range(40):
        asked_in_order.fill_fractions(asked_in_order.start + timedelta(days=day))
        asked_in_order.bays_occupied(asked_in_order.start + timedelta(days=day))
    far = START + timedelta(days=66)
    assert np.array_equal(asked_in_order.fill_fractions(far), asked_at_once.fill_fractions(far))
    assert np.array_equal(asked_in_order.bays_occupied(far), asked_at_once.bays_occupied(far))
    assert np.array_equal(asked_in_order.spaces_occupied(far), asked_at_once.spaces_occupied(far))


def test_default_commune_has_the_numbers_asked_for():
    world = city()
    assert len(world.bins) == 1000
    assert len(world.delivery_bays) == 60
    assert len(world.parking_spaces) == 400
    kinds = Counter(device.place_kind for device in world.devices)
    assert kinds == {PlaceKind.BIN: 300, PlaceKind.DELIVERY_BAY: 60, PlaceKind.PARKING_SPACE: 400}
    native = sum(device.is_native for device in world.devices)
    assert 40 <= native <= 120, "about one in ten"
    assert len({device.eui for device in world.devices}) == len(world.devices)
    assert world.bins[0].place_id == "COR-0001"
    assert world.delivery_bays[-1].place_id == "ADL-60"
    assert world.parking_spaces[-1].place_id == "STA-0400"
    assert {space.space_kind for space in world.parking_spaces} == {"standard", "pmr", "short_stay"}
    assert world.depot.place_id == "DEPOT-1"
    assert world.disposal_site.place_id == "EXUTOIRE-1"


def test_places_stand_at_streets():
    world = city()
    plane = streets().plane
    corners = []
    for edge in streets().edges:
        line = plane.to_metres(edge.coordinates)
        for start, end in pairwise(line):
            steps = max(1, int(np.hypot(*(end - start))))
            corners.append(start + (end - start) * np.linspace(0, 1, steps + 1)[:, None])
    tree = cKDTree(np.vstack(corners))
    places = [*world.bins, *world.delivery_bays, *world.parking_spaces, world.depot, world.disposal_site]
    distances, _ = tree.query(plane.to_metres([(place.longitude_deg, place.latitude_deg) for place in places]))
    assert distances.max() < 4.0


def test_bins_are_denser_where_people_eat_and_shop():
    world = city()
    plane = streets().plane
    pull = [(p.longitude_deg, p.latitude_deg) for p in streets().points if p.kind in {"shop", "food"}]
    near = cKDTree(plane.to_metres(pull))
    anywhere = find_kerbs(streets()).metres
    at_bins = plane.to_metres([(item.longitude_deg, item.latitude_deg) for item in world.bins])

    def mean_pull(spots: np.ndarray) -> float:
        return float(np.mean([len(found) for found in near.query_ball_point(spots, 60.0)]))

    assert mean_pull(at_bins) > 1.1 * mean_pull(anywhere)
    nearest, _ = cKDTree(at_bins).query(at_bins, k=2)
    assert nearest[:, 1].min() > 4.0, "no two bins on one spot"


def test_parking_rows_do_not_overlap():
    world = city()
    plane = streets().plane
    spots = plane.to_metres([(space.longitude_deg, space.latitude_deg) for space in world.parking_spaces])
    nearest, _ = cKDTree(spots).query(spots, k=2)
    assert nearest[:, 1].min() > 4.0, "5.5 m along the kerb, less on the inside of a bend"


def test_depot_and_disposal_site_are_at_the_edge_and_apart():
    world = city()
    plane = streets().plane
    depot, site = plane.to_metres([(end.longitude_deg, end.latitude_deg) for end in (world.depot, world.disposal_site)])
    bins = plane.to_metres([(item.longitude_deg, item.latitude_deg) for item in world.bins])
    from_middle = np.hypot(*(bins - bins.mean(axis=0)).T)
    assert np.hypot(*(depot - bins.mean(axis=0))) > np.median(from_middle)
    assert np.hypot(*(site - bins.mean(axis=0))) > np.median(from_middle)
    assert np.hypot(*(depot - site)) > 300


def test_fill_rises_between_emptyings_and_falls_at_them():
    world = town()
    hours = [world.start + timedelta(hours=hour) for hour in range(1, 6 * 24)]
    levels = np.array([world.fill_fractions(at) for at in hours])
    assert levels.min() >= 0
    assert levels.max() <= MOST_FILL
    falls = np.argwhere(np.diff(levels, axis=0) < -1e-9)
    assert len(falls) > 100
    for hour, bin_index in falls:
        emptied = world.fill.emptyings_s(int(bin_index))
        since, until = hours[hour].timestamp(), hours[hour + 1].timestamp()
        assert ((emptied > since) & (emptied <= until)).any()
    litres = world.fill.cumulative_litres(0, np.array([int(at.timestamp()) for at in hours]))
    assert (np.diff(litres) >= 0).all()


def test_counterfactual_ignores_later_emptyings_only():
    world = build()
    at = world.history_until
    as_of = at - timedelta(days=1)
    untouched = world.fill_if_not_emptied(as_of, at)
    truth = world.fill_fractions(at)
    emptied_since = np.array(
        [bool((world.fill.emptyings_s(index) > as_of.timestamp()).any()) for index in range(len(world.bins))]
    )
    assert emptied_since.any()
    assert (~emptied_since).any()
    assert (untouched[emptied_since] >= truth[emptied_since]).all()
    assert np.array_equal(untouched[~emptied_since], truth[~emptied_since])
    assert np.array_equal(world.fill_if_not_emptied(as_of, as_of), world.fill_fractions(as_of))


def test_emptying_is_told_once_in_any_order():
    world = build()
    later, earlier = world.history_until + timedelta(hours=30), world.history_until + timedelta(hours=6)
    before = world.fill_fraction(7, later)
    assert world.empty(7, later) == before
    assert world.fill_fraction(7, later) == 0.0
    assert world.empty(7, later) == 0.0, "the same emptying again finds nothing"
    world.empty(7, earlier)
    assert world.fill_fraction(7, later - timedelta(seconds=1)) < before
    assert world.fill_fraction(7, later) == 0.0
    assert (np.diff(world.fill.emptyings_s(7)) > 0).all()


def test_town_sleeps_at_night():
    world = city()
    grown = np.zeros(24)
    for hour in range(24 * 7):
        at = world.start + timedelta(days=1, hours=hour)
        rise = world.fill_if_not_emptied(at, at + timedelta(hours=1)) - world.fill_fractions(at)
        grown[(at + timedelta(hours=1)).hour] += rise.mean()  # Paris is an hour ahead of UTC in this winter week
    assert grown[[2, 3, 4]].sum() < 0.15 * grown[[11, 12, 13]].sum()


def test_bins_overflow_now_and_then_and_differ_widely():
    world = city()
    levels = np.array([world.fill_fractions(world.start + timedelta(hours=hour)) for hour in range(96, 14 * 24, 5)])
    overflowing = float((levels >= 1.0).mean())
    assert 0.002 < overflowing < 0.08
    ends = np.array([int(world.start.timestamp()), int(world.history_until.timestamp())])
    daily = np.array([np.diff(world.fill.cumulative_litres(index, ends))[0] / 14 for index in range(1000)])
    assert np.quantile(daily, 0.95) > 4 * np.quantile(daily, 0.05)


def test_crews_declare_nearly_all_and_sometimes_how_full():
    world = city()
    truly = sum(len(world.fill.emptyings_s(index)) for index in range(len(world.bins)))
    assert len({event.event_id for event in world.declarations}) == len(world.declarations)
    assert 0.95 < len(world.declarations) / truly < 0.99
    said = [event.found_fraction for event in world.declarations if event.found_fraction is not None]
    assert 0.3 < len(said) / len(world.declarations) < 0.4
    assert set(said) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert all(world.start <= event.happened_at < world.history_until for event in world.declarations[50:])
    per_bin = Counter(event.place_id for event in world.declarations)
    assert max(per_bin.values()) >= 12
    assert min(per_bin.values()) <= 6


def test_bays_see_deliveries_and_overstays():
    world = city()
    until_s = int(world.history_until.timestamp())
    sessions = world.bays_truth.sessions_until(until_s)
    inside = (sessions.arrive_s >= int(world.start.timestamp())) & (sessions.arrive_s < until_s)
    stay_s = (sessions.depart_s - sessions.arrive_s)[inside]
    assert 10 < inside.sum() / 60 / 12 < 20, "sessions a bay and working day"
    assert 8 * 60 < np.median(stay_s) < 18 * 60
    assert 0.07 < (stay_s > 45 * 60).mean() < 0.18
    assert stay_s.max() <= 4 * 3600
    parked = world.spaces_truth.sessions_until(until_s)
    inside = (parked.arrive_s >= int(world.start.timestamp())) & (parked.arrive_s < until_s)
    assert 2 < inside.sum() / 400 / 14 < 4, "sessions a space and day"


def test_nobody_parks_where_somebody_stands():
    sessions = town().bays_truth.sessions_until(int(town().history_until.timestamp()))
    same = np.diff(sessions.place) == 0
    assert (sessions.arrive_s[1:][same] > sessions.depart_s[:-1][same]).all()
    places = np.arange(12)
    for hour in range(0, 100, 7):
        at_s = int(town().start.timestamp()) + hour * 3600
        there = [
            ((sessions.place == p) & (sessions.arrive_s <= at_s) & (sessions.depart_s > at_s)).any() for p in places
        ]
        assert town().bays_truth.occupied(places, np.full(12, at_s)).tolist() == there


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"days": 0}, "expected days >= 1, got 0"),
        ({"bins": 0}, "expected bins >= 1, got 0"),
        ({"sensor_share": 1.5}, "expected sensor_share within 0..1, got 1.5"),
        ({"start": START + timedelta(minutes=5)}, "expected an aware start on the hour"),
        ({"start": datetime(2026, 3, 2)}, "expected an aware start on the hour"),  # noqa: DTZ001 - the point
        ({"spaces": 100_000}, "expected kerbs with room for 100000 parking spaces"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, object], sentence: str):
    options: dict[str, object] = {"seed": 1, "start": START, "days": 1, "bins": 20, "bays": 2, "spaces": 5}
    with pytest.raises(ValueError, match=sentence):
        build_world(streets(), **(options | changes))  # type: ignore[arg-type]  # the point


def test_commune_without_sensors_or_bays_is_possible():
    world = build_world(streets(), seed=1, start=START, days=1, bins=20, bays=0, spaces=0, sensor_share=0.0)
    assert world.devices == ()
    assert world.bays_occupied(START).shape == (0,)
