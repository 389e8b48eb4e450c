"""Plans: the rounds of a day, with the reason of every stop and of every bin left out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from api.models.common import Latitude, Longitude, Model, Moment
from api.phrases import Catalogue, sentence
from storage.model import Manoeuvre, Modifier, Plan, PlannedRoute, PlannedStop, Step, StopKind


class ReasonModel(Model):
    """Why: a code for machines, a French sentence for people, and the figures behind it."""

    code: str = Field(examples=["probably_full"])
    text: str = Field(examples=["Sera pleine avant 14 h (probabilité 82 %)."])
    figures: dict[str, float] = Field(examples=[{"probability_full": 0.82}])


class StepModel(Model):
    """A manoeuvre, and the way from it to the next one."""

    manoeuvre: Manoeuvre
    modifier: Modifier | None = Field(description="Which way; a point of the compass for depart and direct")
    street: str | None = Field(description="The street that it leads into, when it has a name")
    distance_m: float = Field(description="Metres to the next manoeuvre")
    duration_s: float = Field(description="Seconds to the next manoeuvre, without traffic")
    exit: int | None = Field(description="Of a roundabout, counted from 1")
    point_index: int = Field(description="Where it is: the number of its point in the round's geometry")
    sentence: str = Field(description="What the driver is told", examples=["Tournez à gauche sur Rue de Paris"])

    @classmethod
    def of(cls, step: Step, *, to: PlannedStop, phrases: Catalogue) -> StepModel:
        """Return a step of the way to a stop, in a language."""
        return cls(**asdict(step), sentence=sentence(step, to=to, phrases=phrases))


class StopModel(Model):
    """One stop of a round."""

    stop_index: int
    kind: StopKind
    place_id: str | None = Field(description="Null for a break taken on the way")
    longitude_deg: Longitude | None
    latitude_deg: Latitude | None
    arrive_at: Moment
    depart_at: Moment
    load_l: float = Field(description="Load on leaving the stop, litres")
    load_kg: float = Field(description="Load on leaving the stop, kilograms; 0 where no weights are told")
    distance_m: float = Field(description="Distance from the previous stop, metres")
    reason: ReasonModel | None = Field(description="Always there for a bin")
    point_index: int | None = Field(description="Where it is on the round's geometry; null on the way or not known")
    steps: list[StepModel] | None = Field(
        description="The way from the previous stop; null where the round is one of a whole plan"
    )

    @classmethod
    def of(cls, stop: PlannedStop, *, phrases: Catalogue | None) -> StopModel:
        """Return a stop, with the way to it in a language or without."""
        plain = {name: getattr(stop, name) for name in cls.model_fields.keys() - {"steps", "reason"}}
        return cls(
            **plain,
            reason=None if stop.reason is None else ReasonModel.model_validate(stop.reason),
            steps=None if phrases is None else [StepModel.of(step, to=stop, phrases=phrases) for step in stop.steps],
        )


class LineString(Model):
    """A GeoJSON LineString."""

    type: Literal["LineString"] = "LineString"
    coordinates: list[tuple[float, float]] = Field(description="[longitude, latitude] in degrees, in order")


class RouteModel(Model):
    """One vehicle's whole round: all that a driver needs, in one answer."""

    plan_id: UUID
    service_date: date = Field(description="Local day of service")
    route_index: int
    vehicle_id: str
    vehicle_name: str
    start_at: Moment
    end_at: Moment
    distance_m: float = Field(description="Metres")
    duration_s: float = Field(description="Seconds")
    bin_count: int = Field(description="Bins to empty")
    stops: list[StopModel]
    geometry: LineString | None = Field(description="The way along the streets; null when it is not known")

    @classmethod
    def of(
        cls, plan: Plan, route: PlannedRoute, vehicle_names: dict[str, str], *, phrases: Catalogue | None = None
    ) -> RouteModel:
        """Return `route` as the API says it, with its steps where there are phrases for them."""
        return cls(
            plan_id=plan.plan_id,
            service_date=plan.service_date,
            route_index=route.route_index,
            vehicle_id=route.vehicle_id,
            vehicle_name=vehicle_names.get(route.vehicle_id, route.vehicle_id),
            start_at=route.start_at,
            end_at=route.end_at,
            distance_m=route.distance_m,
            duration_s=route.duration_s,
            bin_count=sum(stop.kind is StopKind.BIN for stop in route.stops),
            stops=[StopModel.of(stop, phrases=phrases) for stop in route.stops],
            geometry=LineString(coordinates=list(route.geometry)) if len(route.geometry) > 1 else None,
        )


class PlanModel(Model):
    """The rounds of one day."""

    plan_id: UUID
    service_date: date = Field(description="Local day of service")
    made_at: Moment
    as_of: Moment = Field(description="The last moment whose data the plan saw, UTC")
    engine: str
    solve_s: float = Field(description="Seconds that the engine searched")
    travel_source: str = Field(description="Where travel times come from: streets, or distance times a detour factor")
    forecast_run_id: UUID | None
    distance_m: float = Field(description="Metres, all vehicles")
    duration_s: float = Field(description="Seconds, all vehicles")
    checker: dict[str, Any] = Field(description="Verdict of the independent checker; only accepted plans are kept")
    bin_count: int = Field(description="Bins to empty, all vehicles")
    left_out_count: int = Field(description="Bins that the plan leaves for another day")
    routes: list[RouteModel]

    @classmethod
    def of(cls, plan: Plan, vehicle_names: dict[str, str]) -> PlanModel:
        """Return `plan` as the API says it."""
        routes = [RouteModel.of(plan, route, vehicle_names) for route in plan.routes]
        return cls(
            plan_id=plan.plan_id,
            service_date=plan.service_date,
            made_at=plan.made_at,
            as_of=plan.as_of,
            engine=plan.engine,
            solve_s=plan.solve_s,
            travel_source=plan.travel_source,
            forecast_run_id=plan.forecast_run_id,
            distance_m=plan.distance_m,
            duration_s=plan.duration_s,
            checker=plan.checker,
            bin_count=sum(route.bin_count for route in routes),
            left_out_count=len(plan.left_out),
            routes=routes,
        )


class LeftOutModel(Model):
    """A bin that the plan does not serve, and why that is safe."""

    place_id: str
    reason: ReasonModel


class LeftOutsModel(Model):
    """All bins that a plan leaves out."""

    plan_id: UUID
    left_out: list[LeftOutModel]
