"""The present state of bays and spaces: by event time, and since when, whatever is repeated or late."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from optimise.occupancy.job import make_sessions
from storage import occupancy as states
from storage import readings
from storage.kerb_places import rule_sets
from storage.model import KerbNow
from tests.storage.town import BAYS, INSEE, NOON, SPACE, Town, batch, bays_now, occupancy

MINUTE = timedelta(minutes=1)


def bay_after(town: Town, *heard: tuple[int, bool | None]) -> KerbNow:
    """Take in what the bay's sensor said at some minutes after NOON, in this order of arrival."""
    for minute, occupied in heard:
        reading = occupancy(town.bay_device, NOON + minute * MINUTE, occupied=occupied)
        readings.take_in(town.connection, batch(occupancy_readings=(reading,)))
    (bay, _) = before = bays_now(town)
    # Whether the worker has made sessions of it yet, nobody sees.
    make_sessions(town.connection, INSEE)
    after = bays_now(town)
    assert [one._replace(certainty=None) for one in after] == before
    return bay


def test_bay_that_never_spoke_is_unknown_and_carries_its_rule(town: Town):
    bay = bay_after(town)
    assert (bay.heard_at, bay.occupied, bay.since, bay.has_sensor) == (None, None, None, True)
    (kept,) = rule_sets(town.connection, INSEE).values()
    assert bay.length_cm == BAYS[0].length_cm
    (rule,) = kept
    assert (rule.max_stay_s, rule.grace_s, rule.days, rule.starts, rule.ends) == (
        BAYS[0].max_stay_s, BAYS[0].grace_s, BAYS[0].enforced_days, BAYS[0].enforced_from, BAYS[0].enforced_until,
    )  # fmt: skip


def test_heartbeats_do_not_move_occupied_since(town: Town):
    bay = bay_after(town, (0, False), (5, True), (20, True), (35, True))
    assert (bay.occupied, bay.since, bay.heard_at) == (True, NOON + 5 * MINUTE, NOON + 35 * MINUTE)


def test_free_ends_the_stay_and_the_next_one_begins_anew(town: Town):
    assert bay_after(town, (0, True), (10, False)).since == NOON + 10 * MINUTE
    bay = bay_after(town, (12, True))
    assert bay.since == NOON + 12 * MINUTE


def test_occupied_from_the_first_word_counts_from_there(town: Town):
    assert bay_after(town, (3, True), (9, True)).since == NOON + 3 * MINUTE


@pytest.mark.parametrize("seed", range(4))
def test_order_of_arrival_changes_nothing(town: Town, seed: int):
    heard = [(0, True), (4, False), (5, True), (6, True), (20, None), (30, True)]
    random.Random(seed).shuffle(heard)
    for arrival, (minute, occupied) in enumerate(heard):
        received_at = NOON + (60 + arrival) * MINUTE
        reading = occupancy(town.bay_device, NOON + minute * MINUTE, occupied=occupied, received_at=received_at)
        readings.take_in(town.connection, batch(occupancy_readings=(reading,)))
    bay = bay_after(town)
    assert (bay.occupied, bay.since, bay.heard_at) == (True, NOON + 5 * MINUTE, NOON + 30 * MINUTE)


def test_late_free_between_two_occupied_moves_the_start(town: Town):
    assert bay_after(town, (0, True), (30, True)).since == NOON
    assert bay_after(town, (10, False)).since == NOON + 30 * MINUTE


def test_faulty_sensor_was_heard_but_said_nothing(town: Town):
    bay = bay_after(town, (0, True), (30, None))
    assert (bay.heard_at, bay.measured_at, bay.occupied, bay.since) == (NOON + 30 * MINUTE, NOON, True, NOON)


def test_spaces_have_their_kind_and_no_bay_among_them(town: Town):
    reading = occupancy(99, NOON, occupied=False, place_id=SPACE.place_id)
    readings.take_in(town.connection, batch(occupancy_readings=(reading,)))
    (space,) = states.spaces_now(town.connection, INSEE)
    assert (space.place_id, space.space_kind, space.occupied, space.heard_at) == ("STA-0001", "standard", False, NOON)
