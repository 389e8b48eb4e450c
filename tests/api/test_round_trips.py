"""How often a request waits for the database: under load each time costs a turn of the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from api.app import ApiOptions
from cli.fault_matrix.proxy import Proxy
from cli.fault_matrix.sockets import Endpoint
from storage.database import Connection
from storage.model import Role
from tests.api.accounts import OURS, log_in, make_account, make_key
from tests.api.rows import INSEE, NOW, save_plan
from tests.api.serving import client_of

COMMUNE = f"/api/v1/communes/{INSEE}"
WARM = 8
"""Requests before one is counted: a query that came often enough is prepared, which is a round trip of its own."""
COUNTED = 6


class RoundTrips:
    """Counts how often the program spoke after it had been answered."""

    def __init__(self) -> None:
        self.count = 0
        self._answered = True

    def up(self, _chunk: bytes) -> None:
        self.count += self._answered
        self._answered = False

    def down(self, _chunk: bytes) -> None:
        self._answered = True


@pytest.fixture
def counted(database_url: str, rows: Connection) -> Iterator[tuple[httpx.Client, list[RoundTrips]]]:
    """A client of the application with accounts, and what counts the lines between it and its database."""
    save_plan(rows)
    rows.commit()
    told = conninfo_to_dict(database_url)
    host, port = str(told["host"]), int(told.get("port") or 5432)
    endpoint = (
        Endpoint(host=f"{host}/.s.PGSQL.{port}", port=0) if host.startswith("/") else Endpoint(host=host, port=port)
    )
    lines: list[RoundTrips] = []

    def tap() -> RoundTrips:
        lines.append(RoundTrips())
        return lines[-1]

    with Proxy(endpoint, tap=tap) as proxy:
        url = make_conninfo(database_url, host="127.0.0.1", port=proxy.port)
        # No heartbeat of the live events' own line falls into what is counted.
        options = ApiOptions(database_url=url, commune_insee=INSEE, heartbeat_s=600)
        with client_of(options, open_to_all=False) as client:
            yield client, lines


def each_time(ask: Callable[[], None], lines: list[RoundTrips]) -> int:
    """Return how often the database is asked each time; what passes is counted a moment after it passed."""
    for _ in range(WARM):
        ask()
    before = sum(line.count for line in lines)
    for _ in range(COUNTED):
        ask()
    return round((sum(line.count for line in lines) - before) / COUNTED)


@pytest.mark.parametrize(
    ("role", "path", "most"),
    [
        (None, "guidance?lon=2.551&lat=48.848", 4),
        (Role.DISPATCHER, "bins", 5),
        (Role.PARKING_MANAGER, "delivery-bays", 4),
        (Role.PARKING_MANAGER, "parking", 4),
        (Role.OFFICER, "checks", 4),
        (Role.DRIVER, "rounds/BOM-1?service_date=2026-03-11&known_version=1", 6),
        (Role.DRIVER, None, 8),
    ],
)
def test_request_asks_the_database_a_few_times(
    counted: tuple[httpx.Client, list[RoundTrips]], rows: Connection, role: Role | None, path: str | None, most: int
):
    client, lines = counted
    headers = {} if role is None else make_key(rows, INSEE, role)

    def ask() -> None:
        if path is None:
            event = {
                "event_id": str(uuid4()), "place_id": "COR-0001", "kind": "emptied",
                "happened_at": NOW.isoformat(), "found_fraction": 0.5,
            }  # fmt: skip
            answer = client.post(f"{COMMUNE}/service-events", json={"events": [event]}, headers=headers)
        else:
            answer = client.get(f"{COMMUNE}/{path}", headers=headers)
        assert answer.is_success, answer.text

    assert each_time(ask, lines) <= most


def test_session_is_looked_up_in_one_round_trip(counted: tuple[httpx.Client, list[RoundTrips]], rows: Connection):
    client, lines = counted
    make_account(rows, "chef", (INSEE, Role.DISPATCHER))
    log_in(client, "chef")

    def ask() -> None:
        assert client.get("/confidentialite", headers=OURS).is_success

    assert each_time(ask, lines) == 1
