"""Territories (an EPT, the Métropole): communes together, and the accounts that read their figures, summed up."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from storage import communes
from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import InputError, NotFoundError

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Territory:
    """Communes together; `accounts` are the names of who reads their figures."""

    code: str
    name: str
    communes: tuple[str, ...]
    accounts: tuple[str, ...]


def save(connection: Connection, *, code: str, name: str, communes_insee: Collection[str]) -> Territory:
    """Enter a territory, or correct its name and communes. Harmless when repeated.

    Raises InputError for a code or a name that cannot be, NotFoundError for a commune that nobody entered.
    """
    code, name = code.strip().lower(), name.strip()
    if not _CODE.fullmatch(code):
        raise InputError(
            f"code: expected up to 40 letters, digits and hyphens like 't9' or 'metropole', got {code[:40]!r}"
        )
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise InputError(f"name: expected 1 to {_LONGEST_NAME} characters on one line, got {name[:40]!r}")
    if not communes_insee:
        raise InputError("communes: expected at least one")
    known = sorted({communes.one(connection, insee.strip().upper()).commune_insee for insee in communes_insee})
    told = {"code": code, "name": name, "communes": known}
    for step in ("save", "drop_communes", "add_communes"):
        connection.execute(statement("territories", step), told)
    return one(connection, code)


def every(connection: Connection) -> list[Territory]:
    """Return the territories by code."""
    return fetch(connection, Territory, statement("territories", "every"), {"code": None})


def one(connection: Connection, code: str) -> Territory:
    """Return a territory. Raises NotFoundError."""
    code = code.strip().lower()
    found = fetch_one(connection, Territory, statement("territories", "every"), {"code": code})
    if found is None:
        raise NotFoundError(f"there is no territory {code!r}: `voirie communes territory list` tells which there are")
    return found


def grant(connection: Connection, account_id: UUID, territory: Territory) -> None:
    """Let an account read the figures of a territory's communes, those that join it later too."""
    connection.execute(statement("territories", "grant"), {"account_id": account_id, "code": territory.code})


def withdraw(connection: Connection, account_id: UUID, territory: Territory) -> None:
    """Take that back, from the account's next request on. Harmless when repeated."""
    connection.execute(statement("territories", "withdraw"), {"account_id": account_id, "code": territory.code})
