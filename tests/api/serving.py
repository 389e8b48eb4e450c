"""Runs the real application on the loopback, as `voirie api` does, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import httpx
import psycopg
from psycopg.conninfo import make_conninfo

from api.app import ApiOptions, create_app
from api.ports import Ports
from api.serve import make_server
from storage.isolation import ROLE
from tests.tools import free_port, wait_until

LOGIN = "voirie_test_web"


def as_web(url: str) -> str:
    """The database entered as the web server enters it: as a login that owns nothing, a member of the API's role."""
    with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as connection:
        with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            connection.execute(f"CREATE ROLE {LOGIN} LOGIN IN ROLE {ROLE}")
        return make_conninfo(url, user=LOGIN)
    return url


@contextmanager
def serving(
    options: ApiOptions,
    ports: Ports | None = None,
    *,
    open_to_all: bool = True,
    trusted_proxies: Sequence[str] = (),
    port: int | None = None,
) -> Iterator[str]:
    """Serve with `options` until the block ends; yields the base URL. Accounts are open unless a test is about them."""
    options = replace(options, database_url=as_web(options.database_url), open_to_all=open_to_all)
    port = port or free_port()
    server = make_server(
        create_app(options, ports or Ports()), host="127.0.0.1", port=port, trusted_proxies=trusted_proxies
    )
    thread = threading.Thread(target=server.run, name="voirie-api")
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), what="the API's start")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive(), "the API did not stop"


@contextmanager
def client_of(
    options: ApiOptions,
    ports: Ports | None = None,
    *,
    open_to_all: bool = True,
    trusted_proxies: Sequence[str] = (),
) -> Iterator[httpx.Client]:
    """Serve with `options` and yield a client whose paths start at the server's root."""
    with (
        serving(options, ports, open_to_all=open_to_all, trusted_proxies=trusted_proxies) as url,
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        yield client
