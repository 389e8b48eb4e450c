"""The whole kerb as one document, fast enough for twenty thousand places at once.

What holds at many places at once is said once (`rules`), and what is null is left out; msgspec writes the document, and
a test holds it to `api/models/kerb.py` and to the judgement of single places.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
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


def kerb_document(view: KerbMap, *, states: Collection[BayState] | None, as_rows: bool = False) -> bytes:
    """Return the document of `KerbModel`, with only the places in `states` (None: all).

    `as_rows`: the document of `KerbRowsModel`, less than half as long.
    """
    form = _Row if as_rows else _Place
    now = view.now
    counts = dict.fromkeys(BayState, 0)
    rules: dict[str, Mapping[str, Any]] = {}
    judges: dict[tuple[str | None, str | None], tuple[AtOnce, str | None]] = {}
    told: dict[int, tuple[AtOnce, str | None]] = {}
    heard_after: dict[float, datetime] = {}
    found = []
    for place_id, kind, lon, lat, part_of, rule_set_id, measured_at, occupied, since, certainty, silent_s in view.rows:
        judge = judges.get((rule_set_id, part_of))
        if judge is None:
            timetable = view.timetables.of_rules(rule_set_id, part_of)
            judge = told.get(id(timetable))
            if judge is None:
                judge = told[id(timetable)] = (AtOnce(timetable, now), _say(timetable, now, rules))
            judges[rule_set_id, part_of] = judge
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
        found.append(place)
    document: dict[str, Any] = {"now": now, "counts": counts, "rules": rules}
    if as_rows:
        document["columns"] = COLUMNS
    return _encoder.encode(document | {"places": found})


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
