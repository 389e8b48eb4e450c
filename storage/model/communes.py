"""A commune, its clock, and how it is simulated when it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Commune:
    """A commune served by this installation; `commune_insee` is its INSEE code."""

    commune_insee: str
    name: str
    time_zone: str = "Europe/Paris"
    school_zone: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """The commune's time. Real communes have rate 1 and no origin; a simulated one runs faster than the wall clock."""

    wall_origin: datetime | None = None
    simulated_origin: datetime | None = None
    rate: float = 1.0

    def now(self) -> datetime:
        """Return the commune's present, in UTC."""
        wall = datetime.now(UTC)
        if self.wall_origin is None or self.simulated_origin is None:
            return wall
        return self.simulated_origin + (wall - self.wall_origin) * self.rate

    def wall_time(self, moment: datetime) -> datetime:
        """Return when, by the wall clock, the commune's `moment` comes (or came); both in UTC."""
        if self.wall_origin is None or self.simulated_origin is None:
            return moment
        return self.wall_origin + (moment - self.simulated_origin) / self.rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """How a simulated commune was made, so that a restart continues it; only simulated communes have one."""

    commune_insee: str
    seed: int
    streets_source: str
    started_at: datetime
    history_until: datetime
    wall_origin: datetime
    simulated_origin: datetime
    rate: float
    history_published: bool = False
    options: dict[str, Any] = field(default_factory=dict)
