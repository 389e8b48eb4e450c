"""The collector's connection: commits that are on the disk, silence that ends, and no transaction left behind."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ingest.database import CollectorDatabase
from tests.tools import wait_until

PATIENCE_S = 0.5


@pytest.fixture
def collector(any_database_url: str) -> Iterator[CollectorDatabase]:
    database = CollectorDatabase(any_database_url, client_id="essai", patience_s=PATIENCE_S)
    yield database
    database.drop()


@pytest.fixture
def observer(any_database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(any_database_url, autocommit=True) as connection:
        yield connection


def sessions(observer: psycopg.Connection) -> list[int]:
    rows = observer.execute(
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'voirie collect essai' AND datname = current_database()"
    )
    return [pid for (pid,) in rows]


def setting(collector: CollectorDatabase, name: str) -> str:
    return str(collector.connection().execute("SELECT current_setting(%s)", [name]).fetchone()[0])


def test_a_commit_waits_for_the_disk_where_the_server_would_not(
    any_database_url: str, collector: CollectorDatabase, observer: psycopg.Connection
):
    name = conninfo_to_dict(any_database_url)["dbname"]
    observer.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    assert setting(collector, "synchronous_commit") == "on"
    collector.connection().rollback()
    assert setting(collector, "synchronous_commit") == "on", "a rollback does not take it back"


def test_an_operator_s_stricter_choice_stays(
    any_database_url: str, collector: CollectorDatabase, observer: psycopg.Connection
):
    name = conninfo_to_dict(any_database_url)["dbname"]
    observer.execute(f"ALTER DATABASE {name} SET synchronous_commit = remote_apply")
    assert setting(collector, "synchronous_commit") == "remote_apply"


def test_silence_is_given_up_and_the_next_attempt_finds_no_lock(
    collector: CollectorDatabase, observer: psycopg.Connection
):
    observer.execute("CREATE TABLE held (number integer PRIMARY KEY)")
    began_s = time.monotonic()
    collector.connection().execute("INSERT INTO held VALUES (1)")
    # The server does not look at its client while it sleeps: it keeps the transaction, and the key's lock.
    with pytest.raises(psycopg.OperationalError), collector.patience():
        collector.connection().execute("SELECT pg_sleep(60)")
    assert PATIENCE_S <= time.monotonic() - began_s < 50, "not when the server wakes"
    (left,) = sessions(observer)
    collector.drop()
    with collector.patience():
        collector.connection().execute("INSERT INTO held VALUES (1)")
        collector.connection().commit()
    wait_until(lambda: left not in sessions(observer), what="the end of the session that was given up")
    assert observer.execute("SELECT number FROM held").fetchall() == [(1,)]


def test_what_is_done_in_time_is_left_alone(collector: CollectorDatabase, observer: psycopg.Connection):
    with collector.patience():
        collector.connection().execute("SELECT 1")
    before = sessions(observer)
    # Longer than the patience, but nobody waits for an answer.
    observer.execute("SELECT pg_sleep(%s)", [2 * PATIENCE_S])
    assert setting(collector, "application_name") == "voirie collect essai"
    assert sessions(observer) == before


def test_another_collector_s_session_is_not_ended(any_database_url: str, collector: CollectorDatabase):
    other = CollectorDatabase(any_database_url, client_id="autre", patience_s=60)
    try:
        other.connection().execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError), collector.patience():
            collector.connection().execute("SELECT pg_sleep(60)")
        collector.drop()
        collector.connection().execute("SELECT 1")
        assert setting(other, "application_name") == "voirie collect autre"
    finally:
        other.drop()
