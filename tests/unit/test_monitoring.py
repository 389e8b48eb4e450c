"""The dashboard and the alarms that we ship speak of metrics that exist, by labels that they have."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import Metrics
from ingest.metrics import CollectorMetrics
from tests.tools import REPOSITORY, missing

FOLDER = REPOSITORY / "config" / "monitoring"
RULES: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus-rules.yml").read_text(encoding="utf-8"))
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
METRIC = re.compile(r"\b(?:voirie|process)_[a-z0-9_]+")
DOCUMENT = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
LABELS = {
    "status",
    "outcome",
    "operation",
    "method",
    "network",
    "reason",
    "remedy",
    "session",
    "commune_insee",
    "ahead_h",
    "bin_group",
}
PROMETHEUS_OWN = {"le", "job", "instance"}


def real_metrics() -> set[str]:
    """Every name that a collector or the web server exposes, histograms by their parts."""
    names = set()
    exposed = generate_latest(CollectorMetrics(["lora"]).registry) + Metrics().exposition({})
    for family in text_string_to_metric_families(exposed.decode()):
        if family.type == "counter":
            names.add(f"{family.name}_total")
        elif family.type == "histogram":
            names |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
        else:
            names.add(family.name)
    return {name for name in names if not name.endswith("_created")}


REAL = real_metrics()
EXPRESSIONS = [
    *((rule["alert"], rule["expr"]) for rule in ALERTS),
    *((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]),
]


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS, ids=[name for name, _ in EXPRESSIONS])
def test_every_metric_that_is_asked_for_exists(name: str, expression: str):
    asked = set(METRIC.findall(expression))
    assert asked <= REAL, f"{name}: {asked - REAL}"
    assert asked or "up{" in expression
    labels = set(re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", expression))
    for listed in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression):
        labels |= {label.strip() for label in listed.split(",")}
    assert labels <= LABELS | PROMETHEUS_OWN, f"{name}: {labels}"


def test_every_metric_of_ours_is_watched_or_told():
    watched = {metric for _, expression in EXPRESSIONS for metric in METRIC.findall(expression)}
    ours = {name for name in REAL if name.startswith("voirie_")}
    told = {name for name in ours if f"`{re.sub(r'_(bucket|sum|count)$', '', name)}`" in DOCUMENT}
    assert ours - watched - told == set()
    assert len(watched & ours) > 25


def test_each_alarm_says_what_is_and_what_to_do():
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for command in re.findall(r"`voirie ([a-z ]+)", str(ALERTS)):
        assert f"`voirie {command.split(' --')[0].strip()}" in (REPOSITORY / "docs" / "commands.md").read_text(
            encoding="utf-8"
        )


def test_the_dashboard_is_one_that_grafana_imports():
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= set(DASHBOARD)
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in PANELS:
        assert panel["description"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}", "no town's data source is ours"
        place = panel["gridPos"]
        assert 0 <= place["x"] <= 24 - place["w"], panel["title"]
    taken = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in DASHBOARD["panels"]]
    assert len(set(taken)) == len(taken), "two panels on one place"


def promtool() -> str:
    program = os.environ.get("VOIRIE_TEST_PROMTOOL") or shutil.which("promtool")
    if program is None:
        missing("promtool (VOIRIE_TEST_PROMTOOL)")
    return program


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["check", "config", "config/monitoring/prometheus.yml"], id="the settings and the rules"),
        pytest.param(["test", "rules", "tests/monitoring/alerts.test.yml"], id="alarms sound when they must"),
    ],
)
def test_prometheus_itself_agrees(arguments: list[str]):
    done = subprocess.run(
        [promtool(), *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert Path(REPOSITORY, arguments[-1]).is_file()
