"""Prometheus metrics of one API process. Each application has its own registry, so that two never share a counter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import Scope

from api.check_metrics import CheckedCommune, CheckMetrics
from api.forecast_metrics import ForecastMetrics, WatchedForecast
from storage.model import IntakeTally

LIVE_OPERATION = "live_events"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class LogIn(StrEnum):
    """What came of a try to log in."""

    ADMITTED = "admitted"
    HALF = "half"
    """The password is right, the second factor is owed."""
    WRONG = "wrong"
    """A wrong password or code."""
    TOO_SOON = "too_soon"
    """Not looked at, after others that were wrong."""
    REFUSED = "refused"
    """By the provider, its answer, or because the account is disabled."""
    AWAY = "away"
    """The provider does not answer."""
    FLOOD = "flood"
    """Sent away, since many wait already."""


class Metrics:
    """What the process counts while it serves."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "voirie_http_requests", "Requests served", ("method", "operation", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "voirie_http_request_seconds",
            "Time to serve a request (live streams are not timed)",
            ("operation",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._log_ins = Counter(
            "voirie_log_ins", "Tries to log in, by what came of them", ("outcome",), registry=self._registry
        )
        for outcome in LogIn:
            self._log_ins.labels(outcome.value)  # there from the first scrape on, so that a rise from nothing is seen
        self.live_clients = Gauge("voirie_live_clients", "Open streams of live events", registry=self._registry)

    def observe_request(self, scope: Scope, *, status: int, seconds: float) -> str:
        """Count one request under its operation (OpenAPI's operationId), never under its path: ids would be endless.

        Returns the operation.
        """
        endpoint = scope.get("endpoint")
        operation = "unmatched" if endpoint is None else getattr(endpoint, "__name__", "static_file")
        self._requests.labels(scope["method"], operation, str(int(status))).inc()
        if operation != LIVE_OPERATION:
            self._seconds.labels(operation).observe(seconds)
        return operation

    def count_log_in(self, outcome: LogIn) -> None:
        """Count one try to log in."""
        self._log_ins.labels(outcome.value).inc()

    def exposition(
        self,
        tallies: dict[str, IntakeTally] | None,
        forecasts: Sequence[WatchedForecast] = (),
        checked: Sequence[CheckedCommune] = (),
    ) -> bytes:
        """Return Prometheus' text format; `tallies` by commune is what the ledger says, None: no database."""
        with_ledger = CollectorRegistry()
        with_ledger.register(_Ledger(tallies))
        with_ledger.register(ForecastMetrics(forecasts))
        with_ledger.register(CheckMetrics(checked))
        return generate_latest(self._registry) + generate_latest(with_ledger)


class _Ledger(Collector):
    """The collectors' ledger as counters: they are sums over committed rows, so they survive every restart."""

    def __init__(self, tallies: dict[str, IntakeTally] | None) -> None:
        self._tallies = tallies

    def describe(self) -> Iterable[Metric]:
        """Return nothing: `collect` is cheap."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the ledger's sums by commune, and whether the database answered."""
        yield GaugeMetricFamily(
            "voirie_database_up", "1 when the database answers", value=float(self._tallies is not None)
        )
        for name in ("messages", "stored", "duplicates", "refused"):
            family = CounterMetricFamily(
                f"voirie_intake_{name}", f"The collectors' ledger: {name}", labels=["commune_insee"]
            )
            for commune_insee, tally in (self._tallies or {}).items():
                family.add_metric([commune_insee], float(getattr(tally, name)))
            yield family
