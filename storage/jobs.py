"""The job queue's signs of life. The queue itself is Procrastinate's; nobody else reads its tables."""

from __future__ import annotations

from datetime import datetime

from storage.database import Connection, statement


def last_heartbeat(connection: Connection) -> datetime | None:
    """Return when a running worker last gave a sign of life, None when none runs."""
    row = connection.execute(statement("jobs", "last_heartbeat")).fetchone()
    return None if row is None else row[0]
