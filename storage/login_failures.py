"""Tries to log in that failed, and how long no further one is looked at.

Kept as hashes of what was tried, whether there is such a name or not, so that they tell nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.database import Connection, statement

FREE_TRIES = 5
FREE_TRIES_OF_ADDRESS = 30
"""A town hall's people may all come from one address."""

_FIRST_DELAY = timedelta(seconds=30)
_LONGEST_DELAY = timedelta(hours=1)
_FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A log-in that was not admitted, whether or not there is such an account; for `wait` no try is looked at.

    `unlooked`: neither was this one.
    """

    wait: timedelta = timedelta(0)
    unlooked: bool = False


def subject(kind: str, what: str) -> bytes:
    """Return what failures of `what` are counted under."""
    return hashlib.sha256(f"{kind}:{what}".encode("utf-8", "surrogatepass")).digest()


def wait(connection: Connection, subjects: Mapping[bytes, int], *, now: datetime) -> timedelta:
    """Return how long no try is looked at, given how many failures each subject has free.

    From then on each further one doubles the time, up to an hour.
    """
    longest = timedelta(0)
    rows = connection.execute(statement("accounts", "failures"), {"subjects": list(subjects)}).fetchall()
    for counted, failures, failed_at in rows:
        beyond = failures - subjects[bytes(counted)]
        if beyond >= 0 and failed_at > now - _FORGOTTEN:
            delay = min(_FIRST_DELAY * 2 ** min(beyond, 20), _LONGEST_DELAY)
            longest = max(longest, failed_at + delay - now)
    return longest


def fail(connection: Connection, subjects: Iterable[bytes], *, now: datetime) -> None:
    """Count one failure of each subject; those of more than a day ago no longer count."""
    for counted in subjects:
        connection.execute(
            statement("accounts", "fail"), {"subject": counted, "now": now, "forgotten": now - _FORGOTTEN}
        )


def succeed(connection: Connection, counted: bytes, *, now: datetime) -> None:
    """Forget the failures of `counted`, and those of anybody that are older than a day."""
    connection.execute(statement("accounts", "succeed"), {"subjects": [counted], "forgotten": now - _FORGOTTEN})
