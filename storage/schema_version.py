"""Which schema a database has and which one this code needs.

Every process asks; only `voirie migrate` needs what makes schemas, which takes a second to import (`storage.schema`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from psycopg import sql

from storage.database import Connection, connect
from storage.errors import SchemaError

OLDEST_CODE = "0020"
"""The schema that the oldest code knows which still works on this one: while a version replaces another, both run.

A migration only adds: tables, columns that are null or have a default, values that old code never meets. One that takes
something away, or asks more of who writes, raises this to its own number (and old processes must be stopped for it);
better, it comes a release after the code that no longer needs what goes.
"""

_OLDEST = "oldest code: "


@cache
def head_version() -> str:
    """Return the version of the schema that this code needs: the last revision's, by which its file begins."""
    revisions = (files("storage") / "migrations" / "versions").iterdir()
    return max(name.split("_")[0] for name in (file.name for file in revisions) if name.endswith(".py"))


def current_version(url: str) -> str | None:
    """Return the version of the schema that the database at `url` has, None when it has none."""
    with connect(url) as connection:
        return _found_version(connection) if _has_table(connection) else None


def require_schema(connection: Connection) -> None:
    """Raise SchemaError unless the database has the schema that this code needs, or a newer one that still bears it."""
    if not _has_table(connection):
        raise SchemaError
    found = _found_version(connection)
    if found is not None and found > head_version():
        oldest = _oldest_code(connection) or found
        if oldest <= head_version():
            return
        raise SchemaError(
            f"the database has schema {found}, which needs Voirie of schema {oldest} or newer; this one is of "
            f"{head_version()}: start the newer version"
        )
    if found != head_version():
        raise SchemaError(
            f"the database has schema {found or 'none'}, this version of Voirie needs {head_version()}: "
            "run `voirie migrate`"
        )


def _has_table(connection: Connection) -> bool:
    row = connection.execute("SELECT to_regclass('voirie_schema_version') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])


def _found_version(connection: Connection) -> str | None:
    row = connection.execute("SELECT version_num FROM voirie_schema_version").fetchone()
    return None if row is None else str(row[0])


def _oldest_code(connection: Connection) -> str | None:
    """Return the oldest code that the database's own schema bears, None when it does not say."""
    row = connection.execute("SELECT obj_description('voirie_schema_version'::regclass)").fetchone()
    told = None if row is None or row[0] is None else str(row[0])
    return told.removeprefix(_OLDEST) if told is not None and told.startswith(_OLDEST) else None


def say_oldest_code(connection: Connection) -> None:
    """Say in the database which old code this schema bears; part of the caller's transaction."""
    connection.execute(
        sql.SQL("COMMENT ON TABLE voirie_schema_version IS {}").format(sql.Literal(_OLDEST + OLDEST_CODE))
    )
