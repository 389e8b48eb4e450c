"""What vehicles' crews tell besides what they did at bins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class VehicleEventKind(StrEnum):
    """A vehicle broke down, or is back in service."""

    BROKEN = "broken"
    BACK = "back"


@dataclass(frozen=True, kw_only=True, slots=True)
class VehicleEvent:
    """What happened to a vehicle. `event_id` is made by the client, so that sending twice does no harm."""

    commune_insee: str
    event_id: UUID
    vehicle_id: str
    kind: VehicleEventKind
    happened_at: datetime
    comment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VehiclePosition:
    """Where a vehicle said last that it is, and the bin that its driver is heading for."""

    commune_insee: str
    vehicle_id: str
    told_at: datetime
    longitude_deg: float
    latitude_deg: float
    next_place_id: str | None = None
