"""The real application over a real database with a small commune in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from api.app import ApiOptions
from optimise.occupancy.job import make_sessions
from optimise.occupancy.observe import observe
from storage.database import Connection, connect
from storage.model import PlaceKind
from tests.api.rows import INSEE, NOW, mount, occupancy, save_commune, save_places, take_in
from tests.api.serving import client_of
from tests.conftest import Server


@pytest.fixture
def rows(connection: Connection) -> Connection:
    """A connection to a database that holds the small commune and its places."""
    save_commune(connection)
    save_places(connection)
    connection.commit()
    return connection


@pytest.fixture
def client(database_url: str, rows: Connection) -> Iterator[httpx.Client]:
    """A client of the application that serves the small commune."""
    with client_of(ApiOptions(database_url=database_url, commune_insee=INSEE, heartbeat_s=0.5)) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_client(embedded_server: Server) -> Iterator[httpx.Client]:
    """A client for the tests of a module that change nothing: the small commune, made once for all of them."""
    url = embedded_server.create_database()
    with connect(url) as connection:
        save_commune(connection)
        save_places(connection)
        connection.commit()
    with client_of(ApiOptions(database_url=url, commune_insee=INSEE, heartbeat_s=0.5)) as opened:
        yield opened
    embedded_server.drop_database(url)


@pytest.fixture
def observed(rows: Connection) -> Connection:
    """Eight days of a bay that is taken every second half hour, made into figures."""
    device_id = mount(rows, "ADL-01", eui="A1", kind=PlaceKind.DELIVERY_BAY)
    first = NOW - timedelta(days=8)
    take_in(
        rows,
        *(
            occupancy(
                "ADL-01", occupied=number % 2 == 0, at=first + number * timedelta(minutes=30), device_id=device_id
            )
            for number in range(8 * 48)
        ),
    )
    make_sessions(rows, INSEE)
    observe(rows, INSEE, now=NOW)
    rows.commit()
    return rows
