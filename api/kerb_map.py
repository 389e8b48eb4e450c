"""The whole kerb as one document, fast enough for twenty thousand places at once.

What holds at many places at once is said once (`rules`), and what is null is left out; msgspec writes the document, and
a test holds it to `api/models/kerb.py` and to the judgement of single places.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

import msgspec

from storage.kerb.at_once import AtOnce
from storage.kerb.timetable import Timetable
from storage.kerb.words import rule_in_words
from storage.kerb_now import KerbMap
from storage.model import BayState

_encoder = msgspec.json.Encoder()


class _Place(msgspec.Struct, omit_defaults=True, gc=False):
    place_id: str
    kind: str
    longitude_deg: float
    latitude_deg: float
    state: BayState
    since: datetime | None = None
    occupied: bool | None = None
    limit_at: datetime | None = None
    remaining_s: int | None = None
    overstay_s: int | None = None
    certainty: float | None = None
    part_of: str | None = None
    rule: str | None = None


class _Row(_Place, array_like=True):
    """The same as a row of values, in the order of `COLUMNS`; nulls are kept, but for those at its end."""


COLUMNS = _Place.__struct_fields__


def kerb_parts(
    view: KerbMap, *, states: Collection[BayState] | None, as_rows: bool = False, places_a_part: int = 4000
) -> Iterator[bytes]:
    """Yield the document of `KerbModel` in parts, with only the places in `states` (None: all).

    `as_rows`: the document of `KerbRowsModel`, less than half as long. Places come first, `places_a_part` of them at
    once, so that a part can be on its way while the next is judged; what is counted over all comes last.
    """
    judges = _Judges(view)
    begin = b'{"places":['
    for places in batched(_places(view, judges, states=states, form=_Row if as_rows else _Place), places_a_part):
        yield begin + _encoder.encode(places)[1:-1]
        begin = b","
    if begin != b",":
        yield begin
    rest: dict[str, Any] = {"now": view.now, "counts": judges.counts, "rules": judges.rules}
    if as_rows:
        rest["columns"] = COLUMNS
    yield b"]," + _encoder.encode(rest)[1:]


class _Judges:
    """Who judges places, by what rules them; what was found to rule any of them, and how many are in which state."""

    def __init__(self, view: KerbMap) -> None:
        self.rules: dict[str, Mapping[str, Any]] = {}
        self.counts = dict.fromkeys(BayState, 0)
        self._view = view
        self._by_timetable: dict[int, tuple[AtOnce, str | None]] = {}

    def of(self, rule_set_id: str | None, part_of: str | None) -> tuple[AtOnce, str | None]:
        """Return who judges places of these rules, and the key in `rules` of what is said of them."""
        timetable = self._view.timetables.of_rules(rule_set_id, part_of)
        judge = self._by_timetable.get(id(timetable))
        if judge is None:
            judge = AtOnce(timetable, self._view.now), _say(timetable, self._view.now, self.rules)
            self._by_timetable[id(timetable)] = judge
        return judge


def _places(
    view: KerbMap, judges: _Judges, *, states: Collection[BayState] | None, form: type[_Place]
) -> Iterator[_Place]:
    now, counts = view.now, judges.counts
    known_judges: dict[tuple[str | None, str | None], tuple[AtOnce, str | None]] = {}
    heard_after: dict[float, datetime] = {}
    for place_id, kind, lon, lat, part_of, rule_set_id, measured_at, occupied, since, certainty, silent_s in view.rows:
        judge = known_judges.get((rule_set_id, part_of))
        if judge is None:
            judge = known_judges[rule_set_id, part_of] = judges.of(rule_set_id, part_of)
        at_once, rule = judge
        oldest = heard_after.get(silent_s)
        if oldest is None:
            oldest = heard_after[silent_s] = now - timedelta(seconds=silent_s)
        known, known_since = occupied, since
        if measured_at is None or occupied is None or measured_at < oldest:
            known, known_since = None, measured_at
        state, state_since, limit_at = at_once.judge(occupied=known, since=known_since)
        counts[state] += 1
        if states is not None and state not in states:
            continue
        place = form(place_id, kind, lon, lat, state, state_since, known)
        if limit_at is not None:
            _count(place, limit_at, now)
        if known is not None:
            place.certainty = certainty
        place.part_of = part_of
        place.rule = rule
        yield place


def _count(place: _Place, limit_at: datetime, now: datetime) -> None:
    remaining_s = (limit_at - now).total_seconds()
    place.limit_at = limit_at
    place.remaining_s = max(0, int(remaining_s))
    if place.state is BayState.OVER_LIMIT:
        place.overstay_s = int(-remaining_s)


def _say(timetable: Timetable, now: datetime, rules: dict[str, Mapping[str, Any]]) -> str | None:
    """Add what holds by a timetable now (or next) to `rules` and return its key; None when nothing is known."""
    stretch = timetable.at(now)
    in_force = stretch.rule is not None
    told = stretch if in_force else timetable.next_in_force(now)
    if told is None or told.rule is None:
        return None
    key = str(len(rules) + 1)
    rules[key] = {
        "words": rule_in_words(told.rule),
        "in_force": in_force,
        "until": (told.ends_at if told.ends else None) if in_force else told.starts_at,
        "max_stay_s": told.rule.max_stay_s,
        "use": told.rule.use,
    }
    return key
