"""The rounds of a day, and why they are so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from storage.model.driving import Step
from storage.model.kinds import StopKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a bin is served or left out: a code for machines, a French sentence for people, and the figures behind it."""

    code: str
    text: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedStop:
    """One stop of a route. `load_l` and `load_kg` are the load on leaving it; the distance is from the previous stop.

    `steps` are the way to it from the previous stop, `point_index` where on the route's geometry it is; a break has no
    way of its own. Plans made before ways were kept have neither.
    """

    stop_index: int
    kind: StopKind
    place_id: str | None
    longitude_deg: float | None
    latitude_deg: float | None
    arrive_at: datetime
    depart_at: datetime
    load_l: float
    distance_m: float
    reason: Reason | None = None
    load_kg: float = 0.0
    point_index: int | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRoute:
    """One vehicle's round. `geometry` is the GeoJSON coordinates of its way along the streets, [lon, lat] pairs."""

    route_index: int
    vehicle_id: str
    start_at: datetime
    end_at: datetime
    distance_m: float
    duration_s: float
    stops: tuple[PlannedStop, ...]
    geometry: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A bin that the plan does not serve, and why that is safe."""

    place_id: str
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The rounds of one day. `checker` is the verdict of the independent checker; only accepted plans are stored."""

    commune_insee: str
    plan_id: UUID
    service_date: date
    made_at: datetime
    as_of: datetime
    engine: str
    seed: int
    solve_s: float
    travel_source: str
    forecast_run_id: UUID | None
    distance_m: float
    duration_s: float
    checker: dict[str, Any]
    inputs: dict[str, Any]
    routes: tuple[PlannedRoute, ...]
    left_out: tuple[LeftOut, ...]
