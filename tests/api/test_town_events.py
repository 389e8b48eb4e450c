"""Markets and events: all or nothing by file or over HTTP, told twice without harm."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from storage import town_events
from storage.database import Connection
from storage.model import TownEventKind
from tests.api.rows import INSEE

HERE = f"/api/v1/communes/{INSEE}/events"
HEADER = "kind,name,starts_at,ends_at,weekly_until,longitude_deg,latitude_deg,radius_m\n"
FILE = (
    HEADER + "market,Marché Gallieni,2026-03-04 07:00,2026-03-04 13:30,2026-12-31,2.5530,48.8480,130\n"
    "event,Fête de la ville,13/06/2026 10:00,14/06/2026 23:00,,,,\n"
)
MARKET = {
    "kind": "market", "name": "Marché Gallieni", "starts_at": "2026-03-04T07:00:00+01:00",
    "ends_at": "2026-03-04T13:30:00+01:00", "weekly_until": "2026-12-31", "longitude_deg": 2.553,
    "latitude_deg": 48.848, "radius_m": 130,
}  # fmt: skip


def test_a_file_is_taken_whole_and_twice_without_harm(rows: Connection):
    assert town_events.import_events(rows, INSEE, FILE.encode(), dry_run=True).imported == 2
    assert town_events.every(rows, INSEE) == []
    assert town_events.import_events(rows, INSEE, FILE.encode()).imported == 2
    again = town_events.import_events(rows, INSEE, FILE.replace(",130\n", ",200\n").replace(",", ";").encode())
    assert (again.imported, again.updated, again.unchanged) == (0, 1, 1)
    market, fair = town_events.every(rows, INSEE)
    assert (market.kind, market.weekly_until, market.radius_m) == (TownEventKind.MARKET, date(2026, 12, 31), 200)
    # Seven o'clock in the commune.
    assert market.starts_at == datetime(2026, 3, 4, 6, tzinfo=UTC)
    assert (fair.radius_m, fair.longitude_deg) == (None, None)


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        ("fair,F,2026-06-13 10:00,2026-06-13 12:00,,,,", "kind", "expected one of market, event"),
        ("event,,2026-06-13 10:00,2026-06-13 12:00,,,,", "name", "expected a name"),
        ("event,F,tomorrow,2026-06-13 12:00,,,,", "starts_at", "expected a time like"),
        ("event,F,2026-06-13 10:00,2026-06-13 09:00,,,,", None, "starts_at < ends_at"),
        ("event,F,2026-06-13 10:00,2026-06-13 12:00,often,,,", "weekly_until", "expected a day like"),
        ("event,F,2026-06-13 10:00,2026-06-13 12:00,,2.5,,", None, "together, or none"),
        ("event,F,2026-06-13 10:00,2026-06-13 12:00,,2.5,98,100", "latitude_deg", "expected -90 to 90"),
        ("event,F,2026-06-13 10:00,2026-06-13 12:00,,2.5,48,-1", "radius_m", "expected 1 to 20000"),
        ("event,F,2026-06-13 10:00", None, "expected 8 fields, got 3"),
        ("event,Fête de la ville,13/06/2026 10:00,14/06/2026 23:00,,,,", "name", "same name and start as line 3"),
    ],
)
def test_a_fault_is_told_by_its_line_and_nothing_is_taken(rows: Connection, line: str, column: str | None, says: str):
    (error,) = town_events.import_events(rows, INSEE, f"{FILE}{line}\n".encode()).errors
    assert (error.line, error.column) == (4, column)
    assert says in error.reason
    assert town_events.every(rows, INSEE) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "expected a column kind"),
        (b"kind,name\n", "expected a column starts_at"),
        (HEADER.replace("\n", ",colour\n").encode(), "unknown column 'colour'"),
        ("kind;été".encode("latin-1"), "expected UTF-8"),
        ((HEADER + '"never closed').encode(), "not CSV"),
    ],
    ids=["empty", "columns missing", "unknown column", "latin-1", "quotes"],
)
def test_what_is_no_such_file_is_refused(rows: Connection, content: bytes, says: str):
    errors = town_events.import_events(rows, INSEE, content).errors
    assert any(says in error.reason for error in errors), errors


def test_events_are_told_listed_and_forgotten_over_http(client: httpx.Client):
    def post(*events: dict[str, Any]) -> httpx.Response:
        return client.post(HERE, json={"events": list(events)})

    assert post(MARKET).json() == {"imported": 1, "updated": 0, "unchanged": 0}
    assert post(MARKET).json() == {"imported": 0, "updated": 0, "unchanged": 1}
    assert post(MARKET, {**MARKET, "name": "Autre", "ends_at": MARKET["starts_at"]}).status_code == 422
    assert post({**MARKET, "name": "Autre", "radius_m": None}).status_code == 422
    (told,) = client.get(HERE).json()["events"]
    assert {name: told[name] for name in ("name", "weekly_until", "radius_m")} == {
        name: MARKET[name] for name in ("name", "weekly_until", "radius_m")
    }
    # It comes again in summer, not in the year after.
    assert client.get(HERE, params={"since": "2026-07-01T00:00:00Z"}).json()["events"] == [told]
    assert client.get(HERE, params={"since": "2027-02-01T00:00:00Z"}).json()["events"] == []
    assert client.delete(f"{HERE}/{told['event_id']}").status_code == 204
    assert client.delete(f"{HERE}/{told['event_id']}").status_code == 404
    assert client.get(HERE).json()["events"] == []
