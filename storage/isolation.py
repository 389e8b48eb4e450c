"""Each commune sees its own rows, by the database's own rule and not by a filter that somebody may forget.

The API works as the role `voirie_api`, which owns nothing. A transaction says which communes it acts for
(`CommunePool`), and without saying so it sees none. Plain tables have a row security policy. TimescaleDB's columnstore
and PostgreSQL's row security exclude each other (timescaledb issue 6827), and a view reads with the rights of its
owner: both kinds are seen through a view of the same name in the schema `commune_only`, which stands first in the
role's search path, while the role has no right on what lies behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from storage.database import Connection, statement, together
from storage.errors import SchemaError
from storage.time_series import TIME_TABLES

ROLE = "voirie_api"
VIEWS_SCHEMA = "commune_only"

_DECLARED: tuple[LiteralString, ...] = ("SELECT", "INSERT")
_CHANGED: tuple[LiteralString, ...] = ("SELECT", "INSERT", "UPDATE")
_KEPT: tuple[LiteralString, ...] = ("SELECT", "INSERT", "UPDATE", "DELETE")

WRITABLE: Mapping[str, tuple[LiteralString, ...]] = MappingProxyType(
    {
        # Declared once: what crews said and who changed a device is never changed or deleted through the API.
        "service_event": _DECLARED,
        "service_withdrawal": _DECLARED,
        "device_change": _DECLARED,
        "kerb_check_event": _DECLARED,
        "plan_audit": _DECLARED,
        "audit_note": _DECLARED,
        "kerb_change": _DECLARED,
        "plan_request": _DECLARED,
        "plan_version": ("SELECT", "UPDATE"),
        "kerb_check": ("SELECT", "INSERT", "UPDATE"),
        "former_round": _KEPT,
        "bin": ("SELECT", "UPDATE"),
        "bin_rule": _KEPT,
        "vehicle_rule": _KEPT,
        "disposal_rule": _KEPT,
        "vehicle_event": _DECLARED,
        "vehicle_position": ("SELECT", "INSERT", "UPDATE"),
        "town_event": _KEPT,
        "place": _KEPT,
        "delivery_bay": _KEPT,
        "parking_space": _KEPT,
        "kerb_place": _KEPT,
        "rule_set": _KEPT,
        "device": _KEPT,
        "mounting": _KEPT,
        "commune": ("SELECT", "UPDATE"),
        "review_due": _KEPT,
        "session_due": _KEPT,
        "displaced_reading": _KEPT,
        # A device's place told late moves the readings that came meanwhile.
        "fill_reading": _KEPT,
        "occupancy_reading": _KEPT,
        "reviewed_level": ("SELECT", "DELETE"),
    }
)
"""What the API may do beside reading, by table. Everything else is the work of collectors and workers."""


IDENTITY: Mapping[str, tuple[LiteralString, ...]] = MappingProxyType(
    {
        # Made at somebody's first log-in by the provider.
        "account": _CHANGED,
        "account_grant": ("SELECT", "INSERT", "DELETE"),
        "account_identity": _KEPT,
        "login_session": _KEPT,
        "login_failure": _KEPT,
        "login_half": _KEPT,
        "second_factor": _KEPT,
        "territory": ("SELECT",),
        "territory_commune": ("SELECT",),
        "territory_grant": ("SELECT",),
        "api_key": _CHANGED,
    }
)
"""What is seen only by a transaction that asks who somebody is, and what the API may do there."""


_BEGIN: Mapping[bool, LiteralString] = MappingProxyType(
    {True: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", False: "BEGIN"}
)
"""How a transaction begins that only reads, and one that writes."""


class CommunePool:
    """The API's connections. Each of their transactions is of the role which owns nothing, for named communes."""

    def __init__(self, pool: ConnectionPool[Connection], *, wait_s: float) -> None:
        self._pool = pool
        self._wait_s = wait_s

    @contextmanager
    def transaction(self, communes: Sequence[str], *, read_only: bool = True) -> Iterator[Connection]:
        """Yield a transaction that sees the rows of `communes` (INSEE codes) and of nobody else.

        A read sees one moment of the database through all its queries, and cannot write by mistake. Raises SchemaError
        when the database was not migrated, psycopg_pool.PoolTimeout when no connection comes free.
        """
        with self._pool.connection(timeout=self._wait_s) as connection:
            with _opening(connection, communes, begin=_BEGIN[read_only]):
                pass
            yield connection

    @contextmanager
    def answered(
        self, communes: Sequence[str], query: LiteralString, parameters: Mapping[str, Any], *, read_only: bool = True
    ) -> Iterator[tuple[Connection, DictRow | None]]:
        """Yield a `transaction` and the first row of its first query, which goes to the database with its beginning."""
        with self._pool.connection(timeout=self._wait_s) as connection:
            with connection.cursor(row_factory=dict_row) as cursor:
                with _opening(connection, communes, begin=_BEGIN[read_only]):
                    cursor.execute(query, parameters)
                first = cursor.fetchone()
            yield connection, first

    @contextmanager
    def identity(self, communes: Sequence[str] = ()) -> Iterator[Connection]:
        """Yield a transaction that sees who may do what (`IDENTITY`), and the rows of `communes`, otherwise none's.

        Raises as `transaction` does.
        """
        with self._pool.connection(timeout=self._wait_s) as connection:
            with _opening(connection, communes, begin=_BEGIN[False]):
                connection.execute(statement("isolation", "identify"))
            yield connection

    def identified(self, query: LiteralString, parameters: Mapping[str, Any]) -> DictRow | None:
        """Return the first row of a query about who may do what: all of an `identity` in one round trip.

        What is sent together without BEGIN is one transaction (PostgreSQL's manual, "Pipelining").
        """
        with (
            self._pool.connection(timeout=self._wait_s) as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            with _opening(connection, (), begin=None):
                connection.execute(statement("isolation", "identify"))
                cursor.execute(query, parameters)
            return cursor.fetchone()

    @staticmethod
    def act_for(connection: Connection, communes: Sequence[str]) -> None:
        """Let the transaction see the rows of `communes` from now on. Raises SchemaError without the role."""
        with _opening(connection, communes, begin=None):
            pass

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


@contextmanager
def _opening(connection: Connection, communes: Sequence[str], *, begin: LiteralString | None) -> Iterator[None]:
    """Begin to act for `communes`, in one round trip with what the block sends. Raises SchemaError without the role."""
    try:
        with together(connection):
            if begin is not None:
                connection.execute(begin)
            connection.execute(
                statement("isolation", "act_for"),
                {"role": ROLE, "search_path": f"{VIEWS_SCHEMA}, public", "communes": ",".join(communes)},
            )
            yield
    except psycopg.errors.InvalidParameterValue as error:
        raise SchemaError from error


def withdraw(connection: Connection) -> None:
    """Drop the views of `commune_only`, so that a migration may change what they stand on; part of its transaction."""
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(VIEWS_SCHEMA)))


def apply(connection: Connection) -> None:
    """Isolate every table and view that carries a commune, as the last step of a migration and in its transaction.

    Raises SchemaError when the role is missing and may not be created by who migrates.
    """
    have_role(connection)
    _be_member(connection)
    for command in ("create_function", "create_directory", "create_schema", "grant_usage"):
        connection.execute(statement("isolation", command))
    for name, is_table in connection.execute(statement("isolation", "relations")).fetchall():
        if name in IDENTITY:
            continue
        if is_table and name not in TIME_TABLES:
            _isolate_table(connection, name)
        else:
            _isolate_by_view(connection, name)
    for name, rights in IDENTITY.items():
        _keep_for_identity(connection, name, rights)
    if connection.execute(statement("isolation", "has_table"), {"name": "audit_note"}).fetchone() is not None:
        connection.execute(statement("isolation", "drop_notes_of_installation"))
        connection.execute(statement("isolation", "let_notes_of_installation"))


def _keep_for_identity(connection: Connection, name: str, rights: Sequence[LiteralString]) -> None:
    if connection.execute(statement("isolation", "has_table"), {"name": name}).fetchone() is None:
        return  # a database on its way to this version
    named, role = sql.Identifier(name), sql.Identifier(ROLE)
    connection.execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(named))
    for policy in ("commune_only", "identity_only"):
        connection.execute(sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(sql.Identifier(policy), named))
    connection.execute(
        sql.SQL(
            "CREATE POLICY identity_only ON {} TO {} USING (voirie_identity()) WITH CHECK (voirie_identity())"
        ).format(named, role)
    )
    connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(named, role))
    connection.execute(
        sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(", ").join(sql.SQL(right) for right in rights), named, role)
    )


def have_role(connection: Connection) -> None:
    """Make the API's role where the server has none. Raises SchemaError with the remedy when the user may not."""
    if connection.execute(statement("isolation", "has_role"), {"role": ROLE}).fetchone() is not None:
        return
    try:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(ROLE)))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        pass  # another database of the same server was migrated at the same moment
    except psycopg.errors.InsufficientPrivilege as error:
        raise SchemaError(_remedy(connection)) from error


def _be_member(connection: Connection) -> None:
    if _may_act(connection):
        return
    try:
        with connection.transaction():
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(ROLE)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise SchemaError(_remedy(connection)) from error


def _may_act(connection: Connection) -> bool:
    row = connection.execute(statement("isolation", "may_act"), {"role": ROLE}).fetchone()
    return bool(row and row[0])


def _remedy(connection: Connection) -> str:
    user = connection.info.user
    return (
        f"the API works as the role {ROLE}, which is missing or not granted, and {user} may not create roles: as the "
        f"server's administrator run `CREATE ROLE {ROLE} NOLOGIN;` if it is missing, then `GRANT {ROLE} TO {user};`"
    )


_MINE = sql.SQL("commune_insee = ANY ((SELECT voirie_communes())::text[])")


def _isolate_table(connection: Connection, name: str) -> None:
    named, role = sql.Identifier(name), sql.Identifier(ROLE)
    if connection.execute(statement("isolation", "has_policy"), {"name": name}).fetchone() is None:
        connection.execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(named))
        connection.execute(
            sql.SQL("CREATE POLICY commune_only ON {} TO {} USING ({}) WITH CHECK ({})").format(
                named, role, _MINE, _MINE
            )
        )
    _grant(connection, name, named)


def _isolate_by_view(connection: Connection, name: str) -> None:
    named = sql.Identifier(VIEWS_SCHEMA, name)
    connection.execute(
        sql.SQL("CREATE VIEW {} WITH (security_barrier) AS SELECT * FROM {} WHERE {}{}").format(
            named,
            sql.Identifier(name),
            _MINE,
            sql.SQL(" WITH CHECK OPTION" if name in WRITABLE else ""),
        )
    )
    connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(name), sql.Identifier(ROLE)))
    _grant(connection, name, named)


def _grant(connection: Connection, name: str, named: sql.Identifier) -> None:
    rights = sql.SQL(", ").join(sql.SQL(right) for right in WRITABLE.get(name, ("SELECT",)))
    role = sql.Identifier(ROLE)
    connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(named, role))
    connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(rights, named, role))
