"""How long an edit of a plan takes, and how good what comes of it is; prints one JSON document.

    python benchmarks/plan_edits.py --database URL [--extract FILE.osm.pbf] [--bins 300] [--vehicles 4]
        [--hours 6] [--solve 20] [--long 20] [--repeat 3] [--seed 1] [--only KIND ...] [--under-way]

Bins stand where the simulator places them on the streets of the extract (the demo's unless told); forecasts are drawn
at random, so that about half of the bins are worth a stop. The day is planned with `solve` seconds by the best engine;
then each kind of edit is made `repeat` times as the worker makes it: from the request to the saved draft, streets and
matrices in memory. With `--under-way` half of the day is driven first. `seconds`: each time on the clock, `cpu_seconds`
of a processor, preparing of closed streets included, `cold_seconds`: the first edit of a worker that just started.
`cost_eur` is the objective after the edit, `long_cost_eur` the best of these and of a search of `long` seconds with the
same locks, `gap` how much dearer the short ones are on average. Nothing is kept: the database is dropped.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from psycopg.conninfo import make_conninfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cli.scratch_databases import scratch_database
from optimise.rounds.editing.editor import EditorOptions, edit_plan
from optimise.rounds.planner import PlannerOptions, plan_day
from optimise.rounds.policy import PolicyOptions
from optimise.rounds.warm_streets import WarmStreets
from simulators.bins import place_bins
from simulators.kerbs import find_kerbs
from simulators.streets import default_extract, read_streets
from simulators.town_ends import place_ends
from storage import bins, communes, forecasts, places, plan_versions, schema
from storage.database import Connection, connect
from storage.model import (
    Commune,
    DisposalSite,
    FillForecast,
    ForecastRun,
    Place,
    PlaceKind,
    Plan,
    ServiceEvent,
    ServiceEventKind,
    Simulation,
    StopKind,
    Vehicle,
)

INSEE = "93051"
DAY = date(2026, 3, 10)
EVENING = datetime(2026, 3, 9, 19, tzinfo=UTC)
PROFILE = Path(__file__).resolve().parent.parent / "config" / "streets" / "collection_vehicle.lua"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A day that was planned in a database of its own."""

    connection: Connection
    planner: PlannerOptions
    plan: Plan
    seconds: float

    @property
    def document(self) -> dict[str, Any]:
        """What the figures are of."""
        assert self.planner.extract is not None
        return {
            "extract": self.planner.extract.name,
            "vehicles": len(self.plan.routes),
            "served": sum(len(names) for names in rounds_of(self.plan).values()),
        }


@contextmanager
def planned_day(told: argparse.Namespace) -> Iterator[Planned]:
    """Yield a planned day, for this and for benchmarks/plan_repairs.py."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    extract: Path = told.extract or default_extract()
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with scratch_database(told.database, name), tempfile.TemporaryDirectory() as cache:
        url = make_conninfo(told.database, dbname=name)
        schema.migrate(url)
        with connect(url, autocommit=True) as connection:
            provision(connection, extract, told)
            planner = PlannerOptions(
                extract=extract, cache_dir=Path(cache), profile=PROFILE, solve_s=told.solve, seed=told.seed,
                policy=PolicyOptions(overflow_eur=20),
            )  # fmt: skip
            began = time.monotonic()
            base = plan_day(connection, INSEE, service_date=DAY, as_of=EVENING, options=planner)
            planned_s = time.monotonic() - began
            print(f"planned in {planned_s:.1f} s", file=sys.stderr)
            yield Planned(connection=connection, planner=planner, plan=base, seconds=planned_s)


def main() -> None:
    """Plan a day, edit it in every way, and print what that took."""
    told = asked()
    with planned_day(told) as day:
        document = day.document | {
            "bins": told.bins,
            "plan_cost_eur": day.plan.checker["cost_eur"],
            "planned_s": round(day.seconds, 1),
            "edits": _measured(day.connection, day.plan, day.planner, told),
            "under_way": told.under_way,
        }
    print(json.dumps(document, ensure_ascii=False))


def _measured(connection: Connection, base: Plan, planner: PlannerOptions, told: argparse.Namespace) -> dict[str, Any]:
    warm, found, cold_s = WarmStreets(), {}, None
    gone = set()
    if told.under_way:
        now = half_way(connection, base)
        gone = {stop.place_id for route in base.routes for stop in route.stops if stop.depart_at <= now}
    for kind, edits in _edits(base, gone).items():
        if told.only and kind not in told.only:
            continue
        seconds, cpu, costs = [], [], []
        for turn in range(told.repeat):
            options = EditorOptions(planner=replace(planner, seed=turn), opener=warm.open, lines=warm.lines)
            began, worked = time.monotonic(), _processor_s()
            draft = edit_plan(connection, INSEE, base.plan_id, edits, by="bench", options=options)
            taken = time.monotonic() - began
            if cold_s is None:
                cold_s = round(taken, 2)
                continue
            seconds.append(round(taken, 2))
            cpu.append(round(_processor_s() - worked, 2))
            costs.append(draft.checker["cost_eur"])
        long = EditorOptions(
            planner=planner, whole_s=told.long + 10, most_s=told.long, opener=warm.open, lines=warm.lines
        )
        best = edit_plan(connection, INSEE, base.plan_id, edits, by="bench", options=long)
        difference = plan_versions.one(connection, INSEE, draft.plan_id).difference or {}
        long_cost = min([best.checker["cost_eur"], *costs])
        found[kind] = {
            "seconds": seconds,
            "cpu_seconds": cpu,
            "cost_eur": costs,
            "long_cost_eur": long_cost,
            "gap": round(float(np.mean(costs)) / long_cost - 1, 4),
            "moved": difference["moved"],
            "dropped": len(difference["dropped"]),
            "reordered": sum(len(route["reordered"]) for route in difference["routes"]),
        }
        print(f"{kind}: {found[kind]}", file=sys.stderr)
    return found | {"cold_seconds": cold_s}


def _processor_s() -> float:
    """Return the seconds of a processor that this process and what it ran have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def half_way(connection: Connection, base: Plan) -> datetime:
    """Drive half of the longest round's time, every crew as planned; return when that is."""
    longest = max(base.routes, key=lambda route: route.end_at - route.start_at)
    now = longest.start_at + (longest.end_at - longest.start_at) / 2
    bins.declare(
        connection,
        [
            ServiceEvent(
                commune_insee=INSEE, event_id=uuid.uuid4(), place_id=str(stop.place_id), kind=ServiceEventKind.EMPTIED,
                happened_at=stop.depart_at,
            )
            for route in base.routes
            for stop in route.stops
            if stop.kind is StopKind.BIN and stop.depart_at <= now
        ],
    )  # fmt: skip
    stand_at(connection, now)
    return now


def stand_at(connection: Connection, now: datetime) -> None:
    """Set the town's clock."""
    simulation = communes.simulation(connection, INSEE)
    assert simulation is not None
    communes.save_simulation(connection, replace(simulation, simulated_origin=now))


def rounds_of(plan: Plan) -> dict[str, list[str]]:
    """Return the bins of each vehicle, in its order."""
    return {
        route.vehicle_id: [str(stop.place_id) for stop in route.stops if stop.kind is StopKind.BIN]
        for route in plan.routes
    }


def _edits(base: Plan, gone: set[str | None]) -> dict[str, list[dict[str, Any]]]:
    """Return one edit of each kind, of bins that are not gone nor next."""
    ahead = {vehicle: [name for name in names if name not in gone] for vehicle, names in rounds_of(base).items()}
    rounds = {vehicle: names[1:] if gone else names for vehicle, names in ahead.items()}
    one, other = sorted(rounds, key=lambda vehicle: -len(rounds[vehicle]))[:2]
    half = len(rounds[one]) // 2
    done = len(rounds_of(base)[other]) - len(rounds[other])
    line = base.routes[0].geometry
    middle = len(line) * 3 // 4 if gone else len(line) // 2
    left = next(item.place_id for item in base.left_out if item.reason.code == "not_worth_it")
    return {
        "lock": [{"kind": "lock", "place_id": rounds[one][half]}],
        "move": [{"kind": "move", "place_id": rounds[one][half], "vehicle_id": other, "position": done + 5}],
        "add": [{"kind": "add", "place_id": left}],
        "drop": [{"kind": "drop", "place_id": rounds[one][half]}],
        "crew": [{"kind": "crew", "vehicle_id": one, "people": 2}],
        "several": [
            {"kind": "lock", "place_id": rounds[other][3]},
            {"kind": "lock", "place_id": rounds[one][half + 1], "hold": "first"},
            *({"kind": "move", "place_id": name, "vehicle_id": other} for name in rounds[one][:5]),
            *({"kind": "drop", "place_id": name} for name in rounds[one][half + 4 : half + 8]),
        ],
        "without": [{"kind": "without", "vehicle_id": one}],
        "close": [{"kind": "close", "line": [list(point) for point in line[middle : middle + 6]]}],
    }


def provision(connection: Connection, extract: Path, told: argparse.Namespace) -> None:
    """Write the town, its fleet and a drawn forecast."""
    streets = read_streets(extract)
    kerbs = find_kerbs(streets)
    town = place_bins(streets, kerbs, commune_insee=INSEE, seed=told.seed, count=told.bins).bins
    depot, site = place_ends(streets, kerbs, commune_insee=INSEE, seed=told.seed)
    communes.save(connection, Commune(commune_insee=INSEE, name="Bench"))
    communes.save_simulation(
        connection,
        Simulation(
            commune_insee=INSEE, seed=1, streets_source="none", started_at=EVENING, history_until=EVENING,
            wall_origin=datetime.now(UTC), simulated_origin=EVENING, rate=1e-9,
        ),
    )  # fmt: skip
    places.save_places(
        connection,
        [
            Place(
                commune_insee=INSEE, place_id="DEPOT-1", kind=PlaceKind.DEPOT, longitude_deg=depot.longitude_deg,
                latitude_deg=depot.latitude_deg,
            )
        ],
    )  # fmt: skip
    places.save_disposal_sites(
        connection,
        [
            DisposalSite(
                commune_insee=INSEE, place_id="SITE-1", longitude_deg=site.longitude_deg,
                latitude_deg=site.latitude_deg, street=None, unload_s=900,
            )
        ],
    )  # fmt: skip
    places.save_vehicles(
        connection,
        [
            Vehicle(
                commune_insee=INSEE, vehicle_id=f"BOM-{number}", name=f"Benne {number}", capacity_l=3500,
                depot_id="DEPOT-1", shift_from=clock_time(6), shift_until=_at(told.hours), break_s=1200,
                break_from=_at(told.hours / 3), break_until=_at(told.hours * 2 / 3),
            )
            for number in range(1, told.vehicles + 1)
        ],
    )  # fmt: skip
    bins.save(connection, [replace(item, service_s=45.0) for item in town])
    random = np.random.default_rng(told.seed)
    run = ForecastRun(
        commune_insee=INSEE, run_id=uuid.uuid4(), model_version="drawn", as_of=EVENING, made_at=EVENING,
        trained_from=EVENING - timedelta(days=28), trained_until=EVENING,
    )  # fmt: skip
    levels = random.uniform(0.1, 1.0, len(town))
    forecasts.save(
        connection,
        run,
        [_forecast(item.place_id, hour, float(level)) for item, level in zip(town, levels, strict=True)
         for hour in range(6, 48)],
    )  # fmt: skip


def _at(hours: float) -> clock_time:
    """Return the time of day so many hours after six."""
    minutes = round(60 * (6 + hours))
    return clock_time(minutes // 60, minutes % 60)


def _forecast(place_id: str, hour: int, level: float) -> FillForecast:
    now = level * (0.7 + hour / 80)
    return FillForecast(
        place_id=place_id, valid_at=EVENING + timedelta(hours=hour), p05=now - 0.1, p10=now - 0.05, p50=now,
        p90=now + 0.1, p95=now + 0.2, probability_full=min(1.0, max(0.0, (now - 0.6) * 2)),
    )  # fmt: skip


def asked() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True)
    parser.add_argument("--extract", type=Path)
    parser.add_argument("--bins", type=int, default=300)
    parser.add_argument("--vehicles", type=int, default=4)
    parser.add_argument("--hours", type=float, default=6.0, help="hours of a shift, from six on")
    parser.add_argument("--solve", type=float, default=20.0)
    parser.add_argument("--long", type=float, default=20.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="KIND", help="kinds of edits; otherwise all")
    parser.add_argument("--under-way", action="store_true", help="edit the rounds half-way through the day")
    return parser.parse_args()


if __name__ == "__main__":
    main()
