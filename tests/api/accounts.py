"""People and machines for tests: an account of each role, logged in, or with a key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from unittest.mock import patch

import httpx

from storage import accounts, passwords
from storage.database import Connection
from storage.model import Account, Grant, Role

PASSWORD = "a-quiet-otter-swims-at-noon"
OURS = {"Sec-Fetch-Site": "same-origin"}


_hashed_once = cache(passwords.hashed)
"""Hashing is slow on purpose; a password that stands in a file needs no salt of each account's own."""


def make_account(connection: Connection, name: str, *granted: tuple[str, Role]) -> Account:
    """An account with the test's password and these roles."""
    with patch.object(passwords, "hashed", _hashed_once):
        account = accounts.add(connection, name=name, display_name=name.title(), password=PASSWORD)
    for commune_insee, role in granted:
        accounts.grant(connection, account.account_id, Grant(commune_insee=commune_insee, role=role))
    connection.commit()
    return account


def make_key(connection: Connection, commune_insee: str, *roles: Role) -> dict[str, str]:
    """The header of a machine with a key for a commune."""
    _, secret = accounts.add_key(
        connection,
        name="a machine",
        commune_insee=commune_insee,
        roles=roles,
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )
    connection.commit()
    return {"Authorization": f"Bearer {secret}"}


def log_in(client: httpx.Client, name: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    """Log in as a browser does from our own page."""
    return client.post("/connexion", data={"name": name, "password": password, **fields}, headers=OURS)
