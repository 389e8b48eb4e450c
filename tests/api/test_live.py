"""Live events: what was committed is told at once, what was missed is told again, and a stop waits for nobody."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from api.app import ApiOptions
from api.live import LiveHub
from storage.database import Connection
from tests.api.rows import INSEE, ago, fill, occupancy, save_forecast, save_plan, take_in
from tests.api.serving import client_of, serving
from tests.tools import wait_until

LIVE = f"/api/v1/communes/{INSEE}/live"


class Stream:
    """Reads a stream of server-sent events, one at a time."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()
        self.last_event_id = ""

    def next(self) -> tuple[str, dict[str, int]]:
        """Return the next event's name and data."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line:
                if "event" in fields:
                    self.last_event_id = fields["id"]
                    return fields["event"], json.loads(fields["data"])
                fields = {}
            name, _, value = line.partition(": ")
            fields[name] = value
        raise StopIteration

    def until(self, *kinds: str) -> dict[str, dict[str, int]]:
        """Read on until each of `kinds` has come; return their data."""
        seen: dict[str, dict[str, int]] = {}
        while not set(kinds) <= set(seen):
            kind, data = self.next()
            seen[kind] = data
        return seen


@contextmanager
def listening(client: httpx.Client, last_event_id: str | None = None) -> Iterator[Stream]:
    """Open a stream; it is listening once it said hello (or resync)."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with client.stream("GET", LIVE, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)


def _wait_for_listener(connection: Connection) -> None:
    def listens() -> bool:
        connection.rollback()
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
        ).fetchone()
        return row == (1,)

    wait_until(listens, what="the API's LISTEN")


def test_everything_committed_is_told(client: httpx.Client, rows: Connection):
    _wait_for_listener(rows)
    with listening(client) as stream:
        assert stream.next()[0] == "hello"
        take_in(rows, fill("COR-0001", 0.5, at=ago(minutes=3)), occupancy("ADL-01", occupied=True, at=ago(minutes=2)))
        assert stream.until("readings") == {"readings": {"stored": 2}}
        save_forecast(rows, ["COR-0001"])
        save_plan(rows)
        stream.until("forecast", "plan")
        event = {
            "event_id": "00000000-0000-4000-8000-00000000000a", "place_id": "COR-0001", "kind": "emptied",
            "happened_at": ago(minutes=1).isoformat(),
        }  # fmt: skip
        client.post(f"/api/v1/communes/{INSEE}/service-events", json={"events": [event]})
        stream.until("service_events")


def test_what_is_rolled_back_is_not_told(client: httpx.Client, rows: Connection):
    _wait_for_listener(rows)
    with listening(client) as stream:
        assert stream.next()[0] == "hello"
        rows.execute("SELECT pg_notify('voirie_live', %s)", ['{"kind": "plan", "commune_insee": "93051"}'])
        rows.rollback()
        rows.execute("SELECT pg_notify('voirie_live', %s)", ['{"kind": "forecast", "commune_insee": "75056"}'])
        rows.execute("SELECT pg_notify('voirie_live', %s)", ["not JSON"])
        rows.commit()
        take_in(rows, fill("COR-0001", 0.5, at=ago(minutes=3)))
        kind, _ = stream.next()
        while kind == "heartbeat":
            kind, _ = stream.next()
        assert kind == "readings"


def test_reconnection_gets_what_was_missed(client: httpx.Client, rows: Connection):
    _wait_for_listener(rows)
    with listening(client) as stream:
        stream.next()
    for minutes in (5, 4, 3):
        take_in(rows, fill("COR-0001", 0.5, at=ago(minutes=minutes)))
    with listening(client, stream.last_event_id) as again:
        told = 0
        while told < 3:
            told += again.until("readings")["readings"]["stored"]
        assert told == 3
    with listening(client, "another-1") as unknown:
        assert unknown.next()[0] == "resync"


def test_lost_database_connection_ends_in_a_resync(client: httpx.Client, rows: Connection):
    _wait_for_listener(rows)
    with listening(client) as stream:
        assert stream.next()[0] == "hello"
        rows.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'")
        rows.commit()
        stream.until("resync")


def test_page_that_came_before_the_server_listened_loads_all_again(database_url: str):
    async def first() -> str:
        hub = LiveHub(database_url)
        position = hub.position
        hub.start()
        try:
            async with asyncio.timeout(20):
                return (await anext(hub.events(INSEE, position))).kind
        finally:
            await hub.stop()

    assert asyncio.run(first()) == "resync"


def test_client_that_opens_anew_names_the_last_event_itself(client: httpx.Client, rows: Connection):
    _wait_for_listener(rows)
    with listening(client) as stream:
        stream.next()
    take_in(rows, fill("COR-0001", 0.5, at=ago(minutes=5)))
    with client.stream("GET", f"{LIVE}?last_event_id={stream.last_event_id}") as response:
        assert Stream(response).next() == ("readings", {"stored": 1})


def test_one_stream_too_many_is_told_so_and_others_go_on(database_url: str, rows: Connection):
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, heartbeat_s=0.5, most_live_streams=1)
    with client_of(options) as client:
        _wait_for_listener(rows)
        with listening(client) as first:
            assert first.next()[0] == "hello"
            with client.stream("GET", LIVE) as response:
                told = [line for line in response.iter_lines() if line]  # ends by itself
            assert "event: full" in told
            (retry,) = [int(line.removeprefix("retry: ")) for line in told if line.startswith("retry")]
            assert retry >= 25_000
            take_in(rows, fill("COR-0001", 0.5, at=ago(minutes=3)))
            first.until("readings")

        def hears() -> bool:
            with listening(client) as again:
                return again.next()[0] == "hello"

        wait_until(hears, what="the place that the first one left")


def test_stop_waits_for_no_open_page(database_url: str, rows: Connection):
    options = ApiOptions(database_url=database_url, commune_insee=INSEE, heartbeat_s=60)
    ended = threading.Event()
    with httpx.Client(timeout=60) as client:
        with serving(options) as url:
            opened = threading.Event()

            def read() -> None:
                with client.stream("GET", url + LIVE) as response:
                    for line in response.iter_lines():
                        if line == "event: hello":
                            opened.set()
                ended.set()

            reader = threading.Thread(target=read)
            reader.start()
            assert opened.wait(10)
        # `serving` fails unless the server stopped, and it did so while the page was still reading.
        reader.join(timeout=10)
    assert ended.is_set()


def test_open_streams_are_counted(client: httpx.Client, rows: Connection):
    with listening(client) as stream:
        stream.next()
        assert "voirie_live_clients 1.0" in client.get("/metrics").text
