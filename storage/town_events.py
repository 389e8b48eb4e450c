"""Markets and events that the town tells of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from storage import communes
from storage.database import Connection, fetch, statement
from storage.device_file import LineError
from storage.errors import NotFoundError
from storage.event_file import read_events
from storage.model import TownEvent

_EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsReport:
    """What became of a file. With errors nothing was written; `imported` counts new, `updated` corrected events."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: tuple[LineError, ...] = ()


def import_events(connection: Connection, commune_insee: str, content: bytes, *, dry_run: bool = False) -> EventsReport:
    """Take a CSV file of events in, all of it or nothing, in the caller's transaction; with `dry_run` write nothing.

    Times without an offset are the commune's. Raises NotFoundError when there is no such commune.
    """
    commune = communes.one(connection, commune_insee)
    events, errors = read_events(content, zone=ZoneInfo(commune.time_zone))
    if errors:
        return EventsReport(errors=errors)
    if not dry_run:
        return save(connection, commune_insee, events)
    with connection.transaction(force_rollback=True):
        return save(connection, commune_insee, events)


def save(connection: Connection, commune_insee: str, events: Iterable[TownEvent]) -> EventsReport:
    """Store events in the caller's transaction; one of the same name and start is corrected."""
    imported = updated = unchanged = 0
    for event in events:
        parameters = asdict(event) | {"commune_insee": commune_insee, "kind": event.kind.value}
        row = connection.execute(statement("town_events", "save"), parameters).fetchone()
        if row is None:
            unchanged += 1
        elif row[0]:
            imported += 1
        else:
            updated += 1
    return EventsReport(imported=imported, updated=updated, unchanged=unchanged)


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
