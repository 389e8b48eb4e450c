"""Declarations: all or none, once, and never from the future."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from storage import bins, vehicle_events
from storage.database import Connection
from tests.api.rows import INSEE, NOW, ago

EVENTS = f"/api/v1/communes/{INSEE}/service-events"


def _event(place_id: str = "COR-0001", **changed: Any) -> dict[str, Any]:
    event = {
        "event_id": str(uuid4()),
        "place_id": place_id,
        "kind": "emptied",
        "happened_at": ago(minutes=5).isoformat(),
        "found_fraction": 0.75,
    }
    return event | changed


def _stored(connection: Connection) -> list[tuple[Any, ...]]:
    connection.rollback()  # what follows sees what others committed
    return connection.execute(
        "SELECT event_id::text, place_id, found_fraction FROM service_event ORDER BY event_id"
    ).fetchall()


def test_sending_again_changes_nothing(client: httpx.Client, rows: Connection):
    events = [_event("COR-0001"), _event("COR-0002")]
    assert client.post(EVENTS, json={"events": events}).json() == {"accepted": 2, "new": 2}
    stored = _stored(rows)
    assert len(stored) == 2
    changed = [events[0] | {"found_fraction": 0.1}, events[1], _event("COR-0003")]
    assert client.post(EVENTS, json={"events": changed}).json() == {"accepted": 3, "new": 1}
    after = _stored(rows)
    assert len(after) == 3
    assert set(stored) < set(after)


def test_unknown_place_is_named_with_its_index_and_nothing_is_stored(client: httpx.Client, rows: Connection):
    # A delivery bay is a place, but nobody empties it.
    body = {"events": [_event("COR-0001"), _event("COR-9999"), _event("ADL-01")]}
    answer = client.post(EVENTS, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:voirie:problem:unknown-place"
    assert [error["location"] for error in problem["errors"]] == [
        ["body", "events", 1, "place_id"],
        ["body", "events", 2, "place_id"],
    ]
    assert "COR-9999" in problem["errors"][0]["detail"]
    assert _stored(rows) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "polished"},
        {"found_fraction": 2},
        {"found_fraction": -0.1},
        {"happened_at": "2026-03-10T10:00:00"},  # without an offset it names no moment
        {"happened_at": (NOW + timedelta(minutes=11)).isoformat()},
        {"event_id": "1"},
        {"surprise": 1},
    ],
)
def test_nonsense_is_refused(client: httpx.Client, rows: Connection, changed: dict[str, Any]):
    answer = client.post(EVENTS, json={"events": [_event(), _event(**changed)]})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert _stored(rows) == []


@pytest.mark.parametrize(("count", "status"), [(0, 422), (1000, 200), (1001, 422)])
def test_a_batch_has_one_to_a_thousand_events(client: httpx.Client, count: int, status: int):
    assert client.post(EVENTS, json={"events": [_event() for _ in range(count)]}).status_code == status


def test_body_of_endless_size_is_cut_off(client: httpx.Client):
    answer = client.post(EVENTS, content=b" " * 2_000_000, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_cannot_be_committed_is_not_accepted(
    client: httpx.Client, rows: Connection, monkeypatch: pytest.MonkeyPatch
):
    commit = psycopg.Connection.commit

    def fail(connection: psycopg.Connection[Any]) -> None:
        # Other connections are of the tests themselves, which may be making the next database meanwhile.
        if connection.info.dbname != rows.info.dbname:
            return commit(connection)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(psycopg.Connection, "commit", fail)
    answer = client.post(EVENTS, json={"events": [_event()]})
    monkeypatch.undo()
    assert answer.status_code == 503
    assert _stored(rows) == []
    assert client.post(EVENTS, json={"events": [_event()]}).json()["new"] == 1


# --- taken back ------------------------------------------------------------------------------------------------------


def _withdrawal(event: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"event_id": event["event_id"], "withdrawn_at": ago(minutes=4).isoformat()} | changed


def _emptied_at(client: httpx.Client, place_id: str) -> Any:
    return client.get(f"/api/v1/communes/{INSEE}/bins/{place_id}").json()["declared"]


def test_what_is_taken_back_stays_as_it_was_told_and_counts_no_more(client: httpx.Client, rows: Connection):
    before = _emptied_at(client, "COR-0001")
    kept, slip = _event("COR-0002"), _event("COR-0001")
    client.post(EVENTS, json={"events": [kept, slip]})
    assert _emptied_at(client, "COR-0001") != before
    for new in (1, 0):
        answer = client.post(f"{EVENTS}/withdrawals", json={"withdrawals": [_withdrawal(slip)]})
        assert answer.json() == {"accepted": 1, "new": new}
    assert _emptied_at(client, "COR-0001") == before
    assert len(_stored(rows)) == 2
    found = bins.emptyings(rows, INSEE, since=ago(minutes=6), until=NOW)
    assert [emptying.place_id for emptying in found] == ["COR-0002"]
    told = vehicle_events.at_bins(rows, INSEE, since=ago(minutes=6), until=NOW)
    assert [event.place_id for event in told] == ["COR-0002"]
    # Sent once more by a tablet that heard no answer, it stays taken back.
    assert client.post(EVENTS, json={"events": [slip]}).json() == {"accepted": 1, "new": 0}
    assert _emptied_at(client, "COR-0001") == before


@pytest.mark.parametrize(
    "changed",
    [
        {"event_id": str(uuid4())},  # nobody declared it
        {"withdrawn_at": ago(minutes=6).isoformat()},  # before it was declared
        {"withdrawn_at": (NOW + timedelta(minutes=11)).isoformat()},
        {"withdrawn_at": "2026-03-10T10:00:00"},
        {"surprise": 1},
    ],
)
def test_nonsense_takes_nothing_back(client: httpx.Client, rows: Connection, changed: dict[str, Any]):
    events = [_event("COR-0001"), _event("COR-0002")]
    client.post(EVENTS, json={"events": events})
    body = {"withdrawals": [_withdrawal(events[0]), _withdrawal(events[1], **changed)]}
    answer = client.post(f"{EVENTS}/withdrawals", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    rows.rollback()
    assert rows.execute("SELECT count(*) FROM service_withdrawal").fetchone() == (0,)


def test_nothing_is_taken_back_after_a_day(client: httpx.Client):
    old = _event("COR-0001", happened_at=ago(minutes=24 * 60 + 5).isoformat())
    client.post(EVENTS, json={"events": [old]})
    answer = client.post(f"{EVENTS}/withdrawals", json={"withdrawals": [_withdrawal(old)]})
    assert answer.status_code == 422
    assert "within a day" in answer.json()["detail"]
