"""How long the figures of rounds take over a month and over a year of days; prints one JSON document.

    python benchmarks/month_figures.py --database URL [--bins 1000] [--days 365] [--vehicles 4] [--share 0.45]

Writes a commune with a published plan for each day: so many rounds, in which a share of the bins is emptied and
declared with a look, all others left with their reasons; former rounds of every weekday. `first_s`: the first answer,
`seconds`: the quickest of the others. Nothing is kept: the database is dropped.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import structlog
from psycopg.conninfo import make_conninfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cli.scratch_databases import scratch_database
from storage import communes, kpi, schema
from storage.database import Connection, connect
from storage.model import Commune, FormerRound, KpiBy

INSEE = "93051"
FIRST = date(2025, 3, 3)
_SECTORS = 25
_BINS = """
INSERT INTO place (commune_insee, place_id, kind, longitude_deg, latitude_deg)
SELECT %(insee)s, 'COR-' || n, 'bin', 2.5 + n %% 40 / 4000.0, 48.8 + n / 40 / 4000.0
FROM generate_series(1, %(bins)s) AS n;
INSERT INTO bin (commune_insee, place_id, bin_kind, volume_l, service_s, sector)
SELECT %(insee)s, 'COR-' || n, 'corbeille', 100, 60, 'S' || (n * %(sectors)s / (%(bins)s + 1))
FROM generate_series(1, %(bins)s) AS n;
"""
_PLANS = """
INSERT INTO plan (commune_insee, plan_id, service_date, made_at, as_of, engine, seed, solve_s, travel_source,
    distance_m, duration_s, checker, inputs)
SELECT %(insee)s, md5('plan' || d)::uuid, %(first)s::date + d, %(first)s::date + d, %(first)s::date + d, 'drawn', 1, 1,
    'drawn', 1, 1, '{"accepted": true}', '{}'
FROM generate_series(0, %(days)s - 1) AS d;
INSERT INTO plan_version (commune_insee, plan_id, service_date, status, version, origin, made_by, made_at, published_by,
    published_at)
SELECT commune_insee, plan_id, service_date, 'published', 1, 'planned', 'x', made_at, 'x', made_at FROM plan;
INSERT INTO planned_route (commune_insee, plan_id, route_index, vehicle_id, start_at, end_at, distance_m, duration_s,
    geometry)
SELECT commune_insee, plan_id, v, 'BOM-' || v, service_date + TIME '06:00', service_date + TIME '11:00', 40000,
    18000, '[]'
FROM plan, generate_series(0, %(vehicles)s - 1) AS v;
CREATE TEMP TABLE drawn AS
SELECT d, n, n %% %(vehicles)s AS v, row_number() OVER (PARTITION BY d, n %% %(vehicles)s ORDER BY n) AS turn
FROM generate_series(0, %(days)s - 1) AS d, generate_series(1, %(bins)s) AS n
WHERE (n * 7919 + d * 104729) %% 1000 < %(share)s * 1000;
INSERT INTO planned_stop (commune_insee, plan_id, route_index, stop_index, kind, place_id, arrive_at, depart_at, load_l,
    load_kg, distance_m, reason)
SELECT %(insee)s, md5('plan' || d)::uuid, v, turn, 'bin', 'COR-' || n,
    %(first)s::date + d + TIME '06:00' + turn * INTERVAL '2 minutes',
    %(first)s::date + d + TIME '06:01' + turn * INTERVAL '2 minutes', turn * 50, 0, 350,
    '{"code": "overflow_risk", "text": "x", "figures": {"fill_p50": 0.7, "probability_full": 0.1}}'
FROM drawn;
INSERT INTO planned_stop (commune_insee, plan_id, route_index, stop_index, kind, place_id, arrive_at, depart_at, load_l,
    load_kg, distance_m, reason)
SELECT %(insee)s, md5('plan' || d)::uuid, v, max(turn) + 1, 'depot', 'DEPOT',
    %(first)s::date + d + TIME '11:00', %(first)s::date + d + TIME '11:00', 0, 0, 4000, NULL
FROM drawn GROUP BY d, v;
INSERT INTO plan_left_out (commune_insee, plan_id, place_id, reason)
SELECT %(insee)s, md5('plan' || d)::uuid, 'COR-' || n,
    '{"code": "not_worth_it", "text": "x", "figures": {"probability_full_next": 0.01}}'
FROM generate_series(0, %(days)s - 1) AS d, generate_series(1, %(bins)s) AS n
WHERE (n * 7919 + d * 104729) %% 1000 >= %(share)s * 1000;
INSERT INTO service_event (commune_insee, event_id, place_id, kind, happened_at, received_at, found_fraction, plan_id)
SELECT %(insee)s, md5(d || ' ' || n)::uuid, 'COR-' || n, 'emptied',
    %(first)s::date + d + TIME '06:02' + turn * INTERVAL '2 minutes',
    %(first)s::date + d + TIME '06:02' + turn * INTERVAL '2 minutes', 0.7, md5('plan' || d)::uuid
FROM drawn;
"""


def main() -> None:
    """Write the days, ask for their figures, and print how long that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", required=True)
    parser.add_argument("--bins", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--vehicles", type=int, default=4)
    parser.add_argument("--share", type=float, default=0.45)
    parser.add_argument("--repeat", type=int, default=3)
    told = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with scratch_database(told.database, name):
        url = make_conninfo(told.database, dbname=name)
        schema.migrate(url)
        with connect(url, autocommit=True) as connection:
            _write(connection, told)
            rows = connection.execute("SELECT count(*) FROM planned_stop").fetchone()
            document = {
                "bins": told.bins,
                "days": told.days,
                "planned_stops": None if rows is None else rows[0],
                "asked": {
                    f"{days} days by {by.value}": _timed(connection, days, by, told.repeat)
                    for days in (31, told.days)
                    for by in KpiBy
                },
            }
    print(json.dumps(document))


def _write(connection: Connection, told: argparse.Namespace) -> None:
    communes.save(connection, Commune(commune_insee=INSEE, name="Bench"))
    values = {
        "insee": INSEE,
        "bins": told.bins,
        "sectors": _SECTORS,
        "days": told.days,
        "vehicles": told.vehicles,
        "share": told.share,
        "first": FIRST,
    }
    for part in (*_BINS.split(";\n"), *_PLANS.split(";\n")):
        if part.strip():
            connection.execute(part.encode(), values)
    rounds = [
        FormerRound(sector=f"S{sector}", weekday=weekday, km=6.0, hours=1.0)
        for sector in range(_SECTORS)
        for weekday in range(1, 8)
    ]
    kpi.save_former(connection, INSEE, rounds)
    connection.execute("ANALYZE")


def _timed(connection: Connection, days: int, by: KpiBy, repeat: int) -> dict[str, Any]:
    taken = []
    for _ in range(repeat + 1):
        began = time.monotonic()
        found = kpi.figures(
            connection, INSEE, first=FIRST, last=FIRST + timedelta(days=days - 1), by=by, co2_kg_per_km=0.8
        )
        taken.append(round(time.monotonic() - began, 2))
    assert sum(one.days for one in found) >= days
    return {"first_s": taken[0], "seconds": min(taken[1:]), "rows": len(found)}


if __name__ == "__main__":
    main()
