"""The shape of our JSON for a day's rounds. Defaults ask for nothing; unknown names are refused."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

_LARGEST = 1_000_000_000
type Whole = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)]
type Moment = Annotated[int, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]
type Euros = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
type Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all parts have in common."""


class Span(Shape, kw_only=True, frozen=True):
    """From when until when something may begin."""

    from_s: Moment
    until_s: Moment


class Money(Shape, kw_only=True, frozen=True):
    """What driving costs."""

    km_eur: Euros = 0.0
    hour_eur: Euros = 0.0
    vehicle_eur: Euros = 0.0
    overtime_hour_eur: Euros = 0.0


class Stop(Shape, kw_only=True, frozen=True):
    """A bin."""

    id: Name
    place: Whole
    volume_l: Whole = 0
    weight_kg: Whole = 0
    service_s: Whole = 0
    prize_eur: Euros = 0.0
    must: bool = False
    must_not: bool = False
    windows: list[Span] = []
    release_s: Whole = 0
    max_width_cm: Whole = 0
    crew: Whole = 1
    kinds: list[str] = []
    barred: list[Name] = []
    sector: Whole | None = None


class Vehicle(Shape, kw_only=True, frozen=True):
    """A vehicle's day."""

    id: Name
    capacity_l: Whole
    depot: Whole
    end_depot: Whole | None = None
    capacity_kg: Whole | None = None
    shift_from_s: Moment = 0
    shift_until_s: Moment | None = None
    overtime_until_s: Moment | None = None
    break_s: Whole = 0
    break_from_s: Moment = 0
    break_until_s: Moment = 0
    width_cm: Whole = 0
    kind: str = ""
    crew: Whole = 1
    range_m: Whole | None = None
    profile: Whole = 0
    prices: Money | None = None
    unloadings_at_most: Whole | None = None
    day_l: Whole | None = None
    day_stops: Whole | None = None
    home_empty: bool = True
    sectors: list[Whole] = []


class Disposal(Shape, kw_only=True, frozen=True):
    """A place to unload."""

    id: Name
    place: Whole
    unload_s: Whole = 0
    windows: list[Span] = []


class Travel(Shape, kw_only=True, frozen=True):
    """Seconds and metres between places, row to column."""

    duration_s: list[list[Whole]]
    distance_m: list[list[Whole]]


class Factor(Shape, kw_only=True, frozen=True):
    """From a moment on, how much longer drives take."""

    from_s: Moment
    percent: Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Preferences(Shape, kw_only=True, frozen=True):
    """Wishes, priced."""

    longest_hour_eur: Euros = 0.0
    split_eur: Euros = 0.0
    unfamiliar_stop_eur: Euros = 0.0


class Document(Shape, kw_only=True, frozen=True):
    """A day's rounds."""

    version: Literal[1] = 1
    name: str = ""
    places: list[tuple[float, float]] | None = None
    stops: list[Stop]
    vehicles: list[Vehicle]
    disposals: list[Disposal] = []
    travel: list[Travel]
    prices: Money = Money()
    traffic: list[Factor] = []
    wishes: Preferences = Preferences()
