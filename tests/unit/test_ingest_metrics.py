"""docs/metrics.md against the code: every metric with its kind and labels, every event that a collector logs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator

import pytest
from prometheus_client import Metric
from structlog.testing import capture_logs

from ingest.metrics import CollectorMetrics
from ingest.summary import Summary
from tests.tools import REPOSITORY

TEXT = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
COLLECTORS = TEXT.split("## How forecasts hold", maxsplit=1)[0]
ROW = re.compile(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\|([^|]*)\|", re.MULTILINE)


def told() -> Iterator[tuple[str, str, set[str]]]:
    """What a collector of one network tells: name as Prometheus shows it, kind, labels."""
    metrics = CollectorMetrics(["lora"])
    for gauge in (metrics.last_message_seconds, metrics.event_lag_seconds):
        gauge.labels("lora").set(1)
    family: Metric
    for family in metrics.registry.collect():
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        yield (f"{family.name}_total" if family.type == "counter" else family.name), family.type, labels


@pytest.mark.skipif(sys.platform != "linux", reason="process_... metrics are Linux's")
def test_every_metric_is_documented_with_its_kind_and_labels():
    documented = {
        name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, _, labels in ROW.findall(COLLECTORS)
    }
    assert documented == {name: (kind, labels) for name, kind, labels in told()}


def test_every_metric_has_a_unit_and_a_meaning():
    for name, kind, unit, _ in ROW.findall(COLLECTORS):
        assert unit.strip() or name in {"process_open_fds", "process_max_fds"}, name
        assert (kind == "counter") is name.endswith("_total"), name


def test_every_reason_and_network_is_there_from_the_start():
    # A counter that appears with its first event hides that event from `increase`.
    registry = CollectorMetrics(["lora", "native"]).registry
    assert registry.get_sample_value("voirie_messages_received_total", {"network": "native"}) == 0
    assert registry.get_sample_value("voirie_messages_refused_total", {"reason": "too_old"}) == 0
    assert registry.get_sample_value("voirie_broker_connections_total", {"session": "new"}) == 0


def logged() -> dict[str, set[str]]:
    """The events that the collector's modules log above debug, with their levels."""
    calls = re.compile(r"log\.(info|warning|error|exception)\(\s*\"([a-z_]+)\"")
    found: dict[str, set[str]] = {}
    for module in (REPOSITORY / "ingest").glob("*.py"):
        if module.name not in {"replay.py", "reviewer.py"}:  # other processes
            for level, event in calls.findall(module.read_text(encoding="utf-8")):
                found.setdefault(event, set()).add("error" if level == "exception" else level)
    return found


def test_every_event_of_the_log_is_documented_with_its_level():
    documented: dict[str, set[str]] = {}
    for events, levels in re.findall(
        r"^\| ((?:`[a-z_]+`(?:, )?)+) \| ([a-z, ]+) \|", TEXT.split("## Logs")[1], re.MULTILINE
    ):
        names = re.findall(r"`([a-z_]+)`", events)
        each = levels.split(", ") if "," in levels else [levels] * len(names)
        documented |= {name: {level.strip()} for name, level in zip(names, each, strict=True)}
    for event, levels in logged().items():
        assert documented.get(event, set()) <= levels, event
    assert set(documented) == set(logged())


def test_the_summary_s_example_has_the_fields_of_the_real_one():
    with capture_logs() as events:
        Summary(60).tell(in_flight=0, now=True)
    (line,) = re.findall(r"^\{\"event\": \"intake_summary\".*\}$", TEXT, re.MULTILINE)
    real = {name for name in events[0] if name != "log_level"}
    assert set(json.loads(line)) == real | {"level", "logger", "timestamp"}
