"""Commits of collectors, as others see them: by the notice that each transaction sends when it is committed."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from storage.database import Connection, connect
from storage.errors import UnavailableError

_PATIENCE_S = 60.0
_GLANCE_S = 0.25


class Commit(NamedTuple):
    """`at_s`: Unix seconds when the notice came. `collector`: the database's process that served the collector."""

    at_s: float
    stored: int
    collector: int


class _Notice(msgspec.Struct, frozen=True):
    kind: str
    stored: int = 0


class CommitWatch:
    """Hears of every commit from now on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        connection.execute("LISTEN voirie_live")

    def until(
        self, stored: int, *, at_first: Callable[[], None] = lambda: None, check: Callable[[], None] = lambda: None
    ) -> list[Commit]:
        """Return the commits up to the one that completes `stored` readings.

        `at_first` is called at the first; `check` now and then, to raise when there is nothing to wait for. Raises
        UnavailableError when nothing is committed for a minute.
        """
        commits: list[Commit] = []
        seen, heard_s = 0, time.monotonic()
        while seen < stored:
            check()
            for notify in self._connection.notifies(timeout=_GLANCE_S, stop_after=1):
                notice = msgspec.json.decode(notify.payload, type=_Notice)
                if notice.kind != "readings":
                    continue
                if not commits:
                    at_first()
                commits.append(Commit(time.time(), notice.stored, notify.pid))
                seen, heard_s = seen + notice.stored, time.monotonic()
            if time.monotonic() - heard_s > _PATIENCE_S:
                raise UnavailableError(
                    f"{seen} of {stored} readings were stored, then nothing for {_PATIENCE_S:.0f} s: {self._why()}"
                )
        return commits

    def _why(self) -> str:
        row = self._connection.execute("SELECT count(*), min(reason || ': ' || detail) FROM refused_message").fetchone()
        return f"{row[0]} messages were refused, such as {row[1]}" if row and row[0] else "no message was refused"


@contextmanager
def watch_commits(url: str) -> Iterator[CommitWatch]:
    """Listen to the commits of the database at `url`."""
    with connect(url, application="voirie bench", autocommit=True) as connection:
        yield CommitWatch(connection)


def rate_per_s(commits: Sequence[Commit]) -> float:
    """Return the readings a second while all collectors were at work.

    From the first commit of the last to start to the last commit of the first to end; the first commit's own readings
    were read before and do not count. When they were hardly at work together: from the first commit to the last.
    """
    moments: defaultdict[int, list[float]] = defaultdict(list)
    for commit in commits:
        moments[commit.collector].append(commit.at_s)
    began_s = max(times[0] for times in moments.values())
    ended_s = min(times[-1] for times in moments.values())
    together = sum(commit.stored for commit in commits if began_s < commit.at_s <= ended_s)
    if 2 * together >= sum(commit.stored for commit in commits):
        return together / (ended_s - began_s)
    took_s = commits[-1].at_s - commits[0].at_s
    return sum(commit.stored for commit in commits[1:]) / took_s if took_s > 0 else 0.0
