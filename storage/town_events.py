"""Markets and events that the town tells of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from storage import communes
from storage.database import Connection, fetch, statement
from storage.errors import NotFoundError
from storage.event_file import read_events
from storage.file_report import FileReport, take_in
from storage.model import TownEvent

_EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))


def import_events(connection: Connection, commune_insee: str, content: bytes, *, dry_run: bool = False) -> FileReport:
    """Take a CSV file of events in, all of it or nothing, in the caller's transaction; with `dry_run` write nothing.

    Times without an offset are the commune's. Raises NotFoundError when there is no such commune.
    """
    commune = communes.one(connection, commune_insee)
    events, errors = read_events(content, zone=ZoneInfo(commune.time_zone))
    return take_in(connection, lambda: save(connection, commune_insee, events), errors=errors, dry_run=dry_run)


def save(connection: Connection, commune_insee: str, events: Iterable[TownEvent]) -> FileReport:
    """Store events in the caller's transaction; one of the same name and start is corrected."""
    query = statement("town_events", "save")
    return FileReport.of_rows(
        connection.execute(query, asdict(one) | {"commune_insee": commune_insee, "kind": one.kind.value}).fetchone()
        for one in events
    )


def every(
    connection: Connection, commune_insee: str, *, since: datetime | None = None, until: datetime | None = None
) -> list[TownEvent]:
    """Return the events that are on, or come again, within [since, until), by start."""
    parameters = {"commune_insee": commune_insee, "since": since or _EVER[0], "until": until or _EVER[1]}
    return fetch(connection, TownEvent, statement("town_events", "every"), parameters)


def remove(connection: Connection, commune_insee: str, event_id: UUID) -> None:
    """Forget an event that does not take place. Raises NotFoundError when there is none of this id."""
    parameters = {"commune_insee": commune_insee, "event_id": event_id}
    if not connection.execute(statement("town_events", "remove"), parameters).rowcount:
        raise NotFoundError(f"commune {commune_insee} has no event {event_id}")
