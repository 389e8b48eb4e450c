"""The vehicles of a VRPLIB file: capacities, depots, limits, prices, and where they reload."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimise.rounds.formats.lines import Line
from optimise.rounds.problem import DayVehicle, Flags, Integers, Prices

VEHICLES_AT_MOST = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """What the file says of its vehicles, one value for all or one for each; `count` None: as many as it takes."""

    count: int | None
    capacities: Integers | None
    depots: Integers | None
    max_distances: Integers | None
    max_durations: Integers | None
    max_reloads: Integers | None
    fixed_costs: Integers | None
    unit_costs: Integers | None
    reloads: tuple[int, ...]
    allowed: list[set[int]] | None
    first: int

    def vehicle(self, number: int, *, total_l: int, shift_s: tuple[int, int]) -> DayVehicle:
        """Return one of them. Without a capacity it takes everything."""
        fixed, unit = _of(self.fixed_costs, number), _of(self.unit_costs, number)
        duration = _of(self.max_durations, number)
        return DayVehicle(
            vehicle_id=f"{number + 1}",
            capacity_l=max(1, total_l if self.capacities is None else int(_of(self.capacities, number) or 0)),
            depot=_of(self.depots, number) or 0,
            shift_from_s=shift_s[0],
            shift_until_s=shift_s[1] if duration is None else min(shift_s[1], shift_s[0] + duration),
            range_m=_of(self.max_distances, number),
            unloadings_at_most=_of(self.max_reloads, number),
            home_empty=False,
            prices=None
            if fixed is None and unit is None
            else Prices(per_metre=1 if unit is None else unit, per_second=0, per_vehicle=fixed or 0),
        )

    def barred(self, count: int, *, customers: int) -> Flags:
        """Return which vehicles may not come to which customers, (n, v)."""
        if self.allowed is None:
            return np.zeros((customers, count), dtype=np.bool_)
        barred = np.ones((customers, count), dtype=np.bool_)
        for vehicle in range(count):
            for node in self.allowed[vehicle]:
                barred[node - self.first, vehicle] = False
        return barred


def fleet(said: dict[str, Any], where: dict[str, Line], *, scale: int, customers: int, first: int) -> Fleet:
    """Return the vehicles. Raises InputError where the file asks for what is not read here."""
    count = int(said["vehicles"]) if "vehicles" in said else None
    timed = "time_window" in said
    if "vehicles_max_duration" in said and timed:
        _line(where, "vehicles_max_duration").refuse("a longest duration along with time windows is not read here")
    reloads = [tuple((np.atleast_1d(row).astype(int) - 1).tolist()) for row in said.get("vehicles_reload_depot", [])]
    if any(set(row) != set(reloads[0]) for row in reloads):
        _line(where, "vehicles_reload_depot").refuse("vehicles that reload at different depots are not read here")
    if reloads and not all(0 <= depot < first for depot in reloads[0]):
        _line(where, "vehicles_reload_depot").refuse("expected depots to reload at")
    for name in ("vehicles_depot", "vehicles_reload_depot", "vehicles_allowed_clients"):
        if name in said and (count is None or len(said[name]) != count):
            _line(where, name).refuse(f"expected a row for each of the VEHICLES, got {len(said[name])}")
    depots = None if "vehicles_depot" not in said else np.asarray(said["vehicles_depot"], dtype=np.int64) - 1
    if depots is not None and not ((depots >= 0) & (depots < first)).all():
        _line(where, "vehicles_depot").refuse("expected a depot of the file for each vehicle")
    allowed = None
    if "vehicles_allowed_clients" in said:
        allowed = [{int(node) - 1 for node in np.atleast_1d(row)} for row in said["vehicles_allowed_clients"]]
        if any(not first <= node < first + customers for nodes in allowed for node in nodes):
            _line(where, "vehicles_allowed_clients").refuse("expected customers of the file")
    return Fleet(
        count=count,
        capacities=_numbers(said, where, "capacity", 1, count),
        depots=depots,
        max_distances=_numbers(said, where, "vehicles_max_distance", scale, count),
        max_durations=_numbers(said, where, "vehicles_max_duration", scale, count),
        max_reloads=_numbers(said, where, "vehicles_max_reloads", 1, count),
        fixed_costs=_numbers(said, where, "vehicles_fixed_cost", scale, count),
        unit_costs=_numbers(said, where, "vehicles_unit_distance_cost", 1, count),
        reloads=reloads[0] if reloads else (),
        allowed=allowed,
        first=first,
    )


def needed_at_most(demand: Integers, capacities: Integers | None, *, timed: bool) -> int:
    """Return how many alike vehicles can be of use when the file names no number.

    Without time windows no two routes need to be at most half full: they could be one, no longer by the triangle
    inequality. So 2 x total / capacity + 1 are enough.
    """
    if timed or capacities is None:
        return len(demand) if timed else 1
    return min(len(demand), math.ceil(2 * int(demand.sum()) / max(1, int(capacities.flat[0]))) + 1)


def _numbers(said: dict[str, Any], where: dict[str, Line], name: str, scale: int, count: int | None) -> Integers | None:
    if name not in said:
        return None
    line = _line(where, name)
    values = np.asarray(said[name])
    if values.dtype.kind not in "if" or values.ndim > 1:
        line.refuse(f"expected numbers as {name.upper()}")
    if values.ndim == 1 and len(values) != count:
        line.refuse(f"expected a row for each of the VEHICLES, got {len(values)}")
    scaled = np.floor(values.astype(np.float64) * scale + 1e-9).astype(np.int64)
    if (scaled < 0).any() or (name == "capacity" and (scaled <= 0).any()):
        line.refuse(f"expected {name.upper()} > 0")
    return scaled


def _of(values: Integers | None, number: int) -> int | None:
    if values is None:
        return None
    return int(values if values.ndim == 0 else values[number])


def _line(where: dict[str, Line], name: str) -> Line:
    return where.get(f"{name}_section", where.get(name, where["eof"]))
