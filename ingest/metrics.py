"""What a collector tells Prometheus. One registry of its own, so that two collectors in one process do not mix."""

from __future__ import annotations

from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from storage.model import IntakeResult, RefusalReason


class CollectorMetrics:
    """Counters and gauges of one collector; `registry` is what an exporter serves."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = Counter(
            "voirie_messages_received", "MQTT messages committed", ["network"], registry=self.registry
        )
        self.stored = Counter("voirie_readings_stored", "Readings and device events stored", registry=self.registry)
        self.duplicates = Counter(
            "voirie_readings_duplicate", "Readings and device events that were already there", registry=self.registry
        )
        self.refused = Counter("voirie_messages_refused", "Messages refused", ["reason"], registry=self.registry)
        self.batch_messages = Histogram(
            "voirie_batch_messages",
            "Messages in one transaction",
            buckets=(1, 10, 50, 100, 200, 500, 1000, 2000),
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "voirie_batch_seconds", "From a batch's first decision to its commit", registry=self.registry
        )
        self.failures = Counter("voirie_batch_failures", "Transactions that failed", ["remedy"], registry=self.registry)
        self.commit_lag_seconds = Gauge(
            "voirie_commit_lag_seconds",
            "From the arrival of the oldest message of a batch to its commit",
            registry=self.registry,
        )
        self.event_lag_seconds = Gauge(
            "voirie_event_lag_seconds",
            "The commune's present minus the newest event time of the last batch",
            ["network"],
            registry=self.registry,
        )
        self.last_message_seconds = Gauge(
            "voirie_last_message_timestamp_seconds",
            "When the last message was committed (Unix time)",
            ["network"],
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "voirie_messages_in_flight", "Messages received and not acknowledged", registry=self.registry
        )
        self.broker_connected = Gauge("voirie_broker_connected", "1 while connected", registry=self.registry)
        self.database_answers = Gauge("voirie_database_answers", "1 after a commit", registry=self.registry)
        for reason in RefusalReason:
            self.refused.labels(reason.value)
        for remedy in ("later", "never"):
            self.failures.labels(remedy)

    def count(self, result: IntakeResult) -> None:
        """Count what became of a committed batch."""
        self.stored.inc(result.stored)
        self.duplicates.inc(result.duplicates)

    def serve(self, port: int) -> _Exporter:
        """Answer Prometheus on `port` of every interface until the exporter is closed."""
        return _Exporter(self.registry, port)


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
