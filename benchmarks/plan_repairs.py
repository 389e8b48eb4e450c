"""How long a repair of rounds under way takes, and what it changes; prints one JSON document.

    python benchmarks/plan_repairs.py --database URL [--extract FILE.osm.pbf] [--bins 300] [--vehicles 4]
        [--hours 6] [--solve 20] [--repeat 3] [--seed 1]

The day is that of benchmarks/plan_edits.py. Half of every round is driven as planned; then one thing happens: the next
bin is blocked, a bin that was left overflows, a vehicle breaks down, its crew gets forty minutes behind. `seconds`:
from the request to the published plan, as the worker makes it, streets and matrices in memory (`cold_seconds`: the
first repair of a worker that just started); `moved`, `dropped`, `added`: bins; `next_kept`: whether every vehicle that
still drives heads for the bin or site that it was heading for. Each repair starts from the same plan; nothing is kept.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg import Rollback

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.plan_edits import INSEE, asked, half_way, planned_day, stand_at
from optimise.rounds.planner import PlannerOptions
from optimise.rounds.repair.repairing import RepairOptions, repair_rounds
from optimise.rounds.warm_streets import WarmStreets
from storage import bins, plan_versions, vehicle_events
from storage.database import Connection
from storage.model import (
    Plan,
    ServiceEvent,
    ServiceEventKind,
    StopKind,
    VehicleEvent,
    VehicleEventKind,
)


def main() -> None:
    """Plan a day, drive half of it, have things happen, and print what repairing took."""
    told = asked()
    with planned_day(told) as day:
        now = half_way(day.connection, day.plan)
        document = day.document | {
            "bins": told.bins,
            "repairs": _measured(day.connection, day.plan, now, day.planner, told.repeat),
        }
    print(json.dumps(document, ensure_ascii=False))


def _measured(
    connection: Connection, base: Plan, now: datetime, planner: PlannerOptions, repeat: int
) -> dict[str, Any]:
    warm, found, cold_s = WarmStreets(), {}, None
    for kind, happen in _happenings(base, now).items():
        rows = []
        for turn in range(repeat if cold_s is not None else repeat + 1):
            options = RepairOptions(planner=replace(planner, seed=turn), opener=warm.open)
            with _undone(connection):
                at = happen(connection)
                stand_at(connection, at)
                began = time.monotonic()
                made = repair_rounds(connection, INSEE, options=options)
                taken = round(time.monotonic() - began, 2)
                if cold_s is None:
                    cold_s = taken
                    continue
                rows.append({"seconds": taken, **_changed(connection, base, made, now)})
        found[kind] = rows
        print(f"{kind}: {rows}", file=sys.stderr)
    return found | {"cold_seconds": cold_s}


def _changed(connection: Connection, base: Plan, made: Plan | None, now: datetime) -> dict[str, Any]:
    if made is None:
        return {"repaired": False}
    difference = plan_versions.one(connection, INSEE, made.plan_id).difference or {}
    barred = {item.place_id for item in made.left_out if item.reason.code == "blocked"}
    before = _next_visits(base, now, barred)
    after = _next_visits(made, now, barred)
    kept = all(after[vehicle] == visit for vehicle, visit in before.items() if after.get(vehicle) and visit)
    return {
        "moved": difference["moved"],
        "dropped": len(difference["dropped"]),
        "added": difference["added"],
        "next_kept": kept,
    }


def _next_visits(plan: Plan, now: datetime, barred: set[str]) -> dict[str, str | None]:
    """Return the first bin or site of each vehicle that is not over at `now`."""
    return {
        route.vehicle_id: next(
            (
                stop.place_id
                for stop in route.stops
                if stop.kind in {StopKind.BIN, StopKind.DISPOSAL}
                and stop.depart_at > now
                and stop.place_id not in barred
            ),
            None,
        )
        for route in plan.routes
    }


def _ahead(plan: Plan, now: datetime) -> dict[str, list[str]]:
    return {
        route.vehicle_id: [str(s.place_id) for s in route.stops if s.kind is StopKind.BIN and s.depart_at > now]
        for route in plan.routes
    }


def _happenings(base: Plan, now: datetime) -> dict[str, Callable[[Connection], datetime]]:
    ahead = _ahead(base, now)
    busiest = max(ahead, key=lambda vehicle: len(ahead[vehicle]))
    left = next(item.place_id for item in base.left_out if item.reason.code == "not_worth_it")

    def tell(place_id: str, kind: ServiceEventKind) -> Callable[[Connection], datetime]:
        def happen(connection: Connection) -> datetime:
            bins.declare(connection, [_event(place_id, kind, now)])
            return now

        return happen

    def breaks(connection: Connection) -> datetime:
        broken = VehicleEvent(
            commune_insee=INSEE, event_id=uuid.uuid4(), vehicle_id=busiest, kind=VehicleEventKind.BROKEN,
            happened_at=now,
        )  # fmt: skip
        vehicle_events.declare(connection, [broken])
        return now

    return {
        "blocked": tell(ahead[busiest][0], ServiceEventKind.BLOCKED),
        "overflowing": tell(left, ServiceEventKind.OVERFLOWING),
        "broken down": breaks,
        "forty minutes late": lambda _connection: now + timedelta(minutes=40),
    }


def _event(place_id: str, kind: ServiceEventKind, at: datetime) -> ServiceEvent:
    return ServiceEvent(commune_insee=INSEE, event_id=uuid.uuid4(), place_id=place_id, kind=kind, happened_at=at)


@contextmanager
def _undone(connection: Connection) -> Iterator[None]:
    with connection.transaction() as whole:
        yield
        raise Rollback(whole)


if __name__ == "__main__":
    main()
