"""The whole kerb as one document, fast enough for twenty thousand places at once.

What holds at many places at once is said once (`rules`); the document is written by msgspec, and a test holds it to
`api/models/kerb.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec

from storage.kerb.timetable import Stretch, Timetable
from storage.kerb.words import rule_in_words
from storage.kerb_now import KerbView
from storage.model import BayState

_encoder = msgspec.json.Encoder()


def kerb_document(view: KerbView, *, states: Collection[BayState] | None) -> bytes:
    """Return the document of `KerbModel`, with only the places in `states` (None: all)."""
    counts = dict.fromkeys(BayState, 0)
    rules: dict[str, dict[str, Any]] = {}
    keys: dict[int, str | None] = {}
    found = []
    for place in view.places:
        standing = view.standing(place)
        counts[standing.state] += 1
        if states is not None and standing.state not in states:
            continue
        timetable = view.timetables.of(place)
        key = keys.get(id(timetable), "")
        if key == "":
            key = keys[id(timetable)] = _say(timetable, view.now, rules)
        found.append(
            {
                "place_id": place.place_id,
                "kind": place.kind,
                "longitude_deg": place.longitude_deg,
                "latitude_deg": place.latitude_deg,
                "state": standing.state,
                "since": standing.since,
                "occupied": standing.occupied,
                "limit_at": standing.limit_at,
                "remaining_s": None if standing.remaining_s is None else int(standing.remaining_s),
                "overstay_s": None if standing.overstay_s is None else int(standing.overstay_s),
                "certainty": place.certainty,
                "part_of": place.part_of,
                "rule": key,
            }
        )
    return _encoder.encode({"now": view.now, "counts": counts, "rules": rules, "places": found})


def _say(timetable: Timetable, now: datetime, rules: dict[str, dict[str, Any]]) -> str | None:
    """Add what holds by a timetable now (or next) to `rules` and return its key; None when nothing is known."""
    stretch = timetable.at(now)
    in_force = stretch.rule is not None
    told: Stretch | None = stretch if in_force else timetable.next_in_force(now)
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
