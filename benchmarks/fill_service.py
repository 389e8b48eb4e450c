"""The whole job of the fill forecast from a database: read, train, try, store, forecast a week, store. Prints JSON.

    python benchmarks/fill_service.py --server URL [--bins 1000] [--sensors 1000] [--days 365]

Works in a database of its own on the server, and drops it. The server makes the levels itself: each bin fills by its
own rate and the hour's pace, and is emptied every other day. What is timed is what the worker runs, each step in a
process of its own, so that the memory told is that step's: training (with reading and the comparison), then a forecast
of all bins for 168 hours. Computing and storing are told apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg.conninfo import make_conninfo
from structlog.testing import capture_logs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from storage import bins, communes, schema
from storage.database import connect
from storage.model import Bin, Commune

INSEE = "93051"
AS_OF = datetime(2026, 3, 10, 20, tzinfo=UTC)

_LEVELS = """
INSERT INTO fill_reading (
    commune_insee, device_id, place_id, measured_at, record_index, received_at, quality, fill_fraction
)
SELECT %(insee)s, number, 'COR-' || lpad(number::text, 5, '0'), at, 0, at, 'ok',
    (0.004 + 0.02 * abs(hashint4(number)::float8 / 2147483647))
        * (1 + 0.3 * abs(hashint8(number + extract(epoch FROM at)::bigint)::float8 / 2147483647))
        * ((extract(epoch FROM at)::bigint / 3600 + number) %% 48)
FROM generate_series(0, %(sensors)s - 1) AS number
CROSS JOIN generate_series(%(since)s::timestamptz, %(until)s::timestamptz, '1 hour') AS at
"""
_EMPTYINGS = """
INSERT INTO service_event (commune_insee, event_id, place_id, kind, happened_at, received_at, found_fraction)
SELECT %(insee)s, gen_random_uuid(), 'COR-' || lpad(number::text, 5, '0'), 'emptied', at, at,
    CASE WHEN random() < 0.4 THEN 0.75 END
FROM generate_series(0, %(bins)s - 1) AS number
CROSS JOIN generate_series(%(since)s::timestamptz, %(until)s::timestamptz, '1 hour') AS at
WHERE (extract(epoch FROM at)::bigint / 3600 + number) %% 48 = 0
"""


def main() -> None:
    """Measure, and print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--bins", type=int, default=1000)
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--step", choices=["train", "forecast"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(_step(options.server, options.step)))
        return
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(options.server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = make_conninfo(options.server, dbname=name)
    try:
        document: dict[str, Any] = {"bins": options.bins, "sensors": options.sensors, "days": options.days}
        document["rows"] = _provision(url, options)
        for step, of in (("train", "train"), ("train_again", "train"), ("forecast", "forecast")):
            document[step] = _in_process(url, of)
        print(json.dumps(document, indent=2))
    finally:
        with psycopg.connect(options.server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _provision(url: str, options: argparse.Namespace) -> int:
    schema.migrate(url)
    random = np.random.default_rng(1)
    where = random.uniform(-0.012, 0.012, (options.bins, 2))
    with connect(url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand", school_zone="C"))
        bins.save(
            connection,
            [
                Bin(
                    commune_insee=INSEE, place_id=f"COR-{row:05d}", longitude_deg=2.55 + float(east),
                    latitude_deg=48.84 + float(north), street=None, bin_kind=f"kind_{row % 4}", volume_l=80.0,
                    surroundings={f"near_{k}": float(random.poisson(3)) for k in range(8)},
                )
                for row, (east, north) in enumerate(where)
            ],
        )  # fmt: skip
        span = {"since": AS_OF - timedelta(days=options.days), "until": AS_OF, "insee": INSEE}
        rows = connection.execute(_LEVELS, span | {"sensors": options.sensors}).rowcount
        connection.execute(_EMPTYINGS, span | {"bins": options.bins})
        connection.commit()
    with connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return rows


def _in_process(url: str, step: str) -> Any:
    command = [sys.executable, __file__, "--server", url, "--step", step]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _step(url: str, step: str) -> dict[str, Any]:
    from optimise.fill.job import forecast_commune  # noqa: PLC0415 - the memory told is that of the step alone
    from optimise.fill.registry import train_commune  # noqa: PLC0415 - same

    stages: dict[str, float] = {}
    began = time.monotonic()
    told: dict[str, Any] = {}
    with connect(url) as connection, capture_logs() as logs:
        if step == "train":
            model = train_commune(
                connection,
                INSEE,
                as_of=AS_OF,
                progress=lambda stage, _share: stages.update({stage: round(time.monotonic() - began, 2)}),
            )
            told = {"status": model.status.value, "until_s": stages, "readings": model.saw["readings"]}
        else:
            forecast_commune(connection, INSEE, as_of=AS_OF)
            (log,) = [entry for entry in logs if entry["event"] == "fill_forecast"]
            told = {name: log[name] for name in ("load_s", "compute_s", "store_s")}
        connection.commit()
    memory_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": round(time.monotonic() - began, 2), "memory_mib": round(memory_kib / 1024)} | told


if __name__ == "__main__":
    main()
