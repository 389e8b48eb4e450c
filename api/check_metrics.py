"""Officers' checks as metrics, read from the database at each scrape: every copy of the server says the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from storage.model import CheckCause


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedCommune:
    """How many checks officers hold in a commune now, and how many closings of each cause are kept."""

    commune_insee: str
    held: int
    closings: Mapping[CheckCause, int]


class CheckMetrics(Collector):
    """Holds what was read for one scrape."""

    def __init__(self, communes: Sequence[CheckedCommune]) -> None:
        self._communes = communes

    def describe(self) -> Iterable[Metric]:
        """Return nothing: `collect` is cheap."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield takes that hold now, and closings by cause."""
        held = GaugeMetricFamily(
            "voirie_checks_held", "Places that an officer is on the way to", labels=["commune_insee"]
        )
        closed = GaugeMetricFamily(
            "voirie_checks_closed", "Closings of checks that are kept, by cause", labels=["commune_insee", "cause"]
        )
        for one in self._communes:
            held.add_metric([one.commune_insee], float(one.held))
            for cause, count in one.closings.items():
                closed.add_metric([one.commune_insee, cause.value], float(count))
        yield held
        yield closed
