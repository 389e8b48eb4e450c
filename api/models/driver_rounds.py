"""A driver's round, and what changed in it since the version that the tablet knows."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from api.models.common import Model, Moment
from api.models.plans import RouteModel
from storage.model import ServiceEvent, ServiceEventKind


class RoundChangesModel(Model):
    """What another version changed in a round; bins by their ids."""

    added: list[str] = Field(description="Bins that it has now, in their order")
    removed: list[str] = Field(description="Bins that it has not any more")
    reordered: list[str] = Field(description="The fewest of the others that changed their turn")


class DeclaredModel(Model):
    """What was declared at a bin of the round and not taken back, by this tablet or by others."""

    event_id: UUID
    place_id: str
    kind: ServiceEventKind
    happened_at: Moment
    found_fraction: float | None
    comment: str | None

    @classmethod
    def of(cls, event: ServiceEvent) -> DeclaredModel:
        """Return a declaration as the tablet reads it."""
        return cls(**{name: getattr(event, name) for name in cls.model_fields})


class DriverRoundModel(Model):
    """A vehicle's round in the published plan of a day."""

    vehicle_id: str
    service_date: date = Field(description="Local day of service")
    plan_id: UUID
    version: int = Field(description="Counts the plans published of the day, from 1")
    changed: bool = Field(description="Whether bins or times differ from `known_version`; true without one")
    changes: RoundChangesModel | None = Field(description="Null without `known_version`")
    route: RouteModel | None = Field(
        description="The whole round when it changed; null when not, and when there is none"
    )
    streets: dict[str, str] = Field(description="By its id the street of each place of `route`, where it is known")
    declared: list[DeclaredModel] = Field(description="What was declared that day at the round's bins, by time")
