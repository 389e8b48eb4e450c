"""What the database says of a collector that is in the middle of something, and a hand on the brake."""

from __future__ import annotations

from contextlib import suppress
from typing import Self

import psycopg

from cli.fault_matrix.errors import NotProducedError
from cli.fault_matrix.waiting import wait

_PATIENCE_S = 30.0
_COMMIT_LOCK = 0x66617565
_AT_COMMIT = f"""
CREATE FUNCTION faults_wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({_COMMIT_LOCK});
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER faults_wait_at_commit AFTER INSERT ON intake_batch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION faults_wait_at_commit();
"""
# A collector that waits for a lock after it has written rows: its transaction has a number from the first row on.
_STUCK = """
SELECT pid, backend_xid::text::bigint FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'voirie collect%'
    AND wait_event_type = 'Lock' AND backend_xid IS NOT NULL
"""
# A transaction's number with its epoch, which pg_stat_activity leaves out.
_STATUS = """
SELECT pg_xact_status(
    (((pg_snapshot_xmax(pg_current_snapshot())::text::bigint >> 32) << 32) | %s)::text::xid8
)
"""


class Brake:
    """Holds collectors in the middle of their transactions until released; use it as a context manager."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def release(self) -> None:
        """Let them go on. The brake may have been lost with the server."""
        with suppress(psycopg.Error):
            self._connection.close()

    @property
    def lost(self) -> bool:
        """Whether the server ended this session too."""
        try:
            self._connection.execute("SELECT")
        except psycopg.OperationalError:
            return True
        return False


class Observer:
    """Looks into one database, directly: no proxy stands between."""

    def __init__(self, url: str) -> None:
        self._url = url

    def connect(self) -> psycopg.Connection:
        """Open a connection of our own."""
        return psycopg.connect(self._url, autocommit=True, application_name="voirie faults")

    def brake_in_transaction(self) -> Brake:
        """Stop collectors where they write their ledger: the readings are written, nothing is committed."""
        connection = self.connect()
        connection.autocommit = False
        connection.execute("LOCK TABLE intake_batch IN ACCESS EXCLUSIVE MODE")
        return Brake(connection)

    def prepare_brake_at_commit(self) -> None:
        """Make `brake_at_commit` possible in this database."""
        with self.connect() as connection:
            connection.execute(_AT_COMMIT)

    def brake_at_commit(self) -> Brake:
        """Stop collectors in the middle of COMMIT."""
        connection = self.connect()
        connection.execute("SELECT pg_advisory_lock(%s)", [_COMMIT_LOCK])
        return Brake(connection)

    def stuck(self, collectors: int = 1) -> list[tuple[int, int]]:
        """Wait until so many collectors wait in their transactions; return (backend's pid, transaction) of each."""
        with self.connect() as connection:
            found: list[tuple[int, int]] = []

            def enough() -> bool:
                found[:] = connection.execute(_STUCK).fetchall()
                return bool(len(found) >= collectors)

            if not wait(enough, patience_s=_PATIENCE_S):
                raise NotProducedError(f"{len(found)} of {collectors} collectors were caught in a transaction")
            return found

    def aborted(self, transaction: int) -> bool:
        """Wait until the transaction has ended; return whether it was rolled back."""
        with self.connect() as connection:
            status: str = ""

            def ended() -> bool:
                nonlocal status
                (status,) = connection.execute(_STATUS, [transaction]).fetchone() or ("",)
                return status != "in progress"

            ended_in_time: bool = wait(ended, patience_s=_PATIENCE_S)
            return ended_in_time and status == "aborted"

    def terminate(self, pid: int) -> None:
        """End a backend as an administrator does."""
        with self.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])

    def answers(self) -> bool:
        """Whether the database takes connections."""
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False
