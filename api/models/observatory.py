"""How the kerb was used in a period, group by group."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from api.models.common import Model


class UsageModel(Model):
    """The figures of a group; what nothing is known of is null, never 0."""

    known_h: float = Field(description="Place-hours in which the state was known: all other figures are of them")
    offline_h: float = Field(description="Place-hours with a sensor in which nothing was known; never counted as empty")
    offline_share: float | None = Field(description="Of the hours with a sensor")
    occupied_share: float | None = Field(description="Of the known time", examples=[0.412])
    saturated_h: float = Field(description="Place-hours, at least half known, of which more than 85 % occupied")
    saturated_share: float | None = Field(description="Of the known time")
    sessions: int = Field(description="Stays that began")
    turnover_per_day: float | None = Field(description="Stays that began in a known day of one place")
    mean_dwell_s: float | None = Field(description="Seconds, of told dwells")
    median_dwell_s: float | None = Field(description="Seconds; within its class as if dwells lay evenly")
    dwell_shares: list[float] | None = Field(description="Shares of dwells below each of `dwell_bounds_s`, and longer")
    overstays: int = Field(description="Stays beyond the limit that held")
    overstay_share: float | None = Field(description="Of the stays of which a limit was counted")
    overstay_h: float = Field(description="Hours beyond the limits, together")
    wanted: float | None = Field(description="Delivery bays: vehicles that came, estimated")
    refused: float | None = Field(description="Of those, vehicles that found no place")
    refused_low: float | None = Field(description="The 95 % interval of `refused`")
    refused_high: float | None = Field(description="The 95 % interval of `refused`")
    refused_share: float | None = Field(description="`refused` of `wanted`: how often somebody finds no place")


class ChangeModel(Model):
    """This period's figures less the other's, each in its own unit."""

    occupied_share: float | None
    turnover_per_day: float | None
    mean_dwell_s: float | None
    overstay_share: float | None
    saturated_share: float | None
    refused_share: float | None


class UsageGroupModel(UsageModel):
    """A group and its figures; of the keys there are those that were asked for."""

    place_id: str | None = Field(default=None, description="By bay")
    street: str | None = Field(default=None, description="By street; null: places that name none")
    quarter: str | None = Field(default=None, description="By quarter: the zone's place_id; null: none")
    hour: int | None = Field(default=None, description="By hour: local, 0 to 23")
    day_class: str | None = Field(default=None, description="By class of day: workday, saturday, sunday (and holidays)")
    month: str | None = Field(default=None, description="By month", examples=["2026-03"])
    places: int | None = Field(default=None, description="How many bays and spaces; not told by hour")
    compared: UsageModel | None = Field(default=None, description="The same group in the other period")
    change: ChangeModel | None = Field(default=None, description="With another period")


class PeriodModel(Model):
    """Local days, both included."""

    from_: date = Field(alias="from")
    to: date


class ObservatoryModel(Model):
    """How the kerb was used in a period."""

    commune_insee: str
    from_: date = Field(alias="from", description="First local day; by hour that of the first month")
    to: date = Field(description="Last local day, included")
    known_until: date = Field(description="Last local day of which figures are made")
    by: list[str]
    compared_with: PeriodModel | None
    dwell_bounds_s: list[int] = Field(description="Seconds: where the classes of `dwell_shares` end")
    groups: list[UsageGroupModel] = Field(description="In the order of their keys")
