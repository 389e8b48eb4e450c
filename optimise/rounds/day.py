"""The commune's day as a problem: what storage holds becomes whole numbers, and times count from local midnight."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from optimise.rounds.policy import Price
from optimise.rounds.problem import (
    EURO,
    DayDisposal,
    DayVehicle,
    Flags,
    Integers,
    Prices,
    Problem,
    Traffic,
    TravelProfile,
    Window,
    Wishes,
)
from optimise.rounds.travel import Matrices
from storage.errors import InputError
from storage.model import Bin, BinRule, DisposalSite, LocalHours, Place, RoundRules, Vehicle, VehicleRule


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceOptions:
    """What driving costs the town: fuel and wear a kilometre, the crew's hour, sending a vehicle out at all.

    An hour after the shift's end costs `overtime_hour_eur` on top (a quarter more, as French law has it at first).
    """

    km_eur: float = 1.5
    hour_eur: float = 45.0
    vehicle_eur: float = 30.0
    overtime_hour_eur: float = 11.25

    def __post_init__(self) -> None:
        for name in ("km_eur", "hour_eur", "vehicle_eur", "overtime_hour_eur"):
            value = getattr(self, name)
            if not value >= 0:
                raise InputError(f"expected {name} >= 0, got {value}")

    def prices(self) -> Prices:
        """Return them in the problem's whole millionths of a euro, a metre and a second."""
        return Prices(
            per_metre=round(self.km_eur * EURO / 1000),
            per_second=round(self.hour_eur * EURO / 3600),
            per_vehicle=round(self.vehicle_eur * EURO),
            per_overtime_second=round(self.overtime_hour_eur * EURO / 3600),
        )

    def of(self, rule: VehicleRule) -> PriceOptions:
        """Return them with a vehicle's own where it has some."""
        own = {"km_eur": rule.km_eur, "hour_eur": rule.hour_eur, "vehicle_eur": rule.out_eur}
        own["overtime_hour_eur"] = rule.overtime_hour_eur
        return replace(self, **{name: value for name, value in own.items() if value is not None})


@dataclass(frozen=True, kw_only=True, slots=True)
class WishOptions:
    """What a good day has besides being cheap, in euros.

    `longest_hour_eur`: each hour of the vehicle that works longest, so that work is shared out. `split_eur`: each
    vehicle in a sector beyond the first. `unfamiliar_eur`: each bin served by a crew that knows sectors, not this one.
    """

    longest_hour_eur: float = 0.0
    split_eur: float = 0.0
    unfamiliar_eur: float = 0.5

    def __post_init__(self) -> None:
        for name in ("longest_hour_eur", "split_eur", "unfamiliar_eur"):
            value = getattr(self, name)
            if not value >= 0:
                raise InputError(f"expected {name} >= 0, got {value}")

    def wishes(self) -> Wishes:
        """Return them in the problem's whole millionths of a euro."""
        return Wishes(
            per_longest_second=round(self.longest_hour_eur * EURO / 3600),
            per_split=round(self.split_eur * EURO),
            per_unfamiliar_stop=round(self.unfamiliar_eur * EURO),
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

    def windows(self, hours: Sequence[LocalHours], *, until_s: int) -> tuple[Window, ...]:
        """Return local hours as windows of the day of service, and of the day after where rounds last that long."""
        return tuple(
            Window(from_s=self.seconds(span.opens, days=day), until_s=self.seconds(span.closes, days=day))
            for day in range(2)
            for span in hours
            if day == 0 or self.seconds(span.opens, days=day) <= until_s
        )

    def day_vehicle(
        self, vehicle: Vehicle, *, depot: int, home: int | None = None, rule: VehicleRule | None = None,
        prices: PriceOptions | None = None, sectors: Mapping[str, int] | None = None,
    ) -> DayVehicle:  # fmt: skip
        """Return a vehicle's day, with what `rule` says of it; `prices` are the commune's, `sectors` numbers them."""
        rule = rule or VehicleRule(vehicle_id=vehicle.vehicle_id)
        known = {} if sectors is None else sectors
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
            end_depot=home,
            overtime_until_s=end + math.floor(rule.overtime_s) if rule.overtime_s else None,
            capacity_kg=None if rule.capacity_kg is None else math.floor(rule.capacity_kg),
            width_cm=rule.width_cm,
            kind=rule.kind,
            crew=rule.crew,
            range_m=None if rule.range_m is None else math.floor(rule.range_m),
            unloadings_at_most=rule.unloadings_at_most,
            home_empty=rule.home_empty,
            prices=None if prices is None else prices.of(rule).prices(),
            # A sector without a bin today is known to somebody all the same.
            sectors=frozenset(known.get(name, len(known) + number) for number, name in enumerate(rule.sectors)),
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


@dataclass(frozen=True, kw_only=True, slots=True)
class DayOptions:
    """What is decided for the day beside the forecast: prices, wishes, bins imposed and bins to be left, traffic."""

    prices: PriceOptions = field(default_factory=PriceOptions)
    wishes: WishOptions = field(default_factory=WishOptions)
    must_serve: frozenset[str] = frozenset()
    must_not_serve: frozenset[str] = frozenset()
    traffic: Traffic | None = None

    def __post_init__(self) -> None:
        both = sorted(self.must_serve & self.must_not_serve)
        if both:
            raise InputError(f"expected bins to be in must_serve or in must_not_serve, got both for {both[0]}")


def day_problem(
    *,
    bins: Sequence[Bin],
    decisions: Sequence[Price],
    fleet: Fleet,
    matrices: Sequence[Matrices],
    calendar: Calendar,
    options: DayOptions,
    rules: RoundRules | None = None,
    profile_of: Mapping[str, int] | None = None,
    barred: Flags | None = None,
) -> Problem:
    """Return the problem of a day. The matrices' places are `fleet.anchors`, then `bins`, as `decisions` are.

    `matrices` are one for each profile; `profile_of` gives vehicles theirs (otherwise 0). `barred` (bins, vehicles):
    where they may not go.
    """
    told = rules or RoundRules()
    row_of_depot = {depot.place_id: row for row, depot in enumerate(fleet.depots)}
    anchors = len(fleet.anchors)
    numbers = {name: number for number, name in enumerate(sorted({item.sector for item in bins if item.sector}))}
    rule_of_vehicle = {rule.vehicle_id: rule for rule in told.vehicles}
    vehicles = []
    for vehicle in fleet.vehicles:
        rule = rule_of_vehicle.get(vehicle.vehicle_id)
        home = None if rule is None or rule.end_depot_id is None else row_of_depot[rule.end_depot_id]
        depot = row_of_depot[vehicle.depot_id]
        own = None if rule is None else options.prices
        vehicles.append(
            replace(
                calendar.day_vehicle(vehicle, depot=depot, home=home, rule=rule, prices=own, sectors=numbers),
                profile=(profile_of or {}).get(vehicle.vehicle_id, 0),
            )
        )
    until_s = max(vehicle.latest_end_s for vehicle in vehicles)
    hours = {rule.place_id: calendar.windows(rule.windows, until_s=until_s) for rule in told.disposal_sites}
    access = {rule.place_id: rule for rule in told.bins}
    of_bin = [access.get(item.place_id, BinRule(place_id=item.place_id)) for item in bins]
    return Problem(
        stop_ids=tuple(item.place_id for item in bins),
        location=np.arange(anchors, anchors + len(bins), dtype=np.int64),
        demand_l=_whole(decision.demand_l for decision in decisions),
        demand_kg=_whole(math.ceil(d.demand_l * rule.kg_per_l) for d, rule in zip(decisions, of_bin, strict=True)),
        service_s=_whole(math.ceil(item.service_s) for item in bins),
        prize=_whole(decision.prize for decision in decisions),
        # Who is to be left is not imposed, however full a forecast says it is.
        must=np.array(
            [d.must and item.place_id not in options.must_not_serve for d, item in zip(decisions, bins, strict=True)],
            dtype=np.bool_,
        ),
        must_not=np.array([item.place_id in options.must_not_serve for item in bins], dtype=np.bool_),
        windows=tuple(calendar.windows(rule.windows, until_s=until_s) for rule in of_bin),
        max_width_cm=_whole(rule.max_width_cm or 0 for rule in of_bin),
        crew=_whole(rule.crew for rule in of_bin),
        kinds=tuple(frozenset(rule.vehicle_kinds) for rule in of_bin),
        sector=_whole(numbers[item.sector] if item.sector else -1 for item in bins),
        vehicles=tuple(vehicles),
        disposals=tuple(
            DayDisposal(
                place_id=site.place_id,
                location=len(fleet.depots) + row,
                unload_s=math.ceil(site.unload_s),
                windows=hours.get(site.place_id, ()),
            )
            for row, site in enumerate(fleet.disposal_sites)
        ),
        duration_s=matrices[0].duration_s,
        distance_m=matrices[0].distance_m,
        profiles=tuple(TravelProfile(duration_s=m.duration_s, distance_m=m.distance_m) for m in matrices[1:]),
        barred=np.zeros((len(bins), len(vehicles)), dtype=np.bool_) if barred is None else barred,
        prices=options.prices.prices(),
        wishes=options.wishes.wishes(),
        traffic=options.traffic,
    )


def _whole(values: Iterable[int]) -> Integers:
    return np.array(list(values), dtype=np.int64)
