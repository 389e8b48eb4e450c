"""Guidance for drivers, small enough for a phone, and the occupancy forecast behind it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from api.geo import rounded
from api.models.common import Latitude, Longitude, Model, Moment
from api.models.fill_models import FillModelModel
from storage.model import BayEvidence, BayScope, BayUse


class Vehicle(StrEnum):
    """Who drives: any car, a disabled person's, or a delivery."""

    CAR = "car"
    DISABLED = "disabled"
    DELIVERY = "delivery"

    @property
    def uses(self) -> tuple[BayUse, ...]:
        """Whose bays it may take."""
        return (BayUse.DISABLED, BayUse.CAR) if self is Vehicle.DISABLED else (BayUse(self.value),)


class Unit(StrEnum):
    """What is told: stretches of streets, which a driver sees at a glance, or single bays."""

    STRETCH = "stretch"
    PLACE = "place"


class GuidanceQuery(Model):
    """Where somebody goes, when, and how."""

    lon: float = Field(ge=-180, le=180, description="Longitude of the destination, degrees; four decimals are used")
    lat: float = Field(ge=-90, le=90, description="Latitude of the destination, degrees; four decimals are used")
    at: int = Field(default=0, ge=0, le=60, description="Arrival, minutes from now; 0 is now")
    vehicle: Vehicle = Field(default=Vehicle.CAR, description="Whose places")
    unit: Unit = Field(default=Unit.STRETCH, description="Stretches of streets, or single bays")
    radius_m: int = Field(default=400, ge=10, le=1000, description="How far around, as the crow flies, metres")
    least_chance: float = Field(default=0.3, ge=0, le=1, description="Only where a free place is at least so likely")
    limit: int = Field(default=5, ge=1, le=50, description="At most so many, nearest first")

    @property
    def destination(self) -> tuple[float, float]:
        """The destination, rounded to some ten metres."""
        return rounded(self.lon, self.lat)


class NumberQuery(Model):
    """Which bays a sign counts, and for when."""

    group_id: str | None = Field(default=None, max_length=300, description="A stretch, street, area or car park")
    lon: float | None = Field(default=None, ge=-180, le=180, description="Or around a point: longitude, degrees")
    lat: float | None = Field(default=None, ge=-90, le=90, description="Latitude, degrees")
    radius_m: int = Field(default=200, ge=10, le=1000, description="With a point: how far around, metres")
    vehicle: Vehicle = Field(default=Vehicle.CAR, description="With a point: whose places")
    at: int = Field(default=0, ge=0, le=60, description="0: measured now; otherwise foretold, minutes from now")
    max_age_min: int | None = Field(
        default=None, ge=1, le=1440, description="`?` when no sensor of the kerb spoke (later: no forecast) for so long"
    )
    as_json: bool = Field(default=False, description="A tiny JSON document instead of one number as text")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        point = (self.lon is not None, self.lat is not None)
        if point not in {(True, True), (False, False)} or (self.group_id is None) is not point[0]:
            raise ValueError("expected group_id, or both lon and lat")
        return self


class MeasuredModel(Model):
    """What sensors say now of bays that may be used; unknown is never free."""

    free: int
    occupied: int
    unknown: int


class GuidancePlaceModel(Model):
    """A place to drive to."""

    id: str = Field(description="The stretch's `group_id`, or the bay's `place_id`")
    name: str | None = Field(description="The street, when known")
    longitude_deg: Longitude
    latitude_deg: Latitude
    walk_m: int = Field(description="On foot to the destination, metres: the crow's way times 1.3")
    walk_s: int = Field(description="The same, seconds, at 1.25 m/s")
    places: int = Field(description="Bays of it", examples=[6])
    measured: MeasuredModel
    chance: float = Field(description="Predicted: of at least one free place at arrival, 0 to 1")
    expected: float = Field(description="Predicted: mean number of free places at arrival")
    low: int = Field(description="In 8 of 10 cases it is at least this")
    high: int = Field(description="and at most this")


class GuidanceModel(Model):
    """The nearest places where a free one is likely, and how much around is not known."""

    as_of: datetime | None = Field(description="Until when the forecast knows, UTC; null: there is none that reaches")
    at: int = Field(description="Arrival, minutes from now")
    longitude_deg: Longitude
    latitude_deg: Latitude
    places: list[GuidancePlaceModel] = Field(description="Nearest first; empty: nothing likely is known")
    around: int = Field(description="Bays around that this vehicle may use")
    unknown: int = Field(description="Of these, bays of which nothing is known at arrival: maybe free, maybe not")


class NumberModel(Model):
    """One number for a sign."""

    number: int | None = Field(description="Free places; null: nothing is known")
    kind: str = Field(description="`measured` now, or `predicted`", examples=["measured"])
    of: int = Field(description="Bays that may be used and of which something is known")
    heard_s: int | None = Field(description="Since any sensor of the kerb spoke, seconds; null: none ever did")


class CurveModel(Model):
    """What is foretold of something, by minutes after the forecast's `as_of`."""

    ahead_min: list[int]
    chance: list[float] | None = Field(description="Of a free place, 0 to 1; null: nothing is known")


class BayForecastModel(CurveModel):
    """What is foretold of one bay."""

    place_id: str
    as_of: Moment
    use: BayUse
    evidence: BayEvidence = Field(description="What it is made of")
    chance_low: list[float] | None = Field(description="Without a sensor: the chance is at least this in 8 of 10 cases")
    chance_high: list[float] | None = Field(description="and at most this")


class BayGroupModel(CurveModel):
    """What is foretold of bays together."""

    group_id: str
    scope: BayScope
    use: BayUse
    name: str | None
    longitude_deg: Longitude
    latitude_deg: Latitude
    places: int
    sensed: int = Field(description="Of these, bays whose sensor spoke")
    known: list[int] = Field(description="Bays that may be used then and of which something is known")
    expected: list[float] = Field(description="Mean number of free ones")
    low: list[int] = Field(description="80 % interval of the number")
    high: list[int]


class BayForecastsModel(Model):
    """The newest forecast of bays. Everything in it is predicted."""

    as_of: Moment | None = Field(description="Until when it knows; null: none was made yet")
    made_at: Moment | None
    model_id: UUID | None = Field(description="Null: no model was learnt yet, and what is simple answers")
    method: str | None
    places: int
    sensed: int
    groups: list[BayGroupModel]


class BayModelsModel(Model):
    """The newest occupancy models, the newest first."""

    models: list[FillModelModel]
