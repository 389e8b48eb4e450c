"""Markets and events that the town tells of."""

from __future__ import annotations

from datetime import date
from typing import Self
from uuid import UUID, uuid4

from pydantic import AwareDatetime, Field, model_validator

from api.models.common import Latitude, Longitude, Model, Moment
from storage.model import TownEvent, TownEventKind


class TownEventIn(Model):
    """A market or an event to be told; one of the same name and start is corrected."""

    kind: TownEventKind
    name: str = Field(min_length=1, max_length=200, examples=["Marché de la place Gallieni"])
    starts_at: AwareDatetime = Field(description="With its offset, ISO 8601")
    ends_at: AwareDatetime = Field(description="After `starts_at`")
    weekly_until: date | None = Field(
        default=None, description="It comes again each week, by the local clock, up to this local day"
    )
    longitude_deg: Longitude | None = None
    latitude_deg: Latitude | None = None
    radius_m: float | None = Field(
        default=None, gt=0, le=20_000, description="How far it reaches, metres; without a place: the whole town"
    )

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        self.told()
        return self

    def told(self) -> TownEvent:
        """Return it as the domain says it."""
        return TownEvent(event_id=uuid4(), **self.model_dump())


class TownEventsIn(Model):
    """Events to be told, all or none."""

    events: list[TownEventIn] = Field(min_length=1, max_length=1000)


class TownEventModel(Model):
    """A market or an event."""

    event_id: UUID
    kind: TownEventKind
    name: str
    starts_at: Moment
    ends_at: Moment
    weekly_until: date | None = Field(description="It comes again each week up to this local day; null: once")
    longitude_deg: Longitude | None
    latitude_deg: Latitude | None
    radius_m: float | None = Field(description="Metres around that place; null: the whole town")


class TownEventsModel(Model):
    """Events by start."""

    events: list[TownEventModel]


class EventsToldModel(Model):
    """What was new, what was corrected, and what was known already."""

    imported: int
    updated: int
    unchanged: int
