"""Days that are not like others, as the town tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class TownEventKind(StrEnum):
    """What draws people: an open-air market, or anything else (a fair, a match, a demonstration)."""

    MARKET = "market"
    EVENT = "event"


@dataclass(frozen=True, kw_only=True, slots=True)
class TownEvent:
    """A market or an event; with `weekly_until` it comes again each week, by the local clock, up to that local day.

    Around (`longitude_deg`, `latitude_deg`) within `radius_m`; all three None: in the whole town.
    """

    event_id: UUID
    kind: TownEventKind
    name: str
    starts_at: datetime
    ends_at: datetime
    weekly_until: date | None = None
    longitude_deg: float | None = None
    latitude_deg: float | None = None
    radius_m: float | None = None

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if not self.starts_at < self.ends_at:
            raise ValueError(f"expected starts_at < ends_at, got {self.starts_at} and {self.ends_at}")
        told = {self.longitude_deg is None, self.latitude_deg is None, self.radius_m is None}
        if len(told) > 1:
            raise ValueError("expected longitude_deg, latitude_deg and radius_m together, or none of them")
        if self.radius_m is not None and not self.radius_m > 0:
            raise ValueError(f"expected radius_m > 0, got {self.radius_m}")
