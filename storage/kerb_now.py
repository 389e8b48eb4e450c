"""The kerb now: places with the last word of their sensors, and the rules that judge it.

Sessions are made some seconds after readings were stored (by the worker). Places whose readings are newer than their
sessions are few, and their last word is read from the readings themselves: nobody sees the difference.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from storage.database import Connection, statement, together
from storage.kerb.standing import Known, Standing, known_at, stand
from storage.kerb.timetable import Timetable
from storage.kerb_memory import Asked, ask_version, kerb_memory
from storage.kerb_rules import Timetables
from storage.model import KERB_KINDS, SENSOR_SILENT_AFTER, KerbNow, PlaceKind

WHOLE_WORLD = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class KerbView:
    """Places at a moment, and the rules of each: the timetable of a place is that of its `rule_key`."""

    now: datetime
    places: list[KerbNow]
    timetables: Timetables

    def standing(self, place: KerbNow) -> Standing:
        """Return what the rules say of who stands at a place now."""
        return stand(known_of(place, self.now), timetable=self.timetables.of(place), now=self.now)


type KerbRow = tuple[
    str, str, float, float, str | None, str | None, datetime | None, bool | None, datetime | None, float | None, float
]
"""A place of a map: place_id, kind, longitude_deg, latitude_deg, part_of, rule_set_id, measured_at, occupied, since,
certainty, silent_after_s; as in `KerbNow`, bare, since there are twenty thousand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KerbMap:
    """The bays and spaces of a map at a moment, in no order."""

    now: datetime
    rows: list[KerbRow]
    timetables: Timetables


def known_of(place: KerbNow, now: datetime) -> Known:
    """Return what is known of a place at `now`, by its sensor's own habit of silence."""
    return known_at(
        now,
        measured_at=place.measured_at,
        occupied=place.occupied,
        since=place.since,
        silent_after_s=place.silent_after_s,
    )


def timetables(connection: Connection, commune_insee: str, *, zone: ZoneInfo) -> Timetables:
    """Return the timetables of the commune's places."""
    return kerb_memory(connection, commune_insee, zone=zone).timetables


def timetables_of(
    connection: Connection, commune_insee: str, place_ids: Collection[str], *, zone: ZoneInfo
) -> dict[str, Timetable]:
    """Return the timetable of each of these places; a place without rules of any kind is absent."""
    known = timetables(connection, commune_insee, zone=zone)
    rows = connection.execute(
        statement("kerb", "rules_of"), {"commune_insee": commune_insee, "place_ids": list(place_ids)}
    )
    found = {place_id: known.of_rules(rules, part_of) for place_id, rules, part_of in rows}
    return {place_id: timetable for place_id, timetable in found.items() if timetable.rules}


def parts_of(connection: Connection, commune_insee: str, place_id: str) -> list[str]:
    """Return the place and all that is part of it, directly or not."""
    parameters = {"commune_insee": commune_insee, "place_id": place_id}
    return [row[0] for row in connection.execute(statement("kerb", "parts"), parameters)]


def kerb_now(
    connection: Connection,
    commune_insee: str,
    *,
    now: datetime,
    zone: ZoneInfo,
    kinds: Collection[PlaceKind] = KERB_KINDS,
    place_ids: Collection[str] | None = None,
    bounds: tuple[float, float, float, float] = WHOLE_WORLD,
) -> KerbView:
    """Return the places that live at `now`, within `bounds` (west, south, east, north), by id."""
    parameters = _asked(commune_insee, day=now.astimezone(zone).date(), kinds=kinds, bounds=bounds)
    parameters["place_ids"] = None if place_ids is None else list(place_ids)
    with connection.cursor(binary=True) as cursor:
        with together(connection):
            # Never prepared: a plan for any bounds and kinds is six times slower than one for these.
            cursor.execute(statement("kerb", "now"), parameters, prepare=False)
            due, version = ask_unmade(connection, commune_insee), ask_version(connection, commune_insee)
        places = list(map(KerbNow._make, cursor))
    newer = _newer_words(connection, commune_insee, places, unmade=told_unmade(due))
    if newer:
        places = [newer.get(place.place_id, place) for place in places]
    memory = kerb_memory(connection, commune_insee, zone=zone, asked=version)
    return KerbView(now=now, places=places, timetables=memory.timetables)


def _asked(
    commune_insee: str, *, day: date, kinds: Collection[PlaceKind], bounds: tuple[float, float, float, float]
) -> dict[str, Any]:
    west, south, east, north = bounds
    return {
        "commune_insee": commune_insee,
        "kinds": [kind.value for kind in kinds],
        "day": day,
        "silent_after_s": SENSOR_SILENT_AFTER.total_seconds(),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
    }


def kerb_map(
    connection: Connection,
    commune_insee: str,
    *,
    now: datetime,
    zone: ZoneInfo,
    kinds: Collection[PlaceKind],
    bounds: tuple[float, float, float, float] = WHOLE_WORLD,
) -> KerbMap:
    """Return the bays and spaces that live at `now` within `bounds`, with no more than a map needs of them.

    What sensors say is read, what the places are is known (`kerb_memory`).
    """
    day = now.astimezone(zone).date()
    with connection.cursor(binary=True) as cursor:
        with together(connection):
            version, due = ask_version(connection, commune_insee), ask_unmade(connection, commune_insee)
            cursor.execute(statement("kerb", "said"), _silence(commune_insee))
        said: dict[str, _Said] = {row[0]: row[1:] for row in cursor}
    memory = kerb_memory(connection, commune_insee, zone=zone, asked=version)
    wanted = {kind.value for kind in kinds}
    west, south, east, north = bounds
    places = [
        place
        for place in memory.places.values()
        if place.kind in wanted
        and west <= place.longitude_deg <= east
        and south <= place.latitude_deg <= north
        and place.lives(day)
    ]
    newer = told_unmade(due)
    if newer:
        words = last_words(connection, commune_insee, [one.place_id for one in places if one.place_id in newer])
        said |= {
            place_id: (*word[1:4], None, word[4] or said.get(place_id, _NOTHING)[4]) for place_id, word in words.items()
        }
    rows: list[KerbRow] = [place[:6] + said.get(place.place_id, _NOTHING) for place in places]
    return KerbMap(now=now, rows=rows, timetables=memory.timetables)


type _Said = tuple[datetime | None, bool | None, datetime | None, float | None, float]

_NOTHING: _Said = (None, None, None, None, SENSOR_SILENT_AFTER.total_seconds())


def _silence(commune_insee: str) -> dict[str, Any]:
    return {"commune_insee": commune_insee, "silent_after_s": SENSOR_SILENT_AFTER.total_seconds()}


def newest_word(connection: Connection, commune_insee: str) -> datetime | None:
    """Return when any sensor of the kerb last said anything, as of the last time sessions were made; None: never."""
    row = connection.execute(statement("kerb", "newest_word"), {"commune_insee": commune_insee}).fetchone()
    return None if row is None else row[0]


def ask_unmade(connection: Connection, commune_insee: str) -> Asked:
    """Ask which places have readings of which no sessions are made yet: for `told_unmade`."""
    return connection.execute(statement("kerb", "unmade"), {"commune_insee": commune_insee})


def told_unmade(asked: Asked) -> set[str]:
    """Return the places that `ask_unmade` asked for."""
    return {row[0] for row in asked}


type LastWords = tuple[datetime | None, datetime | None, bool | None, datetime | None, float | None]


def last_words(connection: Connection, commune_insee: str, place_ids: list[str]) -> dict[str, LastWords]:
    """Return (heard_at, measured_at, occupied, since, silent_after_s) of places, straight from their readings."""
    if not place_ids:
        return {}
    parameters = {"commune_insee": commune_insee, "place_ids": place_ids}
    rows = connection.execute(statement("kerb", "last_words"), parameters)
    return {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in rows}


def _newer_words(
    connection: Connection, commune_insee: str, places: list[KerbNow], *, unmade: set[str]
) -> dict[str, KerbNow]:
    ours = {place.place_id: place for place in places if place.place_id in unmade}
    return {
        place_id: ours[place_id]._replace(
            heard_at=heard_at, measured_at=measured_at, occupied=occupied, since=since, certainty=None
        )
        for place_id, (heard_at, measured_at, occupied, since, _) in last_words(
            connection, commune_insee, list(ours)
        ).items()
    }
