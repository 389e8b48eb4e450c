"""The kerb now: places with the last word of their sensors, and the rules that judge it.

Sessions are made some seconds after readings were stored (by the worker). Places whose readings are newer than their
sessions are few, and their last word is read from the readings themselves: nobody sees the difference.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from storage.database import Connection, statement
from storage.kerb.standing import Known, Standing, known_at, stand
from storage.kerb.timetable import Timetable
from storage.kerb_places import rule_sets
from storage.model import KERB_KINDS, SENSOR_SILENT_AFTER, KerbNow, PlaceKind, Rule

WHOLE_WORLD = (-180.0, -90.0, 180.0, 90.0)
_MOST_LEVELS = 8
"""A bay in an area in a street face in a zone is three; more is a circle."""


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


class Timetables:
    """The timetables of a commune's places: their own rules before those of what they are part of.

    `groups` are (part_of, rule_set_id) by place_id.
    """

    def __init__(
        self,
        *,
        sets: Mapping[str, tuple[Rule, ...]],
        groups: Mapping[str, tuple[str | None, str | None]],
        zone: ZoneInfo,
        commune_insee: str,
    ) -> None:
        self._sets = sets
        self._groups = groups
        self._zone = zone
        self._insee = commune_insee
        self._of: dict[tuple[str | None, str | None], Timetable] = {}

    def of(self, place: KerbNow) -> Timetable:
        """Return a place's timetable; places with equal rules share one."""
        return self.of_rules(place.rule_set_id, place.part_of)

    def of_rules(self, rule_set_id: str | None, part_of: str | None) -> Timetable:
        """Return the timetable of a place with these rules of its own (None: none) that is part of that place."""
        key = (rule_set_id, part_of)
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = _timetable(self._layered(*key), self._zone.key, self._insee)
        return found

    def _layered(self, rule_set_id: str | None, part_of: str | None) -> tuple[Rule, ...]:
        rules = self._sets.get(rule_set_id or "", ())
        for _ in range(_MOST_LEVELS):
            if part_of is None:
                break
            part_of, above = self._groups.get(part_of, (None, None))
            rules += self._sets.get(above or "", ())
        return rules


@lru_cache(maxsize=4096)
def _timetable(rules: tuple[Rule, ...], zone: str, commune_insee: str) -> Timetable:
    return Timetable(rules, zone=ZoneInfo(zone), commune_insee=commune_insee)


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
    rows = connection.execute(statement("kerb", "groups"), {"commune_insee": commune_insee})
    return Timetables(
        sets=rule_sets(connection, commune_insee),
        groups={place_id: (part_of, rules) for place_id, part_of, rules in rows},
        zone=zone,
        commune_insee=commune_insee,
    )


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
        # Never prepared: a plan for any bounds and kinds is six times slower than one for these.
        rows = cursor.execute(statement("kerb", "now"), parameters, prepare=False).fetchall()
    places = list(map(KerbNow._make, rows))
    newer = _newer_words(connection, commune_insee, places)
    if newer:
        places = [newer.get(place.place_id, place) for place in places]
    return KerbView(now=now, places=places, timetables=timetables(connection, commune_insee, zone=zone))


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
    """Return the bays and spaces that live at `now` within `bounds`, with no more than a map needs of them."""
    parameters = _asked(commune_insee, day=now.astimezone(zone).date(), kinds=kinds, bounds=bounds)
    with connection.cursor(binary=True) as cursor:
        rows: list[KerbRow] = cursor.execute(statement("kerb", "map"), parameters, prepare=False).fetchall()
    newer = unmade(connection, commune_insee)
    if newer:
        words = last_words(connection, commune_insee, [row[0] for row in rows if row[0] in newer])
        rows = [
            (*row[:6], *words[row[0]][1:4], None, words[row[0]][4] or row[10]) if row[0] in words else row
            for row in rows
        ]
    return KerbMap(now=now, rows=rows, timetables=timetables(connection, commune_insee, zone=zone))


def unmade(connection: Connection, commune_insee: str) -> set[str]:
    """Return the places with readings of which no sessions are made yet."""
    return {row[0] for row in connection.execute(statement("kerb", "unmade"), {"commune_insee": commune_insee})}


type LastWords = tuple[datetime | None, datetime | None, bool | None, datetime | None, float | None]


def last_words(connection: Connection, commune_insee: str, place_ids: list[str]) -> dict[str, LastWords]:
    """Return (heard_at, measured_at, occupied, since, silent_after_s) of places, straight from their readings."""
    if not place_ids:
        return {}
    parameters = {"commune_insee": commune_insee, "place_ids": place_ids}
    rows = connection.execute(statement("kerb", "last_words"), parameters)
    return {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in rows}


def _newer_words(connection: Connection, commune_insee: str, places: list[KerbNow]) -> dict[str, KerbNow]:
    newer = unmade(connection, commune_insee) if places else set()
    ours = {place.place_id: place for place in places if place.place_id in newer}
    return {
        place_id: ours[place_id]._replace(
            heard_at=heard_at, measured_at=measured_at, occupied=occupied, since=since, certainty=None
        )
        for place_id, (heard_at, measured_at, occupied, since, _) in last_words(
            connection, commune_insee, list(ours)
        ).items()
    }
