"""A database that goes away, comes back, or will not have a row: the broker keeps the messages meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ingest.collector import Collector
from storage import readings
from storage.database import Connection, connect
from storage.model import IntakeBatch, IntakeResult
from storage.schema_version import head_version
from tests.acceptance.collecting import INSEE, START, Town, collecting, make_session, publisher
from tests.tools import wait_until


@pytest.fixture
def town(any_database_url: str, embedded_broker: str) -> Town:
    town = Town(database_url=any_database_url, broker_url=embedded_broker)
    town.provision()
    return town


@pytest.fixture
def town_of_the_demo(database_url: str, embedded_broker: str) -> Town:
    """Alone where the fault matrix says the same and more of Mosquitto and TimescaleDB."""
    town = Town(database_url=database_url, broker_url=embedded_broker)
    town.provision()
    return town


def value(collector: Collector, name: str, **labels: str) -> float:
    return collector.metrics.registry.get_sample_value(name, labels) or 0


@contextmanager
def administrator(town: Town) -> Iterator[psycopg.Connection]:
    """A connection to the same server that is not to the test's own database."""
    with psycopg.connect(make_conninfo(town.database_url, dbname="postgres"), autocommit=True) as connection:
        yield connection


def cut_connections(connection: psycopg.Connection, database: str) -> None:
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])


def test_connections_cut_again_and_again_lose_nothing(town_of_the_demo: Town):
    town = town_of_the_demo
    database = str(conninfo_to_dict(town.database_url)["dbname"])
    make_session(town)
    messages = town.stream(2000)
    with publisher(town) as sender:
        sender.publish(messages)
    with collecting(town.options(batch_messages=50)) as collector, administrator(town) as admin:
        for share in (8, 4, 2):
            town.wait_for_rows(len(messages) // share)
            cut_connections(admin, database)
        town.wait_for_rows(len(messages))
        failures = value(collector, "voirie_batch_failures_total", remedy="later")
    assert failures >= 1
    assert value(collector, "voirie_batch_failures_total", remedy="never") == 0
    assert town.counters() == list(range(len(messages)))


def test_a_database_that_is_away_is_waited_for_and_the_broker_keeps_the_messages(town_of_the_demo: Town):
    town = town_of_the_demo
    database = str(conninfo_to_dict(town.database_url)["dbname"])
    make_session(town)
    with publisher(town) as sender, collecting(town.options(batch_messages=50)) as collector:
        sender.publish(town.stream(100))
        town.wait_for_rows(100)
        with administrator(town) as admin:
            admin.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
            cut_connections(admin, database)
            sender.publish(town.stream(1500, since=START + timedelta(days=1)))
            wait_until(
                lambda: value(collector, "voirie_batch_failures_total", remedy="later") >= 3, what="some attempts"
            )
            assert value(collector, "voirie_database_answers") == 0
            assert value(collector, "voirie_messages_in_flight") <= 150, "what it holds is bounded"
            admin.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
        town.wait_for_rows(1600)
    assert town.tally()[1] == 1600
    assert town.tally()[3] == 0


def test_a_row_that_the_database_will_not_have_is_refused_alone(town: Town):
    with connect(town.database_url) as connection:
        connection.execute("ALTER TABLE fill_reading ADD CHECK (distance_mm <> 777)")
    bad = [town.level(3, at=START + timedelta(hours=5 + n), distance_mm=777) for n in range(2)]
    good = town.stream(300)
    make_session(town)
    with publisher(town) as sender:
        sender.publish([*good[:100], bad[0], *good[100:250], bad[1], *good[250:]])
    with collecting(town.options(batch_messages=302)) as collector:
        wait_until(lambda: town.tally()[1] == 300 and town.tally()[3] == 2, timeout_s=60, what="all of them")
    assert town.counters() == list(range(300))
    assert {(topic, bytes(payload)) for topic, payload in town.rows("SELECT topic, payload FROM refused_message")} == {
        *bad
    }
    for reason, detail in town.rows("SELECT reason, detail FROM refused_message"):
        assert reason == "internal_error"
        assert "fill_reading" in detail
    assert value(collector, "voirie_batch_failures_total", remedy="later") == 0


def test_a_failure_of_our_own_is_kept_as_a_refusal(town: Town, monkeypatch: pytest.MonkeyPatch):
    take_in = readings.take_in

    def brittle(connection: Connection, batch: IntakeBatch) -> IntakeResult:
        if any(reading.distance_mm == 555 for reading in batch.fill_readings):
            raise OverflowError("a value that cannot be written")
        return take_in(connection, batch)

    monkeypatch.setattr(readings, "take_in", brittle)
    odd = town.level(3, at=START + timedelta(hours=5), distance_mm=555)
    good = [town.level(n, at=START + timedelta(minutes=n), distance_mm=400, counter=n) for n in range(20)]
    make_session(town)
    with publisher(town) as sender, collecting(town.options()):
        sender.publish([*good, odd])
        wait_until(lambda: town.tally()[1] == 20 and town.tally()[3] == 1, what="all of them")
    ((payload, detail),) = town.rows("SELECT payload, detail FROM refused_message")
    assert bytes(payload) == odd[1]
    assert "OverflowError" in detail or "a value that cannot be written" in detail


def test_a_collector_starts_before_the_schema_and_waits_for_it(town: Town):
    with connect(town.database_url) as connection:
        connection.execute("UPDATE voirie_schema_version SET version_num = '0001'")
    make_session(town)
    with publisher(town) as sender, collecting(town.options()) as collector:
        sender.publish(town.stream(20))
        wait_until(lambda: value(collector, "voirie_batch_failures_total", remedy="later") >= 2, what="some attempts")
        assert town.stored() == 0
        with connect(town.database_url) as connection:
            connection.execute("UPDATE voirie_schema_version SET version_num = %s", [head_version()])
        town.wait_for_rows(20)


def test_a_collector_without_a_database_stops_when_asked(embedded_broker: str):
    town = Town(database_url="postgresql://127.0.0.1:1/nowhere", broker_url=embedded_broker)
    make_session(town)
    with publisher(town) as sender:
        sender.publish(town.stream(200))
    before = threading.active_count()
    with collecting(town.options()) as collector:
        wait_until(lambda: value(collector, "voirie_batch_failures_total", remedy="later") >= 2, what="some attempts")
    assert threading.active_count() == before, "no thread is left behind"


def test_the_ledger_counts_each_commune_s_messages(town: Town):
    make_session(town)
    with publisher(town) as sender, collecting(town.options()):
        sender.publish(town.stream(30))
        town.wait_for_messages(30)
    with connect(town.database_url) as connection:
        assert readings.tally(connection, INSEE).messages == 30
        assert readings.tally(connection, "75056").messages == 0
