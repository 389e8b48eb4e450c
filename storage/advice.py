"""Advice on delivery areas: the stays that it is made of, and the document that came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from psycopg.types.json import Jsonb

from storage.database import Connection, statement
from storage.errors import NotFoundError


@dataclass(frozen=True, kw_only=True, slots=True)
class Stays:
    """The stays of a pool in one hour of a class of days, of the hours laid out (`storage.observatory`)."""

    day_class: str
    hour: int
    dwell_counts: Sequence[int]
    limited: int
    overstays: int


def stays(connection: Connection, commune_insee: str) -> dict[str, list[Stays]]:
    """Return the stays of the delivery bays laid out, by pool: the area that they are part of, or each bay."""
    found: dict[str, list[Stays]] = {}
    for pool, day_class, hour, counts, limited, overstays in connection.execute(
        statement("advice", "stays"), {"commune_insee": commune_insee}
    ):
        found.setdefault(pool, []).append(
            Stays(
                day_class=day_class,
                hour=hour,
                dwell_counts=tuple(count or 0 for count in counts),
                limited=limited,
                overstays=overstays,
            )
        )
    return found


def save(connection: Connection, commune_insee: str, *, as_of: datetime, document: dict[str, Any]) -> str:
    """Store an advice; return its id, which is put into the document too."""
    advice_id = str(uuid4())
    document |= {"advice_id": advice_id, "as_of": as_of.isoformat()}
    connection.execute(
        statement("advice", "save"),
        {"commune_insee": commune_insee, "advice_id": advice_id, "as_of": as_of, "document": Jsonb(document)},
    )
    return advice_id


def latest(connection: Connection, commune_insee: str) -> dict[str, Any]:
    """Return the commune's last advice. NotFoundError when there is none."""
    row = connection.execute(statement("advice", "latest"), {"commune_insee": commune_insee}).fetchone()
    if row is None:
        raise NotFoundError(
            f"commune {commune_insee} has no advice on delivery areas yet: voirie advise delivery-areas makes it"
        )
    found: dict[str, Any] = row[0]
    return found
