"""Sessions in the database: history is repaired by what comes late or is corrected, and equals what is made at once."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from optimise.occupancy.job import make_sessions
from storage import device_changes, readings, retention, sessions
from storage.database import Connection, connect
from storage.device_changes import Assignment, Telling
from storage.model import EndedBy, KnownModel, OccupancyReading, OccupancySession
from storage.sessions import BEGINNING, SessionsDue
from tests.storage.test_retention import OPTIONS
from tests.storage.town import INSEE, NOON, Town, batch, occupancy

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def heard(town: Town, *said: tuple[float, bool | None]) -> list[OccupancyReading]:
    return [occupancy(town.bay_device, NOON + minute * MINUTE, occupied=state) for minute, state in said]


def take_in(town: Town, given: list[OccupancyReading]) -> None:
    readings.take_in(town.connection, batch(occupancy_readings=tuple(given)))


def made(connection: Connection, place_id: str = "ADL-01") -> list[OccupancySession]:
    make_sessions(connection, INSEE)
    found = sessions.of_place(connection, INSEE, place_id, since=BEGINNING, until=NOON + 400 * DAY)
    return found[::-1]


def present(connection: Connection, place_id: str = "ADL-01") -> tuple[Any, ...] | None:
    return connection.execute(
        "SELECT occupied, since, heard_at, measured_at FROM occupancy_present WHERE place_id = %s", [place_id]
    ).fetchone()


def again_from_nothing(connection: Connection) -> list[OccupancySession]:
    connection.execute("DELETE FROM occupancy_session")
    sessions.ask(connection, INSEE, [SessionsDue(place_id="ADL-01", changed_since=BEGINNING)])
    return made(connection)


def test_what_was_measured_becomes_sessions_and_a_present(town: Town):
    take_in(town, heard(town, (0, False), (10, True), (35, False), (40, True), (50, None)))
    first, second = made(town.connection)
    assert (first.started_at, first.ended_at, first.dwell_s) == (NOON + 10 * MINUTE, NOON + 35 * MINUTE, 1500)
    assert (second.ended_by, second.ended_at, second.last_seen_at) == (EndedBy.OPEN, None, NOON + 40 * MINUTE)
    assert present(town.connection) == (True, NOON + 40 * MINUTE, NOON + 50 * MINUTE, NOON + 40 * MINUTE)
    assert not sessions.take_due(town.connection, INSEE)


def test_a_late_reading_repairs_history(town: Town):
    take_in(town, heard(town, (0, False), (10, True), (90, False), (3000, True)))
    assert [one.dwell_s for one in made(town.connection)] == [4800, None]
    take_in(town, heard(town, (30, False), (60, True)))
    assert [one.dwell_s for one in made(town.connection)] == [1200, 1800, None]


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_arrival_gives_the_sessions_made_at_once(town: Town, seed: int):
    shuffler = random.Random(seed)
    minute = 0.0
    said: list[tuple[float, bool | None]] = []
    for _ in range(120):
        minute += shuffler.choice([0.1, 0.5, 3, 20, 90, 600, 1900])
        said.append((minute, shuffler.choice([True, False, True, False, None])))
    arriving = heard(town, *said)
    arriving = [structs.replace(one, frame_counter=number + number // 9) for number, one in enumerate(arriving)]
    # Mostly in order, with a few that come hours late.
    arriving.sort(key=lambda one: one.measured_at + shuffler.choice([0, 0, 0, 0, 3000]) * MINUTE)
    while arriving:
        count = shuffler.randint(1, 25)
        take_in(town, arriving[:count])
        make_sessions(town.connection, INSEE)
        arriving = arriving[count:]
    piecewise, now = made(town.connection), present(town.connection)
    assert len(piecewise) > 10
    assert again_from_nothing(town.connection) == piecewise
    assert present(town.connection) == now


def test_a_corrected_place_takes_its_sessions_along(town: Town):
    take_in(town, heard(town, (0, False), (10, True), (35, False), (60, True), (70, False)))
    assert len(made(town.connection)) == 2
    telling = Telling(catalogue={"any": KnownModel(name="any", title="Any", measures="occupancy")}, author=None)
    moved = Assignment(eui="24e124713b000002", place_id="ADL-02", at=NOON + 50 * MINUTE)
    device_changes.assign(town.connection, INSEE, moved, telling=telling)
    (stayed,), (went,) = made(town.connection), made(town.connection, "ADL-02")
    assert (stayed.dwell_s, went.started_at, went.start_seen) == (1500, NOON + 60 * MINUTE, False)
    assert present(town.connection) == (False, NOON + 35 * MINUTE, NOON + 35 * MINUTE, NOON + 35 * MINUTE)


def test_sessions_that_outlive_their_readings_stay_when_history_is_repaired(town: Town):
    take_in(town, heard(town, (0, False), (10, True), (35, False)))
    kept = made(town.connection)
    town.connection.execute("DELETE FROM occupancy_reading")
    take_in(town, heard(town, (3000, True), (3010, True)))
    assert made(town.connection)[:1] == kept


def test_two_makers_never_make_one_commune_at_a_time(town: Town, any_database_url: str):
    take_in(town, heard(town, (0, False), (10, True)))
    town.connection.commit()
    with connect(any_database_url) as other:
        assert sessions.lock(other, INSEE)
        assert make_sessions(town.connection, INSEE).places == 0
        town.connection.rollback()
    assert make_sessions(town.connection, INSEE).places == 1


def test_sessions_go_by_the_day_and_the_hourly_figures_stay(town: Town, any_database_url: str):
    take_in(town, heard(town, (-50 * 1440, False), (-50 * 1440 + 10, True), (-50 * 1440 + 40, False)))
    take_in(town, heard(town, (0, False), (10, True), (35, False)))
    assert len(made(town.connection)) == 2
    # The rule of the bay lets half an hour, on weekdays: the first stay is of a Monday.
    figures = hourly(town.connection)
    assert [(row[1:3], row[3].index(1)) for row in figures] == [((1, 1800.0), 5), ((1, 1500.0), 4)]
    town.connection.commit()
    with connect(any_database_url, autocommit=True) as connection:
        retention.forget(connection, {INSEE: NOON + 60 * MINUTE}, wall_now=NOON, options=OPTIONS)
        (left,) = made(connection)
        assert left.started_at == NOON + 10 * MINUTE
        assert hourly(connection) == figures[1:]  # statistics are kept for 40 days here
        wider = replace(OPTIONS, statistics_days=400)
        retention.forget(connection, {INSEE: NOON + 40 * DAY}, wall_now=NOON, options=wider)
        assert made(connection) == []
        assert hourly(connection) == figures[1:]


def hourly(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT hour, dwells, dwell_s, dwell_counts, limited, overstays, overstay_s FROM session_hourly ORDER BY hour"
    ).fetchall()
