"""How fast the observatory answers at the size of a large city; prints one JSON document.

    python benchmarks/observatory.py [--bays 20000] [--days 365] [--stays-a-day 4] [--streets 900] [--database URL]
        [--repeat 5] [--observe-bays 500]

A commune of `bays` bays in `streets` streets and twelve quarters, a year of stays in `occupancy_session`, and the
figures of that year in the observatory's tables, all written by the database itself: size and shape are
those of the service, the values are made up. The hourly figures from which the service makes them (175
million rows a year) are not built; instead, what the nightly job takes is measured on `observe-bays` bays with a month
of real readings (`job`). Seconds are of one process: the median and the slowest of `repeat` calls, after one that warms
up.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import psycopg
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from kerb import INSEE, NOW, READING_DAYS, database, provision, write_year

from api.app import ApiOptions
from optimise.occupancy.job import make_sessions
from optimise.occupancy.observe import observe
from storage import kerb_places
from storage import observatory_answers as answers
from storage.database import Connection, connect
from storage.model import KerbPlace, PlaceKind
from storage.observatory import begin_month, mark_rolled_up, months_made, roll_up_month, summed
from storage.observatory_figures import By, Question
from tests.api.serving import client_of

_DAY = timedelta(days=1)
_QUARTERS = 12
_OF_HOURS = ("hour", "day_class")
_ALONE = ("bay", "street", "quarter", "hour", "day_class", "month")
_PAIRS = [pair for pair in combinations(_ALONE, 2) if "bay" not in pair or not set(pair) & set(_OF_HOURS)]
_GROUPINGS = ("", *_ALONE, *map(",".join, _PAIRS))
"""Each alone, and each pair that may be asked for."""


_NAMES = (
    "awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays,"
    " overstay_s, wanted, refused, refused_var"
)


def write_figures(connection: Connection, *, since: date, until: date) -> None:
    """Let the server write days of each bay, add them up to months, and write the hours of each street."""
    first = since.replace(day=1)
    while first < until:
        end = (first + 32 * _DAY).replace(day=1)
        parameters = {"insee": INSEE, "since": max(first, since), "until": min(end, until), "month": first}
        connection.execute(
            f"INSERT INTO kerb_day (commune_insee, day, place_id, {_NAMES})"
            " SELECT %(insee)s, day::date, place_id, 86400, 86400 - 60 * stays, 9000 * stays, 3600 * stays, stays,"
            " stays,"
            " 900 * stays, ARRAY[0, 1, stays - 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], stays, stays / 3, 300 * (stays / 3),"
            " stays * 1.2, stays * 0.2, stays * 0.3"
            " FROM generate_series(%(since)s::timestamp, %(until)s::timestamp - INTERVAL '1 day', '1 day') AS day"
            " CROSS JOIN mounting"
            " CROSS JOIN LATERAL (SELECT 1 + (device_id + extract(doy FROM day)::int) %% 8 AS stays) AS chance",
            parameters,
        )
        months = {"commune_insee": INSEE, "since": first, "until": end}
        begin_month(connection, INSEE, first=end, end=end)
        for name in ("add_months", "add_street_days", "add_street_months"):
            connection.execute(summed(name), months)
        connection.execute(
            f"INSERT INTO kerb_hour (commune_insee, month, hour, day_class, kind, street, quarter, {_NAMES})"
            " SELECT %(insee)s, %(month)s, hour, day_class, kind, street, quarter, 90000 * bays, 89000 * bays,"
            " 900 * hour * bays, 90 * hour * bays, hour, hour, 900 * hour,"
            " ARRAY[0, 1, hour, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], hour, hour / 3, 300 * hour, hour * 1.2, hour * 0.2,"
            " hour * 0.3 FROM (SELECT kind, coalesce(street, '') AS street, coalesce(quarter, '') AS quarter,"
            "   count(*) AS bays FROM place LEFT JOIN kerb_quarter USING (commune_insee, place_id)"
            "   WHERE kind = 'delivery_bay' GROUP BY 1, 2, 3) AS one"
            " CROSS JOIN generate_series(0, 23) AS hour"
            " CROSS JOIN unnest(ARRAY['workday', 'saturday', 'sunday']) AS day_class",
            parameters,
        )
        connection.commit()
        first = end
    connection.execute("INSERT INTO observatory (commune_insee, observed_until) VALUES (%s, %s)", [INSEE, until])
    connection.commit()


def roll_up(connection: Connection) -> float:
    """Make the longer spans of all figures; return the seconds that it took."""
    began = time.perf_counter()
    for first in months_made(connection, INSEE):
        roll_up_month(connection, INSEE, first=first)
        connection.commit()
    mark_rolled_up(connection, INSEE)
    connection.commit()
    return time.perf_counter() - began


def quarters(connection: Connection, *, streets: int) -> None:
    """Give bays their streets, and each street a quarter."""
    zones = [
        KerbPlace(place_id=f"Q{number:02d}", kind=PlaceKind.ZONE, longitude_deg=2.3, latitude_deg=48.85)
        for number in range(_QUARTERS)
    ]
    kerb_places.save(connection, INSEE, zones)
    connection.execute(
        "UPDATE place SET street = 'Rue ' || (hashtext(place_id) & 1048575) %% %s WHERE kind = 'delivery_bay'",
        [streets],
    )
    connection.execute(
        "UPDATE kerb_place SET part_of = 'Q' || lpad(((hashtext(place.street) & 1048575) %% %s)::text, 2, '0')"
        " FROM place"
        " WHERE place.commune_insee = kerb_place.commune_insee AND place.place_id = kerb_place.place_id"
        " AND place.kind = 'delivery_bay' AND kerb_place.part_of IS NULL",
        [_QUARTERS],
    )
    connection.commit()


def timed_s(call: Callable[[], object], repeat: int) -> dict[str, float]:
    """Return the median and the slowest of some calls, after one that warms up."""
    call()
    took = []
    for _ in range(repeat):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return {"median_s": round(statistics.median(took), 3), "slowest_s": round(max(took), 3)}


def measure(connection: Connection, url: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the year's answers take."""
    provision(connection, bays=arguments.bays)
    quarters(connection, streets=arguments.streets)
    print("writing the year", file=sys.stderr)
    connection.execute("SET synchronous_commit = off")
    began = time.perf_counter()
    write_year(connection, days=arguments.days, stays_a_day=arguments.stays_a_day)
    print(f"stays written after {time.perf_counter() - began:.0f} s", file=sys.stderr)
    until = NOW.date() - READING_DAYS * _DAY
    since = NOW.date() - arguments.days * _DAY
    write_figures(connection, since=since, until=until)
    written_s = time.perf_counter() - began
    rolled_up_s = roll_up(connection)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("VACUUM ANALYZE")
    sizes = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[arg-type,index]
        for table in (
            "occupancy_session",
            "kerb_day",
            "kerb_month",
            "kerb_street_day",
            "kerb_street_month",
            "kerb_hour",
            "kerb_place_span",
            "kerb_hour_span",
        )
    }
    found: dict[str, Any] = {}
    for by in _GROUPINGS:
        question = Question(since=since, until=until, by=answers.by_of(by))

        def ask(question: Question = question) -> None:
            answers.document(INSEE, answers.compared(connection, INSEE, question, None))

        found[f"by {by or 'nothing'}"] = timed_s(ask, arguments.repeat)
    half = Question(since=since + (until - since) / 2, until=until, by=frozenset({By.STREET}))
    other_half = answers.other_period("previous", half)
    found["by street, half a year with the one before"] = timed_s(
        lambda: answers.document(INSEE, answers.compared(connection, INSEE, half, other_half)), arguments.repeat
    )
    connection.commit()
    with client_of(ApiOptions(database_url=url, commune_insee=INSEE)) as client:
        client.timeout = 120
        for by in ("bay", "street", "street,hour", "quarter,month", "hour"):
            path = f"/api/v1/communes/{INSEE}/observatory?from={since}&to={until - _DAY}&by={by}"
            answer = client.get(path)
            answer.raise_for_status()
            found[f"http by {by}"] = timed_s(lambda path=path: client.get(path), arguments.repeat) | {
                "bytes": len(answer.content)
            }
    return {
        "bays": arguments.bays,
        "days": (until - since).days,
        "timescaledb": arguments.database is not None,
        "rows": sizes,
        "written_s": round(written_s, 1),
        "rolled_up_s": round(rolled_up_s, 1),
        "answers": found,
    }


def measure_job(connection: Connection, *, bays: int) -> dict[str, Any]:
    """Return what a night's making of figures takes, of bays with real readings of a month."""
    provision(connection, bays=bays)
    connection.execute(
        "INSERT INTO occupancy_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at,"
        " quality, occupied) SELECT commune_insee, device_id, place_id, %(now)s::timestamptz "
        " - number * INTERVAL '1 hour' - random() * INTERVAL '50 min', 0, now(), 'ok', random() < 0.5"
        " FROM mounting CROSS JOIN generate_series(1, 720) AS number",
        {"now": NOW},
    )
    connection.execute(
        "INSERT INTO session_due (commune_insee, place_ids, changed_since)"
        " SELECT commune_insee, array_agg(place_id), array_agg(%s::timestamptz) FROM mounting GROUP BY commune_insee",
        [NOW - timedelta(days=31)],
    )
    connection.commit()
    make_sessions(connection, INSEE)
    connection.commit()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    took = []
    for _ in range(2):
        began = time.perf_counter()
        done = observe(connection, INSEE, now=NOW)
        connection.commit()
        took.append((time.perf_counter() - began) / max(done.months, 1))
    return {"bays": bays, "first_month_s": round(took[0], 2), "a_month_again_s": round(took[1], 2)}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bays", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--stays-a-day", type=int, default=4)
    parser.add_argument("--streets", type=int, default=900)
    parser.add_argument("--database")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--observe-bays", type=int, default=500)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with database(arguments.database) as url, connect(url) as connection:
        found = measure(connection, url, arguments)
    with database(arguments.database) as url, connect(url) as connection:
        found["job"] = measure_job(connection, bays=arguments.observe_bays)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
