"""The timetables of a commune's places: their own rules before those of what they are part of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

from storage.kerb.timetable import Timetable
from storage.model import KerbNow, Rule

_MOST_LEVELS = 8
"""A bay in an area in a street face in a zone is three; more is a circle."""


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
