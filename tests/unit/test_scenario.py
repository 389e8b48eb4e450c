"""A scenario file: what it may say, and that the day then happens so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulators.faults import NO_FAULTS
from simulators.messages import Publication
from simulators.scenario import Scenario
from simulators.timeline import Timeline
from simulators.world import World, build_world
from storage.errors import InputError
from tests.commune import streets
from tests.tools import REPOSITORY

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 3, 9, 23, 0, tzinfo=UTC)
DAYS = 4
STORY = """
title = "Essai"
day = -1

[[traffic]]
who = "deliveries"
from = 07:00:00
until = 10:00:00
times = 4.0
places = ["ADL-05", "ADL-06"]

[[traffic]]
who = "parking"
from = 00:00:00
until = 12:00:00
times = 0.0

[[illicit]]
places = ["ADL-07"]
from = 10:00:00
until = 20:00:00
an_hour = 20.0
shortest_min = 60
longest_min = 61

[[double_use]]
places = ["ADL-0*"]
from = 22:00:00
until = 05:00:00
share = 1.0

[[stay]]
place = "ADL-01"
at = 09:12:00
minutes = 75

[[stay]]
place = "ADL-04"
at = 09:20:00
minutes = 30

[[sensor_fault]]
kind = "silent"
places = ["ADL-02"]
from = 07:00:00
until = 19:00:00

[[sensor_fault]]
kind = "stuck"
places = ["ADL-03"]
from = 07:00:00
until = 19:00:00

[[sensor_fault]]
kind = "late"
places = ["ADL-04"]
from = 09:00:00
until = 11:00:00

[[sensor_fault]]
kind = "flutter"
places = ["ADL-08"]
from = 09:00:00
until = 09:05:00
"""


@cache
def town(story: str | None = STORY) -> World:
    scenario = None if story is None else Scenario.read(story)
    return build_world(
        streets(), seed=3, start=START, days=DAYS, bins=20, bays=8, spaces=20, native_share=0.0, sensor_share=0.0,
        scenario=scenario,
    )  # fmt: skip


DAY = (START + timedelta(days=DAYS)).astimezone(PARIS).date() - timedelta(days=1)


def at(hour: int, minute: int = 0, *, later: int = 0) -> int:
    moment = datetime(DAY.year, DAY.month, DAY.day, hour, minute, tzinfo=PARIS) + timedelta(days=later)
    return int(moment.timestamp())


def stays(world: World, bay: int) -> list[tuple[int, int]]:
    found = world.bays_truth.sessions_until(int(world.history_until.timestamp()))
    mine = found.place == bay
    return list(zip(found.arrive_s[mine].tolist(), found.depart_s[mine].tolist(), strict=True))


def test_who_is_told_to_stand_somewhere_does_and_nobody_stands_there_twice():
    world = town()
    assert (at(9, 12), at(10, 27)) in stays(world, 0)
    for bay in range(8):
        ours = stays(world, bay)
        assert all(before[1] < after[0] for before, after in pairwise(ours))
        assert all(arrive < depart for arrive, depart in ours)


def test_usual_days_stay_as_they_are_and_the_story_s_has_more_and_longer_stays():
    usual = town(None)
    day_before = (at(0) - 86_400, at(0) - 7200)
    for bay in range(8):
        before = [[s for s in stays(world, bay) if day_before[0] < s[0] < day_before[1]] for world in (usual, town())]
        assert before[0] == before[1]

    def arrivals(world: World) -> int:
        return sum(at(7) <= arrive < at(10) for bay in (4, 5) for arrive, _ in stays(world, bay))

    assert arrivals(town()) > arrivals(usual)
    spaces = town().spaces_truth.sessions_until(int(town().history_until.timestamp()))
    assert not ((spaces.arrive_s >= at(0)) & (spaces.arrive_s < at(12))).any()
    illicit = [(a, d) for a, d in stays(town(), 6) if at(10) <= a < at(20) and 3600 <= d - a <= 3660]
    assert len(illicit) >= 5


def test_residents_have_the_bays_by_night():
    world = town()
    occupied = world.bays_truth.occupied(np.arange(8), np.full(8, at(2, later=1)))
    assert occupied.all()


def test_sensors_fail_as_they_are_told_to():
    world = town()
    told: dict[str, list[Publication]] = {}
    of_eui = {device.eui: device.place_id for device in world.devices}
    for one in Timeline(world, NO_FAULTS).publications(world.start, world.history_until):
        if one.eui is not None:
            told.setdefault(of_eui[one.eui], []).append(one)

    def measured(place: str, since: int, until: int) -> list[Publication]:
        return [
            one for one in told[place] if one.measured_at is not None and since <= one.measured_at.timestamp() < until
        ]

    assert measured("ADL-01", at(7), at(19))
    assert not measured("ADL-02", at(7), at(19))
    assert measured("ADL-02", at(0), at(7))
    # Heartbeats alone, and a day has one.
    assert len(measured("ADL-03", at(7), at(19))) <= 1
    late = measured("ADL-04", at(9), at(11))
    assert late
    assert all(at(11) <= one.arrives_at.timestamp() < at(11, 1) for one in late)
    assert len(measured("ADL-08", at(9), at(9, 5))) >= 15


def test_the_story_that_we_ship_is_one():
    text = (REPOSITORY / "simulators" / "scenarios" / "market-day.toml").read_text(encoding="utf-8")
    story = Scenario.read(text)
    assert (story.title, story.day) == ("Jour de marché", 1)
    assert [len(part) for part in (story.traffic, story.illicit, story.double_use, story.stays)] == [2, 1, 1, 1]
    assert len(story.sensor_faults) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title = ", "no TOML"),
        ("day = 1", "needs a title"),
        ('title = "a"\nday = 1.5', "whole number"),
        ('title = "a"\nweather = 1', "has weather"),
        ('title = "a"\nstay = 3', "expected tables"),
        ('title = "a"\n[[stay]]\nplace = "ADL-01"\nat = 09:00:00', "it lacks"),
        ('title = "a"\n[[stay]]\nplace = "ADL-01"\nat = "nine"\nminutes = 5', "stay 1, at"),
        ('title = "a"\n[[stay]]\nplace = "ADL-01"\nat = 09:00:00\nminutes = 0', "minutes within"),
        ('title = "a"\n[[traffic]]\nwho = "cats"\nfrom = 09:00:00\nuntil = 10:00:00', "traffic 1, who"),
        ('title = "a"\n[[illicit]]\nstarts = 09:00:00', "there is no 'starts'"),
    ],
)
def test_what_makes_no_story_is_refused_with_its_place(text: str, reason: str):
    with pytest.raises(InputError, match=reason):
        Scenario.read(text)


def test_a_place_that_is_not_there_and_a_day_before_the_first_are_refused():
    nowhere = 'title = "a"\n[[stay]]\nplace = "ADL-99"\nat = 09:00:00\nminutes = 5'
    with pytest.raises(InputError, match="ADL-99"):
        town(nowhere)
    with pytest.raises(InputError, match="within the commune's life"):
        town('title = "a"\nday = -30')
