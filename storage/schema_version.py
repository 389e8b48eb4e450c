"""Which schema a database has and which one this code needs.

Every process asks; only `voirie migrate` needs what makes schemas, which takes a second to import (`storage.schema`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from storage.database import Connection, connect
from storage.errors import SchemaError


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
    """Raise SchemaError unless the database has exactly the schema that this code needs."""
    if not _has_table(connection):
        raise SchemaError
    found = _found_version(connection)
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
