"""Connections, named SQL statements and typed rows. The nouns beside it build on it; nobody else opens SQL files."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any, LiteralString, cast

import aiosql
import msgspec
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import RowMaker, dict_row
from psycopg_pool import ConnectionPool

from storage.errors import UnavailableError

type Connection = psycopg.Connection[tuple[Any, ...]]

SQL_FOLDER = files("storage") / "sql"

# Times leave the database as UTC whatever the server's own zone is. Queries over many chunks look dear to the planner
# and are not: compiling one took 0.9 s of its 1.3. Late readings and retention reach into columnstore chunks, where
# TimescaleDB refuses to touch more than 100,000 rows by default; other servers ignore a name that they do not know.
# A server whose client fell silent finds out within a minute: until then the client's transaction would hold its locks,
# by the system's default for two hours.
_SESSION_OPTIONS = (
    "-c timezone=UTC -c client_min_messages=warning -c jit=off"
    " -c timescaledb.max_tuples_decompressed_per_dml_transaction=0"
    " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)
# The same the other way round, unless the URL says otherwise.
_NETWORK_PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


def connect(url: str, *, application: str = "voirie", autocommit: bool = False) -> Connection:
    """Open one connection. Raises UnavailableError when the server does not answer."""
    try:
        return psycopg.connect(
            patiently(url), application_name=application, options=_SESSION_OPTIONS, autocommit=autocommit
        )
    except psycopg.OperationalError as error:
        raise UnavailableError(f"the database does not answer: {error}") from error


def patiently(url: str) -> str:
    """Return the connection string with our patience where it states none."""
    stated = conninfo_to_dict(url)
    return make_conninfo(url, **{name: value for name, value in _NETWORK_PATIENCE.items() if name not in stated})


def open_pool(url: str, *, application: str = "voirie", max_size: int = 8) -> ConnectionPool[Connection]:
    """Open a pool of connections; close it with its context manager.

    Each commits by itself what is not within a transaction that its borrower began; returning it ends that one.
    """
    pool: ConnectionPool[Connection] = ConnectionPool(
        patiently(url),
        min_size=1,
        max_size=max_size,
        open=False,
        kwargs={"application_name": application, "options": _SESSION_OPTIONS, "autocommit": True},
        check=_check,
    )
    pool.open()
    return pool


def _check(connection: Connection) -> None:
    """Raise psycopg.OperationalError when the server is gone. Asks it only where its line has something to say.

    A server that ends closes its lines, and one that fell silent is found out by the system within a minute.
    """
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    if watched.poll(0):
        ConnectionPool.check_connection(connection)


@contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Send the queries of the block in one go and read their cursors after it. Raises what the first wrong one does."""
    with connection.pipeline():
        yield


@cache
def _queries(noun: str) -> Any:
    text = (SQL_FOLDER / "queries" / f"{noun}.sql").read_text(encoding="utf-8")
    return aiosql.from_str(text, "psycopg", mandatory_parameters=False)


@cache
def statement(noun: str, name: str) -> LiteralString:
    """Return the SQL of query `name` in `sql/queries/<noun>.sql`, with psycopg's placeholders."""
    # The text comes from a file of this package, never from outside: that is what LiteralString asserts.
    return cast("LiteralString", getattr(_queries(noun), name).sql)


def typed_row[T](kind: type[T]) -> Callable[[psycopg.Cursor[Any]], RowMaker[T]]:
    """Return a row factory that makes each row a `kind` (a dataclass of storage.model), enums and tuples included."""

    def factory(cursor: psycopg.Cursor[Any]) -> RowMaker[T]:
        make_dict = dict_row(cursor)

        def make(values: Sequence[Any]) -> T:
            return msgspec.convert(make_dict(values), kind, strict=False)

        return make

    return factory


def ask[T](
    connection: Connection, kind: type[T], query: LiteralString, parameters: dict[str, Any]
) -> psycopg.Cursor[T]:
    """Run `query`, whose rows will come as `kind`: for what is sent `together` and read afterwards."""
    return connection.cursor(row_factory=typed_row(kind)).execute(query, parameters)


def fetch[T](connection: Connection, kind: type[T], query: LiteralString, parameters: dict[str, Any]) -> list[T]:
    """Run `query` and return its rows as `kind`."""
    with connection.cursor(row_factory=typed_row(kind)) as cursor:
        return cursor.execute(query, parameters).fetchall()


def fetch_one[T](connection: Connection, kind: type[T], query: LiteralString, parameters: dict[str, Any]) -> T | None:
    """Run `query` and return its first row as `kind`, or None."""
    with connection.cursor(row_factory=typed_row(kind)) as cursor:
        return cursor.execute(query, parameters).fetchone()


def has_timescaledb(connection: Connection) -> bool:
    """Whether this database has the TimescaleDB extension."""
    row = connection.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')").fetchone()
    return bool(row and row[0])
