"""What is too old goes, by each commune's own clock and on each edition; what is made of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.errors import DeadlockDetected

from storage import communes, forecasts, readings, retention, rollups
from storage.database import Connection, connect, has_timescaledb
from storage.model import Commune, DeviceEvent, FillForecast, RefusalReason, RefusedMessage
from storage.retention_kinds import KEPT_FOR_GOOD, KINDS, Kind, RetentionOptions, forgotten_before
from tests.storage.editions import to_columns
from tests.storage.town import INSEE, NOON, Town, batch, fill, forecast_run, occupancy

DAY = timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0)
OPTIONS = RetentionOptions(
    fill_readings_days=20,
    occupancy_readings_days=10,
    device_events_days=5,
    refused_messages_days=5,
    intake_ledger_days=3,
    forecasts_days=4,
    alerts_days=6,
    statistics_days=40,
)
OTHER = "75056"


@pytest.fixture
def forgetting(any_database_url: str, town: Town) -> Iterator[Connection]:
    """A connection that commits by itself, to the database of `town`."""
    with connect(any_database_url, autocommit=True) as connection:
        yield connection


def forget(connection: Connection, now: datetime = NOON, **changes: Any) -> dict[str, retention.Forgotten]:
    nows = changes.pop("nows", {INSEE: now})
    wall_now = changes.pop("wall_now", now)
    return {done.kind: done for done in retention.forget(connection, nows, wall_now=wall_now, options=OPTIONS)}


def count(connection: Connection, table: str, commune_insee: str = INSEE) -> int:
    row = connection.execute(
        f"SELECT count(*) FROM {table} WHERE commune_insee = %s",  # type: ignore[arg-type]
        [commune_insee],
    ).fetchone()
    assert row is not None
    return int(row[0])


def live_town(town: Town, *, days: int = 30) -> None:
    """Measure a bin each half hour, and a bay in stays that last over midnights, until NOON."""
    fills = [
        fill(town.bin_device, NOON - number * timedelta(minutes=30), number % 32 / 32) for number in range(days * 48)
    ]
    states = [
        occupancy(town.bay_device, NOON - number * timedelta(hours=7, minutes=13), occupied=number % 3 > 0)
        for number in range(days * 24 // 7)
    ]
    readings.take_in(town.connection, batch(fill_readings=tuple(fills), occupancy_readings=tuple(states)))
    town.connection.commit()


def figures(connection: Connection) -> tuple[list[rollups.FillHour], list[rollups.OccupancyHour]]:
    ever = {"since": NOON - 90 * DAY, "until": NOON + 90 * DAY}
    return rollups.fill_hours(connection, INSEE, **ever), rollups.occupancy_hours(connection, INSEE, **ever)


@pytest.mark.parametrize("columns", [False, True])
def test_readings_go_by_the_day_and_nothing_younger(town: Town, forgetting: Connection, *, columns: bool):
    live_town(town)
    if columns:
        to_columns(town.connection)
    done = forget(forgetting)
    for table, oldest in (
        ("fill_reading", MIDNIGHT - 19 * DAY),
        ("occupancy_reading", MIDNIGHT - 9 * DAY),
    ):
        rows = forgetting.execute(
            f"SELECT count(*), min(measured_at) FROM {table}"  # type: ignore[arg-type]
        ).fetchone()
        assert rows is not None
        if table == "fill_reading":
            assert rows == (19 * 48 + 25, oldest)
        else:
            assert oldest <= rows[1] < oldest + timedelta(hours=8)
    # Whole chunks first: of 1 day for occupancy, so that its edge is a chunk's.
    if has_timescaledb(forgetting):
        assert done["occupancy_reading"].chunks > 10
        assert done["occupancy_reading"].rows == 0
        assert done["fill_reading"].chunks > 0
    else:
        assert done["fill_reading"].rows == 30 * 48 - 19 * 48 - 25


def test_figures_outlive_their_readings(town: Town, forgetting: Connection):
    """Nothing of the hourly figures changes when readings go, day after day, also where a stay crosses the edge."""
    live_town(town)
    rollups.refresh(forgetting)
    before = figures(forgetting)
    assert before[0][0].hour < NOON - 29 * DAY
    assert sum(hour.occupied_s for hour in before[1]) > 10 * 86_400
    left = count(forgetting, "fill_reading"), count(forgetting, "occupancy_reading")
    for days in range(4):
        forget(forgetting, NOON + days * DAY)
        assert figures(forgetting) == before
        now_left = count(forgetting, "fill_reading"), count(forgetting, "occupancy_reading")
        assert now_left < left
        left = now_left
    # What aggregates made of readings holds the moments of single stays: it goes with them.
    for view, oldest in (("fill_hourly_live", 16), ("occupancy_hourly_live", 6)):
        row = forgetting.execute(f"SELECT min(hour) FROM {view}").fetchone()  # type: ignore[arg-type]
        assert row is not None
        assert row[0] >= MIDNIGHT - oldest * DAY


def test_figures_of_statistics_go_too(town: Town, forgetting: Connection):
    live_town(town)
    forget(forgetting)
    forget(forgetting, NOON + 25 * DAY)
    fills, states = figures(forgetting)
    assert fills[0].hour == MIDNIGHT + 25 * DAY - 39 * DAY
    assert states[0].hour >= MIDNIGHT + 25 * DAY - 39 * DAY


def test_reading_that_comes_after_its_hour_was_kept_changes_no_figure(town: Town, forgetting: Connection):
    live_town(town)
    forget(forgetting)
    before = figures(forgetting)
    late = batch(fill_readings=(fill(town.bin_device, MIDNIGHT - 25 * DAY + timedelta(seconds=7), 1.0),))
    assert [readings.take_in(town.connection, late).stored for _ in range(2)] == [1, 0]
    town.connection.commit()
    rollups.refresh(forgetting)
    assert figures(forgetting) == before
    forget(forgetting, NOON + DAY)
    assert figures(forgetting) == before
    oldest = forgetting.execute("SELECT min(measured_at) FROM fill_reading").fetchone()
    assert oldest == (MIDNIGHT - 18 * DAY,)


def test_interrupted_run_is_made_good(town: Town, forgetting: Connection, monkeypatch: pytest.MonkeyPatch):
    live_town(town)
    before = figures(forgetting)

    def fail(*_: object) -> int:
        raise ConnectionError("the server went away")

    with monkeypatch.context() as patched:
        patched.setattr(retention, "_delete", fail)
        with pytest.raises(ConnectionError):
            forget(forgetting)
    assert figures(forgetting) == before
    assert retention.is_due(forgetting, INSEE, now=NOON, wall_now=NOON, options=OPTIONS)
    forget(forgetting)
    assert figures(forgetting) == before
    assert count(forgetting, "fill_reading") == 19 * 48 + 25
    assert not retention.is_due(forgetting, INSEE, now=NOON, wall_now=NOON, options=OPTIONS)
    assert retention.is_due(forgetting, INSEE, now=NOON + DAY, wall_now=NOON, options=OPTIONS)


def test_each_commune_forgets_by_its_own_clock(town: Town, forgetting: Connection):
    """A commune whose clock is behind (or that has none yet) loses nothing by another's."""
    communes.save(town.connection, Commune(commune_insee=OTHER, name="Paris"))
    town.connection.commit()
    live_town(town)
    mine = count(forgetting, "fill_reading")
    theirs = tuple(
        fill(town.bin_device + 500, NOON - number * DAY, 0.5, commune_insee=OTHER, place_id="X") for number in range(30)
    )
    for part in theirs:
        readings.take_in(town.connection, batch(fill_readings=(part,)))
    town.connection.commit()
    forget(forgetting, nows={INSEE: NOON - 60 * DAY, OTHER: NOON})
    assert count(forgetting, "fill_reading") == mine
    assert count(forgetting, "fill_reading", OTHER) == 20
    done = forget(forgetting, nows={INSEE: None, OTHER: NOON + 2 * DAY})
    assert (count(forgetting, "fill_reading"), count(forgetting, "fill_reading", OTHER)) == (mine, 18)
    assert done["fill_reading"].chunks == 0
    forget(forgetting, nows={INSEE: NOON, OTHER: NOON + 2 * DAY})
    assert count(forgetting, "fill_reading") == 19 * 48 + 25


def test_ledger_keeps_its_sums(town: Town, forgetting: Connection):
    """Single commits become one row a day and collector, by the wall clock; nothing that is summed changes."""
    forgetting.execute(
        "INSERT INTO intake_batch (commune_insee, collector, committed_at, messages, stored, duplicates, refused) "
        "SELECT %s, 'c' || number %% 2, %s::timestamptz - number * INTERVAL '1 hour', 10, 7, 2, 1 "
        "FROM generate_series(0, 239) AS number",
        [INSEE, NOON],
    )
    before = readings.tally(forgetting, INSEE)
    forget(forgetting, NOON + 500 * DAY, wall_now=NOON)
    assert readings.tally(forgetting, INSEE) == before
    # Today's and two days before as they were (61 hours), eight days (one of them half) of two collectors folded.
    assert count(forgetting, "intake_batch") == 61 + 8 * 2
    forget(forgetting, NOON + 500 * DAY, wall_now=NOON + DAY)
    assert readings.tally(forgetting, INSEE) == before
    assert count(forgetting, "intake_batch") == 37 + 9 * 2


def test_events_refusals_forecasts_and_closed_alerts_go(town: Town, forgetting: Connection):
    def event(at: datetime) -> DeviceEvent:
        return DeviceEvent(
            commune_insee=INSEE, device_id=town.bin_device, measured_at=at, received_at=at, kind="join", detail={}
        )

    def refused(at: datetime) -> RefusedMessage:
        return RefusedMessage(
            commune_insee=INSEE,
            received_at=at,
            network="native",
            topic=f"topic {at}",
            payload=b"?",
            reason=RefusalReason.UNKNOWN_DEVICE,
            detail="",
        )

    def forecast(at: datetime) -> FillForecast:
        quantiles = dict.fromkeys(("p05", "p10", "p50", "p90", "p95"), 0.5)
        return FillForecast(place_id="COR-0001", valid_at=at, probability_full=0.5, **quantiles)

    edges = {"device_event": 4, "refused_message": 4, "forecast_run": 3, "alert": 5}
    for table, days in edges.items():
        for at in (MIDNIGHT - days * DAY, MIDNIGHT - days * DAY - timedelta(microseconds=1)):
            if table == "device_event":
                readings.take_in(town.connection, batch(device_events=(event(at),)))
            elif table == "refused_message":
                readings.take_in(town.connection, batch(refused=(refused(at),)))
            elif table == "forecast_run":
                forecasts.save(town.connection, forecast_run(as_of=at), [forecast(at)])
            else:
                for closed_at in (at, None):
                    town.connection.execute(
                        "INSERT INTO alert (commune_insee, kind, subject, severity, opened_at, noticed_at,"
                        " closed_at, closed_by, message) VALUES (%s, 'fire', %s, 'urgent', %s, %s, %s, %s, '')",
                        [INSEE, f"{at} {closed_at}", at, at, closed_at, closed_at and "itself"],
                    )
    town.connection.commit()
    before = {table: count(forgetting, table) for table in edges}
    done = forget(forgetting)
    assert {table: before[table] - count(forgetting, table) for table in edges} == dict.fromkeys(edges, 1)
    assert {table: done[table].rows for table in edges} == dict.fromkeys(edges, 1)
    assert count(forgetting, "fill_forecast") == 1
    assert forgetting.execute("SELECT count(*) FROM alert WHERE closed_at IS NULL").fetchone() == (2,)


def test_every_table_is_kept_or_forgotten_for_a_reason(town: Town):
    """Whoever adds a table says how long its rows are kept."""
    rows = town.connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
        "AND relname NOT LIKE 'procrastinate%%' AND relname <> 'voirie_schema_version'"
    )
    real = {name for (name,) in rows}
    forgotten = {table for kind in KINDS if not kind.names_only for table in kind.tables}
    assert {table for kind in KINDS if kind.names_only for table in kind.tables} <= real
    displaced = {table for table in forgotten if table.startswith("displaced_")}
    assert displaced == {"displaced_fill", "displaced_occupancy"}
    kept = {table for tables in KEPT_FOR_GOOD.values() for table in tables.split()}
    assert not kept & forgotten
    of_runs = {"fill_forecast", "fill_by_rounds", "fill_full_date"}
    assert (forgotten - displaced) | kept | of_runs | {"displaced_reading"} == real
    assert all(kind.why for kind in KINDS)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"forecasts_days": 0}, "expected forecasts_days >= 1, got 0"),
        ({"occupancy_readings_days": 6}, "expected occupancy_readings_days >= 7, got 6"),
        ({"statistics_days": 300}, r"expected fill_readings_days <= statistics_days \(300\), got 400"),
    ],
)
def test_options_refuse_nonsense(options: dict[str, int], sentence: str):
    with pytest.raises(ValueError, match=sentence):
        RetentionOptions(**options)


def test_days_count_today_in_utc():
    kind = Kind(name="x", days="forecasts_days", why="", tables=())
    for now in (MIDNIGHT, NOON, MIDNIGHT + DAY - timedelta(microseconds=1)):
        assert forgotten_before(kind, RetentionOptions(forecasts_days=1), now=now) == MIDNIGHT
        assert forgotten_before(kind, RetentionOptions(forecasts_days=3), now=now) == MIDNIGHT - 2 * DAY
    assert MIDNIGHT.tzinfo == UTC


def test_deadlock_with_the_databases_own_jobs_is_tried_again(forgetting: Connection, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "_PAUSES_S", (0.0, 0.0))
    tries = []

    def stuck(times: int) -> int:
        tries.append(times)
        forgetting.execute("INSERT INTO commune (commune_insee, name) VALUES ('00001', 'Essai')")
        if len(tries) <= times:
            raise DeadlockDetected
        return 7

    assert retention._persistently(forgetting, lambda: stuck(2)) == 7
    assert len(tries) == 3
    tries.clear()
    forgetting.execute("DELETE FROM commune WHERE commune_insee = '00001'")
    with pytest.raises(DeadlockDetected):
        retention._persistently(forgetting, lambda: stuck(3))
    assert count(forgetting, "commune", "00001") == 0


def test_forgetting_needs_to_commit_as_it_goes(town: Town):
    with pytest.raises(ValueError, match="autocommit"):
        retention.forget(town.connection, {}, wall_now=NOON, options=OPTIONS)
