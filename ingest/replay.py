"""Refused messages judged again, with today's decoders, registry and rules, as of the time at which they came.

A message goes through the same `take_in_message` as on its first day. What it says now is stored by the readings' own
key, so that nothing is there twice, however often it is replayed and whoever stored a part of it before; what is still
refused keeps its row with today's reason. A batch is one transaction: readings and rows change together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
import structlog

from ingest.failures import is_fault_of_data
from ingest.intake import IntakeRules, Taken, refuse, take_in_message
from ingest.knowledge import Knowledge
from ingest.message import Message
from ingest.refusal import quoted
from ingest.topics import Network
from storage import readings, refusals
from storage.database import Connection
from storage.model import IntakeBatch, IntakeResult, RefusalReason, RefusedMessage
from storage.refusals import KeptRefusal, Selection

log = structlog.get_logger()

_MOST_ATTEMPTS = 5
_COLLECTOR = "replay"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayOptions:
    """What a replay judges with. A batch holds `batch_messages` messages, or fewer when they are large."""

    rules: IntakeRules
    batch_messages: int = 500
    batch_bytes: int = 8 * 1024 * 1024

    def __post_init__(self) -> None:
        for name in ("batch_messages", "batch_bytes"):
            if getattr(self, name) <= 0:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayReport:
    """What became of a replay.

    `messages` were judged again: `resolved` are refused no more, `refused` still are, for these reasons. `stored` and
    `duplicates` count readings and events. `without_network` were left: no network of their name takes messages now.
    """

    messages: int = 0
    resolved: int = 0
    stored: int = 0
    duplicates: int = 0
    refused: Mapping[RefusalReason, int] = field(default_factory=dict)
    without_network: int = 0

    def __add__(self, other: ReplayReport) -> ReplayReport:
        return ReplayReport(
            messages=self.messages + other.messages,
            resolved=self.resolved + other.resolved,
            stored=self.stored + other.stored,
            duplicates=self.duplicates + other.duplicates,
            refused=Counter(self.refused) + Counter(other.refused),
            without_network=self.without_network + other.without_network,
        )


def replay(
    connection: Connection,
    commune_insee: str,
    selection: Selection,
    options: ReplayOptions,
    *,
    dry_run: bool = False,
    progress: Callable[[ReplayReport], None] | None = None,
) -> ReplayReport:
    """Judge a commune's refused messages again, a batch a transaction; the connection must not be in one.

    Messages that come while it runs are not of it, nor those that another replay is looking at. With `dry_run`
    everything is done and nothing is kept. `progress` hears the sums after each batch.
    """
    if connection.autocommit:
        raise ValueError("expected a connection without autocommit: a batch is one transaction")
    knowledge = Knowledge([commune_insee])
    last = refusals.last_id(connection, commune_insee)
    connection.commit()
    total, after = ReplayReport(), 0
    while True:
        batch = _Batch(connection, commune_insee, selection, options, knowledge)
        done, reached = batch.tried(after=after, last=last, dry_run=dry_run)
        if reached is None:
            return total
        total, after = total + done, reached
        if progress is not None:
            progress(total)


@dataclass(kw_only=True, slots=True)
class _Judged:
    """A message with its rows and what it says today."""

    message: Message
    rows: list[KeptRefusal]
    taken: Taken

    @property
    def given(self) -> int:
        """How many readings and events it gave."""
        return len(self.taken.fill_readings) + len(self.taken.occupancy_readings) + len(self.taken.device_events)


class _Batch:
    """The next refused messages of a selection, in one transaction."""

    def __init__(
        self,
        connection: Connection,
        commune_insee: str,
        selection: Selection,
        options: ReplayOptions,
        knowledge: Knowledge,
    ) -> None:
        self._connection = connection
        self._commune_insee = commune_insee
        self._selection = selection
        self._options = options
        self._knowledge = knowledge

    def tried(self, *, after: int, last: int, dry_run: bool) -> tuple[ReplayReport, int | None]:
        """Do the batch, again if a collector or another replay came between; return how far it reached."""
        for attempt in range(1, _MOST_ATTEMPTS + 1):
            try:
                done = self._do(after=after, last=last)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation) as error:
                self._connection.rollback()
                if attempt == _MOST_ATTEMPTS:
                    raise
                log.info("replay_tried_again", attempt=attempt, error=type(error).__name__)
            except BaseException:
                self._connection.rollback()
                raise
            else:
                if dry_run:
                    self._connection.rollback()
                else:
                    self._connection.commit()
                return done
        raise AssertionError  # the last attempt returned or raised

    def _do(self, *, after: int, last: int) -> tuple[ReplayReport, int | None]:
        self._knowledge.keep_fresh(self._connection)
        rows, reached = refusals.pick(
            self._connection,
            self._commune_insee,
            self._selection,
            after=after,
            last=last,
            limit=self._options.batch_messages,
            most_bytes=self._options.batch_bytes,
        )
        of_message: dict[bytes, list[KeptRefusal]] = {}
        for row in rows:
            of_message.setdefault(row.digest, []).append(row)
        ours = [found for found in of_message.values() if self._network(found[0].network) is not None]
        judged = [self._judge(found) for found in ours]
        result = self._store(judged)
        self._write(judged)
        self._leave([row for found in of_message.values() if found not in ours for row in found if row.is_picked])
        return ReplayReport(
            messages=len(judged),
            resolved=sum(not one.taken.refused for one in judged),
            stored=result.stored,
            duplicates=result.duplicates,
            refused=Counter(refused.reason for one in judged for refused in one.taken.refused),
            without_network=len(of_message) - len(judged),
        ), reached

    def _judge(self, rows: list[KeptRefusal]) -> _Judged:
        """Judge one message, of which these are all rows."""
        first = rows[0]
        network = self._network(first.network)
        assert network is not None  # the caller looked
        message = Message(
            network=network,
            topic=first.topic,
            payload=first.payload,
            # What was late or early then is so now: the message is judged as of the time at which it came.
            received_at=min(row.received_at for row in rows),
        )
        taken = take_in_message(message, self._knowledge.registry, self._options.rules)
        return _Judged(message=message, rows=rows, taken=taken)

    def _store(self, judged: Sequence[_Judged]) -> IntakeResult:
        """Store what the messages say; one that the database will not have is refused, and the others are stored."""
        try:
            with self._connection.transaction():
                return self._take_in(judged)
        except Exception as error:
            if not is_fault_of_data(error):
                raise
            if len(judged) == 1:
                detail = f"the database refused the rows: {quoted(str(error))}"
                judged[0].taken = refuse(judged[0].message, RefusalReason.INTERNAL_ERROR, detail)
                return IntakeResult(stored=0, duplicates=0, refused=0)
        middle = len(judged) // 2
        first, second = self._store(judged[:middle]), self._store(judged[middle:])
        return IntakeResult(
            stored=first.stored + second.stored, duplicates=first.duplicates + second.duplicates, refused=0
        )

    def _take_in(self, judged: Sequence[_Judged]) -> IntakeResult:
        batch = IntakeBatch(
            commune_insee=self._commune_insee,
            collector=_COLLECTOR,
            # The ledger counted the messages when they came.
            messages=0,
            fill_readings=tuple(reading for one in judged for reading in one.taken.fill_readings),
            occupancy_readings=tuple(reading for one in judged for reading in one.taken.occupancy_readings),
            device_events=tuple(event for one in judged for event in one.taken.device_events),
        )
        if not (batch.fill_readings or batch.occupancy_readings or batch.device_events):
            return IntakeResult(stored=0, duplicates=0, refused=0)
        return readings.take_in(self._connection, batch)

    def _write(self, judged: Sequence[_Judged]) -> None:
        """Let each message's rows say what became of it."""
        verdicts = [(one, decide(one.rows, one.taken.refused)) for one in judged]
        resolved = [(refused_id, one.given) for one, verdict in verdicts for refused_id in verdict.resolved]
        still = [row for _, verdict in verdicts for row in verdict.still]
        new = [message for _, verdict in verdicts for message in verdict.new]
        refusals.resolve(self._connection, resolved, judged_in=self._judged_in)
        refusals.still_refused(self._connection, still, judged_in=self._judged_in)
        if new:
            refusals.keep(self._connection, self._commune_insee, new)

    def _leave(self, rows: Sequence[KeptRefusal]) -> None:
        """Keep rows as they are, as seen with this registry, so that they are not due again for the same change."""
        refusals.still_refused(
            self._connection,
            [(row.refused_id, row.as_refused(self._commune_insee)) for row in rows],
            judged_in=self._judged_in,
        )

    @property
    def _judged_in(self) -> int:
        return self._knowledge.versions.get(self._commune_insee, 0)

    def _network(self, name: str) -> Network | None:
        for network in self._options.rules.networks:
            if network.name == name and network.commune_insee == self._commune_insee:
                return network
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What becomes of a message's rows: those resolved, those still refused and why, and refusals without a row."""

    resolved: tuple[int, ...]
    still: tuple[tuple[int, RefusedMessage], ...]
    new: tuple[RefusedMessage, ...]


def decide(rows: Sequence[KeptRefusal], refused: Sequence[RefusedMessage]) -> Verdict:
    """Match the rows of a message (one a reason) with why it is refused today.

    A row keeps its reason when it still holds. One whose reason is gone takes a new reason, if there is one without a
    row, and is resolved otherwise: a message that is refused always has a row, and the oldest one stays with it.
    """
    today = {message.reason: message for message in refused}
    still = [(row.refused_id, today.pop(row.reason)) for row in rows if row.reason in today]
    kept = {refused_id for refused_id, _ in still}
    gone = [row.refused_id for row in rows if row.is_open and row.refused_id not in kept]
    left = list(today.values())
    still += zip(gone, left, strict=False)
    return Verdict(resolved=tuple(gone[len(left) :]), still=tuple(still), new=tuple(left[len(gone) :]))
