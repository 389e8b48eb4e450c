"""Each edition's features are applied where it has them, grow with the server, and lose and double nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from storage import bins, readings, rollups, schema, time_series
from storage.database import Connection, connect
from storage.errors import UnavailableError
from storage.time_series import Edition, TimeSeriesOptions, edition
from tests.conftest import Server
from tests.storage.editions import in_columns, to_columns
from tests.storage.town import INSEE, NOON, Town, batch, bays_now, fill, provision
from tests.storage.town import occupancy as occupied_reading

DAY = timedelta(days=1)
EVER = {"since": NOON - 900 * DAY, "until": NOON + 900 * DAY}


@pytest.fixture
def empty_timescaledb_url(timescaledb_server: Server) -> Iterator[str]:
    """An empty database on a server that has TimescaleDB."""
    url = timescaledb_server.create_database()
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(timescaledb_server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield make_conninfo(timescaledb_server.url, dbname=name)
    timescaledb_server.drop_database(url)


def chunk_intervals(connection: Connection) -> dict[str, timedelta]:
    rows = connection.execute(
        "SELECT hypertable_name, time_interval FROM timescaledb_information.dimensions "
        "WHERE hypertable_schema = 'public'"
    )
    return dict(rows.fetchall())


def policies(connection: Connection) -> set[tuple[str, str]]:
    rows = connection.execute(
        "SELECT hypertable_name, config ->> 'compress_after' FROM timescaledb_information.jobs "
        "WHERE config ? 'compress_after'"
    )
    return set(rows.fetchall())


def test_each_edition_has_what_it_offers(any_server: Server, town: Town):
    offered = edition(town.connection)
    assert (offered == Edition.PLAIN) == (any_server.name == "embedded")
    kinds = dict(
        town.connection.execute(
            "SELECT relname, relkind::text FROM pg_class WHERE relname = ANY (%s)", [list(time_series.LIVE_VIEWS)]
        ).fetchall()
    )
    assert kinds == dict.fromkeys(time_series.LIVE_VIEWS, "v")
    if offered == Edition.COMMUNITY:
        # Newest first would hide the past from the views until it has been made.
        rows = town.connection.execute(
            "SELECT config ->> 'refresh_newest_first', config -> 'start_offset' FROM timescaledb_information.jobs "
            "WHERE hypertable_name LIKE '%%_live' AND config ? 'start_offset'"
        )
        assert rows.fetchall() == [("false", None)] * 2
    aggregates = [time_series.is_aggregate(town.connection, view) for view in time_series.LIVE_VIEWS]
    assert aggregates == [offered == Edition.COMMUNITY] * 2
    if offered >= Edition.APACHE:
        intervals = chunk_intervals(town.connection)
        assert (intervals["fill_reading"], intervals["occupancy_reading"]) == (7 * DAY, DAY)
        stored = {*intervals, *time_series.LIVE_VIEWS} if offered == Edition.COMMUNITY else set()
        assert policies(town.connection) == {(name, "14 days") for name in stored}


def test_late_readings_are_stored_exactly_once_in_columns(town: Town):
    """Redelivered, late and backfilled readings meet chunks that are columns already."""
    fills = [fill(town.bin_device, NOON + hour * timedelta(hours=1), 0.5) for hour in range(400)]
    states = [occupied_reading(town.bay_device, NOON + hour * timedelta(hours=1), occupied=True) for hour in range(400)]
    readings.take_in(town.connection, batch(fill_readings=tuple(fills[::2]), occupancy_readings=tuple(states[::2])))
    columns = to_columns(town.connection)
    # The second half comes late, among everything again, and one more time; then a backfill from before all chunks.
    everything = batch(fill_readings=tuple(fills), occupancy_readings=tuple(states))
    assert readings.take_in(town.connection, everything).stored == 400
    town.connection.commit()
    assert readings.take_in(town.connection, everything).stored == 0
    older = batch(fill_readings=(fill(town.bin_device, NOON - 60 * DAY, 0.25),))
    assert readings.take_in(town.connection, older).stored == 1
    town.connection.commit()
    assert not columns or in_columns(town.connection) > 0
    for table, count in (("fill_reading", 401), ("occupancy_reading", 400)):
        found = town.connection.execute(
            f"SELECT count(*), count(DISTINCT (device_id, measured_at, record_index)) FROM {table}"  # type: ignore[arg-type]
        ).fetchone()
        assert found == (count, count)


def test_more_late_readings_than_one_statement_may_unpack_by_default(town: Town):
    """TimescaleDB refuses to unpack more than 100,000 rows for one statement unless the session says otherwise."""
    town.connection.execute(
        "INSERT INTO fill_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at, quality)"
        " SELECT %s, 9000 + device, 'COR-0003', %s::timestamptz + minute * INTERVAL '1 minute', 0, now(), 'blocked'"
        " FROM generate_series(1, 11) AS device, generate_series(1, 10000) AS minute",
        [INSEE, NOON],
    )
    to_columns(town.connection)
    moved = town.connection.execute("UPDATE fill_reading SET place_id = 'COR-0002' WHERE place_id = 'COR-0003'")
    assert moved.rowcount == 110_000


def test_present_states_are_the_same_in_columns(town: Town):
    fills = [fill(town.bin_device, NOON + hour * timedelta(hours=1), hour / 400) for hour in range(300)]
    states = [
        occupied_reading(town.bay_device, NOON + hour * timedelta(hours=1), occupied=hour > 250) for hour in range(300)
    ]
    readings.take_in(town.connection, batch(fill_readings=tuple(fills), occupancy_readings=tuple(states)))
    town.connection.commit()
    before = bins.now(town.connection, INSEE, at=NOON + 13 * DAY), bays_now(town)
    assert before[1][0].since == NOON + 251 * timedelta(hours=1)
    to_columns(town.connection)
    assert (bins.now(town.connection, INSEE, at=NOON + 13 * DAY), bays_now(town)) == before


def test_migrating_again_keeps_what_aggregates_hold(town: Town, any_database_url: str):
    readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON, 0.5),)))
    town.connection.commit()
    identity = "SELECT 'fill_hourly_live'::regclass::oid"
    before = town.connection.execute(identity).fetchone()
    town.connection.commit()
    with connect(any_database_url, autocommit=True) as connection:
        rollups.refresh(connection)
    schema.migrate(any_database_url)
    after = town.connection.execute(identity).fetchone()
    if edition(town.connection) == Edition.COMMUNITY:
        assert after == before
    assert len(rollups.fill_hours(town.connection, INSEE, **EVER)) == 1


def test_aggregate_of_another_definition_is_made_again(
    town: Town, any_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON, 0.5),)))
    town.connection.commit()
    text = time_series._text

    def changed(name: str) -> str:
        return (
            text(name).replace("min(fill_fraction)", "max(fill_fraction) - 0.25")
            if name == "fill_hourly_live"
            else text(name)
        )

    monkeypatch.setattr(time_series, "_text", changed)
    schema.migrate(any_database_url)
    (hour,) = rollups.fill_hours(town.connection, INSEE, **EVER)
    assert (hour.min_fraction, hour.max_fraction) == (0.25, 0.5)


def test_options_apply_to_a_database_that_exists(town: Town, any_database_url: str):
    readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON, 0.5),)))
    town.connection.commit()
    options = TimeSeriesOptions(fill_chunk_days=2, occupancy_chunk_days=3, columnstore_after_days=30)
    schema.migrate(any_database_url, options)
    readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON + DAY, 0.5),)))
    readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON + 30 * DAY, 0.5),)))
    town.connection.commit()
    assert town.connection.execute("SELECT count(*) FROM fill_reading").fetchone() == (3,)
    if edition(town.connection) >= Edition.APACHE:
        intervals = chunk_intervals(town.connection)
        assert (intervals["fill_reading"], intervals["occupancy_reading"]) == (2 * DAY, 3 * DAY)
    if edition(town.connection) == Edition.COMMUNITY:
        assert ("fill_reading", "30 days") in policies(town.connection)
        assert ("fill_reading", "14 days") not in policies(town.connection)


@pytest.mark.parametrize("option", ["fill_chunk_days", "occupancy_chunk_days", "columnstore_after_days"])
def test_options_refuse_nonsense(option: str):
    with pytest.raises(ValueError, match=rf"expected {option} >= 1, got 0"):
        TimeSeriesOptions(**{option: 0})


def test_poorer_edition_gains_features_when_the_server_does(
    empty_timescaledb_url: str, monkeypatch: pytest.MonkeyPatch
):
    """From Apache to Community: plain views become aggregates, over the readings that were there."""
    with monkeypatch.context() as patched:
        patched.setattr(time_series, "edition", lambda connection: min(edition(connection), Edition.APACHE))
        schema.migrate(empty_timescaledb_url)
    with connect(empty_timescaledb_url) as connection:
        town = provision(connection)
        assert not time_series.is_aggregate(connection, "fill_hourly_live")
        fills = tuple(fill(town.bin_device, NOON + hour * timedelta(hours=1), 0.5) for hour in range(100))
        readings.take_in(connection, batch(fill_readings=fills))
        connection.commit()
        before = rollups.fill_hours(connection, INSEE, **EVER)
        connection.commit()
        schema.migrate(empty_timescaledb_url)
        assert time_series.is_aggregate(connection, "fill_hourly_live") == (edition(connection) == Edition.COMMUNITY)
        assert rollups.fill_hours(connection, INSEE, **EVER) == before
        assert len(before) == 100


def test_plain_tables_become_hypertables_when_the_server_has_timescaledb(empty_timescaledb_url: str):
    """A plain database that was moved to a TimescaleDB server keeps its readings and gets its features."""
    schema.migrate(empty_timescaledb_url)
    # The extension takes its aggregates along. What is left is what a dump of a plain database makes: tables and views.
    with psycopg.connect(empty_timescaledb_url) as connection:
        connection.execute("DROP EXTENSION timescaledb CASCADE")
    with connect(empty_timescaledb_url) as connection:
        assert edition(connection) == Edition.PLAIN
        town = provision(connection)
        fills = tuple(fill(town.bin_device, NOON + hour * timedelta(hours=1), 0.5) for hour in range(500))
        states = tuple(occupied_reading(town.bay_device, NOON + hour * DAY, occupied=True) for hour in range(40))
        readings.take_in(connection, batch(fill_readings=fills, occupancy_readings=states))
    schema.migrate(empty_timescaledb_url)
    with connect(empty_timescaledb_url) as connection:
        assert edition(connection) > Edition.PLAIN
        assert readings.take_in(connection, batch(fill_readings=fills, occupancy_readings=states)).stored == 0
        rows = connection.execute(
            "SELECT hypertable_name, num_chunks FROM timescaledb_information.hypertables"
        ).fetchall()
        assert {"fill_reading": 4, "occupancy_reading": 40}.items() <= dict(rows).items()
        assert len(rollups.fill_hours(connection, INSEE, **EVER)) == 500


def test_refresh_waits_for_another_one_and_gives_up_in_words(
    town: Town, any_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    """The database refuses a refresh while its own covers the same hours."""

    class Refusing:
        autocommit = True
        asked = 0

        def execute(self, *_: object) -> None:
            self.asked += 1
            reasons = psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected
            raise reasons[self.asked % 2]("due to a concurrent refresh")

    refusing = Refusing()
    monkeypatch.setattr(rollups, "edition", lambda _connection: Edition.COMMUNITY)
    monkeypatch.setattr(rollups, "is_aggregate", lambda *_: True)
    with pytest.raises(UnavailableError, match="another refresh"):
        rollups.refresh(refusing, patience_s=0.3)  # type: ignore[arg-type]
    assert refusing.asked > 1
