"""A judged batch into the database and, only then, acknowledged: whatever it takes, or left to the broker."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import structlog
from opentelemetry import trace

from ingest.broker import BrokerSession
from ingest.database import CollectorDatabase
from ingest.failures import is_fault_of_data
from ingest.intake import Taken
from ingest.judging import Judge, Judged, halves
from ingest.metrics import CollectorMetrics
from ingest.refusal import quoted
from ingest.summary import Summary
from storage import readings
from storage.model import IntakeBatch, IntakeResult

log = structlog.get_logger()
_tracer = trace.get_tracer("voirie.collector")

_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.1, 5.0


class _AbandonedError(Exception):
    """The batch is left to the broker: we stop, or the connection that brought it is gone."""


class Committer:
    """Commits one batch at a time, in the order in which they came."""

    def __init__(
        self,
        *,
        database: CollectorDatabase,
        judge: Judge,
        metrics: CollectorMetrics,
        summary: Summary,
        collector: str,
    ) -> None:
        self._database = database
        self._judge = judge
        self._metrics = metrics
        self._summary = summary
        self._collector = collector

    def take_in(self, judged: Judged, broker: BrokerSession, stop: threading.Event) -> None:
        """Commit the batch and acknowledge it, or leave it to the broker when we stop or its connection is gone."""
        try:
            self._insist(judged, broker, stop)
        except _AbandonedError:
            log.info("batch_left_to_the_broker", messages=len(judged.received))

    def _insist(self, judged: Judged, broker: BrokerSession, stop: threading.Event) -> None:
        """Commit whatever it takes; in parts if one of the messages is at fault."""
        delay_s = _FIRST_DELAY_S
        fault: Exception | None = None
        while True:
            try:
                with self._database.patience():
                    self._commit(judged, fault)
            except Exception as error:
                self._database.drop()
                if is_fault_of_data(error) and fault is None:
                    self._metrics.failures.labels("never").inc()
                    if len(judged.received) > 1:
                        log.warning("batch_split", messages=len(judged.received), error=quoted(str(error)))
                        for half in halves(judged):
                            self._insist(half, broker, stop)
                        return
                    # The message alone is at fault: it is kept as refused, which is the next attempt.
                    for message in judged.messages:
                        log.warning("message_at_fault", message_id=message.message_id, error=quoted(str(error)))
                    fault = error
                    continue
                self._metrics.failures.labels("later").inc()
                self._metrics.database_answers.set(0)
                log.warning(
                    "batch_waits_for_database",
                    messages=len(judged.received),
                    seconds=delay_s,
                    error=quoted(str(error)),
                )
                began_s = time.monotonic()
                stopped = stop.wait(delay_s)
                waited_s = time.monotonic() - began_s
                self._metrics.database_wait_seconds.inc(waited_s)
                self._summary.failed(waited_s)
                if stopped or not broker.is_current(judged.received[0]):
                    raise _AbandonedError from error
                delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
            else:
                broker.acknowledge(judged.received)
                return

    def _commit(self, judged: Judged, fault: Exception | None) -> None:
        """Store what the messages say in one transaction; `fault` refuses them all with that cause."""
        with _tracer.start_as_current_span(
            "commit batch", attributes={"voirie.messages": len(judged.received)}
        ) as span:
            results = self._commit_traced(judged, fault)
            span.set_attribute("voirie.stored", sum(result.stored for result in results))
            span.set_attribute("voirie.refused", sum(result.refused for result in results))

    def _commit_traced(self, judged: Judged, fault: Exception | None) -> list[IntakeResult]:
        began_s = time.monotonic()
        connection = self._database.connection()
        judged = self._judge.confirm(judged, connection)
        if fault is not None:
            judged = self._judge.refuse(judged, fault)
        results = [readings.take_in(connection, batch) for batch in self._batches(judged)]
        connection.commit()
        self._metrics.count(judged, results, seconds=time.monotonic() - began_s)
        self._summary.count(judged, results)
        log.debug(
            "batch_committed",
            messages=len(judged.received),
            stored=sum(result.stored for result in results),
            refused=sum(result.refused for result in results),
            seconds=round(time.monotonic() - began_s, 4),
        )
        if _refusals_are_told():
            _tell_refusals(judged)
        return results

    def _batches(self, judged: Judged) -> list[IntakeBatch]:
        """Return one batch for each commune."""
        by_commune: dict[str, list[Taken]] = {}
        for message, one in zip(judged.messages, judged.taken, strict=True):
            by_commune.setdefault(message.network.commune_insee, []).append(one)
        return [_batch(commune_insee, self._collector, ours) for commune_insee, ours in by_commune.items()]


def _refusals_are_told() -> bool:
    """Whether the log wants a line for each: hashing the messages of a flood of them costs time."""
    return logging.getLogger(__name__).isEnabledFor(logging.DEBUG)


def _tell_refusals(judged: Judged) -> None:
    for message, one in zip(judged.messages, judged.taken, strict=True):
        for refused in one.refused:
            log.debug(
                "message_refused",
                message_id=message.message_id,
                network=refused.network,
                topic=quoted(refused.topic),
                reason=refused.reason.value,
            )


def _batch(commune_insee: str, collector: str, taken: Sequence[Taken]) -> IntakeBatch:
    return IntakeBatch(
        commune_insee=commune_insee,
        collector=collector,
        messages=len(taken),
        fill_readings=tuple(reading for one in taken for reading in one.fill_readings),
        occupancy_readings=tuple(reading for one in taken for reading in one.occupancy_readings),
        device_events=tuple(event for one in taken for event in one.device_events),
        refused=tuple(refused for one in taken for refused in one.refused),
    )
