"""The collector: a batch of messages, one transaction, then the acknowledgements.

Nothing is acknowledged before it is committed. While the database is away nothing is taken, so the broker keeps it;
when the broker is gone, what was not acknowledged comes again, and the readings' key makes the repetition harmless.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack

import structlog

from ingest.broker import BrokerSession, Received
from ingest.database import CollectorDatabase
from ingest.failures import is_fault_of_data
from ingest.intake import IntakeRules, Taken, refuse, take_in_message
from ingest.knowledge import Knowledge
from ingest.message import Message
from ingest.metrics import CollectorMetrics
from ingest.options import CollectorOptions
from ingest.quality import QualityRules
from ingest.refusal import quoted
from storage import readings
from storage.database import Connection
from storage.model import IntakeBatch, RefusalReason

__all__ = ["Collector", "CollectorOptions"]

log = structlog.get_logger()

_IDLE_S = 0.25
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.1, 5.0
# What a newer registry or clock may turn into a reading.
_WORTH_A_SECOND_LOOK = frozenset(
    {
        RefusalReason.UNKNOWN_DEVICE,
        RefusalReason.UNKNOWN_MODEL,
        RefusalReason.NOT_MOUNTED,
        RefusalReason.IN_THE_FUTURE,
        RefusalReason.TOO_OLD,
    }
)


class _AbandonedError(Exception):
    """The batch is left to the broker: we stop, or the connection that brought it is gone."""


class Collector:
    """Takes messages from a broker into the database until it is told to stop."""

    def __init__(self, options: CollectorOptions) -> None:
        self._options = options
        self._rules = IntakeRules(
            networks=options.networks,
            quality=QualityRules(max_future_s=options.max_future_s, max_age_days=options.max_age_days),
            max_payload_bytes=options.max_payload_bytes,
        )
        self._knowledge = Knowledge(network.commune_insee for network in options.networks)
        self._database = CollectorDatabase(
            options.database_url, client_id=options.client_id, patience_s=options.commit_patience_s
        )
        self.metrics = CollectorMetrics()

    def run(self, stop: threading.Event) -> None:
        """Collect until `stop` is set; then finish the batch at hand, acknowledge it and leave.

        A database or broker that does not answer is waited for. Raises OSError when the metrics' port is taken.
        """
        options = self._options
        with ExitStack() as stack:
            stack.callback(self._database.drop)
            if options.metrics_port is not None:
                stack.enter_context(self.metrics.serve(options.metrics_port))
            broker = stack.enter_context(
                BrokerSession(
                    address=options.broker_address,
                    client_id=options.client_id,
                    filters=options.filters,
                    # One batch in work and one arriving.
                    capacity=2 * options.batch_messages,
                    keepalive_s=options.keepalive_s,
                )
            )
            log.info("collector_started", client_id=options.client_id, filters=options.filters)
            while not stop.is_set():
                received = broker.take(options.batch_messages, wait_s=options.batch_wait_s, idle_s=_IDLE_S)
                self.metrics.broker_connected.set(broker.connected)
                self.metrics.in_flight.set(len(received) + broker.waiting)
                if received:
                    try:
                        self._take_in(received, broker, stop)
                    except _AbandonedError:
                        log.info("batch_left_to_the_broker", messages=len(received))
        log.info("collector_stopped", client_id=options.client_id)

    def _take_in(self, received: Sequence[Received], broker: BrokerSession, stop: threading.Event) -> None:
        """Commit the batch and acknowledge it, whatever it takes; in parts if one of its messages is at fault."""
        delay_s = _FIRST_DELAY_S
        fault: Exception | None = None
        while True:
            try:
                self._commit(received, fault)
            except Exception as error:
                self._database.drop()
                if is_fault_of_data(error) and fault is None:
                    self.metrics.failures.labels("never").inc()
                    if len(received) > 1:
                        log.warning("batch_split", messages=len(received), error=quoted(str(error)))
                        middle = len(received) // 2
                        self._take_in(received[:middle], broker, stop)
                        self._take_in(received[middle:], broker, stop)
                        return
                    # The message alone is at fault: it is kept as refused, which is the next attempt.
                    fault = error
                    continue
                self.metrics.failures.labels("later").inc()
                self.metrics.database_answers.set(0)
                log.warning(
                    "batch_waits_for_database", messages=len(received), seconds=delay_s, error=quoted(str(error))
                )
                if stop.wait(delay_s) or not broker.is_current(received[0]):
                    raise _AbandonedError from error
                delay_s = min(2 * delay_s, _LONGEST_DELAY_S)
            else:
                broker.acknowledge(received)
                return

    def _commit(self, received: Sequence[Received], fault: Exception | None) -> None:
        """Judge the messages and store what they say in one transaction; `fault` refuses them all with that cause."""
        with self._database.patience():
            self._commit_soon(received, fault)

    def _commit_soon(self, received: Sequence[Received], fault: Exception | None) -> None:
        began_s = time.monotonic()
        connection = self._database.connection()
        self._knowledge.keep_fresh(connection)
        messages = [self._message(one) for one in received]
        if fault is None:
            taken = self._judge(messages, connection)
        else:
            detail = f"the database refused the rows: {quoted(str(fault))}"
            taken = [refuse(message, RefusalReason.INTERNAL_ERROR, detail) for message in messages]
        results = [readings.take_in(connection, batch) for batch in self._batches(messages, taken)]
        connection.commit()

        now_s = time.monotonic()
        for result in results:
            self.metrics.count(result)
        self._count(messages, taken)
        self.metrics.database_answers.set(1)
        self.metrics.batch_messages.observe(len(received))
        self.metrics.batch_seconds.observe(now_s - began_s)
        self.metrics.commit_lag_seconds.set(now_s - received[0].arrived_s)
        log.debug(
            "batch_committed",
            messages=len(received),
            stored=sum(result.stored for result in results),
            refused=sum(result.refused for result in results),
            seconds=round(now_s - began_s, 4),
        )

    def _message(self, received: Received) -> Message:
        network = self._rules.network_of(received.topic)
        return Message(
            network=network,
            topic=received.topic,
            payload=received.payload,
            received_at=self._knowledge.now(network.commune_insee),
        )

    def _judge(self, messages: Sequence[Message], connection: Connection) -> list[Taken]:
        """Return what each message says; those that a newer registry may explain are looked at twice."""
        taken = [take_in_message(message, self._knowledge.registry, self._rules) for message in messages]
        doubtful = [
            index
            for index, one in enumerate(taken)
            if one.refused and any(refused.reason in _WORTH_A_SECOND_LOOK for refused in one.refused)
        ]
        if doubtful and self._knowledge.refresh(connection):
            for index in doubtful:
                taken[index] = take_in_message(messages[index], self._knowledge.registry, self._rules)
        return taken

    def _batches(self, messages: Sequence[Message], taken: Sequence[Taken]) -> list[IntakeBatch]:
        """Return one batch for each commune."""
        by_commune: dict[str, list[Taken]] = {}
        for message, one in zip(messages, taken, strict=True):
            by_commune.setdefault(message.network.commune_insee, []).append(one)
        return [
            IntakeBatch(
                commune_insee=commune_insee,
                collector=self._options.client_id,
                messages=len(ours),
                fill_readings=tuple(reading for one in ours for reading in one.fill_readings),
                occupancy_readings=tuple(reading for one in ours for reading in one.occupancy_readings),
                device_events=tuple(event for one in ours for event in one.device_events),
                refused=tuple(refused for one in ours for refused in one.refused),
            )
            for commune_insee, ours in by_commune.items()
        ]

    def _count(self, messages: Sequence[Message], taken: Sequence[Taken]) -> None:
        for name, count in Counter(message.network.name for message in messages).items():
            self.metrics.received.labels(name).inc(count)
            self.metrics.last_message_seconds.labels(name).set_to_current_time()
        for one in taken:
            for refused in one.refused:
                self.metrics.refused.labels(refused.reason.value).inc()
        last, said = messages[-1], taken[-1]
        measured = [reading.measured_at for reading in said.fill_readings]
        measured += [reading.measured_at for reading in said.occupancy_readings]
        if measured:
            lag_s = (last.received_at - max(measured)).total_seconds()
            self.metrics.event_lag_seconds.labels(last.network.name).set(lag_s)
