"""The real application over a real database with a small commune in it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from api.app import ApiOptions
from storage.database import Connection, connect
from tests.api.rows import INSEE, save_commune, save_places
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
