"""How fast the observatory answers at the size of a large city; prints one JSON document.

    python benchmarks/observatory.py [--bays 20000] [--days 365] [--stays-a-day 4] [--streets 900] [--database URL]
        [--repeat 5] [--observe-bays 500]

A commune of `bays` bays in `streets` streets and twelve quarters, a year of stays in `occupancy_session`, and the
figures of that year in `kerb_day`, `kerb_month` and `kerb_hour`, all written by the database itself: size and shape are
those of the service, and the values are of the same stays. The hourly figures from which the service makes them (175
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
from storage.observatory_figures import By, Question
from tests.api.serving import client_of

_DAY = timedelta(days=1)
_QUARTERS = 12


def figures_of_stays(connection: Connection, *, since: date, until: date) -> None:
    """Let the server make the tables of the stays that are there, a month at a time."""
    spread = (
        "SELECT place_id, hour, greatest(0, extract(epoch FROM least(ended_at, hour + INTERVAL '1 hour')"
        " - greatest(started_at, hour)))::int AS occupied_s, started_at >= hour AS begins, dwell_s, overstay_s"
        " FROM occupancy_session CROSS JOIN LATERAL generate_series(date_trunc('hour', started_at),"
        " ended_at - INTERVAL '1 us', INTERVAL '1 hour') AS hour"
        " WHERE commune_insee = %(insee)s AND started_at >= %(since)s AND started_at < %(until)s"
    )
    sums = (
        "count(*) FILTER (WHERE begins)::int, count(*) FILTER (WHERE begins)::int,"
        " coalesce(sum(dwell_s) FILTER (WHERE begins), 0)::bigint,"
        " ARRAY[count(*) FILTER (WHERE begins AND dwell_s < 300), count(*) FILTER (WHERE begins AND dwell_s"
        " BETWEEN 300 AND 900), 0, count(*) FILTER (WHERE begins AND dwell_s > 900), 0, 0, 0, 0, 0, 0, 0, 0, 0]::int[],"
        " count(*) FILTER (WHERE begins)::int, count(*) FILTER (WHERE begins AND overstay_s > 0)::int,"
        " coalesce(sum(overstay_s) FILTER (WHERE begins), 0)::bigint"
    )
    names = (
        "awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays,"
        " overstay_s, wanted, refused, refused_var"
    )
    first = since.replace(day=1)
    while first < until:
        end = (first + 32 * _DAY).replace(day=1)
        parameters = {"insee": INSEE, "since": max(first, since), "until": min(end, until), "month": first}
        connection.execute(
            f"INSERT INTO kerb_day (commune_insee, day, place_id, {names})"
            " SELECT %(insee)s, hour::date, place_id, 86400, 86400, least(sum(occupied_s), 86400), 0,"
            f" {sums}, count(*) * 1.2, count(*) * 0.2, count(*) * 0.3 FROM ({spread}) AS one"
            " GROUP BY hour::date, place_id ON CONFLICT DO NOTHING",  # a stay over the month's midnight
            parameters,
        )
        connection.execute(
            f"INSERT INTO kerb_month (commune_insee, month, place_id, {names})"
            " SELECT %(insee)s, %(month)s, place_id, sum(awaited_s), sum(known_s), sum(occupied_s), sum(saturated_s),"
            " sum(sessions), sum(dwells), sum(dwell_s), ARRAY[sum(dwell_counts[1]), sum(dwell_counts[2]), 0,"
            " sum(dwell_counts[4]), 0, 0, 0, 0, 0, 0, 0, 0, 0]::int[], sum(limited), sum(overstays), sum(overstay_s),"
            " sum(wanted), sum(refused), sum(refused_var) FROM kerb_day"
            " WHERE commune_insee = %(insee)s AND day >= %(since)s AND day < %(until)s GROUP BY place_id",
            parameters,
        )
        connection.execute(
            f"INSERT INTO kerb_hour (commune_insee, month, hour, day_class, kind, street, quarter, {names})"
            " SELECT %(insee)s, %(month)s, extract(hour FROM hour),"
            " CASE extract(isodow FROM hour) WHEN 6 THEN 'saturday' WHEN 7 THEN 'sunday' ELSE 'workday' END,"
            " place.kind, coalesce(street, ''), coalesce(quarter, ''),"
            " 20 * 3600 * count(DISTINCT one.place_id), 20 * 3600 * count(DISTINCT one.place_id), sum(occupied_s), 0,"
            f" {sums},"
            f" count(*) * 1.2, count(*) * 0.2, count(*) * 0.3 FROM ({spread}) AS one"
            " JOIN place ON place.commune_insee = %(insee)s AND place.place_id = one.place_id"
            " LEFT JOIN kerb_quarter ON kerb_quarter.commune_insee = %(insee)s AND kerb_quarter.place_id = one.place_id"
            " GROUP BY 3, 4, 5, 6, 7",
            parameters,
        )
        connection.commit()
        first = end
    connection.execute("INSERT INTO observatory (commune_insee, observed_until) VALUES (%s, %s)", [INSEE, until])
    connection.commit()


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
    began = time.perf_counter()
    write_year(connection, days=arguments.days, stays_a_day=arguments.stays_a_day)
    until = NOW.date() - READING_DAYS * _DAY
    since = NOW.date() - arguments.days * _DAY
    figures_of_stays(connection, since=since, until=until)
    written_s = time.perf_counter() - began
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("VACUUM ANALYZE")
    sizes = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[arg-type,index]
        for table in ("occupancy_session", "kerb_day", "kerb_month", "kerb_hour")
    }
    found: dict[str, Any] = {}
    for by in ("", "bay", "street", "quarter", "month", "street,month", "hour", "hour,day_class", "street,hour"):
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
        for by in ("bay", "street", "quarter,month", "hour"):
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
