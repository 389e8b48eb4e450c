"""Alerts, reviewed levels, emptyings and the devices' health over HTTP."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from ingest.reviewer import review_commune
from storage import bins
from storage.database import Connection
from storage.model import ServiceEvent, ServiceEventKind
from tests.api.rows import INSEE, NOW, ago, fill, mount, take_in

HERE = f"/api/v1/communes/{INSEE}"


@pytest.fixture
def reviewed(rows: Connection) -> Connection:
    """Two days of one bin: a spike, a declared emptying that was seen, one that was not, one nobody declared."""
    device_id = mount(rows, "COR-0001", eui="24e124713b000001")
    levels = [0.02 * (hour % 20) + 0.003 * (hour % 3) for hour in range(48)]
    levels[10] = 0.95
    taken = [fill("COR-0001", level, at=ago(hours=48 - hour), device_id=device_id) for hour, level in enumerate(levels)]
    take_in(rows, *taken)
    events = [
        ServiceEvent(
            commune_insee=INSEE, event_id=uuid4(), place_id="COR-0001", kind=ServiceEventKind.EMPTIED,
            happened_at=ago(hours=48 - hour), found_fraction=None,
        )
        for hour in (19.5, 33.5)
    ]  # fmt: skip
    bins.declare(rows, events)
    review_commune(rows, INSEE, now=NOW)
    rows.commit()
    return rows


def test_reviewed_levels_say_what_is_trusted_and_why_not(client: httpx.Client, reviewed: Connection):
    answer = client.get(f"{HERE}/bins/COR-0001/levels", params={"days": 3}).json()
    assert len(answer["levels"]) == 48
    spike = answer["levels"][10]
    assert spike["fill_fraction"] == pytest.approx(0.95)
    assert (spike["quality"], spike["filtered_fraction"], spike["reviewed"]) == ("impossible_jump", None, True)
    assert spike["reason"].startswith("Écho isolé : 95 %")
    others = [level for level in answer["levels"] if level is not spike]
    assert all(level["quality"] == "ok" and level["filtered_sd"] > 0 for level in others)
    assert [round(item["level_after"], 1) for item in answer["seen"]] == [0.0, 0.0]
    assert [item["verdict"] for item in answer["declared"]] == ["seen", "not_seen"]


def test_emptyings_are_compared(client: httpx.Client, reviewed: Connection):
    answer = client.get(f"{HERE}/emptyings", params={"days": 3}).json()
    assert (answer["seen"], answer["declared_seen"], answer["declared_not_observable"]) == (2, 1, 0)
    assert [item["place_id"] for item in answer["declared_not_seen"]] == ["COR-0001"]
    (undeclared,) = answer["seen_not_declared"]
    assert undeclared["event_id"] is None
    assert undeclared["confidence"] > 0.8


def test_a_bin_shows_filtered_and_newest_beside_what_was_measured(client: httpx.Client, reviewed: Connection):
    before = client.get(f"{HERE}/bins/COR-0001").json()
    assert before["filtered"]["fill_fraction"] == pytest.approx(before["measured"]["fill_fraction"], abs=0.05)
    assert before["newest"]["quality"] == "ok"
    take_in(reviewed, fill("COR-0001", 0.99, at=NOW, device_id=1))
    after = client.get(f"{HERE}/bins/COR-0001").json()
    assert after["measured"] == before["measured"]
    assert after["newest"] == {"measured_at": NOW.isoformat().replace("+00:00", "Z"), "quality": "ok", "reason": None}


def test_open_alerts_and_those_of_the_past(client: httpx.Client, reviewed: Connection):
    answer = client.get(f"{HERE}/alerts").json()
    assert answer["open"] == len(answer["alerts"])
    assert {alert["closed_at"] for alert in answer["alerts"]} <= {None}
    # It was missed at 33:30 and emptied at 40:00.
    assert "missed_emptying" not in {alert["kind"] for alert in answer["alerts"]}
    since = (NOW - timedelta(days=2)).isoformat()
    past = client.get(f"{HERE}/alerts", params={"since": since, "kind": "missed_emptying"}).json()
    (missed,) = past["alerts"]
    assert (missed["place_id"], missed["severity"], missed["closed_by"]) == ("COR-0001", "important", "recovered")
    assert missed["opened_at"] < missed["closed_at"]
    assert past["open"] == 0
    elsewhere = client.get(f"{HERE}/alerts", params={"since": since, "place_id": "COR-0002"}).json()
    assert elsewhere["alerts"] == []


def test_a_devices_health_is_told(client: httpx.Client, reviewed: Connection):
    mount(reviewed, "COR-0002", eui="24e124713b000002")
    reviewed.commit()
    answer = client.get(f"{HERE}/device-health").json()
    speaks, mute = answer["devices"]
    assert speaks["period_s"] == pytest.approx(3600)
    assert (speaks["silent"], speaks["battery_percent"]) == (False, 90.0)
    assert (mute["silent"], mute["heard_at"], mute["period_s"]) == (True, None, None)
    assert answer["silent"] == 1


@pytest.mark.parametrize(
    "path", ["alerts?since=yesterday", "alerts?kind=gossip", "emptyings?confidence=0", "bins/COR-0001/levels?days=0"]
)
def test_nonsense_is_a_problem(client: httpx.Client, path: str):
    assert client.get(f"{HERE}/{path}").status_code == 422


def test_levels_of_an_unknown_bin_are_not_found(client: httpx.Client):
    assert client.get(f"{HERE}/bins/COR-9999/levels").status_code == 404
