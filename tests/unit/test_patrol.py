"""Patrols: the most that can be checked on foot within a time, by the exact gains of each minute."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest

from optimise.patrol.cpsat import SearchLimits
from optimise.patrol.planner import PatrolPlanner
from optimise.patrol.walks import Course, Tour, Walks
from optimise.rounds.great_circle import GreatCircles
from storage.kerb.patrol import Patrol, PatrolSite, PatrolTask

START = (2.35, 48.85)
WALKING = GreatCircles(detour_factor=1.3, speed_kmh=4.5)
LIMITS = SearchLimits(seconds=None, work=0.3)
PLAN = PatrolPlanner(travel=WALKING, limits=LIMITS)


def site(name: str, *, east_m: float, north_m: float = 0.0, gains: tuple[float, ...] = (1.0,) * 61) -> PatrolSite:
    return PatrolSite(place_id=name, point=(START[0] + east_m / 73_150, START[1] + north_m / 111_195), gains=gains)


def task(*sites: PatrolSite, minutes: float, back: bool = False, **more: int) -> PatrolTask:
    return PatrolTask(start=START, sites=sites, within_s=round(minutes * 60), back=back, **more)


def best_of_all(asked: PatrolTask) -> Tour:
    points = [asked.start, *(one.point for one in asked.sites)]
    measured = WALKING.matrices(points, kerb=[False] * len(points))
    walks = Walks(
        duration_s=tuple(map(tuple, measured.duration_s.tolist())),
        distance_m=tuple(map(tuple, measured.distance_m.tolist())),
        source=WALKING.source,
    )
    course = Course(asked, walks)
    found = [
        tour
        for count in range(len(asked.sites) + 1)
        for order in permutations(range(len(asked.sites)), count)
        if (tour := course.tour(order)) is not None
    ]
    return max(found, key=lambda tour: tour.merit)


def town(seed: int, *, places: int) -> tuple[PatrolSite, ...]:
    """Places within 600 m: gains that fall as who stands there leaves, some that begin later."""
    random = Random(seed)
    found = []
    for number in range(places):
        opens, first, fall = random.choice((0, 0, 0, 5, 12)), random.uniform(0.3, 1), random.uniform(0.97, 1)
        gains = tuple(0.0 if minute < opens else first * fall**minute for minute in range(61))
        found.append(
            site(f"B{number}", east_m=random.uniform(-600, 600), north_m=random.uniform(-600, 600), gains=gains)
        )
    return tuple(found)


def promises(asked: PatrolTask, patrol: Patrol) -> None:
    """What any patrol keeps: the time, each place once, gains of the minute of arrival, times that add up."""
    now_s = 0
    sites = {one.place_id: one for one in asked.sites}
    assert len({stop.place_id for stop in patrol.stops}) == len(patrol.stops)
    for stop in patrol.stops:
        assert 0 <= stop.wait_s <= asked.wait_s
        assert stop.arrive_s == now_s + stop.walk_s + stop.wait_s
        assert stop.leave_s == stop.arrive_s + asked.check_s
        assert stop.gain == sites[stop.place_id].gain(stop.arrive_s)
        now_s = stop.leave_s
    assert now_s <= patrol.total_s <= asked.within_s
    assert patrol.gain == pytest.approx(sum(stop.gain for stop in patrol.stops))
    assert patrol.travel_source == "great_circle x 1.3"


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_small_patrol_is_the_best_there_is(seed: int, *, back: bool):
    asked = task(*town(seed, places=6), minutes=20, back=back)
    patrol = PLAN(asked)
    promises(asked, patrol)
    assert patrol.gain == pytest.approx(best_of_all(asked).gain)
    assert PLAN(asked) == patrol


def test_more_places_than_there_is_time_for():
    asked = task(*town(11, places=60), minutes=45, back=True)
    patrol = PLAN(asked)
    promises(asked, patrol)
    nearest_first = PatrolPlanner(travel=WALKING, limits=LIMITS, most_sites=3)(asked)
    assert patrol.gain > nearest_first.gain
    assert len(patrol.stops) >= 8


def test_the_way_back_counts_where_it_is_asked_for():
    sites = (site("far", east_m=500), site("near", east_m=100))
    # 500 m are 520 s of walk: there with two checks in 13 minutes, and back only from the near one.
    away, returned = PLAN(task(*sites, minutes=13)), PLAN(task(*sites, minutes=13, back=True))
    assert [stop.place_id for stop in away.stops] == ["near", "far"]
    assert [stop.place_id for stop in returned.stops] == ["near"]
    assert returned.total_s == 2 * returned.stops[0].walk_s + 120
    assert returned.walk_m == 2 * returned.stops[0].walk_m


def test_who_is_a_little_early_waits_and_who_is_far_too_early_does_not_go():
    soon = site("soon", east_m=100, gains=(0.0,) * 4 + (1.0,) * 30)
    stop = PLAN(task(soon, minutes=10)).stops[0]
    assert (stop.arrive_s, stop.wait_s) == (240, 240 - stop.walk_s)
    assert PLAN(task(soon, minutes=10, wait_s=60)).stops == ()


def test_nothing_to_check_is_no_patrol():
    assert PLAN(task(minutes=30)).stops == ()
    assert PLAN(task(site("never", east_m=10, gains=(0.0,) * 31), minutes=30)).stops == ()
    assert PLAN(task(site("far", east_m=5000), minutes=30, back=True)).total_s == 0


def test_nonsense_is_refused():
    for wrong in ({"minutes": 0}, {"minutes": 1, "check_s": -1}, {"minutes": 1, "wait_s": -1}):
        with pytest.raises(ValueError, match="expected"):
            task(**wrong)
    with pytest.raises(ValueError, match="each place once"):
        task(site("A", east_m=1), site("A", east_m=2), minutes=3)
    with pytest.raises(ValueError, match="gains >= 0"):
        site("A", east_m=1, gains=(-1.0,))
    with pytest.raises(ValueError, match="expected seconds > 0"):
        SearchLimits(work=0)
