"""Officers' checks of the kerb: takes that exclude others, releases, closings, each told once and kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from psycopg import Cursor

from storage.database import Connection, fetch, fetch_one, statement
from storage.errors import ConflictError, NotFoundError
from storage.identifying import refuse_plates
from storage.model import CheckCause, CheckEvent, TakenCheck, TakenPlace, ToldCheck

DOUBT_SPAN = timedelta(days=90)
"""What officers found of a sensor counts for so long."""


class CheckTakenError(ConflictError):
    """Somebody else is on the way to that place already."""

    def __init__(self, held: TakenCheck) -> None:
        super().__init__(
            f"{held.place_id} was taken by {held.taken_by!r} at {held.taken_at.isoformat(timespec='seconds')} "
            f"and is theirs until {held.expires_at.isoformat(timespec='seconds')}"
        )
        self.held = held


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckDone:
    """What became of a tap: whether it changed anything, and who holds the check now (None: nobody)."""

    changed: bool
    held: TakenCheck | None


def take(
    connection: Connection, commune_insee: str, event: CheckEvent, *, holder_id: UUID, hold: timedelta
) -> CheckDone:
    """Take a check from `event.happened_at` on for `hold`, in the caller's transaction.

    Whoever holds it already holds it longer. Raises CheckTakenError when somebody else does, NotFoundError when there
    is no such bay or space.
    """
    if _is_told(connection, commune_insee, event):
        return CheckDone(changed=False, held=holder(connection, commune_insee, event.place_id, now=event.happened_at))
    held = holder(connection, commune_insee, event.place_id, now=event.happened_at)
    if held is not None and held.holder_id != holder_id:
        raise CheckTakenError(held)
    _tell(connection, commune_insee, event)
    connection.execute(
        statement("checks", "take"),
        {
            "commune_insee": commune_insee,
            "place_id": event.place_id,
            "holder_id": holder_id,
            "taken_by": event.told_by,
            "taken_at": event.happened_at,
            "expires_at": event.happened_at + hold,
        },
    )
    return CheckDone(changed=True, held=holder(connection, commune_insee, event.place_id, now=event.happened_at))


def release(connection: Connection, commune_insee: str, event: CheckEvent, *, holder_id: UUID) -> CheckDone:
    """Let a check go that `holder_id` holds; of one that it does not hold nothing is changed, nor told."""
    told = _is_told(connection, commune_insee, event)
    held = holder(connection, commune_insee, event.place_id, now=event.happened_at)
    if told or held is None or held.holder_id != holder_id:
        return CheckDone(changed=False, held=held)
    _tell(connection, commune_insee, event)
    connection.execute(
        statement("checks", "let_go"),
        {"commune_insee": commune_insee, "place_id": event.place_id, "holder_id": holder_id},
    )
    return CheckDone(changed=True, held=None)


def close(connection: Connection, commune_insee: str, event: CheckEvent, *, now: datetime) -> CheckDone:
    """Close a check with its cause, whoever holds it: what stood there by then is not proposed again."""
    changed = not _is_told(connection, commune_insee, event)
    if changed:
        refuse_plates(event.comment, what="comment")
        _tell(connection, commune_insee, event)
        connection.execute(
            statement("checks", "close"),
            {
                "commune_insee": commune_insee,
                "place_id": event.place_id,
                "closed_at": event.happened_at,
                "cause": event.cause,
            },
        )
    return CheckDone(changed=changed, held=holder(connection, commune_insee, event.place_id, now=now))


def holder(connection: Connection, commune_insee: str, place_id: str, *, now: datetime) -> TakenCheck | None:
    """Return who holds a place's check at `now`, None when nobody does."""
    parameters = {"commune_insee": commune_insee, "place_id": place_id, "now": now}
    return fetch_one(connection, TakenCheck, statement("checks", "holder"), parameters)


def on_their_way(connection: Connection, commune_insee: str, *, now: datetime) -> list[TakenPlace]:
    """Return the places that somebody holds at `now`, those that were taken first before others."""
    return fetch(
        connection, TakenPlace, statement("checks", "on_their_way"), {"commune_insee": commune_insee, "now": now}
    )


def log(
    connection: Connection, commune_insee: str, *, since: datetime, place_id: str | None = None, limit: int = 1000
) -> list[ToldCheck]:
    """Return what officers told since, newest first."""
    parameters = {"commune_insee": commune_insee, "since": since, "place_id": place_id, "limit": limit}
    return fetch(connection, ToldCheck, statement("checks", "log"), parameters)


def closings(connection: Connection, commune_insee: str) -> dict[CheckCause, int]:
    """Return how many closings with each cause are kept."""
    rows = connection.execute(statement("checks", "closings"), {"commune_insee": commune_insee})
    found = {CheckCause(cause): count for cause, count in rows}
    return {cause: found.get(cause, 0) for cause in CheckCause}


def held_now(connection: Connection, commune_insee: str, *, now: datetime) -> int:
    """Return how many checks somebody holds at `now`."""
    row = connection.execute(statement("checks", "held_now"), {"commune_insee": commune_insee, "now": now}).fetchone()
    return row[0] if row else 0


def ask_doubted(connection: Connection, commune_insee: str, *, now: datetime) -> Cursor[tuple[int, int, int]]:
    """Ask for (id, found right, found wrong) of each sensor that an officer found wrong within the last 90 days."""
    parameters = {"commune_insee": commune_insee, "since": now - DOUBT_SPAN}
    return connection.execute(statement("checks", "doubted"), parameters)


def _is_told(connection: Connection, commune_insee: str, event: CheckEvent) -> bool:
    """Whether the tap is known already; waits for whoever is at this place now."""
    of_place = {"commune_insee": commune_insee, "place_id": event.place_id}
    row = connection.execute(statement("checks", "is_sensed"), of_place).fetchone()
    if row is None or not row[0]:
        raise NotFoundError(f"commune {commune_insee} has no bay or space {event.place_id!r}")
    connection.execute(statement("checks", "lock_place"), of_place)
    parameters = {"commune_insee": commune_insee, "event_id": event.event_id}
    told = fetch_one(connection, ToldCheck, statement("checks", "told"), parameters)
    if told is not None and (told.place_id, told.act, told.cause) != (event.place_id, event.act, event.cause):
        raise ConflictError(
            f"event {event.event_id} was told already, of {told.place_id}: {told.act}; make a new event_id for each tap"
        )
    return told is not None


def _tell(connection: Connection, commune_insee: str, event: CheckEvent) -> None:
    refuse_plates(event.told_by, what="by")
    connection.execute(statement("checks", "tell"), asdict(event) | {"commune_insee": commune_insee})
    notice = {"kind": "checks", "commune_insee": commune_insee}
    connection.execute(statement("checks", "notify"), {"message": msgspec.json.encode(notice).decode()})
