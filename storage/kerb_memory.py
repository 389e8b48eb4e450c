"""What the kerb of a commune is, kept in memory: twenty thousand places and their rules change once a month.

Every transaction that changes them leaves a row (`kerb_change`, by triggers); a request sees these rows as it sees the
places, so that equal counts mean equal places. What sensors say is never kept here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from psycopg import Cursor

from storage.database import Connection, statement
from storage.kerb_places import rule_sets
from storage.kerb_rules import Timetables

_MOST_COMMUNES = 64


class KnownPlace(NamedTuple):
    """A bay or space as it is, whatever stands there."""

    place_id: str
    kind: str
    longitude_deg: float
    latitude_deg: float
    part_of: str | None
    rule_set_id: str | None
    street: str | None
    name: str | None
    valid_from: date | None
    valid_until: date | None

    def lives(self, day: date) -> bool:
        """Whether the place is there on a local day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or self.valid_until >= day
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class KerbMemory:
    """A commune's bays and spaces by id, and the timetables of all of its places."""

    places: Mapping[str, KnownPlace]
    timetables: Timetables


type _Key = tuple[str, int, str, str, str]
type _Version = tuple[int, int]
type Asked = Cursor[tuple[Any, ...]]
"""A query that was sent, and may not have been answered yet."""

_lock = Lock()
_kept: OrderedDict[_Key, tuple[_Version, KerbMemory]] = OrderedDict()


def ask_version(connection: Connection, commune_insee: str) -> Asked:
    """Ask whether the commune's kerb changed: part of queries that are sent `together`, for `kerb_memory`."""
    return connection.execute(statement("kerb", "version"), {"commune_insee": commune_insee})


def kerb_memory(
    connection: Connection, commune_insee: str, *, zone: ZoneInfo, asked: Asked | None = None
) -> KerbMemory:
    """Return the commune's kerb as this transaction sees it, read anew only where it changed (`asked`: see there)."""
    info = connection.info
    key = (info.host, info.port, info.dbname, commune_insee, zone.key)
    version = _version(asked or ask_version(connection, commune_insee))
    if version is None:
        return _read(connection, commune_insee, zone=zone)
    with _lock:
        kept = _kept.get(key)
        if kept is not None and kept[0] == version:
            _kept.move_to_end(key)
            return kept[1]
    memory = _read(connection, commune_insee, zone=zone)
    # What was committed while we read, one query after the other, may be seen by half: that serves nobody else.
    if _version(ask_version(connection, commune_insee)) == version:
        with _lock:
            _kept[key] = (version, memory)
            while len(_kept) > _MOST_COMMUNES:
                _kept.popitem(last=False)
    return memory


def _version(asked: Asked) -> _Version | None:
    """Return what changes with the kerb; None while this transaction is changing it, step by step."""
    row = asked.fetchone()
    assert row is not None  # an aggregate has one row
    return None if row[2] else (row[0], row[1])


def _read(connection: Connection, commune_insee: str, *, zone: ZoneInfo) -> KerbMemory:
    with connection.cursor(binary=True) as cursor:
        rows = cursor.execute(statement("kerb", "known"), {"commune_insee": commune_insee})
        places = {row[0]: KnownPlace._make(row) for row in rows}
    groups = connection.execute(statement("kerb", "groups"), {"commune_insee": commune_insee})
    return KerbMemory(
        places=places,
        timetables=Timetables(
            sets=rule_sets(connection, commune_insee),
            groups={place_id: (part_of, rules) for place_id, part_of, rules in groups},
            zone=zone,
            commune_insee=commune_insee,
        ),
    )
