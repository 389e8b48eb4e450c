"""The task of one day in whole numbers: seconds, metres, litres, kilograms, and costs in millionths of a euro.

Everything that solves, checks or explains reads this and nothing else. Places are rows of the travel matrices
("locations"): bins, depots and disposal sites point into them. Times count from the day's origin, which only the
planner knows. Whole numbers make every party compute the same totals. What a plain problem does not have (windows,
weights, disposal sites, breaks) it does not state. docs/rounds.md says each rule in words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.parts import (
    EURO,
    NO_END_S,
    DayDisposal,
    DayVehicle,
    Prices,
    Traffic,
    Window,
    Wishes,
    require,
    require_windows,
)

__all__ = [
    "EURO",
    "NO_END_S",
    "DayDisposal",
    "DayVehicle",
    "Flags",
    "Integers",
    "Prices",
    "Problem",
    "Traffic",
    "TravelProfile",
    "Window",
    "Wishes",
]

type Integers = NDArray[np.int64]
type Flags = NDArray[np.bool_]

_INTEGERS = ("location", "demand_l", "demand_kg", "service_s", "prize", "release_s", "max_width_cm", "crew", "sector")
_FLAGS = ("must", "must_not")
_NONE_GIVEN = {"demand_kg": 0, "release_s": 0, "max_width_cm": 0, "crew": 1, "sector": -1, "must": 0, "must_not": 0}


def _no_integers() -> Integers:
    return np.zeros(0, dtype=np.int64)


def _no_flags() -> Flags:
    return np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TravelProfile:
    """Travel of one kind of vehicle between the m places: `duration_s` and `distance_m`, (m, m), row to column."""

    duration_s: Integers
    distance_m: Integers


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Problem:
    """The day's task.

    Of n bins, all shaped (n,): `stop_ids`; `location`, rows of the matrices; `demand_l`; `service_s`; `prize`, what
    leaving the bin costs (EURO / 1 000 000); `must`, bins that may not be left. Of m locations: `duration_s` and
    `distance_m`, (m, m), from row to column.

    The rest may be left out, and then asks for nothing. Of n bins: `demand_kg`; `must_not`, bins that stay; `windows`,
    for each bin when its service may begin (none: at any time); `release_s`, before which no vehicle may set out
    (leave its depot or a disposal site) on the trip that serves the bin; `max_width_cm` of the vehicle (0: any);
    `crew`, the people it takes; `kinds`, for each bin the kinds of vehicles that may come (none: any); `barred`
    (n, v), vehicles that may not for any other reason; `sector`, a number, -1 for none. `profiles` are the travel
    matrices of vehicles whose `profile` is 1, 2... `traffic` scales all durations by time of day.

    `allowed` (n, v) is what `max_width_cm`, `crew`, `kinds`, `barred` and `must_not` come to. The arrays are made
    read-only. Raises InputError naming the rule that is broken.
    """

    stop_ids: tuple[str, ...]
    location: Integers
    demand_l: Integers
    service_s: Integers
    prize: Integers
    vehicles: tuple[DayVehicle, ...]
    duration_s: Integers
    distance_m: Integers
    prices: Prices
    must: Flags = field(default_factory=_no_flags)
    disposals: tuple[DayDisposal, ...] = ()
    demand_kg: Integers = field(default_factory=_no_integers)
    must_not: Flags = field(default_factory=_no_flags)
    windows: tuple[tuple[Window, ...], ...] = ()
    release_s: Integers = field(default_factory=_no_integers)
    max_width_cm: Integers = field(default_factory=_no_integers)
    crew: Integers = field(default_factory=_no_integers)
    kinds: tuple[frozenset[str], ...] = ()
    barred: Flags = field(default_factory=_no_flags)
    sector: Integers = field(default_factory=_no_integers)
    profiles: tuple[TravelProfile, ...] = ()
    traffic: Traffic | None = None
    wishes: Wishes = field(default_factory=Wishes)
    allowed: Flags = field(init=False)

    def __post_init__(self) -> None:
        self._fill_in()
        self._check_shapes()
        self._check_values()
        self._check_places()
        object.__setattr__(self, "allowed", self._allowed())
        for name in (*_INTEGERS, *_FLAGS, "barred", "allowed", "duration_s", "distance_m"):
            getattr(self, name).setflags(write=False)
        for profile in self.profiles:
            profile.duration_s.setflags(write=False)
            profile.distance_m.setflags(write=False)

    def _fill_in(self) -> None:
        """State what was left out: it asks for nothing."""
        count = len(self.stop_ids)
        for name, value in _NONE_GIVEN.items():
            array = getattr(self, name)
            if array.shape == (0,):
                object.__setattr__(self, name, np.full(count, value, dtype=array.dtype))
        # Nothing barred is stated anew: a problem with other vehicles may be made from this one.
        if not self.barred.any():
            object.__setattr__(self, "barred", np.zeros((count, len(self.vehicles)), dtype=np.bool_))
        for name, nothing in (("windows", ()), ("kinds", frozenset[str]())):
            if not getattr(self, name):
                object.__setattr__(self, name, (nothing,) * count)

    def _check_shapes(self) -> None:
        count = len(self.stop_ids)
        for name in _INTEGERS:
            array = getattr(self, name)
            require(array.shape == (count,), f"expected {name} of shape ({count},), got {array.shape}")
            require(array.dtype == np.int64, f"expected {name} of int64, got {array.dtype}")
        for name in _FLAGS:
            array = getattr(self, name)
            require(array.shape == (count,), f"expected {name} of shape ({count},), got {array.shape}")
            require(array.dtype == np.bool_, f"expected {name} of bool, got {array.dtype}")
        whole = (count, len(self.vehicles))
        require(self.barred.shape == whole, f"expected barred of shape {whole}, got {self.barred.shape}")
        require(self.barred.dtype == np.bool_, f"expected barred of bool, got {self.barred.dtype}")
        for name in ("windows", "kinds"):
            given = len(getattr(self, name))
            require(given == count, f"expected {name} for {count} bins, got {given}")
        require(len(set(self.stop_ids)) == count, "expected every stop once, got a stop twice")
        size = len(self.duration_s)
        for number, travel in enumerate(self._travels()):
            of = f" of profile {number}" if number else ""
            for name in ("duration_s", "distance_m"):
                array = getattr(travel, name)
                require(
                    array.shape == (size, size), f"expected {name}{of} of shape ({size}, {size}), got {array.shape}"
                )
                require(array.dtype == np.int64, f"expected {name}{of} of int64, got {array.dtype}")

    def _check_values(self) -> None:
        for name in ("demand_l", "demand_kg", "service_s", "prize", "max_width_cm", "crew"):
            array = getattr(self, name)
            require(not (array < 0).any(), f"expected {name} >= 0 everywhere, got {array.min(initial=0)}")
        for number, travel in enumerate(self._travels()):
            of = f" of profile {number}" if number else ""
            for name in ("duration_s", "distance_m"):
                array = getattr(travel, name)
                require(not (array < 0).any(), f"expected {name}{of} >= 0 everywhere, got {array.min(initial=0)}")
                require(not np.diagonal(array).any(), f"expected {name}{of} 0 from a place to itself")
        for stop_id, windows in zip(self.stop_ids, self.windows, strict=True):
            require_windows(windows, f"stop {stop_id}")
        for stop in np.flatnonzero(self.must & self.must_not).tolist()[:1]:
            require(holds=False, broken_rule=f"stop {self.stop_ids[stop]}: expected must or must_not, got both")

    def _check_places(self) -> None:
        require(bool(self.vehicles), "expected at least one vehicle, got none")
        names = {vehicle.vehicle_id for vehicle in self.vehicles}
        require(len(names) == len(self.vehicles), "expected every vehicle once, got a vehicle twice")
        size = len(self.duration_s)
        used = [*self.location.tolist(), *(v.depot for v in self.vehicles), *(v.home for v in self.vehicles)]
        used += [d.location for d in self.disposals]
        outside = [row for row in dict.fromkeys(used) if not 0 <= row < size]
        require(not outside, f"expected locations in 0..{size - 1}, got {outside[:3]}")
        for who in self.vehicles:
            require(
                who.profile <= len(self.profiles),
                f"vehicle {who.vehicle_id}: expected profile in 0..{len(self.profiles)}, got {who.profile}",
            )

    def _allowed(self) -> Flags:
        width = np.array([who.width_cm for who in self.vehicles])
        people = np.array([who.crew for who in self.vehicles])
        narrow = (self.max_width_cm[:, None] > 0) & (width[None, :] > self.max_width_cm[:, None])
        allowed = ~self.barred & ~narrow & (people[None, :] >= self.crew[:, None]) & ~self.must_not[:, None]
        for stop, kinds in enumerate(self.kinds):
            if kinds:
                allowed[stop] &= [who.kind in kinds for who in self.vehicles]
        return np.asarray(allowed, dtype=np.bool_)

    def _travels(self) -> tuple[Problem | TravelProfile, ...]:
        return (self, *self.profiles)

    def travel(self, vehicle: int) -> Problem | TravelProfile:
        """Return what holds the `duration_s` and `distance_m` of a vehicle."""
        profile = self.vehicles[vehicle].profile
        return self.profiles[profile - 1] if profile else self

    def prices_of(self, vehicle: int) -> Prices:
        """Return a vehicle's prices."""
        return self.vehicles[vehicle].prices or self.prices

    def unloads_before_home(self, vehicle: int) -> bool:
        """Whether a vehicle has to come home empty; without a disposal site it unloads at home."""
        return self.vehicles[vehicle].home_empty and bool(self.disposals)

    def drive_cost(self, distance_m: int, duration_s: int, *, vehicle: int | None = None) -> int:
        """Return what driving so far and being out so long costs, by the problem's prices or by a vehicle's."""
        prices = self.prices if vehicle is None else self.prices_of(vehicle)
        return distance_m * prices.per_metre + duration_s * prices.per_second
