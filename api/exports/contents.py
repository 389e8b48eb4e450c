"""What an exported file tells: a plan's rounds, and what the registry knows of their stops and vehicles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from storage.model import BinRule, Commune, Plan, PlannedRoute, PlannedStop, StopKind, VehicleRule


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundsFile:
    """Rounds of a plan (one, or all), with names, streets and rules as they are known now."""

    commune: Commune
    plan: Plan
    routes: tuple[PlannedRoute, ...]
    vehicle_names: Mapping[str, str]
    vehicle_rules: Mapping[str, VehicleRule]
    streets: Mapping[str, str]
    bin_rules: Mapping[str, BinRule]

    @property
    def on_streets(self) -> bool:
        """Whether the ways follow streets; otherwise they are straight lines."""
        return self.plan.travel_source.startswith("osrm:")

    def vehicle(self, route: PlannedRoute) -> str:
        """Return what people call a round's vehicle."""
        return self.vehicle_names.get(route.vehicle_id, route.vehicle_id)

    def street(self, stop: PlannedStop) -> str | None:
        """Return the street of a stop's place, None when nobody told it."""
        return None if stop.place_id is None else self.streets.get(stop.place_id)

    def local(self, moment: datetime) -> datetime:
        """Return a moment by the commune's clocks."""
        return moment.astimezone(ZoneInfo(self.commune.time_zone))


def expected_fill(stop: PlannedStop) -> float | None:
    """Return how full a bin was foreseen to be when it is served, None where the plan does not say."""
    return None if stop.reason is None else stop.reason.figures.get("fill_p50")


def numbers(route: PlannedRoute) -> dict[int, int]:
    """Return the numbers that people count a round's bins by, by index of the stop."""
    served = [stop.stop_index for stop in route.stops if stop.kind is StopKind.BIN]
    return {index: number for number, index in enumerate(served, start=1)}
