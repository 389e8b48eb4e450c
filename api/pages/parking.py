"""What the page for drivers says of places: a verdict in words, never better than what is known. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from api.guidance import WALK_M_PER_S, Asked, Measured, Spot, Stretch, measure
from api.pages.languages import mark as _
from storage.kerb.words import rule_in_words
from storage.kerb_now import KerbView

_LIKELY = 0.6
_MAYBE = 0.35
_ROUND_M = 10


class Verdict(StrEnum):
    """What to think of a place: measured now (free, full), foretold, or unknown."""

    FREE = "free"
    LIKELY = "likely"
    MAYBE = "maybe"
    UNLIKELY = "unlikely"
    FULL = "full"
    UNKNOWN = "unknown"


WORDS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.FREE: _("Libre en ce moment"),
        Verdict.LIKELY: _("Probablement libre"),
        Verdict.MAYBE: _("Incertain"),
        Verdict.UNLIKELY: _("Peu de chances"),
        Verdict.FULL: _("Complet en ce moment"),
        Verdict.UNKNOWN: _("On ne sait pas"),
    }
)
WORTH_IT = (Verdict.FREE, Verdict.LIKELY, Verdict.MAYBE)


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleSaid:
    """What the rule of a bay says, in French: `words` hold at arrival if `in_force`, else some other time."""

    words: str
    in_force: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A place of the list and of the map. `tenths`: of ten such arrivals, so many find a place; None: not foretold."""

    key: str
    name: str | None
    longitude_deg: float
    latitude_deg: float
    walk_m: int
    walk_min: int
    verdict: Verdict
    measured: Measured
    tenths: int | None
    low: int | None
    high: int | None
    rule: RuleSaid | None = None

    @property
    def mark(self) -> str:
        """What stands in its sign: free places now, chances out of ten, or a question mark."""
        if self.verdict is Verdict.UNKNOWN:
            return "?"
        return str(self.measured.free) if self.tenths is None else f"{self.tenths}/10"

    @property
    def places(self) -> int:
        """How many places it has that may be used."""
        return self.measured.free + self.measured.occupied + self.measured.unknown


def verdict_of(*, minutes: int, chance: float | None, measured: Measured) -> Verdict:
    """Return what to think of places at arrival in so many minutes; what sensors say now decides for now alone."""
    if minutes == 0 and measured.free:
        return Verdict.FREE
    if minutes == 0 and measured.occupied and not measured.unknown:
        return Verdict.FULL
    if chance is None:
        return Verdict.UNKNOWN
    if chance >= _LIKELY:
        return Verdict.LIKELY
    return Verdict.MAYBE if chance >= _MAYBE else Verdict.UNLIKELY


def stretch_item(one: Stretch, at: Asked, *, minutes: int) -> Item:
    """Return a stretch of street as the page says it."""
    point = (one.group.longitude_deg, one.group.latitude_deg)
    return _item(
        key=one.group.group_id, name=one.group.name, point=point, at=at, minutes=minutes, measured=one.measured,
        chance=one.chance, interval=(one.low, one.high),
    )  # fmt: skip


def bay_item(spot: Spot, at: Asked, view: KerbView, *, minutes: int) -> Item:
    """Return a single bay as the page says it, with what its rule says at arrival."""
    place = spot.place
    return _item(
        key=place.place_id, name=place.name or place.street or place.place_id, point=spot.point, at=at, minutes=minutes,
        measured=measure([spot]), chance=spot.chance, rule=_rule_said(spot, at, view),
    )  # fmt: skip


def street_items(found: Sequence[Spot], at: Asked, *, minutes: int) -> list[Item]:
    """Return bays by street where nothing is foretold of stretches: what sensors say now, and only for now."""
    streets: defaultdict[str, list[Spot]] = defaultdict(list)
    for spot in found:
        lon, lat = spot.point
        streets[spot.place.street or f"{lon:.3f},{lat:.3f}"].append(spot)
    items = []
    for key, members in sorted(streets.items()):
        nearest = min(members, key=lambda spot: at.walk_m(spot.point))
        items.append(
            _item(
                key=f"street:{key}", name=nearest.place.street, point=nearest.point, at=at, minutes=minutes,
                measured=measure(members), chance=None,
            )
        )  # fmt: skip
    return items


def in_order(items: Sequence[Item]) -> list[Item]:
    """Return the items that are worth the way, nearest first; then the others; last those of which nothing is known."""
    return sorted(items, key=lambda item: (_rank(item.verdict), item.walk_m, item.key))


def _rank(verdict: Verdict) -> int:
    return 0 if verdict in WORTH_IT else 2 if verdict is Verdict.UNKNOWN else 1


def _item(
    *,
    key: str,
    name: str | None,
    point: tuple[float, float],
    at: Asked,
    minutes: int,
    measured: Measured,
    chance: float | None,
    interval: tuple[int | None, int | None] = (None, None),
    rule: RuleSaid | None = None,
) -> Item:
    verdict = verdict_of(minutes=minutes, chance=chance, measured=measured)
    foretold = chance is not None and verdict not in {Verdict.FREE, Verdict.FULL}
    walk_m = at.walk_m(point)
    return Item(
        key=key,
        name=name,
        longitude_deg=round(point[0], 5),
        latitude_deg=round(point[1], 5),
        walk_m=_ROUND_M * round(walk_m / _ROUND_M),
        walk_min=max(1, round(walk_m / WALK_M_PER_S / 60)),
        verdict=verdict,
        measured=measured,
        tenths=tenths(chance) if foretold and chance is not None else None,
        low=interval[0] if foretold else None,
        high=interval[1] if foretold else None,
        rule=rule,
    )


def tenths(chance: float) -> int:
    """Return a chance as so many of ten, of which what is foretold is never all and never none."""
    return min(9, max(1, round(10 * chance)))


def _rule_said(spot: Spot, at: Asked, view: KerbView) -> RuleSaid | None:
    timetable = view.timetables.of(spot.place)
    stretch = timetable.at(at.arrival)
    told = stretch if stretch.rule is not None else timetable.next_in_force(at.arrival)
    if told is None or told.rule is None:
        return None
    return RuleSaid(words=rule_in_words(told.rule), in_force=told is stretch)
