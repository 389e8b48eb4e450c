"""What crews tell of their vehicle, and where it is."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, Field

from api.models.common import Model
from storage.model import VehicleEventKind


class VehicleEventIn(Model):
    """One declaration. The client makes `event_id`, so that sending it again does no harm."""

    event_id: UUID = Field(description="Made by the client, once per declaration")
    vehicle_id: str = Field(min_length=1, max_length=100, examples=["BOM-1"])
    kind: VehicleEventKind = Field(description="Out of service, or back in it")
    happened_at: AwareDatetime = Field(description="When it happened, with its offset from UTC")
    comment: str | None = Field(default=None, max_length=1000)


class VehicleEventsIn(Model):
    """A batch, for instance what a tablet kept while it had no network."""

    vehicle_events: list[VehicleEventIn] = Field(min_length=1, max_length=100)


class VehicleEventsOut(Model):
    """What became of a batch: all of it is stored, or none."""

    accepted: int = Field(description="Events in the request, all stored now")
    new: int = Field(description="Those that were not stored before")


class PositionIn(Model):
    """Where a vehicle is and which bin its driver is heading for."""

    told_at: AwareDatetime
    longitude_deg: float = Field(ge=-180, le=180)
    latitude_deg: float = Field(ge=-90, le=90)
    next_place_id: str | None = Field(default=None, max_length=100, description="Null: nothing is said of it")


class PositionOut(Model):
    """Whether it is kept: something newer may be known."""

    kept: bool
