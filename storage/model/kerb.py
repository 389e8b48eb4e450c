"""The kerb: places with their lives, and the rules of by-laws."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, NamedTuple

from storage.model.kinds import PlaceKind

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
MIDNIGHT = time(0)
_DAY_OF_YEAR = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_LONGEST_STAY_S = 31 * 86_400
_HIGHEST_PRIORITY = 1000


class RuleUse(StrEnum):
    """What the kerb is for while a rule is in force."""

    DELIVERY = "delivery"
    SHORT_STAY = "short_stay"
    PARKING = "parking"
    RESERVED = "reserved"
    NO_STOPPING = "no_stopping"
    UNRESTRICTED = "unrestricted"


class HolidayUse(StrEnum):
    """What a rule says of public holidays: as on any weekday, not on them, on them only, or on them as well."""

    AS_USUAL = "as_usual"
    EXCEPT = "except"
    ONLY = "only"
    ALSO = "also"


class VehicleClass(StrEnum):
    """Whom a rule admits. A sensor sees no class: this tells people, and judges nobody."""

    GOODS = "goods"
    CARGO_BIKE = "cargo_bike"
    CAR = "car"
    MOTORCYCLE = "motorcycle"
    TAXI = "taxi"
    COACH = "coach"
    DISABLED = "disabled"
    ELECTRIC = "electric"
    RESIDENT = "resident"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule of a by-law.

    `days` are ISO weekdays, `starts` and `ends` local times; one that does not end after it starts runs into the next
    day, and equal times are a whole day. `season_…` are days of the year, MM-DD, both included, and may run over New
    Year. `valid_from` and `valid_until` (the first and the last day) bound its life. `max_stay_s` None: no limit.
    `priority`: of rules in force at once the highest holds. `vehicle_classes` empty: all. `by_law` is the by-law's
    reference, `source` how it was written where it was read.
    """

    use: RuleUse = RuleUse.DELIVERY
    days: tuple[int, ...] = EVERY_DAY
    starts: time = MIDNIGHT
    ends: time = MIDNIGHT
    holidays: HolidayUse = HolidayUse.AS_USUAL
    season_from: str | None = None
    season_until: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    max_stay_s: int | None = None
    grace_s: int = 0
    priority: int = 0
    vehicle_classes: tuple[VehicleClass, ...] = ()
    max_mass_t: float | None = None
    by_law: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for broken, rule in (
            (not set(self.days) <= set(EVERY_DAY), "days within 1..7 (ISO weekdays)"),
            (tuple(sorted(set(self.days))) != self.days, "days in order, each once"),
            (not self.days and self.holidays not in {HolidayUse.ONLY, HolidayUse.ALSO}, "some days"),
            (self.starts.tzinfo is not None or self.ends.tzinfo is not None, "local times without an offset"),
            ((self.season_from is None) != (self.season_until is None), "both ends of a season"),
            (not _is_day(self.season_from) or not _is_day(self.season_until), "seasons as MM-DD"),
            (
                self.valid_from is not None and self.valid_until is not None and self.valid_until < self.valid_from,
                "valid_until not before valid_from",
            ),
            (
                self.max_stay_s is not None and not 0 <= self.max_stay_s <= _LONGEST_STAY_S,
                f"0 <= max_stay_s <= {_LONGEST_STAY_S}",
            ),
            (
                self.max_stay_s == 0 and self.use is not RuleUse.NO_STOPPING,
                "max_stay_s > 0 where stopping is allowed",
            ),
            (self.use is RuleUse.NO_STOPPING and self.max_stay_s != 0, "max_stay_s = 0 where nobody may stop"),
            (self.use is RuleUse.UNRESTRICTED and self.max_stay_s is not None, "no max_stay_s where nothing is ruled"),
            (not 0 <= self.grace_s <= _LONGEST_STAY_S, f"0 <= grace_s <= {_LONGEST_STAY_S}"),
            (abs(self.priority) > _HIGHEST_PRIORITY, f"priority within ±{_HIGHEST_PRIORITY}"),
            (self.max_mass_t is not None and not 0 < self.max_mass_t <= 100, "0 < max_mass_t <= 100"),  # noqa: PLR2004 - as told
        ):
            if broken:
                raise ValueError(f"expected {rule}, got {self._short()}")

    def _short(self) -> str:
        return (
            f"{self.use} on {','.join(map(str, self.days))} {self.starts:%H:%M}-{self.ends:%H:%M} max_stay_s="
            f"{self.max_stay_s} grace_s={self.grace_s} priority={self.priority} season={self.season_from}"
            f"..{self.season_until} valid={self.valid_from}..{self.valid_until} max_mass_t={self.max_mass_t}"
        )


def _is_day(text: str | None) -> bool:
    return text is None or _DAY_OF_YEAR.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class KerbPlace:
    """A bay, delivery area, parking space, zone or street face, with its rules and its life.

    `part_of` is the place it belongs to (a bay to its area, an area to a zone or a street face), whose rules hold for
    it where its own say nothing. `geometry` is GeoJSON. `valid_from` is the first day and `valid_until` the last day of
    its life. `source` and `source_id` say where it was imported from; `attributes` are what its table says besides.
    """

    place_id: str
    kind: PlaceKind
    longitude_deg: float
    latitude_deg: float
    street: str | None = None
    name: str | None = None
    part_of: str | None = None
    geometry: dict[str, Any] | None = None
    capacity: int | None = None
    length_cm: int | None = None
    space_kind: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    rules: tuple[Rule, ...] = ()
    source: str | None = None
    source_id: str | None = None
    attributes: dict[str, Any] | None = None


KERB_KINDS = (
    PlaceKind.DELIVERY_BAY,
    PlaceKind.PARKING_SPACE,
    PlaceKind.DELIVERY_AREA,
    PlaceKind.ZONE,
    PlaceKind.STREET_FACE,
)
"""What stands at the kerb; sensors stand on the first two."""


class KerbNow(NamedTuple):
    """A place at the kerb with the last word of its sensor: a row, since a map asks for twenty thousand at once.

    `heard_at` is when the sensor last said anything, `measured_at` when it told `occupied`, which holds since `since`.
    It is silent after `silent_after_s`, by its own habit where that is known.
    """

    place_id: str
    kind: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    name: str | None
    part_of: str | None
    length_cm: int | None
    space_kind: str | None
    rule_set_id: str | None
    has_sensor: bool
    heard_at: datetime | None
    measured_at: datetime | None
    occupied: bool | None
    since: datetime | None
    certainty: float | None
    silent_after_s: float
