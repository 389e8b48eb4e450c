"""The present state of bays and spaces: by event time, and since when, whatever is repeated or late."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from storage import occupancy as states
from storage import readings
from storage.model import BayNow
from tests.storage.town import BAYS, INSEE, NOON, SPACE, Town, batch, occupancy

MINUTE = timedelta(minutes=1)


def bay_after(town: Town, *heard: tuple[int, bool | None]) -> BayNow:
    """Take in what the bay's sensor said at some minutes after NOON, in this order of arrival."""
    for minute, occupied in heard:
        reading = occupancy(town.bay_device, NOON + minute * MINUTE, occupied=occupied)
        readings.take_in(town.connection, batch(occupancy_readings=(reading,)))
    (bay, _) = states.bays_now(town.connection, INSEE)
    return bay


def test_bay_that_never_spoke_is_unknown_and_carries_its_rule(town: Town):
    bay = bay_after(town)
    assert (bay.heard_at, bay.occupied, bay.occupied_since) == (None, None, None)
    rule = ("place_id", "length_cm", "max_stay_s", "grace_s", "enforced_days", "enforced_from", "enforced_until")
    assert [getattr(bay, name) for name in rule] == [getattr(BAYS[0], name) for name in rule]


def test_heartbeats_do_not_move_occupied_since(town: Town):
    bay = bay_after(town, (0, False), (5, True), (20, True), (35, True))
    assert (bay.occupied, bay.occupied_since, bay.heard_at) == (True, NOON + 5 * MINUTE, NOON + 35 * MINUTE)


def test_free_ends_the_stay_and_the_next_one_begins_anew(town: Town):
    assert bay_after(town, (0, True), (10, False)).occupied_since is None
    bay = bay_after(town, (12, True))
    assert bay.occupied_since == NOON + 12 * MINUTE


def test_occupied_from_the_first_word_counts_from_there(town: Town):
    assert bay_after(town, (3, True), (9, True)).occupied_since == NOON + 3 * MINUTE


@pytest.mark.parametrize("seed", range(4))
def test_order_of_arrival_changes_nothing(town: Town, seed: int):
    heard = [(0, True), (4, False), (5, True), (6, True), (20, None), (30, True)]
    random.Random(seed).shuffle(heard)
    for arrival, (minute, occupied) in enumerate(heard):
        received_at = NOON + (60 + arrival) * MINUTE
        reading = occupancy(town.bay_device, NOON + minute * MINUTE, occupied=occupied, received_at=received_at)
        readings.take_in(town.connection, batch(occupancy_readings=(reading,)))
    bay = bay_after(town)
    assert (bay.occupied, bay.occupied_since, bay.heard_at) == (True, NOON + 5 * MINUTE, NOON + 30 * MINUTE)


def test_late_free_between_two_occupied_moves_the_start(town: Town):
    assert bay_after(town, (0, True), (30, True)).occupied_since == NOON
    assert bay_after(town, (10, False)).occupied_since == NOON + 30 * MINUTE


def test_faulty_sensor_was_heard_but_said_nothing(town: Town):
    bay = bay_after(town, (0, True), (30, None))
    assert (bay.heard_at, bay.occupied, bay.occupied_since) == (NOON + 30 * MINUTE, True, NOON)


def test_spaces_have_their_kind_and_no_bay_among_them(town: Town):
    reading = occupancy(99, NOON, occupied=False, place_id=SPACE.place_id)
    readings.take_in(town.connection, batch(occupancy_readings=(reading,)))
    (space,) = states.spaces_now(town.connection, INSEE)
    assert (space.place_id, space.space_kind, space.occupied, space.heard_at) == ("STA-0001", "standard", False, NOON)
