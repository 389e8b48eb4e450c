"""Advice on delivery areas, as it was stored."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from api.models.common import Latitude, Longitude, Model, Moment

Hours = dict[Literal["workday", "saturday", "sunday"], list[list[int]]]


class IntervalModel(Model):
    """A mean over played weeks and its 95 % interval."""

    mean: float
    low: float | None
    high: float | None


class SeenModel(Model):
    """What the advice was made of."""

    from_: date = Field(alias="from", description="First local day")
    to: date = Field(description="Last local day, included")
    areas: int = Field(description="Delivery areas, and bays that are none's")
    areas_with_sensor: int
    shops: int = Field(description="Shops around them on the map; 0 without an extract")
    spots: int = Field(description="Places at the kerb where a bay could be")
    streets: str | None = Field(description="Name of the OpenStreetMap extract")


class RefusedModel(Model):
    """Deliveries a week that find no place within reach."""

    before: IntervalModel
    after: IntervalModel
    avoided: IntervalModel
    of_shops_not_measured: float = Field(description="Of those before: of shops whose demand no sensor measures")


class ExpectedModel(Model):
    """What a measure does beside all others that are advised, in played weeks."""

    refused_avoided_per_week: IntervalModel
    gives_back_h_per_week: float = Field(description="Place-hours given to others; negative: taken from them")
    cost_eur: float
    worth_eur_per_week: float = Field(description="With the worths assumed, its cost paid off")


class SpotModel(Model):
    """A place at the kerb."""

    spot_id: str
    longitude_deg: Longitude
    latitude_deg: Latitude
    street: str | None


class MeasureModel(Model):
    """One thing to do."""

    measure_id: str = Field(description="Stable: what is done, and where", examples=["share:ADL-07"])
    kind: Literal["add", "move", "remove", "share", "extend", "limit"]
    area_id: str | None = Field(default=None, description="The area, or the bay that is none's")
    street: str | None = None
    longitude_deg: float | None = None
    latitude_deg: float | None = None
    at: SpotModel | None = Field(default=None, description="Where the bay goes (add, move)")
    hours: Hours | None = Field(default=None, description="Local hours kept for deliveries then, as [from, until)")
    max_stay_s: int | None = Field(default=None, description="The new limit of a stay, seconds")
    evidence: dict[str, Any] = Field(description="What was seen that speaks for it (docs/kerb.md)")
    expected: ExpectedModel
    positive: bool = Field(description="Whether what it brings is told apart from chance")


class AdvisedAreaModel(Model):
    """What was seen of an area."""

    area_id: str
    longitude_deg: Longitude
    latitude_deg: Latitude
    street: str | None
    places: int
    known_h: float = Field(description="Place-hours of known state")
    stays_per_week: float | None
    deliveries_wanted_per_week: float | None
    occupied_share: float | None
    refused_share: float | None
    overstay_share: float | None


class ServedModel(Model):
    """Shops with a bay within reach."""

    before: int
    after: int


class AdviceModel(Model):
    """The last advice on a commune's delivery areas."""

    advice_id: UUID
    as_of: Moment
    commune_insee: str
    seen: SeenModel
    constraints: dict[str, Any]
    assumed: dict[str, Any] = Field(description="What things are held to cost and to be worth")
    played: dict[str, Any] = Field(description="Weeks, seed, and stays played for each that sensors saw")
    wanted_per_week: float = Field(description="Deliveries that come in a week")
    refused_per_week: RefusedModel
    gives_back_h_per_week: float
    cost_eur: float
    shops_served: ServedModel
    weighed: int = Field(description="Measures that were weighed")
    proven_best: bool = Field(description="Whether no better choice exists among them, by the first guesses")
    measures: list[MeasureModel] = Field(description="What is advised, worth most first")
    did_not_hold: list[MeasureModel] = Field(description="Chosen, played, and not worth it: not advised")
    areas: list[AdvisedAreaModel]
