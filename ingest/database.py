"""The collector's connection to the database: durable, bounded in time, and alone.

A commit that the server answers before it is on its disk would be acknowledged and then lost in a crash. A network that
swallows everything answers never: TCP's own patience is hours. And a transaction that such a network leaves behind on
the server holds the keys of its rows, on which the next attempt would wait as long.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from storage.database import Connection, connect
from storage.errors import UnavailableError
from storage.schema_version import require_schema

log = structlog.get_logger()

_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
# A number may belong to another session by now: only one of ours is ended.
_END_PREDECESSOR = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = %s AND pid <> pg_backend_pid() AND usename = current_user AND application_name = %s
    AND datname = current_database()
"""
# PostgreSQL cuts longer names.
_LONGEST_NAME = 63


class CollectorDatabase:
    """Opens the connection when it is needed, and gives up what takes longer than `patience_s`."""

    def __init__(self, url: str, *, client_id: str, patience_s: float) -> None:
        self._url = url
        self._application = f"voirie collect {client_id}"[:_LONGEST_NAME]
        self._patience_s = patience_s
        self._connection: Connection | None = None
        self._backend_pid: int | None = None
        # Held while the watching thread cuts a connection, so that it is not another's by then.
        self._lock = threading.Lock()
        self._watched = False
        self._expired = False

    def connection(self) -> Connection:
        """Return the connection, opened and checked if it is new. Raises UnavailableError or SchemaError."""
        if self._connection is None:
            connection = connect(self._url, application=self._application)
            with self._lock:
                self._connection = connection
                expired = self._expired
            if expired:
                raise UnavailableError("the database took too long to answer")
            require_schema(connection)
            connection.execute(_DURABLE)
            connection.execute(_END_PREDECESSOR, [self._backend_pid, self._application])
            # Its own transaction: a rollback would take the setting back.
            connection.commit()
            self._backend_pid = connection.info.backend_pid
        return self._connection

    def drop(self) -> None:
        """Close the connection; the next one is new."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def patience(self) -> Iterator[None]:
        """Cut the connection when the block takes too long: whatever waits on it fails, and can be tried again."""
        timer = threading.Timer(self._patience_s, self._cut)
        timer.daemon = True
        with self._lock:
            self._watched, self._expired = True, False
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                self._watched = self._expired = False

    def _cut(self) -> None:
        with self._lock:
            if not self._watched:
                return
            self._expired = True
            if self._connection is None or self._connection.closed:
                return
            log.warning("database_silent", seconds=self._patience_s)
            # A copy of the descriptor: closing the original under psycopg would leave it another's number.
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
