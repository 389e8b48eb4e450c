"""Declarations that agents took back: a slip of a gloved finger must not teach the forecast.

A declaration is never changed or deleted. Who looks for what was declared leaves out what was taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

from storage import review
from storage.database import Connection, fetch, statement
from storage.model import ServiceEvent, ServiceEventKind, ServiceWithdrawal


def declared(connection: Connection, commune_insee: str, event_ids: Iterable[UUID]) -> dict[UUID, ServiceEvent]:
    """Return what was declared under these ids, taken back or not."""
    parameters = {"commune_insee": commune_insee, "event_ids": list(event_ids)}
    return {event.event_id: event for event in fetch(connection, ServiceEvent, statement("bins", "events"), parameters)}


def withdraw(connection: Connection, commune_insee: str, withdrawals: Iterable[ServiceWithdrawal]) -> int:
    """Store that declarations were taken back and tell the live listeners; return how many were new.

    One taken back twice is so once. The declarations must be known: psycopg.errors.ForeignKeyViolation.
    """
    told = {item.event_id: item for item in withdrawals}
    rows = [
        {"commune_insee": commune_insee, "event_id": item.event_id, "withdrawn_at": item.withdrawn_at}
        for item in told.values()
    ]
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.executemany(statement("bins", "withdraw"), rows)
        new = cursor.rowcount
    if new:
        notice = {"kind": "service_events", "commune_insee": commune_insee}
        connection.execute(statement("readings", "notify"), {"message": msgspec.json.encode(notice).decode()})
        emptied = [
            review.Due(kind="declared", device_id=0, place_id=event.place_id, changed_since=event.happened_at)
            for event in declared(connection, commune_insee, told).values()
            if event.kind is ServiceEventKind.EMPTIED
        ]
        review.ask(connection, commune_insee, emptied)
    return new
