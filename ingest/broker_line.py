"""How a collector's line to its broker stands, told to the database for whoever looks after the installation.

By the thread that commits, between batches: on the same connection, and never in the way of one for long. A database
that does not answer is told again with the next turn, and learns then since when the line stands or is gone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from ingest.database import CollectorDatabase
from ingest.refusal import quoted
from storage import broker_lines
from storage.broker_lines import ToldLine

log = structlog.get_logger()

_EVERY_S = 15.0
_AT_MOST_EVERY_S = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """The line at one moment. `waiting`: messages received and not committed; `lag_s`: the age of the eldest."""

    connected: bool
    subscribed: bool
    waiting: int
    lag_s: float


class BrokerLine:
    """What the collector's own thread sees of the line, and what the committing one tells of it."""

    def __init__(self, *, collector: str, broker: str, communes: Iterable[str]) -> None:
        self._collector = collector
        self._broker = broker
        self._communes = sorted(set(communes))
        self._seen = Seen(connected=False, subscribed=False, waiting=0, lag_s=0.0)
        self._since_s = time.monotonic()
        self._told: Seen | None = None
        self._told_s = time.monotonic() - _EVERY_S
        self._telling = False
        self._failed = False

    def see(self, seen: Seen) -> None:
        """Note how the line stands now."""
        if seen.connected is not self._seen.connected:
            self._since_s = time.monotonic()
        self._seen = seen

    @property
    def is_due(self) -> bool:
        """Whether the database should be told: once in a while, and soon after a connection came or went."""
        if self._telling:
            return False
        known, seen, ago_s = self._told, self._seen, time.monotonic() - self._told_s
        changed = known is None or (known.connected, known.subscribed) != (seen.connected, seen.subscribed)
        return ago_s >= (_AT_MOST_EVERY_S if changed else _EVERY_S)

    def about_to_be_told(self) -> None:
        """Note that `tell` is on its way: batches may come before it."""
        self._telling = True

    def tell(self, database: CollectorDatabase) -> None:
        """Tell the database; what it does not take is told another time."""
        seen, now_s = self._seen, time.monotonic()
        self._told_s = now_s
        line = ToldLine(
            collector=self._collector,
            broker=self._broker,
            connected=seen.connected,
            subscribed=seen.subscribed,
            held_s=now_s - self._since_s,
            waiting=seen.waiting,
            lag_s=seen.lag_s,
        )
        try:
            with database.patience():
                connection = database.connection()
                broker_lines.tell(connection, self._communes, line)
                connection.commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, messages matter more; the next batch finds out, too
            database.drop()
            if not self._failed:
                log.warning("broker_line_not_told", error=quoted(str(error)))
            self._failed = True
        else:
            self._told, self._failed = seen, False
        finally:
            self._telling = False
