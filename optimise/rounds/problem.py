"""The task of one day in whole numbers: seconds, metres, litres, and costs in millionths of a euro.

Everything that solves, checks or explains reads this and nothing else. Places are rows of the travel matrices
("locations"): bins, depots and disposal sites point into them. Times count from the day's origin, which only the
planner knows. Whole numbers make every party compute the same totals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.errors import InputError

type Integers = NDArray[np.int64]
type Flags = NDArray[np.bool_]

EURO = 1_000_000
"""Costs are whole millionths of a euro, so that a metre and a second have a price without fractions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DayVehicle:
    """A vehicle's day. It may leave `depot` from `shift_from_s` on and is back there by `shift_until_s`.

    Its crew rests `break_s` without interruption inside [break_from_s, break_until_s]; waiting at the depot before
    leaving or after coming back is rest.
    """

    vehicle_id: str
    capacity_l: int
    depot: int
    shift_from_s: int
    shift_until_s: int
    break_s: int
    break_from_s: int
    break_until_s: int

    def __post_init__(self) -> None:
        who = f"vehicle {self.vehicle_id}"
        _require(self.capacity_l > 0, f"{who}: expected capacity_l > 0, got {self.capacity_l}")
        _require(
            self.shift_from_s < self.shift_until_s,
            f"{who}: expected shift_from_s < shift_until_s, got {self.shift_from_s} and {self.shift_until_s}",
        )
        _require(self.break_s >= 0, f"{who}: expected break_s >= 0, got {self.break_s}")
        _require(
            self.break_from_s + self.break_s <= self.break_until_s,
            f"{who}: a break of {self.break_s} s does not fit between {self.break_from_s} and {self.break_until_s}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DayDisposal:
    """A place where any vehicle unloads whole, any number of times."""

    place_id: str
    location: int
    unload_s: int

    def __post_init__(self) -> None:
        _require(self.unload_s >= 0, f"disposal site {self.place_id}: expected unload_s >= 0, got {self.unload_s}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """What driving costs, in millionths of a euro (EURO)."""

    per_metre: int
    per_second: int
    per_vehicle: int

    def __post_init__(self) -> None:
        for name in ("per_metre", "per_second", "per_vehicle"):
            value = getattr(self, name)
            _require(value >= 0, f"expected {name} >= 0, got {value}")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Problem:
    """The day's task.

    Of n bins, all shaped (n,): `stop_ids`; `location`, rows of the matrices; `demand_l`; `service_s`; `prize`, what
    leaving the bin costs (EURO / 1 000 000); `must`, bins that may not be left. Of m locations: `duration_s` and
    `distance_m`, (m, m), from row to column. The arrays are made read-only. Raises InputError naming the rule that is
    broken.
    """

    stop_ids: tuple[str, ...]
    location: Integers
    demand_l: Integers
    service_s: Integers
    prize: Integers
    must: Flags
    vehicles: tuple[DayVehicle, ...]
    disposals: tuple[DayDisposal, ...]
    duration_s: Integers
    distance_m: Integers
    prices: Prices

    def __post_init__(self) -> None:
        self._check_shapes()
        self._check_values()
        for name in ("location", "demand_l", "service_s", "prize", "must", "duration_s", "distance_m"):
            getattr(self, name).setflags(write=False)

    def _check_shapes(self) -> None:
        count = len(self.stop_ids)
        for name in ("location", "demand_l", "service_s", "prize"):
            array = getattr(self, name)
            _require(array.shape == (count,), f"expected {name} of shape ({count},), got {array.shape}")
            _require(array.dtype == np.int64, f"expected {name} of int64, got {array.dtype}")
        _require(self.must.shape == (count,), f"expected must of shape ({count},), got {self.must.shape}")
        _require(self.must.dtype == np.bool_, f"expected must of bool, got {self.must.dtype}")
        _require(len(set(self.stop_ids)) == count, "expected every stop once, got a stop twice")
        size = len(self.duration_s)
        for name in ("duration_s", "distance_m"):
            array = getattr(self, name)
            _require(array.shape == (size, size), f"expected {name} of shape ({size}, {size}), got {array.shape}")
            _require(array.dtype == np.int64, f"expected {name} of int64, got {array.dtype}")

    def _check_values(self) -> None:
        for name in ("demand_l", "service_s", "prize", "duration_s", "distance_m"):
            array = getattr(self, name)
            _require(not (array < 0).any(), f"expected {name} >= 0 everywhere, got {array.min(initial=0)}")
        for name in ("duration_s", "distance_m"):
            _require(not np.diagonal(getattr(self, name)).any(), f"expected {name} 0 from a place to itself")
        _require(bool(self.vehicles), "expected at least one vehicle, got none")
        _require(bool(self.disposals), "expected at least one disposal site, got none")
        names = {vehicle.vehicle_id for vehicle in self.vehicles}
        _require(len(names) == len(self.vehicles), "expected every vehicle once, got a vehicle twice")
        size = len(self.duration_s)
        used = [*self.location.tolist(), *(v.depot for v in self.vehicles), *(d.location for d in self.disposals)]
        outside = [row for row in used if not 0 <= row < size]
        _require(not outside, f"expected locations in 0..{size - 1}, got {outside[:3]}")

    def drive_cost(self, distance_m: int, duration_s: int) -> int:
        """Return what driving so far and being out so long costs."""
        return distance_m * self.prices.per_metre + duration_s * self.prices.per_second


def _require(holds: bool, broken_rule: str) -> None:  # noqa: FBT001 - reads as the assertion it is
    if not holds:
        raise InputError(broken_rule)
