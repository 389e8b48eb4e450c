"""The review on a real database: whatever order things come in, people see the same, and raw readings stay."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest

from ingest.reviewer import ReviewTally, review_commune
from storage import bins, communes, devices, levels, readings, review
from storage.database import Connection, connect
from storage.model import FillReading, Quality, ServiceEvent, ServiceEventKind, Verdict
from tests.storage.town import INSEE, NOON, Town, batch, fill

HOUR = timedelta(hours=1)
HOURS = 24 * 6
START = NOON - HOURS * HOUR


def emptied(at: datetime, place_id: str = "COR-0001") -> ServiceEvent:
    return ServiceEvent(
        commune_insee=INSEE, event_id=uuid4(), place_id=place_id, kind=ServiceEventKind.EMPTIED, happened_at=at
    )


def history(town: Town, *, seed: int = 1) -> tuple[list[FillReading], list[ServiceEvent]]:
    """Six days: filled by 3 % an hour, emptied each day, with noise and some spikes."""
    draw = np.random.default_rng(seed)
    taken, events = [], []
    for hour in range(HOURS):
        level = 0.03 * (hour % 24) + draw.normal(0, 0.01)
        if draw.random() < 0.03 and 2 < hour % 24 < 20:
            level = 0.95 if level < 0.5 else 0.02
        taken.append(fill(town.bin_device, START + hour * HOUR, max(0.0, level), distance_mm=round(900 - 800 * level)))
        if hour % 24 == 23:
            events.append(emptied(START + hour * HOUR + HOUR / 2))
    return taken, events


def take(town: Town, *taken: FillReading) -> None:
    readings.take_in(town.connection, batch(fill_readings=taken))
    town.connection.commit()


def verdicts(connection: Connection) -> list[tuple]:
    return connection.execute(
        "SELECT measured_at, quality, round(filtered_fraction::numeric, 2) FROM reviewed_level ORDER BY 1"
    ).fetchall()


def raw(connection: Connection) -> list[tuple]:
    return connection.execute("SELECT * FROM fill_reading ORDER BY device_id, measured_at").fetchall()


def test_what_was_committed_is_reviewed_once_and_raw_readings_stay(town: Town):
    taken, events = history(town)
    bins.declare(town.connection, events)
    take(town, *taken)
    before = raw(town.connection)
    assert review.is_due(town.connection, INSEE)
    tally = review_commune(town.connection, INSEE, now=NOON)
    town.connection.commit()
    assert (tally.readings, tally.verdicts_changed) == (HOURS, HOURS)
    assert not review.is_due(town.connection, INSEE)
    assert review_commune(town.connection, INSEE, now=NOON) == ReviewTally()
    assert raw(town.connection) == before
    found = levels.of_bin(town.connection, INSEE, "COR-0001", since=START, until=NOON)
    spikes = [level for level in found if level.quality is Quality.IMPOSSIBLE_JUMP]
    assert spikes
    assert all(level.reason and level.filtered_fraction is None and level.fill_fraction is not None for level in spikes)
    checks = levels.checks(town.connection, INSEE, since=START, until=NOON)
    # Of the sixth nothing is known yet: no reading came after it.
    assert [check.verdict for check in checks] == [Verdict.SEEN] * 5
    seen = levels.emptyings(town.connection, INSEE, since=START, until=NOON)
    assert {check.event_id for check in checks} == {emptying.event_id for emptying in seen}
    assert all(emptying.confidence > 0.9 for emptying in seen)


def test_nothing_is_rewritten_that_is_stored_already(town: Town):
    taken, events = history(town)
    bins.declare(town.connection, events)
    take(town, *taken)
    review_commune(town.connection, INSEE, now=NOON)
    again = [review.Due(kind="fill", device_id=town.bin_device, place_id="COR-0001", changed_since=NOON - 48 * HOUR)]
    review.ask(town.connection, INSEE, again)
    tally = review_commune(town.connection, INSEE, now=NOON)
    assert tally.readings > 100
    assert tally.verdicts_changed == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_arrival_changes_nothing(town: Town, seed: int):
    """Shuffled, in pieces, with a review after each piece: as if all had come at once, in order."""
    taken, events = history(town, seed=seed)
    shuffled = random.Random(seed)
    messages: list[FillReading | ServiceEvent] = [*taken, *events]
    # Late by up to a day: most of what comes is near the present, as in life.
    messages.sort(
        key=lambda one: (
            (one.measured_at if isinstance(one, FillReading) else one.happened_at) + shuffled.random() * 24 * HOUR
        )
    )
    for first in range(0, len(messages), 11):
        for one in messages[first : first + 11]:
            if isinstance(one, FillReading):
                readings.take_in(town.connection, batch(fill_readings=(one,)))
            else:
                bins.declare(town.connection, [one])
        review_commune(town.connection, INSEE, now=NOON)
        town.connection.commit()
    piecewise = verdicts(town.connection)
    shown = bins.one_now(town.connection, INSEE, "COR-0001", at=NOON)
    checks = levels.checks(town.connection, INSEE, since=START, until=NOON)
    for table in ("reviewed_level", "bin_level", "detected_emptying", "declared_check", "device_day", "device_health"):
        town.connection.execute(f"DELETE FROM {table}")  # type: ignore[arg-type] # constants
    whole = review.Due(kind="fill", device_id=town.bin_device, place_id="COR-0001", changed_since=START)
    review.ask(town.connection, INSEE, [whole])
    review_commune(town.connection, INSEE, now=NOON)
    at_once = verdicts(town.connection)
    assert [row[:2] for row in piecewise] == [row[:2] for row in at_once]
    for left, right in zip(piecewise, at_once, strict=True):
        if left[2] is not None:
            assert float(left[2]) == pytest.approx(float(right[2]), abs=0.021)
    assert levels.checks(town.connection, INSEE, since=START, until=NOON) == checks
    again = bins.one_now(town.connection, INSEE, "COR-0001", at=NOON)
    assert again.measured_at == shown.measured_at
    assert again.measured_fill_fraction == shown.measured_fill_fraction
    assert again.filtered_fraction == pytest.approx(shown.filtered_fraction, abs=0.01)


def test_a_spike_never_shows_a_bin_as_full(town: Town):
    quiet = [fill(town.bin_device, NOON + n * HOUR, 0.3 + 0.003 * (n % 3)) for n in range(10)]
    take(town, *quiet)
    review_commune(town.connection, INSEE, now=NOON + 9 * HOUR)
    spike = fill(town.bin_device, NOON + 10 * HOUR, 0.97)
    take(town, spike)

    def shown() -> tuple[float | None, datetime | None]:
        now = bins.one_now(town.connection, INSEE, "COR-0001", at=NOON + 12 * HOUR)
        assert now.quality is Quality.OK
        return now.measured_fill_fraction, now.measured_at

    trusted = (pytest.approx(0.3), NOON + 9 * HOUR)
    assert shown() == trusted  # before its review
    review_commune(town.connection, INSEE, now=NOON + 10 * HOUR)
    assert shown() == trusted  # while the next reading is awaited
    now = bins.one_now(town.connection, INSEE, "COR-0001", at=NOON + 12 * HOUR)
    assert (now.newest_at, now.newest_quality) == (NOON + 10 * HOUR, Quality.UNCONFIRMED)
    assert now.newest_reason
    take(town, fill(town.bin_device, NOON + 11 * HOUR, 0.305))
    review_commune(town.connection, INSEE, now=NOON + 11 * HOUR)
    assert shown() == (pytest.approx(0.305), NOON + 11 * HOUR)
    assert dict(row[:2] for row in verdicts(town.connection))[NOON + 10 * HOUR] == Quality.IMPOSSIBLE_JUMP


def test_a_filling_that_stays_is_believed(town: Town):
    take(town, *(fill(town.bin_device, NOON + n * HOUR, 0.3 + 0.003 * (n % 3)) for n in range(10)))
    take(town, fill(town.bin_device, NOON + 10 * HOUR, 0.9), fill(town.bin_device, NOON + 11 * HOUR, 0.91))
    review_commune(town.connection, INSEE, now=NOON + 11 * HOUR)
    now = bins.one_now(town.connection, INSEE, "COR-0001", at=NOON + 11 * HOUR)
    assert now.measured_fill_fraction == pytest.approx(0.91)
    assert now.filtered_fraction == pytest.approx(0.91, abs=0.02)


def test_forecasts_learn_from_trusted_readings_alone(town: Town):
    taken, events = history(town)
    bins.declare(town.connection, events)
    take(town, *taken)
    span = {"since": START, "until": NOON}
    unreviewed = levels.trusted(town.connection, INSEE, **span)
    assert len(unreviewed) == HOURS
    review_commune(town.connection, INSEE, now=NOON)
    trusted = levels.trusted(town.connection, INSEE, **span)
    refused = [row for row in verdicts(town.connection) if row[1] != Quality.OK]
    assert refused
    assert len(trusted) == HOURS - len(refused)
    assert set(trusted.measured_at_s.tolist()).isdisjoint(int(row[0].timestamp()) for row in refused)


def test_a_failed_review_leaves_what_is_due(town: Town, monkeypatch: pytest.MonkeyPatch):
    take(town, *(fill(town.bin_device, NOON + n * HOUR, 0.3) for n in range(4)))
    with monkeypatch.context() as broken:
        broken.setattr(levels, "save_bin_levels", _fail)
        with pytest.raises(RuntimeError, match="the lights went out"):
            review_commune(town.connection, INSEE, now=NOON)
    town.connection.rollback()
    assert verdicts(town.connection) == []
    assert review_commune(town.connection, INSEE, now=NOON).readings == 4


def _fail(*_arguments: object) -> None:
    raise RuntimeError("the lights went out")


def test_two_workers_never_review_one_commune_at_once(town: Town, any_database_url: str):
    take(town, fill(town.bin_device, NOON, 0.3))
    with connect(any_database_url) as other:
        assert review.lock(other, INSEE)
        assert review_commune(town.connection, INSEE, now=NOON) == ReviewTally()
        town.connection.commit()
    assert review_commune(town.connection, INSEE, now=NOON).readings == 1


def test_readings_that_move_to_another_place_take_their_verdicts_along(town: Town):
    take(town, *(fill(town.bin_device, NOON + n * HOUR, 0.3 + 0.003 * (n % 3)) for n in range(10)))
    review_commune(town.connection, INSEE, now=NOON + 9 * HOUR)
    assert [level.place_id for level in levels.bin_levels(town.connection, INSEE)] == ["COR-0001"]
    devices.unmount(town.connection, INSEE, town.bin_device, at=NOON - HOUR)
    town.connection.execute("UPDATE fill_reading SET place_id = 'COR-0002'")
    review.ask(
        town.connection,
        INSEE,
        [
            review.Due(kind="fill", device_id=town.bin_device, place_id=place_id, changed_since=NOON)
            for place_id in ("COR-0001", "COR-0002")
        ],
    )
    review_commune(town.connection, INSEE, now=NOON + 9 * HOUR)
    assert [level.place_id for level in levels.bin_levels(town.connection, INSEE)] == ["COR-0002"]
    places = town.connection.execute("SELECT DISTINCT place_id FROM reviewed_level").fetchall()
    assert places == [("COR-0002",)]


def test_communes_are_reviewed_apart(town: Town):
    communes.save(town.connection, communes.one(town.connection, INSEE))
    take(town, fill(town.bin_device, NOON, 0.3))
    assert not review.is_due(town.connection, "75056")
    assert review_commune(town.connection, "75056", now=NOON) == ReviewTally()
    assert review.is_due(town.connection, INSEE)
