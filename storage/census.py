"""What a database holds, counted and summed up, so that a restored one can be compared with it.

The digest of a table is the sum over its rows of the first 63 bits of the MD5 of the row's text: it does not depend on
the rows' order, and sees a row that is lost, doubled or altered. It protects against accidents, not against forgers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql

from storage.database import Connection, fetch, statement
from storage.time_series import LIVE_VIEWS


@dataclass(frozen=True, kw_only=True, slots=True)
class TableCensus:
    """How many rows a table or view has, and what a table's come to (`digest`, a decimal number).

    A view's are made anew at each look, and sums of fractions may end otherwise: it has no digest.
    """

    rows: int
    digest: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """A table or view that is counted."""

    schema_name: str
    table_name: str
    is_view: bool

    @property
    def name(self) -> str:
        """By what it is told."""
        return f"{self.schema_name}.{self.table_name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """The TimescaleDB of a database: its version, and the license that decides what it offers."""

    version: str
    license: str


def hold_still(connection: Connection) -> None:
    """Begin a transaction that sees one moment of the database; the connection must be in none."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(statement("census", "make_text_comparable"))


def export_snapshot(connection: Connection) -> str:
    """Return the name by which another process sees the same moment, until this transaction ends."""
    row = connection.execute(statement("census", "export_snapshot")).fetchone()
    assert row is not None
    return str(row[0])


def tables(connection: Connection) -> list[Counted]:
    """Return all tables, what continuous aggregates hold, and the live views."""
    found = fetch(connection, Counted, statement("census", "tables"), {"live_views": list(LIVE_VIEWS)})
    if timescaledb(connection) is not None:
        rows = connection.execute(statement("census", "materialized"))
        found += [Counted(schema_name=schema, table_name=table, is_view=view) for schema, table, view in rows]
    return found


def count(
    connection: Connection, what: Sequence[Counted], *, progress: Callable[[str, int], None] | None = None
) -> Mapping[str, TableCensus]:
    """Count these, by name; `progress` hears each name before it is counted and how many are done."""
    found = {}
    for done, counted in enumerate(what):
        if progress is not None:
            progress(counted.table_name, done)
        query = _COUNT_ROWS if counted.is_view else _COUNT
        row = connection.execute(query.format(sql.Identifier(counted.schema_name, counted.table_name))).fetchone()
        assert row is not None
        found[counted.name] = TableCensus(rows=row[0], digest=None if row[1] is None else str(row[1]))
    return found


_COUNT_ROWS = sql.SQL("SELECT count(*), NULL FROM {}")
_COUNT = sql.SQL(
    "SELECT count(*), coalesce(sum(('x' || left(md5(counted::text), 16))::bit(64)::bigint & 9223372036854775807), 0) "
    "FROM {} AS counted"
)


def strangers(connection: Connection) -> list[str]:
    """Return up to three things that make the database not an empty one."""
    return [str(name) for (name,) in connection.execute(statement("census", "strangers"))]


def owners(connection: Connection) -> list[str]:
    """Return the roles that own something of ours."""
    return [str(name) for (name,) in connection.execute(statement("census", "owners"))]


def missing_roles(connection: Connection, names: list[str]) -> list[str]:
    """Return those of the names that are no role of this server."""
    rows = connection.execute(statement("census", "roles_that_are_missing"), {"names": names})
    return [str(name) for (name,) in rows]


def is_superuser(connection: Connection) -> bool:
    """Whether this connection may do everything on its server."""
    row = connection.execute(statement("census", "is_superuser")).fetchone()
    return bool(row and row[0])


def timescaledb(connection: Connection) -> Extension | None:
    """Return the database's TimescaleDB, None where it has none."""
    row = connection.execute(statement("census", "timescaledb")).fetchone()
    return None if row is None else Extension(version=row[0], license=row[1] or "unknown")


def offered_license(connection: Connection) -> str | None:
    """Return the license under which the server runs TimescaleDB, None where it does not."""
    row = connection.execute(statement("census", "license")).fetchone()
    return None if row is None else row[0]


@contextmanager
def restoring(connection: Connection, version: str) -> Iterator[None]:
    """Create this version of TimescaleDB and hold it in the state in which its catalogue can be restored."""
    connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS timescaledb VERSION {}").format(sql.Literal(version)))
    connection.execute(statement("census", "begin_restore"))
    try:
        yield
    finally:
        connection.execute(statement("census", "end_restore"))


def timescaledb_versions(connection: Connection) -> list[str]:
    """Return the versions of TimescaleDB that the server could create."""
    return [str(version) for (version,) in connection.execute(statement("census", "timescaledb_versions"))]
