"""How well the loss model finds those who found no place, on simulated towns whose truth is known; prints JSON.

    python benchmarks/unmet_demand.py [--seeds 3] [--bays 60] [--weeks 8] [--streets FILE.osm.pbf]

The simulator's vehicles come to one bay each, by an hourly rate of their own, and drive on when it is taken: sensors
never see those. Its dwells are lognormal with a tail of hours, which the model does not know. The model sees each bay's
stays, in hours of three classes of days, as the observatory does (optimise/occupancy/unmet.py).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from optimise.occupancy.unmet import Cell, demands
from simulators.streets import StreetMap, default_extract, read_streets
from simulators.world import World, build_world

_START = datetime(2026, 2, 1, 23, tzinfo=UTC)
"""A Monday, 0:00 in Paris."""
_PARIS = ZoneInfo("Europe/Paris")
_CLASSES = np.array(["workday"] * 5 + ["saturday", "sunday"])


def true_attempts(world: World, *, weeks: int) -> np.ndarray:
    """Return how many came to each bay, who found it taken among them."""
    found = np.zeros(len(world.delivery_bays))
    for week in range(weeks):
        found += np.bincount(world.bays_truth.attempts_in(week).place, minlength=len(found))
    return found


def estimated(world: World, *, weeks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return stays seen, refused as estimated, and the variance of that, of each bay."""
    since, until = int(_START.timestamp()), int((_START + timedelta(weeks=weeks)).timestamp())
    sessions = world.bays_truth.sessions_until(until)
    hours = np.arange(since, until, 3600)
    local = [datetime.fromtimestamp(int(at), UTC).astimezone(_PARIS) for at in hours]
    slot_of = np.array([_CLASSES[one.weekday()] + f" {one.hour}" for one in local])
    seen, refused, variance = (np.zeros(len(world.delivery_bays)) for _ in range(3))
    for bay, place in enumerate(world.delivery_bays):
        mine = (sessions.place == bay) & (sessions.arrive_s < until) & (sessions.depart_s > since)
        arrive, depart = sessions.arrive_s[mine], sessions.depart_s[mine]
        overlap = np.minimum(depart[:, None], hours + 3600) - np.maximum(arrive[:, None], hours)
        occupied = np.clip(overlap, 0, None).sum(axis=0)
        came = np.bincount((arrive[arrive >= since] - since) // 3600, minlength=len(hours))
        cells = [
            Cell(
                pool=place.place_id, day_class=slot.split()[0], hour=int(slot.split()[1]), place_ids=(place.place_id,),
                known_s=3600.0 * (slot_of == slot).sum(), occupied_s=float(occupied[slot_of == slot].sum()),
                arrivals=float(came[slot_of == slot].sum()),
            )
            for slot in np.unique(slot_of)
        ]  # fmt: skip
        for cell, one in zip(cells, demands(cells), strict=True):
            missed = one.wanted_per_s * one.refused_share * cell.known_s
            refused[bay] += missed
            variance[bay] += missed * (1 + one.relative_var)
        seen[bay] = came.sum()
    return seen, refused, variance


def measure(streets: StreetMap, *, seed: int, bays: int, weeks: int) -> dict[str, Any]:
    """Return how the estimate compares with the truth of one town."""
    world = build_world(streets, seed=seed, start=_START, days=1, bins=20, bays=bays, spaces=20)
    came = true_attempts(world, weeks=weeks)
    seen, refused, variance = estimated(world, weeks=weeks)
    truth = came - seen
    inside = np.abs(refused - truth) <= 1.96 * np.sqrt(variance)
    return {
        "seed": seed,
        "came": int(came.sum()),
        "seen": int(seen.sum()),
        "refused_true": int(truth.sum()),
        "refused_estimated": round(float(refused.sum()), 1),
        "interval_95": round(1.96 * math.sqrt(variance.sum()), 1),
        "error": round(float(refused.sum() / truth.sum() - 1), 4),
        "bays_inside_interval_95": round(float(inside.mean()), 3),
        "correlation_over_bays": round(float(np.corrcoef(refused, truth)[0, 1]), 3),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--bays", type=int, default=60)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--streets", type=Path)
    arguments = parser.parse_args()
    streets = read_streets(arguments.streets or default_extract())
    towns = [
        measure(streets, seed=seed, bays=arguments.bays, weeks=arguments.weeks)
        for seed in range(401, 401 + arguments.seeds)
    ]
    print(json.dumps({"bays": arguments.bays, "weeks": arguments.weeks, "towns": towns}, indent=1))


if __name__ == "__main__":
    main()
