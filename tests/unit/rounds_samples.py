"""Small made-up days for the tests of the rounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from optimise.rounds.problem import EURO, DayDisposal, DayVehicle, Prices, Problem

HOUR = 3600


def vehicle(name: str = "BOM-1", **changes: Any) -> DayVehicle:
    values: dict[str, Any] = {
        "vehicle_id": name,
        "capacity_l": 1000,
        "depot": 0,
        "shift_from_s": 6 * HOUR,
        "shift_until_s": 12 * HOUR,
        "break_s": 1800,
        "break_from_s": 8 * HOUR,
        "break_until_s": 10 * HOUR,
    }
    return DayVehicle(**(values | changes))


def day(*, bins: int = 30, seed: int = 0, fleet: int = 2, sites: int = 1, **changes: Any) -> Problem:
    """A town of 4 km by 4 km where going west takes longer. Row 0 is the depot, then come the sites, then the bins."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 4000, (1 + sites + bins, 2))
    east, north = (places[None, :, axis] - places[:, None, axis] for axis in (0, 1))
    distance_m = np.rint(np.where(east < 0, -1.5 * east, east) + np.abs(north)).astype(np.int64)
    values: dict[str, Any] = {
        "stop_ids": tuple(f"COR-{number:04}" for number in range(1, bins + 1)),
        "location": np.arange(1 + sites, 1 + sites + bins, dtype=np.int64),
        "demand_l": rng.integers(20, 100, bins).astype(np.int64),
        "service_s": np.full(bins, 40, dtype=np.int64),
        "prize": rng.integers(1 * EURO, 15 * EURO, bins).astype(np.int64),
        "must": np.zeros(bins, dtype=np.bool_),
        "vehicles": tuple(vehicle(f"BOM-{number}") for number in range(1, fleet + 1)),
        "disposals": tuple(
            DayDisposal(place_id=f"EXUTOIRE-{number}", location=number, unload_s=600) for number in range(1, sites + 1)
        ),
        "duration_s": np.ceil(distance_m / 5).astype(np.int64),
        "distance_m": distance_m,
        "prices": Prices(per_metre=1500, per_second=12_500, per_vehicle=30 * EURO),
    }
    return Problem(**(values | changes))
