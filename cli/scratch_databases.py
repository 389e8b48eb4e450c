"""Databases that a command makes for itself beside others' on a server, and drops whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql

from storage import schema
from storage.errors import InputError, UnavailableError

_END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@contextmanager
def administrator(url: str) -> Iterator[psycopg.Connection]:
    """Connect to make or drop databases. Raises UnavailableError, or InputError when the role may not."""
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise UnavailableError(f"the database does not answer: {error}") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise InputError(
            "--database: databases are made beside the one named and dropped afterwards; name a role with CREATEDB"
        ) from error
    except psycopg.ProgrammingError as error:
        raise InputError(f"--database: {error}") from error


@contextmanager
def scratch_database(server_url: str, name: str, *, template: str | None = None) -> Iterator[None]:
    """Make a database, and drop it whoever is connected; a server that is gone takes it along."""
    source = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
    with administrator(server_url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}{}").format(sql.Identifier(name), source))
    try:
        yield
    finally:
        with suppress(psycopg.Error, UnavailableError), administrator(server_url) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def scratch_template(server_url: str, name: str, *, url: str, prepare: Callable[[str], None]) -> Iterator[None]:
    """Make a migrated database that `scratch_database` can copy; `url` is the way to it, `prepare` fills it."""
    with scratch_database(server_url, name):
        schema.migrate(url)
        prepare(url)
        with administrator(server_url) as connection:
            # A template must have no guests, and TimescaleDB's scheduler visits every database that admits any.
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            connection.execute(_END_SESSIONS, [name])
        yield
