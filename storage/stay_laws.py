"""How long who stands at the kerb still stays, by kind of place: learnt once a day from the last four weeks' dwells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from psycopg import Cursor

from storage.database import Connection, statement
from storage.kerb.stay_law import StayLaw
from storage.model import PlaceKind

_LEARNS_FROM = timedelta(days=28)
_STALE_AFTER = timedelta(days=1)
_GUESS = StayLaw()


def refresh(connection: Connection, commune_insee: str, *, now: datetime) -> bool:
    """Learn the commune's laws anew if that was not done within a day; return whether it was done now."""
    parameters = {
        "commune_insee": commune_insee, "now": now, "since": now - _LEARNS_FROM, "stale": now - _STALE_AFTER,
    }  # fmt: skip
    row = connection.execute(statement("stay_laws", "is_due"), parameters).fetchone()
    if row is None or not row[0]:
        return False
    connection.execute(statement("stay_laws", "learn"), parameters)
    return True


def ask(connection: Connection, commune_insee: str) -> Cursor[tuple[str, Sequence[int]]]:
    """Ask for the commune's laws: for `told`."""
    return connection.execute(statement("stay_laws", "of_commune"), {"commune_insee": commune_insee})


def told(asked: Cursor[tuple[str, Sequence[int]]]) -> Mapping[PlaceKind, StayLaw]:
    """Return the law of each kind of place; a guess where nothing is told yet."""
    known = {PlaceKind(kind): StayLaw(counts) for kind, counts in asked}
    return {kind: known.get(kind, _GUESS) for kind in (PlaceKind.DELIVERY_BAY, PlaceKind.PARKING_SPACE)}
