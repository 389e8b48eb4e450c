"""The collector: a batch of messages, one transaction, then the acknowledgements.

Nothing is acknowledged before it is committed. While the database is away nothing is taken, so the broker keeps it;
when the broker is gone, what was not acknowledged comes again, and the readings' key makes the repetition harmless.

While one batch is in its transaction, which is waiting for the server, the next one is judged; three threads (network,
judging, committing) hand each batch on as a whole.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack

import structlog

from ingest.broker import BrokerSession, Received
from ingest.broker_line import BrokerLine, Seen
from ingest.committing import Committer
from ingest.database import CollectorDatabase
from ingest.intake import IntakeRules
from ingest.judging import Judge
from ingest.knowledge import Knowledge
from ingest.metrics import CollectorMetrics
from ingest.options import CollectorOptions
from ingest.quality import QualityRules
from ingest.silence import SilenceWatch
from ingest.summary import Summary

__all__ = ["Collector", "CollectorOptions"]

log = structlog.get_logger()

_IDLE_S = 0.25


class Collector:
    """Takes messages from a broker into the database until it is told to stop."""

    def __init__(self, options: CollectorOptions) -> None:
        self._options = options
        self._database = CollectorDatabase(
            options.database_url, client_id=options.client_id, patience_s=options.commit_patience_s
        )
        rules = IntakeRules(
            networks=options.networks,
            quality=QualityRules(max_future_s=options.max_future_s, max_age_days=options.max_age_days),
            max_payload_bytes=options.max_payload_bytes,
        )
        knowledge = Knowledge(network.commune_insee for network in options.networks)
        self._judge = Judge(rules, knowledge, options.allowances)
        self._summary = Summary(options.summary_s)
        address = options.broker_address
        self._line = BrokerLine(
            collector=options.client_id,
            broker=f"{address.host}:{address.port}",
            communes=(network.commune_insee for network in options.networks),
        )
        self.metrics = CollectorMetrics(network.name for network in options.networks)

    def run(self, stop: threading.Event, *, leaving: bool = False) -> bool:
        """Collect until `stop` is set; then finish the batches at hand, acknowledge them and go.

        `leaving`: end the subscriptions first, and go once nothing more has come for a while; return whether it came
        to that. A database or broker that does not answer is waited for. Raises UnavailableError when the
        metrics' port is taken.
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
                    capacity=2 * options.batch_messages,
                    keepalive_s=options.keepalive_s,
                    on_accepted=self._count_connection,
                    leaving=leaving,
                )
            )
            committer = Committer(
                database=self._database,
                judge=self._judge,
                metrics=self.metrics,
                summary=self._summary,
                collector=options.client_id,
            )
            committing = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="commit"))
            log.info("collector_started", client_id=options.client_id, filters=options.filters)
            drained = self._turn(broker, committer, committing, stop, leaving=leaving)
            self._summary.tell(in_flight=broker.waiting, now=True)
        log.info("collector_stopped", client_id=options.client_id)
        return drained

    def _turn(
        self,
        broker: BrokerSession,
        committer: Committer,
        committing: ThreadPoolExecutor,
        stop: threading.Event,
        *,
        leaving: bool,
    ) -> bool:
        """Take batches and judge them, each while the one before is committed; True when `leaving` found the end."""
        options = self._options
        silence = SilenceWatch(after_s=options.silence_s, ask_again=broker.subscribe_again)
        in_commit: Future[None] | None = None
        held: list[Received] = []
        quiet_since_s = time.monotonic()
        while not stop.is_set():
            received = broker.take(options.batch_messages, wait_s=options.batch_wait_s, idle_s=_IDLE_S)
            judged = self._judge.judge(received) if received else None
            if received:
                silence.heard()
            while in_commit is not None:
                self._tell(broker, silence, len(held) + len(received))
                # A batch that waits for the database must not keep the metrics from saying so.
                done, _ = wait([in_commit], timeout=_IDLE_S if judged is not None else 0)
                if done:
                    in_commit.result()
                    in_commit, held = None, []
                elif judged is None:
                    break
            if judged is not None:
                held = received
                in_commit = committing.submit(committer.take_in, judged, broker, stop)
            self._tell(broker, silence, len(held))
            self._tell_line(broker, committing, held)
            if received or in_commit is not None or not broker.subscribed:
                quiet_since_s = time.monotonic()
            elif leaving and time.monotonic() - quiet_since_s > options.drained_s:
                return True
        if in_commit is not None:
            in_commit.result()
        return False

    def _tell(self, broker: BrokerSession, silence: SilenceWatch, held: int) -> None:
        """Bring the metrics, the log and the watch for silence up to date."""
        in_flight = held + broker.waiting
        self.metrics.broker_connected.set(broker.connected)
        self.metrics.broker_subscribed.set(broker.subscribed)
        self.metrics.in_flight.set(in_flight)
        if held:
            # What waits for the database is no silence.
            silence.heard()
        self.metrics.silence_seconds.set(silence.check())
        self._summary.tell(in_flight=in_flight)

    def _tell_line(self, broker: BrokerSession, committing: Executor, held: Sequence[Received]) -> None:
        """Note how the line to the broker stands, and have the database told when it is time."""
        eldest_s = held[0].arrived_s if held else broker.eldest_s
        self._line.see(
            Seen(
                connected=broker.connected,
                subscribed=broker.subscribed,
                waiting=len(held) + broker.waiting,
                lag_s=0.0 if eldest_s is None else time.monotonic() - eldest_s,
            )
        )
        if self._line.is_due:
            self._line.about_to_be_told()
            committing.submit(self._line.tell, self._database)

    def _count_connection(self, session_present: bool) -> None:  # noqa: FBT001 - a callback with one argument
        self.metrics.connections.labels("kept" if session_present else "new").inc()
