"""A backup restored, on each kind of server: all that was known is there again, and lives on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from msgspec import structs
from psycopg.conninfo import make_conninfo

from cli.backup import manifest as manifests
from cli.backup.dump import back_up
from cli.backup.restore import RestoreDiffersError, differences, restore
from cli.backup.tools import find_tool
from cli.demo.screen import PlainScreen
from storage import audit, communes, isolation, readings, schema
from storage.census import TableCensus
from storage.database import connect
from storage.errors import InputError, SchemaError, UnavailableError
from storage.isolation import CommunePool
from storage.time_series import LIVE_VIEWS, Edition, edition
from tests.commanding import run_voirie
from tests.conftest import Server
from tests.storage.editions import in_columns, to_columns
from tests.storage.town import INSEE, NOON, batch, fill, occupancy, provision
from tests.tools import REPOSITORY, missing

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}
DAYS = 20


def tools_for(server: Server) -> Path | None:
    """PostgreSQL's programs of the server's version: the embedded server's own, or those that CI names."""
    if server.name == "embedded":
        return None
    folder = os.environ.get("VOIRIE_TEST_POSTGRES_TOOLS")
    if not folder:
        missing("pg_dump of the server's version (VOIRIE_TEST_POSTGRES_TOOLS)")
    return Path(folder)


@pytest.fixture
def source(any_database_url: str) -> str:
    """A database with a commune and weeks of readings, in columns where the edition has them."""
    with connect(any_database_url) as connection:
        town = provision(connection)
        moments = [NOON - timedelta(hours=6 * step) for step in range(4 * DAYS)]
        readings.take_in(
            connection,
            batch(
                fill_readings=tuple(fill(town.bin_device, at, step % 10 / 10) for step, at in enumerate(moments)),
                occupancy_readings=tuple(
                    occupancy(town.bay_device, at, occupied=step % 2 == 0) for step, at in enumerate(moments)
                ),
            ),
        )
        audit.record(connection, INSEE, "operator:root", "places.imported")
        audit.record(connection, audit.INSTALLATION, "operator:root", "account.created", "account:1")
        connection.commit()
        to_columns(connection)
    return any_database_url


@pytest.fixture
def empty_plain(embedded_server: Server) -> Iterator[str]:
    """An empty database on the embedded server."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(embedded_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield make_conninfo(embedded_server.url, dbname=name)
    with psycopg.connect(embedded_server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def new_instance() -> Iterator[str]:
    """An empty database on a TimescaleDB of its own."""
    if os.geteuid() != 0:
        missing("root, for a second TimescaleDB")
    program = str(REPOSITORY / "scripts" / "timescaledb")
    started = subprocess.run([program, "start", str(os.getpid())], capture_output=True, text=True, check=True)
    url, folder = started.stdout.split()
    yield url
    subprocess.run([program, "stop", folder], check=True)


@pytest.fixture
def empty(any_server: Server, request: pytest.FixtureRequest) -> str:
    """Where to restore to: a new database, or a new instance of TimescaleDB."""
    url: str = request.getfixturevalue("empty_plain" if any_server.name == "embedded" else "new_instance")
    return url


def test_a_restored_database_holds_the_same_and_lives_on(source: str, any_server: Server, empty: str, tmp_path: Path):
    tools_folder = tools_for(any_server)
    made = back_up(source, tmp_path, tools_folder=tools_folder, screen=PlainScreen())
    assert made.manifest.tables["public.fill_reading"].rows == 4 * DAYS
    restore(empty, made.folder, tools_folder=tools_folder, without_owners=False, screen=PlainScreen())
    check_that_it_lives(empty)


def check_that_it_lives(url: str) -> None:
    """Read as the API does, take readings in, migrate, let old chunks go: what only looks right fails at one."""
    with connect(url) as connection:
        assert communes.one(connection, INSEE).name == "Noisy-le-Grand"
        for code in (audit.INSTALLATION, INSEE):
            chain = audit.examine(connection, code)
            assert (chain.broken, chain.entries) == (None, 1), "the audit is whole, and goes on"
            audit.record(connection, code, "operator:root", "data.restored")
        connection.commit()
        assert [audit.examine(connection, code).entries for code in (audit.INSTALLATION, INSEE)] == [2, 2]
        connection.commit()
        CommunePool.act_for(connection, ["75056"])
        assert connection.execute("SELECT * FROM place").fetchall() == [], "what kept communes apart still does"
        connection.rollback()
        offered = edition(connection)
        device = connection.execute("SELECT device_id FROM device WHERE eui = '24e124713b000001'").fetchone()
        assert device is not None
        old, new = fill(device[0], NOON - timedelta(days=15, minutes=7), 0.5), fill(device[0], NOON + timedelta(1), 0.9)
        known = fill(device[0], NOON, 0.0)
        taken = readings.take_in(connection, batch(fill_readings=(old, new, known)))
        assert (taken.stored, taken.duplicates) == (2, 1), "keys and hypertables are those of before"
        connection.commit()
        if offered >= Edition.APACHE:
            tables = connection.execute("SELECT count(*) FROM show_chunks('fill_reading')").fetchone()
            assert tables is not None
            assert tables[0] > 2
        if offered >= Edition.COMMUNITY:
            assert in_columns(connection) > 0
            connection.commit()
            connection.autocommit = True
            for view in LIVE_VIEWS:
                connection.execute(f"CALL refresh_continuous_aggregate('{view}', NULL, NULL)".encode())
            connection.autocommit = False
    schema.migrate(url)
    with connect(url) as connection:
        hours = connection.execute("SELECT count(*), min(hour) FROM fill_hourly_live").fetchone()
        assert hours is not None
        assert hours[0] == 4 * DAYS + 2
        if offered >= Edition.APACHE:
            dropped = connection.execute("SELECT drop_chunks('occupancy_reading', %s)", [NOON]).fetchall()
            assert len(dropped) >= DAYS - 1


def test_as_the_owner_without_rights_plain_postgresql_is_restored(embedded_server: Server, tmp_path: Path):
    """Backing up and restoring plain PostgreSQL takes no administrator."""
    role, names = f"role_{uuid4().hex[:8]}", [f"test_{uuid4().hex[:12]}" for _ in range(2)]
    with psycopg.connect(embedded_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN IN ROLE {isolation.ROLE}")
        for name in names:
            connection.execute(f"CREATE DATABASE {name} OWNER {role}")
    ours, theirs = (make_conninfo(embedded_server.url, dbname=name, user=role) for name in names)
    try:
        schema.migrate(ours)
        with connect(ours) as connection:
            provision(connection)
        done = voirie(tmp_path, ours, "backup", str(tmp_path / "backups"), "--json")
        made = json.loads(done.stdout)
        assert Path(made["folder"]).stat().st_mode & 0o077 == 0, "a backup is its owner's alone"
        restored = voirie(tmp_path, theirs, "restore", made["folder"], "--json")
        assert json.loads(restored.stdout)["rows"] == made["rows"] > 10
        again = voirie(tmp_path, theirs, "restore", made["folder"], check=False)
        assert again.returncode == 2
        assert "the database is not empty (" in again.stderr
    finally:
        with psycopg.connect(embedded_server.url, autocommit=True) as connection:
            for name in names:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"DROP ROLE {role}")


def test_timescaledb_is_backed_up_by_its_owner_and_restored_by_an_administrator_for_the_owner(
    timescaledb_server: Server, tmp_path: Path
):
    role, names = f"role_{uuid4().hex[:8]}", [f"test_{uuid4().hex[:12]}" for _ in range(2)]
    with psycopg.connect(timescaledb_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN IN ROLE {isolation.ROLE}")
        for name in names:
            connection.execute(f"CREATE DATABASE {name} OWNER {role}")
    ours, theirs = (make_conninfo(timescaledb_server.url, dbname=name, user=role) for name in names)
    tools_folder = tools_for(timescaledb_server)
    try:
        schema.migrate(ours)
        with connect(ours) as connection:
            provision(connection)
        made = back_up(ours, tmp_path, tools_folder=tools_folder, screen=PlainScreen())
        with pytest.raises(InputError, match="takes a superuser"):
            restore(theirs, made.folder, tools_folder=tools_folder, without_owners=False, screen=PlainScreen())
        as_administrator = make_conninfo(timescaledb_server.url, dbname=names[1])
        restore(as_administrator, made.folder, tools_folder=tools_folder, without_owners=False, screen=PlainScreen())
        assert schema.migrate(theirs) == made.manifest.schema_version, "the owner may alter what was restored"
    finally:
        with psycopg.connect(timescaledb_server.url, autocommit=True) as connection:
            for name in names:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"DROP ROLE {role}")


def voirie(cwd: Path, url: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = run_voirie(*arguments, cwd=cwd, timeout_s=120, VOIRIE_DATABASE__URL=url)
    assert not check or done.returncode == 0, done.stderr
    return done


def test_what_was_cut_or_altered_is_not_restored(
    connection: object, database_url: str, tmp_path: Path, empty_plain: str
):
    made = back_up(database_url, tmp_path, tools_folder=None, screen=PlainScreen())
    dump = made.folder / manifests.DUMP_NAME
    whole = dump.read_bytes()
    dump.write_bytes(whole[:-1])
    with pytest.raises(InputError, match="was cut: expected"):
        restore(empty_plain, made.folder, tools_folder=None, without_owners=False, screen=PlainScreen())
    dump.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match="was altered"):
        restore(empty_plain, made.folder, tools_folder=None, without_owners=False, screen=PlainScreen())
    (made.folder / manifests.FILE_NAME).unlink()
    with pytest.raises(InputError, match="is no backup"):
        restore(empty_plain, made.folder, tools_folder=None, without_owners=False, screen=PlainScreen())


def test_what_differs_from_what_was_dumped_does_not_count_as_restored(
    database_url: str, tmp_path: Path, empty_plain: str
):
    made = back_up(database_url, tmp_path, tools_folder=None, screen=PlainScreen())
    tables = made.manifest.tables | {"public.commune": TableCensus(rows=1, digest="5")}
    manifests.write(made.folder, structs.replace(made.manifest, tables=tables))
    with pytest.raises(RestoreDiffersError, match=r"public\.commune has 0 rows instead of 1"):
        restore(empty_plain, made.folder, tools_folder=None, without_owners=False, screen=PlainScreen())


def test_a_database_without_schema_is_not_backed_up(empty_plain: str, tmp_path: Path):
    with pytest.raises(SchemaError):
        back_up(empty_plain, tmp_path, tools_folder=None, screen=PlainScreen())
    assert list(tmp_path.iterdir()) == []


def test_timescaledb_is_not_restored_where_there_is_none(timescaledb_server: Server, empty_plain: str, tmp_path: Path):
    url = timescaledb_server.create_database()
    try:
        made = back_up(url, tmp_path, tools_folder=tools_for(timescaledb_server), screen=PlainScreen())
    finally:
        timescaledb_server.drop_database(url)
    with pytest.raises(InputError, match="the server has no TimescaleDB: install it"):
        restore(
            empty_plain, made.folder, tools_folder=tools_for(timescaledb_server), without_owners=True,
            screen=PlainScreen(),
        )  # fmt: skip


def test_programs_that_are_older_than_the_server_are_named(tmp_path: Path):
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n", encoding="utf-8")
    old.chmod(0o755)
    with pytest.raises(
        UnavailableError, match=r"PostgreSQL 17 or newer is needed, since the server is of version 17; found 9"
    ):
        find_tool("pg_dump", at_least=17, why="the server is of version 17", folder=tmp_path)
    with pytest.raises(UnavailableError, match=r"found none.*postgresql-client-17"):
        find_tool("pg_restore", at_least=17, why="so", folder=tmp_path)
    assert find_tool("pg_dump", at_least=9, why="so", folder=tmp_path).major == 9


def test_every_difference_is_told():
    before = {
        "a": TableCensus(rows=1, digest="5"),
        "b": TableCensus(rows=2, digest="6"),
        "c": TableCensus(rows=3, digest="7"),
        "d": TableCensus(rows=0, digest="0"),
    }
    after = {
        "a": before["a"],
        "b": TableCensus(rows=1, digest="1"),
        "c": TableCensus(rows=3, digest="8"),
        "e": before["d"],
    }
    assert differences(before, after) == [
        "b has 1 rows instead of 2",
        "c has other contents",
        "d is missing",
        "e appeared",
    ]
