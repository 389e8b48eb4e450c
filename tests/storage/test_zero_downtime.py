"""Old code on a new schema: while a version replaces another, and after a step back, nobody has to stop.

The oldest code that must work is `schema_version.OLDEST_CODE`. What it finds is everything it knew: no table or column
is gone or of another type, what it writes needs nothing more, and its own queries are understood.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiosql
import psycopg
import pytest
from alembic import command
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage import census, communes, schema, schema_version
from storage.database import Connection, connect
from storage.errors import SchemaError
from storage.model import Commune
from tests.conftest import Server
from tests.storage.town import INSEE, provision
from tests.tools import REPOSITORY

VERSIONS = "storage/migrations/versions"


@pytest.fixture
def upgraded(any_server: Server) -> Iterator[str]:
    """An empty database, to be brought to a version."""
    url = any_server.create_database()
    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(any_server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield make_conninfo(any_server.url, dbname=name)
    any_server.drop_database(url)


def bring_to(url: str, version: str) -> None:
    """Run the migrations up to this version, without views."""
    config = schema._alembic_config()
    with schema._sqlalchemy_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def columns(url: str) -> dict[tuple[str, str], tuple[str, bool]]:
    """Type of every column of our tables, and whether a row needs it to be given."""
    with connect(url) as connection:
        rows = connection.execute(
            """
            SELECT relname, attname, format_type(atttypid, atttypmod),
                attnotnull AND NOT atthasdef AND attidentity = '' AND attgenerated = ''
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
                AND relname NOT LIKE 'procrastinate\\_%'
            """
        )
        return {(table, column): (kind, needed) for table, column, kind, needed in rows}


def test_since_the_oldest_code_the_schema_only_grew(upgraded: str):
    bring_to(upgraded, schema_version.OLDEST_CODE)
    before = columns(upgraded)
    schema.migrate(upgraded)
    after = columns(upgraded)
    hint = "a migration that takes something away raises schema_version.OLDEST_CODE"
    assert {name: kind for name, (kind, _) in before.items()}.items() <= {
        n: k for n, (k, _) in after.items()
    }.items(), hint
    tables = {table for table, _ in before}
    demanded = {name for name, (_, needed) in after.items() if needed and name[0] in tables}
    assert demanded <= {name for name, (_, needed) in before.items() if needed}, f"old writers give less; {hint}"


class OldQuery(NamedTuple):
    """A query of old code by `noun.name`."""

    name: str
    text: str

    @property
    def stands_alone(self) -> bool:
        """Whether it needs neither TimescaleDB, a table of its own connection's, nor another query's text."""
        needs = ("timescaledb", "chunk", "continuous_aggregate", "staged_", "%(sums)s")
        return not any(word in self.text for word in needs)


def old_queries() -> list[OldQuery]:
    """The queries of the last commit on the oldest code's schema; none without the history."""
    newer = f"{int(schema_version.OLDEST_CODE) + 1:04}"
    added = git("log", "--format=%H", "--diff-filter=A", "--", f"{VERSIONS}/{newer}_*.py").split()
    commit = f"{added[-1]}^" if added else "HEAD"
    found = []
    for file in git("ls-tree", "--name-only", commit, "storage/sql/queries/").split():
        queries = aiosql.from_str(git("show", f"{commit}:{file}"), "psycopg", mandatory_parameters=False)
        for name in queries.available_queries:
            text = getattr(queries, name).sql
            if not name.endswith("_cursor") and _PLANNED.match(text):
                found.append(OldQuery(f"{Path(file).stem}.{name}", text))
    return found


_PLANNED = re.compile(r"\s*(?:--[^\n]*\n\s*)*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b")


def git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def test_the_oldest_codes_own_queries_are_understood(database_url: str):
    queries = old_queries()
    with psycopg.connect(database_url, autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        known = [one for one in queries if one.stands_alone]
        not_understood = [
            f"{one.name}: {error}" for one in known if (error := misunderstood(connection, one)) is not None
        ]
    assert not_understood == []
    # A copy without the history, or with the last part of it, has no old queries.
    assert len(known) > 100 or git("rev-parse", "--is-shallow-repository").strip() != "false"


def misunderstood(connection: psycopg.Connection[Any], query: OldQuery) -> str | None:
    """Return why PostgreSQL cannot plan the query, None when it can."""
    try:
        connection.execute(b"EXPLAIN (GENERIC_PLAN) " + numbered(query.text).encode())
    except psycopg.errors.IndeterminateDatatype:
        return None  # the driver tells the type of what it sends, EXPLAIN is told none
    except psycopg.Error as error:
        return str(error)
    return None


def numbered(text: str) -> str:
    """Return the query with PostgreSQL's own parameters instead of the driver's."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return re.sub(r"%\((\w+)\)s", number, text).replace("%%", "%")


def pretend(connection: Connection, *, version: str, oldest_code: str) -> None:
    connection.execute("UPDATE voirie_schema_version SET version_num = %s", [version])
    connection.execute(f"COMMENT ON TABLE voirie_schema_version IS 'oldest code: {oldest_code}'".encode())
    connection.commit()


def test_code_works_on_a_newer_schema_that_says_so_and_refuses_any_other(connection: Connection, database_url: str):
    head = schema_version.head_version()
    schema_version.require_schema(connection)
    pretend(connection, version="9998", oldest_code=head)
    schema_version.require_schema(connection)
    pretend(connection, version="9999", oldest_code="9999")
    with pytest.raises(
        SchemaError, match=f"schema 9999, which needs Voirie of schema 9999 or newer; this one is of {head}"
    ):
        schema_version.require_schema(connection)
    with pytest.raises(SchemaError, match="newer than this version"):
        schema.migrate(database_url)
    pretend(connection, version="0001", oldest_code="0001")
    with pytest.raises(SchemaError, match="run `voirie migrate`"):
        schema_version.require_schema(connection)


def test_what_old_code_is_doing_goes_on_while_the_schema_is_migrated(any_database_url: str):
    """A process of the old version holds its connection, works, and finds everything after the migration."""
    with connect(any_database_url) as old:
        provision(old)
        assert schema.migrate(any_database_url) == schema_version.head_version()
        communes.save(old, Commune(commune_insee="93064", name="Rosny"))
        old.commit()
        assert [commune.commune_insee for commune in communes.every(old)] == [INSEE, "93064"]
        schema_version.require_schema(old)


def test_no_row_is_lost_between_the_first_schema_and_this_one(upgraded: str):
    bring_to(upgraded, "0001")
    with connect(upgraded) as connection:
        connection.execute((REPOSITORY / "tests" / "storage" / "first_release.sql").read_bytes())
        connection.commit()
        before = {counted.table_name: counted for counted in census.tables(connection)}
        rows = census.count(connection, list(before.values()))
        assert [name for name, table in rows.items() if table.rows == 0] == [], "a row in every table"
        connection.rollback()
    schema.migrate(upgraded)
    with connect(upgraded) as connection:
        now = census.count(connection, list(before.values()))
    assert {name: table.rows for name, table in now.items()} == {name: table.rows for name, table in rows.items()}
