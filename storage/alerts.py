"""Alerts: opened once, closed by themselves, kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import datetime

import msgspec
from psycopg.types.json import Jsonb

from storage.database import Connection, fetch, statement
from storage.model import Alert, AlertKind, ClosedBy


def open_once(connection: Connection, commune_insee: str, alerts: Iterable[Alert]) -> int:
    """Store alerts unless they are known already, and tell the live listeners; return how many are new and open.

    One that is over already is kept with its end.
    """
    opened = 0
    for alert in alerts:
        row = asdict(alert) | {"commune_insee": commune_insee, "evidence": Jsonb(alert.evidence)}
        new = connection.execute(statement("alerts", "open_one"), row).fetchone() is not None
        opened += new and alert.closed_at is None
    if opened:
        notify(connection, commune_insee)
    return opened


def close(connection: Connection, commune_insee: str, closings: Iterable[tuple[int, datetime, ClosedBy]]) -> int:
    """Close open alerts, each (alert_id, when by event time, why), and tell the live listeners; return how many."""
    closed = 0
    for alert_id, closed_at, closed_by in closings:
        parameters = {
            "commune_insee": commune_insee,
            "alert_id": alert_id,
            "closed_at": closed_at,
            "closed_by": closed_by,
        }
        closed += connection.execute(statement("alerts", "close_one"), parameters).rowcount
    if closed:
        notify(connection, commune_insee)
    return closed


def notify(connection: Connection, commune_insee: str) -> None:
    """Tell the live listeners, when the transaction commits, that the commune's alerts changed."""
    notice = {"kind": "alerts", "commune_insee": commune_insee}
    connection.execute(statement("alerts", "notify"), {"message": msgspec.json.encode(notice).decode()})


def open_now(connection: Connection, commune_insee: str) -> list[Alert]:
    """Return the open alerts, oldest first."""
    return fetch(connection, Alert, statement("alerts", "open_now"), {"commune_insee": commune_insee})


def since(
    connection: Connection,
    commune_insee: str,
    moment: datetime,
    *,
    place_id: str | None = None,
    kinds: Collection[AlertKind] | None = None,
    most: int = 10_000,
) -> list[Alert]:
    """Return at most `most` alerts that were open at `moment` or later: those still open first, the newest first."""
    parameters = {
        "commune_insee": commune_insee,
        "since": moment,
        "place_id": place_id,
        "kinds": None if kinds is None else [kind.value for kind in kinds],
        "most": most,
    }
    return fetch(connection, Alert, statement("alerts", "between"), parameters)
