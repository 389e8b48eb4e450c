"""The commune's day as a problem: what storage holds becomes whole numbers, and times count from local midnight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from optimise.rounds.policy import Price
from optimise.rounds.problem import EURO, DayDisposal, DayVehicle, Prices, Problem
from optimise.rounds.travel import Matrices
from storage.errors import InputError
from storage.model import Bin, DisposalSite, Place, Vehicle


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceOptions:
    """What driving costs the town: fuel and wear a kilometre, the crew's hour, sending a vehicle out at all."""

    km_eur: float = 1.5
    hour_eur: float = 45.0
    vehicle_eur: float = 30.0

    def __post_init__(self) -> None:
        for name in ("km_eur", "hour_eur", "vehicle_eur"):
            value = getattr(self, name)
            if not value >= 0:
                raise InputError(f"expected {name} >= 0, got {value}")

    def prices(self) -> Prices:
        """Return them in the problem's whole millionths of a euro, a metre and a second."""
        return Prices(
            per_metre=round(self.km_eur * EURO / 1000),
            per_second=round(self.hour_eur * EURO / 3600),
            per_vehicle=round(self.vehicle_eur * EURO),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """The local day of service. Seconds count from its midnight, whether it has 23, 24 or 25 hours."""

    service_date: date
    time_zone: str

    @property
    def origin(self) -> datetime:
        """Local midnight, in UTC."""
        return datetime.combine(self.service_date, time(), tzinfo=ZoneInfo(self.time_zone)).astimezone(UTC)

    def moment(self, seconds: int) -> datetime:
        """Return the moment so many seconds after midnight, in UTC."""
        return self.origin + timedelta(seconds=seconds)

    def seconds(self, local: time, *, days: int = 0) -> int:
        """Return the seconds from midnight to a local hour of the day, or of a day after it."""
        there = datetime.combine(self.service_date + timedelta(days=days), local, tzinfo=ZoneInfo(self.time_zone))
        return round((there.astimezone(UTC) - self.origin).total_seconds())

    def shift(self, vehicle: Vehicle) -> tuple[int, int]:
        """Return a vehicle's shift; one that ends before it starts ends the day after."""
        begin = self.seconds(vehicle.shift_from)
        return begin, self.seconds(vehicle.shift_until, days=int(vehicle.shift_until <= vehicle.shift_from))

    def middle(self, vehicles: Sequence[Vehicle]) -> datetime:
        """Return the middle of the vehicles' shifts: when a bin is served, as far as one moment can say."""
        middles = [sum(self.shift(vehicle)) / 2 for vehicle in vehicles]
        return self.moment(round(sum(middles) / len(middles)))

    def day_vehicle(self, vehicle: Vehicle, *, depot: int) -> DayVehicle:
        """Return a vehicle's day."""
        begin, end = self.shift(vehicle)
        # Hours before the shift's start belong to the day after it, for shifts over midnight.
        overnight = vehicle.shift_until <= vehicle.shift_from
        rest_from = self.seconds(vehicle.break_from, days=int(overnight and vehicle.break_from < vehicle.shift_from))
        rest_until = self.seconds(vehicle.break_until, days=int(overnight and vehicle.break_until < vehicle.shift_from))
        return DayVehicle(
            vehicle_id=vehicle.vehicle_id,
            capacity_l=math.floor(vehicle.capacity_l),
            depot=depot,
            shift_from_s=begin,
            shift_until_s=end,
            break_s=math.ceil(vehicle.break_s),
            break_from_s=rest_from,
            break_until_s=rest_until,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """Vehicles, the depots that they start from and where they may unload."""

    vehicles: tuple[Vehicle, ...]
    depots: tuple[Place, ...]
    disposal_sites: tuple[DisposalSite, ...]

    def __post_init__(self) -> None:
        for what in ("vehicles", "depots", "disposal_sites"):
            if not getattr(self, what):
                raise InputError(f"expected the commune to have {what.replace('_', ' ')}, got none")
        known = {depot.place_id for depot in self.depots}
        for vehicle in self.vehicles:
            if vehicle.depot_id not in known:
                raise InputError(f"vehicle {vehicle.vehicle_id} starts at {vehicle.depot_id!r}, which is no depot")

    @property
    def anchors(self) -> tuple[Place | DisposalSite, ...]:
        """Depots, then disposal sites: the first rows of the travel matrices."""
        return (*self.depots, *self.disposal_sites)


def day_problem(
    *,
    bins: Sequence[Bin],
    decisions: Sequence[Price],
    fleet: Fleet,
    matrices: Matrices,
    calendar: Calendar,
    prices: Prices,
) -> Problem:
    """Return the problem of a day. The matrices' places are `fleet.anchors`, then `bins`, as `decisions` are."""
    row_of_depot = {depot.place_id: row for row, depot in enumerate(fleet.depots)}
    anchors = len(fleet.anchors)
    return Problem(
        stop_ids=tuple(item.place_id for item in bins),
        location=np.arange(anchors, anchors + len(bins), dtype=np.int64),
        demand_l=np.array([decision.demand_l for decision in decisions], dtype=np.int64),
        service_s=np.array([math.ceil(item.service_s) for item in bins], dtype=np.int64),
        prize=np.array([decision.prize for decision in decisions], dtype=np.int64),
        must=np.array([decision.must for decision in decisions], dtype=np.bool_),
        vehicles=tuple(calendar.day_vehicle(v, depot=row_of_depot[v.depot_id]) for v in fleet.vehicles),
        disposals=tuple(
            DayDisposal(place_id=site.place_id, location=len(fleet.depots) + row, unload_s=math.ceil(site.unload_s))
            for row, site in enumerate(fleet.disposal_sites)
        ),
        duration_s=matrices.duration_s,
        distance_m=matrices.distance_m,
        prices=prices,
    )
