"""What a collector tells Prometheus. One registry of its own, so that two collectors in one process do not mix.

docs/metrics.md lists every metric with its unit and meaning; a test compares the two.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, start_http_server

from ingest.judging import Judged
from storage.errors import UnavailableError
from storage.model import IntakeResult, RefusalReason

_BATCH_MESSAGES = (1, 10, 50, 100, 200, 500, 1000, 2000, 5000)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class CollectorMetrics:
    """Counters and gauges of one collector; `registry` is what an exporter serves. `networks`: their names."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        # Memory, processor time and open files of the process, where the system tells them (Linux).
        ProcessCollector(registry=self.registry)
        self._make_intake()
        self._make_services()
        for name in networks:
            self.received.labels(name)
        for reason in RefusalReason:
            self.refused.labels(reason.value)
        for remedy in ("later", "never"):
            self.failures.labels(remedy)
        for session in ("kept", "new"):
            self.connections.labels(session)

    def _make_intake(self) -> None:
        registry = self.registry
        self.received = Counter("voirie_messages_received", "MQTT messages committed", ["network"], registry=registry)
        self.stored = Counter("voirie_readings_stored", "Readings and device events stored", registry=registry)
        self.duplicates = Counter(
            "voirie_readings_duplicate", "Readings, events and refusals that were already there", registry=registry
        )
        self.refused = Counter("voirie_messages_refused", "Messages refused", ["reason"], registry=registry)
        self.last_message_seconds = Gauge(
            "voirie_last_message_timestamp_seconds",
            "When the last message was committed (Unix time)",
            ["network"],
            registry=registry,
        )
        self.event_lag_seconds = Gauge(
            "voirie_event_lag_seconds",
            "The commune's present minus the newest event time of the last batch",
            ["network"],
            registry=registry,
        )
        self.commit_lag_seconds = Histogram(
            "voirie_commit_lag_seconds",
            "From the arrival of a batch's oldest message to its commit",
            buckets=_SECONDS,
            registry=registry,
        )
        self.silence_seconds = Gauge(
            "voirie_silence_seconds", "Since the last message of any network, or since the start", registry=registry
        )
        self.in_flight = Gauge("voirie_messages_in_flight", "Messages received and not acknowledged", registry=registry)

    def _make_services(self) -> None:
        registry = self.registry
        self.batch_messages = Histogram(
            "voirie_batch_messages", "Messages in one transaction", buckets=_BATCH_MESSAGES, registry=registry
        )
        self.batch_seconds = Histogram(
            "voirie_batch_seconds", "Transactions that were committed", buckets=_SECONDS, registry=registry
        )
        self.failures = Counter("voirie_batch_failures", "Transactions that failed", ["remedy"], registry=registry)
        self.database_answers = Gauge(
            "voirie_database_answers", "1 after a commit, 0 after a failure", registry=registry
        )
        self.database_wait_seconds = Counter(
            "voirie_database_wait_seconds", "Waited for a database that did not answer", registry=registry
        )
        self.broker_connected = Gauge("voirie_broker_connected", "1 while connected", registry=registry)
        self.broker_subscribed = Gauge(
            "voirie_broker_subscribed", "1 while connected with our subscriptions in force", registry=registry
        )
        self.connections = Counter(
            "voirie_broker_connections", "Connections that the broker accepted", ["session"], registry=registry
        )

    def count(self, judged: Judged, results: Sequence[IntakeResult], *, seconds: float) -> None:
        """Count a batch that was committed just now, by a transaction that took `seconds`."""
        self.stored.inc(sum(result.stored for result in results))
        self.duplicates.inc(sum(result.duplicates for result in results))
        for reason, messages in Tally(refused.reason for one in judged.taken for refused in one.refused).items():
            self.refused.labels(reason.value).inc(messages)
        for name, messages in Tally(message.network.name for message in judged.messages).items():
            self.received.labels(name).inc(messages)
            self.last_message_seconds.labels(name).set_to_current_time()
        last, said = judged.messages[-1], judged.taken[-1]
        measured = [reading.measured_at for reading in said.fill_readings]
        measured += [reading.measured_at for reading in said.occupancy_readings]
        if measured:
            lag_s = (last.received_at - max(measured)).total_seconds()
            self.event_lag_seconds.labels(last.network.name).set(lag_s)
        self.database_answers.set(1)
        self.batch_messages.observe(len(judged.received))
        self.batch_seconds.observe(seconds)
        self.commit_lag_seconds.observe(time.monotonic() - judged.received[0].arrived_s)

    def serve(self, port: int) -> _Exporter:
        """Answer Prometheus on `port` of every interface until the exporter is closed.

        Raises UnavailableError when the port is another's.
        """
        try:
            return _Exporter(self.registry, port)
        except OSError as error:
            raise UnavailableError(f"metrics cannot be served on port {port}: {error.strerror}") from error


class _Exporter:
    """A small HTTP server in a thread of its own."""

    def __init__(self, registry: CollectorRegistry, port: int) -> None:
        self._server, self._thread = start_http_server(port, registry=registry)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
