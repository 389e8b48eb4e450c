"""Made-up days in which every rule of the problem appears at some time; small, and the same for a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from optimise.rounds.problem import (
    EURO,
    DayDisposal,
    DayVehicle,
    Prices,
    Problem,
    Traffic,
    TravelProfile,
    Window,
    Wishes,
)

HOUR = 3600
_BEGIN = 6 * HOUR


def day_with_every_rule(*, seed: int, bins: int = 12, fleet: int = 3, traffic: bool = False) -> Problem:
    """A town of 4 km by 4 km: rows 0 and 1 are depots, then the sites (none to two), then the bins.

    Each rule is there on some seeds only, so that tests meet them alone and together.
    """
    rng = np.random.default_rng(seed)
    sites = int(rng.integers(0, 3))
    places = rng.uniform(0, 4000, (2 + sites + bins, 2))
    east, north = (places[None, :, axis] - places[:, None, axis] for axis in (0, 1))
    distance_m = np.rint(np.where(east < 0, -1.5 * east, east) + np.abs(north)).astype(np.int64)
    duration_s = np.ceil(distance_m / 5).astype(np.int64)
    small = TravelProfile(duration_s=np.ceil(distance_m / 4).astype(np.int64), distance_m=distance_m * 9 // 10)
    has_profiles = bool(rng.random() < 0.5)
    must = rng.random(bins) < 0.1
    return Problem(
        stop_ids=tuple(f"COR-{number:04}" for number in range(1, bins + 1)),
        location=np.arange(2 + sites, 2 + sites + bins, dtype=np.int64),
        demand_l=rng.integers(20, 200, bins).astype(np.int64),
        demand_kg=rng.integers(0, 60, bins).astype(np.int64) * int(rng.random() < 0.5),
        service_s=rng.integers(20, 120, bins).astype(np.int64),
        prize=rng.integers(1 * EURO, 25 * EURO, bins).astype(np.int64),
        must=must & (rng.random() < 0.3),
        must_not=~must & (rng.random(bins) < 0.1),
        windows=tuple(_windows(rng, often=0.4) for _ in range(bins)),
        release_s=(_BEGIN + rng.integers(0, 2 * HOUR, bins)).astype(np.int64) * int(rng.random() < 0.3),
        max_width_cm=np.where(rng.random(bins) < 0.2, 200, 0).astype(np.int64),
        crew=np.where(rng.random(bins) < 0.2, 2, 1).astype(np.int64),
        kinds=tuple(frozenset({"small"}) if rng.random() < 0.1 else frozenset[str]() for _ in range(bins)),
        barred=rng.random((bins, fleet)) < 0.05,
        sector=rng.integers(-1, 3, bins).astype(np.int64),
        vehicles=tuple(_vehicle(rng, f"BOM-{n}", profile=int(has_profiles) * (n % 2)) for n in range(1, fleet + 1)),
        disposals=tuple(
            DayDisposal(place_id=f"EXUTOIRE-{n}", location=1 + n, unload_s=600, windows=_windows(rng, often=0.4))
            for n in range(1, sites + 1)
        ),
        duration_s=duration_s,
        distance_m=distance_m,
        profiles=(small,),
        prices=_prices(rng),
        traffic=Traffic(from_s=(_BEGIN, 8 * HOUR, 9 * HOUR), percent=(150, 90, 120)) if traffic else None,
        wishes=_wishes(rng),
    )


def _wishes(rng: np.random.Generator) -> Wishes:
    if rng.random() < 0.5:
        return Wishes()
    return Wishes(per_longest_second=3_000, per_split=2 * EURO, per_unfamiliar_stop=1 * EURO)


def _prices(rng: np.random.Generator) -> Prices:
    return Prices(
        per_metre=int(rng.integers(500, 2500)),
        per_second=int(rng.integers(8_000, 15_000)),
        per_vehicle=int(rng.integers(0, 20)) * EURO,
        per_overtime_second=6_000,
    )


def _windows(rng: np.random.Generator, *, often: float) -> tuple[Window, ...]:
    if rng.random() > often:
        return ()
    first = _BEGIN + int(rng.integers(0, 3 * HOUR))
    morning = Window(from_s=first, until_s=first + int(rng.integers(600, HOUR)))
    if rng.random() < 0.5:
        return (morning,)
    second = morning.until_s + int(rng.integers(600, HOUR))
    return morning, Window(from_s=second, until_s=second + 1800)


def _vehicle(rng: np.random.Generator, name: str, *, profile: int) -> DayVehicle:
    shift_s = int(rng.integers(1, 5)) * HOUR
    end_s = _BEGIN + shift_s
    break_from_s = _BEGIN + int(rng.integers(-1800, 2 * HOUR))
    values: dict[str, Any] = {
        "capacity_l": int(rng.integers(150, 900)),
        "capacity_kg": int(rng.integers(80, 250)) if rng.random() < 0.5 else None,
        "depot": 0,
        "end_depot": 1 if rng.random() < 0.3 else None,
        "shift_from_s": _BEGIN,
        "shift_until_s": end_s,
        "overtime_until_s": end_s + 1800 if rng.random() < 0.5 else None,
        "break_s": 1200 if rng.random() < 0.6 else 0,
        "break_from_s": break_from_s,
        "break_until_s": break_from_s + 1200 + int(rng.integers(0, 2 * HOUR)),
        "width_cm": 250 if rng.random() < 0.5 else 180,
        "kind": "small" if rng.random() < 0.3 else "large",
        "crew": int(rng.integers(1, 3)),
        "range_m": int(rng.integers(8_000, 30_000)) if rng.random() < 0.3 else None,
        "profile": profile,
        "prices": _prices(rng) if rng.random() < 0.3 else None,
        "unloadings_at_most": int(rng.integers(1, 3)) if rng.random() < 0.2 else None,
        "day_l": 1000 if rng.random() < 0.2 else None,
        "day_stops": 5 if rng.random() < 0.2 else None,
        "home_empty": bool(rng.random() < 0.7),
        "sectors": frozenset({int(rng.integers(0, 3))}) if rng.random() < 0.5 else frozenset(),
    }
    return DayVehicle(vehicle_id=name, **values)
