"""Where to drive: bays and stretches around a destination, with what is measured now and what is foretold. Pure.

A bay whose sensor told something else since the forecast was made takes the forecast's other branch; its stretch is
then added up anew. What is measured is only ever counted, what is foretold only ever a chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.geo import distance_m
from storage.kerb.admission import admits, use_of
from storage.kerb_now import KerbView, known_of
from storage.model import BayChance, BayForecastRun, BayGroupForecast, KerbNow, Rule

DETOUR = 1.3
"""Streets are longer than the crow's way; measured on European towns it is 1.2 to 1.4."""
WALK_M_PER_S = 1.25
_DEGREE_M = 111_195.0
_NOTHING = BayChance(occupied=None, chance=None, if_changed=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Where and when somebody arrives, as (longitude, latitude) degrees."""

    destination: tuple[float, float]
    arrival: datetime

    def walk_m(self, point: tuple[float, float]) -> float:
        """Return how far it is on foot, about: the crow's way, and a detour."""
        return DETOUR * distance_m(self.destination, point)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A bay: `free` is measured (None: unknown), `chance` of being free at arrival (None: nothing is known)."""

    place: KerbNow
    free: bool | None
    changed: bool
    chance: float | None
    admitted: bool

    @property
    def point(self) -> tuple[float, float]:
        """Where it is, as (longitude, latitude) degrees."""
        return self.place.longitude_deg, self.place.latitude_deg


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What sensors say now: unknown is never free."""

    free: int
    occupied: int
    unknown: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A stretch: of `known` bays the `expected` number is free at arrival, `low` to `high` in 8 of 10 cases."""

    group: BayGroupForecast
    measured: Measured
    known: int
    expected: float | None
    low: int | None
    high: int | None
    chance: float | None


def around(destination: tuple[float, float], radius_m: float) -> tuple[float, float, float, float]:
    """Return west, south, east, north of what is nearer than `radius_m` as the crow flies."""
    lon, lat = destination
    north = radius_m / _DEGREE_M
    east = north / max(0.01, math.cos(math.radians(lat)))
    return max(-180.0, lon - east), max(-90.0, lat - north), min(180.0, lon + east), min(90.0, lat + north)


def step_at(run: BayForecastRun, moment: datetime) -> tuple[int, float] | None:
    """Return the run's step before a moment, and what share of the way to the next it is; None beyond its reach."""
    minutes = (moment - run.as_of).total_seconds() / 60
    ahead = run.ahead_min
    if not ahead[0] <= minutes <= ahead[-1]:
        return None
    last = next(number for number in range(1, len(ahead)) if minutes <= ahead[number])
    return last - 1, (minutes - ahead[last - 1]) / (ahead[last] - ahead[last - 1])


def at_moment(run: BayForecastRun, values: Sequence[float], moment: datetime) -> float | None:
    """Return the value at a moment, between those that the run tells; None beyond what it reaches."""
    step = step_at(run, moment)
    if step is None:
        return None
    before, share = step
    return (1 - share) * values[before] + share * values[before + 1]


def spots(view: KerbView, foretold: Mapping[str, BayChance], asked: Asked) -> dict[str, Spot]:
    """Return every bay of the view by its id; `foretold` is what is said of bays at arrival."""
    found = {}
    # A town has some tens of timetables, whatever its number of bays.
    rules: dict[int, Rule | None] = {}
    for place in view.places:
        occupied = known_of(place, view.now).occupied
        forecast = foretold.get(place.place_id, _NOTHING)
        changed = forecast.occupied is not None and occupied is (not forecast.occupied)
        chance = forecast.if_changed if changed else forecast.chance
        if occupied is not None and asked.arrival <= view.now:
            chance = float(not occupied)
        timetable = view.timetables.of(place)
        if id(timetable) not in rules:
            rules[id(timetable)] = timetable.at(asked.arrival).rule
        found[place.place_id] = Spot(
            place=place,
            free=None if occupied is None else not occupied,
            changed=changed,
            chance=chance,
            admitted=admits(rules[id(timetable)], use_of(place)),
        )
    return found


def stretch(group: BayGroupForecast, run: BayForecastRun, known: Mapping[str, Spot], asked: Asked) -> Stretch:
    """Return what is measured and foretold of a group of bays; bays that are not in `known` have gone."""
    members = [known[place_id] for place_id in group.place_ids if place_id in known]
    usable = [spot for spot in members if spot.admitted]
    measured = measure(usable)
    chances = [spot.chance for spot in usable if spot.chance is not None]
    if not chances:
        return Stretch(group=group, measured=measured, known=0, expected=None, low=None, high=None, chance=None)
    expected = sum(chances)
    told = [at_moment(run, each, asked.arrival) for each in (group.low, group.high, group.chance)]
    now_known = asked.arrival <= run.as_of + timedelta(minutes=1) or any(spot.changed for spot in usable)
    if now_known or None in told:
        # Added up anew, as if each were by itself: good for the minutes until the next forecast.
        spread = 1.2816 * math.sqrt(sum(each * (1 - each) for each in chances))
        low, high = max(0, math.floor(expected - spread)), min(len(chances), math.ceil(expected + spread))
        chance = 1 - math.prod(1 - each for each in chances)
    else:
        low_told, high_told, chance_told = (each or 0.0 for each in told)
        low, high, chance = math.floor(low_told), math.ceil(high_told), chance_told
    return Stretch(
        group=group, measured=measured, known=len(chances), expected=expected, low=low, high=high, chance=chance
    )


def measure(usable: Sequence[Spot]) -> Measured:
    """Return how many of bays sensors call free and occupied."""
    free = sum(spot.free is True for spot in usable)
    occupied = sum(spot.free is False for spot in usable)
    return Measured(free=free, occupied=occupied, unknown=len(usable) - free - occupied)
