"""The matrix's own databases on a server: one template with the town, a copy for each row, all dropped at the end."""

from __future__ import annotations

import contextlib
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cli.fault_matrix.servers import Server
from cli.fault_matrix.town import Town
from storage.errors import UnavailableError
from storage.schema import migrate

_TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


class Databases:
    """Makes and drops databases on one server; use it as a context manager."""

    def __init__(self, server: Server, town: Town) -> None:
        self._server = server
        self._town = town
        self._prefix = f"voirie_faults_{town.run}"
        self._template = f"{self._prefix}_town"
        self._made: list[str] = []

    def __enter__(self) -> Self:
        """Make the template. Raises UnavailableError when the server admits no new databases."""
        try:
            self._create(self._template)
            url = self._server.url(self._template)
            migrate(url)
            self._town.provision(url)
            with self._administrator() as connection:
                # A template must have no guests, and TimescaleDB's scheduler visits every database that admits any.
                connection.execute(
                    sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(self._template))
                )
                connection.execute(_TERMINATE, [self._template])
        except psycopg.Error as error:
            self._drop_all()
            raise UnavailableError(f"the matrix cannot make a database of its own on this server: {error}") from error
        except BaseException:
            self._drop_all()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._drop_all()

    def make(self, row: str) -> str:
        """Return the name of a new database with the town in it."""
        name = f"{self._prefix}_{row}"
        self._create(name, template=self._template)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        with self._administrator() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.remove(name)

    def _create(self, name: str, *, template: str | None = None) -> None:
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with self._administrator() as connection:
            connection.execute(statement)
        self._made.append(name)

    def _drop_all(self) -> None:
        for name in reversed(self._made.copy()):
            with contextlib.suppress(psycopg.Error):
                self.drop(name)

    def _administrator(self) -> psycopg.Connection:
        return psycopg.connect(self._server.url(), autocommit=True)


def name_of(url: str) -> str:
    """Return the database that a connection string names."""
    return str(conninfo_to_dict(make_conninfo(url))["dbname"])
