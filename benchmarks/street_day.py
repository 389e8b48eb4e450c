"""A day of bins on real streets as a file for `voirie solve`: how the 1,000-bin day of benchmarks/RESULTS.md is made.

    python benchmarks/street_day.py EXTRACT.osm.pbf OUT.json [--bins 1000] [--vehicles 4] [--seed 1]

Bins stand where the simulator places them on the streets of the extract; how full each is (5 to 80 l) and what leaving
it costs (0 to 15 EUR, most of it for few) are drawn at random. Vehicles take 3,500 l and work from 6:00 to 12:00 with
half an hour's break between 8:00 and 10:00; one disposal site.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from optimise.rounds.formats.rounds_json import written
from optimise.rounds.problem import EURO, DayDisposal, DayVehicle, Prices, Problem
from optimise.rounds.travel import NO_WAY, TravelOptions, open_travel
from simulators.bins import place_bins
from simulators.kerbs import find_kerbs
from simulators.streets import read_streets
from simulators.town_ends import place_ends

HOUR = 3600
PROFILE = Path(__file__).parents[1] / "config" / "streets" / "collection_vehicle.lua"


def main() -> None:
    """Write the day."""
    options = _options()
    streets = read_streets(options.extract)
    kerbs = find_kerbs(streets)
    bins = place_bins(streets, kerbs, commune_insee="00000", seed=options.seed, count=options.bins).bins
    depot, site = place_ends(streets, kerbs, commune_insee="00000", seed=options.seed)
    places = [(one.longitude_deg, one.latitude_deg) for one in (depot, site, *bins)]
    travel = open_travel(
        TravelOptions(extract=options.extract, profile=PROFILE, cache_dir=Path.home() / ".cache" / "voirie-benchmarks")
    )
    matrices = travel.matrices(places, kerb=[False, False] + [True] * len(bins))
    ways = np.minimum(matrices.duration_s[0], matrices.duration_s[:, 0]) != NO_WAY
    kept = np.flatnonzero(ways).tolist()
    matrices = matrices.of(kept)
    count = len(kept) - 2
    random = np.random.default_rng(options.seed)
    problem = Problem(
        stop_ids=tuple(bins[row - 2].place_id for row in kept[2:]),
        location=np.arange(2, count + 2, dtype=np.int64),
        demand_l=random.integers(5, 80, size=count).astype(np.int64),
        service_s=np.full(count, 45, dtype=np.int64),
        prize=(15 * EURO * random.random(count) ** 3).astype(np.int64),
        vehicles=tuple(
            DayVehicle(
                vehicle_id=f"vehicle {number}", capacity_l=3500, depot=0, shift_from_s=6 * HOUR,
                shift_until_s=12 * HOUR, break_s=1800, break_from_s=8 * HOUR, break_until_s=10 * HOUR,
            )
            for number in range(1, options.vehicles + 1)
        ),
        disposals=(DayDisposal(place_id="site", location=1, unload_s=900),),
        duration_s=np.where(matrices.duration_s == NO_WAY, 100 * HOUR, matrices.duration_s),
        distance_m=np.where(matrices.distance_m == NO_WAY, 1_000_000, matrices.distance_m),
        prices=Prices(per_metre=1500, per_second=12_500, per_vehicle=30 * EURO),
    )  # fmt: skip
    options.out.write_text(
        written(problem, name=f"{options.extract.name} {count} bins", places=[places[k] for k in kept])
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extract", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bins", type=int, default=1000)
    parser.add_argument("--vehicles", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
