"""Hourly figures equal what the readings say, in every edition, also after a late backfill."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from storage import readings, rollups
from storage.database import Connection, connect
from storage.model import SENSOR_SILENT_AFTER, FillReading, OccupancyReading
from storage.rollups import FillHour, OccupancyHour
from tests.storage.editions import to_columns
from tests.storage.town import INSEE, NOON, Town, batch, fill, occupancy

HOUR = timedelta(hours=1)
SINCE, UNTIL = NOON - timedelta(days=20), NOON + timedelta(days=20)


@pytest.fixture
def refreshing(any_database_url: str, town: Town) -> Iterator[Connection]:
    """A connection that commits by itself, to the database of `town`."""
    with connect(any_database_url, autocommit=True) as connection:
        yield connection


def fill_hours_by_hand(said: Iterable[FillReading]) -> list[FillHour]:
    by_hour: defaultdict[tuple[str, datetime], list[FillReading]] = defaultdict(list)
    for reading in sorted(said, key=lambda r: (r.measured_at, r.record_index)):
        by_hour[reading.place_id, reading.measured_at.replace(minute=0, second=0, microsecond=0)].append(reading)
    hours = []
    for (place_id, hour), inside in sorted(by_hour.items()):
        levels = [r.fill_fraction for r in inside if r.fill_fraction is not None]
        hours.append(
            FillHour(
                place_id=place_id,
                hour=hour,
                readings=len(inside),
                measured=len(levels),
                mean_fraction=math.fsum(levels) / len(levels) if levels else None,
                min_fraction=min(levels, default=None),
                max_fraction=max(levels, default=None),
                last_fraction=levels[-1] if levels else None,
            )
        )
    return hours


def occupancy_by_hand(said: Iterable[OccupancyReading]) -> dict[tuple[str, datetime], list[float]]:
    """Return [readings, measured, known_s, occupied_s, arrivals] by place and hour, second by second."""
    found: defaultdict[tuple[str, datetime], list[float]] = defaultdict(lambda: [0, 0, 0.0, 0.0, 0])
    by_place: defaultdict[str, list[OccupancyReading]] = defaultdict(list)
    for reading in sorted(said, key=lambda r: (r.measured_at, r.record_index)):
        hour = reading.measured_at.replace(minute=0, second=0, microsecond=0)
        found[reading.place_id, hour][0] += 1
        if reading.occupied is not None:
            found[reading.place_id, hour][1] += 1
            by_place[reading.place_id].append(reading)
    for place_id, measured in by_place.items():
        for before, after in pairwise(measured):
            if after.measured_at - before.measured_at > SENSOR_SILENT_AFTER:
                continue
            moment = before.measured_at
            while moment < after.measured_at:
                hour = moment.replace(minute=0, second=0, microsecond=0)
                until = min(hour + HOUR, after.measured_at)
                found[place_id, hour][2] += (until - moment).total_seconds()
                found[place_id, hour][3] += (until - moment).total_seconds() * bool(before.occupied)
                moment = until
            hour = after.measured_at.replace(minute=0, second=0, microsecond=0)
            found[place_id, hour][4] += after.occupied and not before.occupied
    return dict(found)


def as_figures(hours: Iterable[OccupancyHour]) -> dict[tuple[str, datetime], list[float]]:
    return {
        (h.place_id, h.hour): [
            h.readings,
            h.measured,
            pytest.approx(h.known_s),
            pytest.approx(h.occupied_s),
            h.arrivals,
        ]
        for h in hours
    }


def levels(town: Town, *, seed: int, days: int = 3) -> list[FillReading]:
    """Make readings of two bins: some without a level, some with two records of one moment, at odd seconds."""
    random = Random(seed)
    said = []
    for place_id, device_id in (("COR-0001", town.bin_device), ("COR-0002", town.bin_device + 1000)):
        at = NOON
        while at < NOON + timedelta(days=days):
            at += timedelta(seconds=random.randrange(60, 5000))
            # Fractions of a power of two: their sums are exact in any order.
            fraction = None if random.random() < 0.2 else random.randrange(64) / 64
            record = fill(device_id, at, fraction, place_id=place_id)
            said.append(record)
            if random.random() < 0.2:
                said.append(fill(device_id, at, random.randrange(64) / 64, place_id=place_id, record_index=1))
    return said


def states(town: Town, *, seed: int, days: int = 6) -> list[OccupancyReading]:
    """Make readings of a bay and a space: bursts, long stays, heartbeats, faults, and gaps of more than 30 hours."""
    random = Random(seed)
    said = []
    for place_id, device_id in (("ADL-01", town.bay_device), ("STA-0001", town.bay_device + 1000)):
        at = NOON
        while at < NOON + timedelta(days=days):
            longest_s = random.choice([60, 900, 7200, 20_000, 140_000])
            at += timedelta(seconds=random.randrange(1, longest_s), microseconds=random.randrange(1000))
            occupied = random.choice([True, True, False, False, None])
            said.append(occupancy(device_id, at, occupied=occupied, place_id=place_id))
    return said


@pytest.mark.parametrize("seed", [1, 2])
def test_fill_hours_are_what_the_readings_say(town: Town, refreshing: Connection, seed: int):
    said = levels(town, seed=seed)
    readings.take_in(town.connection, batch(fill_readings=tuple(said)))
    town.connection.commit()
    found = rollups.fill_hours(refreshing, INSEE, since=SINCE, until=UNTIL)
    assert found == fill_hours_by_hand(said)
    rollups.refresh(refreshing)
    assert rollups.fill_hours(refreshing, INSEE, since=SINCE, until=UNTIL) == found


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_occupancy_hours_are_what_the_readings_say(town: Town, refreshing: Connection, seed: int):
    said = states(town, seed=seed)
    readings.take_in(town.connection, batch(occupancy_readings=tuple(said)))
    town.connection.commit()
    by_hand = occupancy_by_hand(said)
    assert any(known_s < 3600 for _, _, known_s, _, _ in by_hand.values())
    assert any(arrivals > 0 for *_, arrivals in by_hand.values())
    assert as_figures(rollups.occupancy_hours(refreshing, INSEE, since=SINCE, until=UNTIL)) == by_hand
    rollups.refresh(refreshing)
    assert as_figures(rollups.occupancy_hours(refreshing, INSEE, since=SINCE, until=UNTIL)) == by_hand


def test_late_backfill_is_in_the_figures_once(town: Town, refreshing: Connection):
    """What came late, twice, in any order and into chunks that are columns already changes the figures once."""
    random = Random(5)
    fills, occupancies = levels(town, seed=6), states(town, seed=7)
    random.shuffle(fills)
    random.shuffle(occupancies)
    late = batch(fill_readings=tuple(fills[::3]), occupancy_readings=tuple(occupancies[::3]))
    on_time = batch(
        fill_readings=tuple(r for r in fills if r not in fills[::3]),
        occupancy_readings=tuple(r for r in occupancies if r not in occupancies[::3]),
    )
    readings.take_in(town.connection, on_time)
    town.connection.commit()
    rollups.refresh(refreshing)
    to_columns(town.connection)
    stored = [readings.take_in(town.connection, late).stored for _ in range(2)]
    town.connection.commit()
    assert stored == [late.messages, 0]
    rollups.refresh(refreshing, since=NOON, until=NOON + timedelta(days=9))
    assert rollups.fill_hours(refreshing, INSEE, since=SINCE, until=UNTIL) == fill_hours_by_hand(fills)
    found = rollups.occupancy_hours(refreshing, INSEE, since=SINCE, until=UNTIL)
    assert as_figures(found) == occupancy_by_hand(occupancies)


def test_a_span_and_a_place_are_parts_of_the_whole(town: Town, refreshing: Connection):
    fills, occupancies = levels(town, seed=8), states(town, seed=9)
    readings.take_in(town.connection, batch(fill_readings=tuple(fills), occupancy_readings=tuple(occupancies)))
    town.connection.commit()
    since, until = NOON + timedelta(hours=20), NOON + timedelta(hours=50)
    span = {"since": since, "until": until}
    some = [h for h in fill_hours_by_hand(fills) if since <= h.hour < until and h.place_id == "COR-0002"]
    assert some
    assert rollups.fill_hours(refreshing, INSEE, **span, place_id="COR-0002") == some
    by_hand = {k: v for k, v in occupancy_by_hand(occupancies).items() if since <= k[1] < until and k[0] == "ADL-01"}
    assert by_hand
    assert as_figures(rollups.occupancy_hours(refreshing, INSEE, **span, place_id="ADL-01")) == by_hand
    assert rollups.fill_hours(refreshing, "00000", **span) == []
    assert rollups.occupancy_hours(refreshing, "00000", **span) == []


def test_views_say_what_the_functions_say(town: Town, refreshing: Connection):
    readings.take_in(town.connection, batch(fill_readings=tuple(levels(town, seed=10))))
    readings.take_in(town.connection, batch(occupancy_readings=tuple(states(town, seed=11))))
    town.connection.commit()
    for view, hours in (
        ("fill_hourly", rollups.fill_hours(refreshing, INSEE, since=SINCE, until=UNTIL)),
        ("occupancy_hourly", rollups.occupancy_hours(refreshing, INSEE, since=SINCE, until=UNTIL)),
    ):
        names = ", ".join(type(hours[0]).__slots__)
        rows = refreshing.execute(
            f"SELECT {names} FROM {view} WHERE commune_insee = %s ORDER BY place_id, hour",  # type: ignore[arg-type]
            [INSEE],
        )
        assert rows.fetchall() == [tuple(getattr(h, name) for name in type(h).__slots__) for h in hours]


def test_refresh_refuses_to_commit_somebody_elses_transaction(town: Town):
    with pytest.raises(ValueError, match="autocommit"):
        rollups.refresh(town.connection)
