"""Numbers for processes of one kind that run beside each other: each number is one process's, as long as it lives."""

from __future__ import annotations

from storage.database import Connection, statement

MOST_INSTANCES = 1000


def claim_lowest(connection: Connection, name: str) -> int | None:
    """Claim the lowest free number from 1 on for this connection; None when all are taken.

    The database frees it when the connection ends, however that comes. `connection` must be in autocommit mode.
    """
    return next((number for number in range(1, MOST_INSTANCES + 1) if claim(connection, name, number)), None)


def claim(connection: Connection, name: str, number: int) -> bool:
    """Claim this number for this connection; False when another one has it."""
    row = connection.execute(statement("instances", "claim"), {"name": name, "number": number}).fetchone()
    return bool(row and row[0])


def end_session(connection: Connection, *, pid: int, application: str) -> None:
    """End the session that had the database's process `pid`, if it is still there and of this `application`."""
    connection.execute(statement("instances", "end_session"), {"pid": pid, "application": application})


def require_answer(connection: Connection) -> None:
    """Ask the database something, so that a connection that is gone is noticed."""
    connection.execute(statement("instances", "answers"))
