"""Rules of rounds over HTTP: the document of `voirie rules`, judged as that command does."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from storage import round_rules
from storage.database import Connection
from storage.errors import InputError
from tests.api.rows import INSEE

RULES = f"/api/v1/communes/{INSEE}/round-rules"
DOCUMENT = {
    "bins": [{"place_id": "COR-0001", "windows": [{"opens": "06:00", "closes": "10:00"}], "crew": 2}],
    "vehicles": [{"vehicle_id": "BOM-1", "capacity_kg": 1200, "sectors": ["Centre"]}],
}


def test_rules_told_are_rules_kept(client: httpx.Client, rows: Connection):
    assert client.post(RULES, json=DOCUMENT).json() == {
        "bins": 1,
        "vehicles": 1,
        "disposal_sites": 0,
        "dry_run": False,
    }
    kept = client.get(RULES).json()
    assert kept["bins"][0] | DOCUMENT["bins"][0] == kept["bins"][0] | {
        "windows": [{"opens": "06:00", "closes": "10:00"}]
    }
    assert kept["bins"][0]["windows"] == [{"opens": "06:00:00", "closes": "10:00:00"}]
    assert kept["vehicles"][0]["capacity_kg"] == 1200
    # What was read can be told again, and is the same for the command.
    assert client.post(RULES, json=kept).status_code == 200
    assert round_rules.every(rows, INSEE).bins[0].crew == 2


def test_a_dry_run_stores_nothing(client: httpx.Client):
    assert client.post(RULES, json=DOCUMENT, params={"dry_run": True}).json()["dry_run"] is True
    assert client.get(RULES).json() == {"bins": [], "vehicles": [], "disposal_sites": []}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        pytest.param({"bins": [{"place_id": "COR-9"}]}, "does not have bin 'COR-9'", id="stranger"),
        pytest.param({"bins": [{"place_id": "COR-0001", "crew": 0}]}, "expected crew in 1..9, got 0", id="no crew"),
        pytest.param({"bins": [{"place_id": "COR-0001", "colour": 1}]}, "Extra inputs", id="unknown name"),
        pytest.param(
            {"disposal_sites": [{"place_id": "D", "windows": [{"opens": "10:00", "closes": "06:00"}]}]},
            "expected opens < closes",
            id="windows out of order",
        ),
    ],
)
def test_a_fault_is_named_and_nothing_stored(client: httpx.Client, document: dict[str, object], told: str):
    answer = client.post(RULES, json={**DOCUMENT, **document})
    assert answer.status_code == 422
    assert told in answer.text
    assert client.get(RULES).json() == {"bins": [], "vehicles": [], "disposal_sites": []}


@pytest.mark.parametrize(
    "rules",
    [
        {"bins": [{"place_id": "COR-0001", "vehicle_kinds": ["x"] * 101}]},
        {"bins": [{"place_id": "COR-0001", "vehicle_kinds": ["x" * 101]}]},
        {"bins": [{"place_id": "COR-0001", "windows": [{"opens": "06:00", "closes": "06:10"}] * 25}]},
        {"bins": [{"place_id": "COR-0001"}] * 20_001},
        {"vehicles": [{"vehicle_id": "BOM-1"}] * 1001},
        {"vehicles": [{"vehicle_id": "BOM-1", "sectors": ["Nord"] * 101}]},
        {"vehicles": [{"vehicle_id": "BOM-1", "kind": "x" * 101}]},
        {"disposal_sites": [{"place_id": "EXUTOIRE-1"}] * 1001},
    ],
    ids=lambda rules: str(rules)[:60],
)
def test_rules_without_end_are_refused_over_http_and_from_a_file(shared_client: httpx.Client, rules: dict[str, Any]):
    answer = shared_client.post(RULES, json=rules)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:voirie:problem:invalid-request")
    with pytest.raises(InputError, match="expected at most"):
        round_rules.decode(json.dumps(rules).encode())
