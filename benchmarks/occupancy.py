"""How well and how fast free places are forecast; prints one JSON document.

    python benchmarks/occupancy.py [--reference FOLDER] [--bays 20000] [--days 28] [--database URL] [--repeat 30]

Four parts: the trial on the reference car parks of Málaga (`voirie evaluate occupancy`, known places and places held
out); a model learnt from `days` days of the simulator's 460 bays and spaces, with its scores on time that it did not
see; a forecast of `bays` bays in a database by that model, seconds; and guidance over HTTP on them: milliseconds of one
process, median and 95th percentile of `repeat` requests at places of chance, with the bytes of an answer. On the
embedded PostgreSQL, or on the server named.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from api.app import ApiOptions
from benchmarks.kerb import INSEE, NOW, database, provision
from cli.services import spare_collections
from cli.town_files import open_lines
from optimise.occupancy.forecast.history import History
from optimise.occupancy.forecast.job import forecast_bays
from optimise.occupancy.forecast.learning import LearningOptions, Learnt, learn
from optimise.occupancy.forecast.packing import pack_model
from optimise.occupancy.forecast.questions import Bays
from optimise.occupancy.trial.evaluate import TrialOptions, evaluate
from optimise.occupancy.trial.table import read_sites, read_table
from simulators.streets import default_extract, read_streets
from simulators.world import build_world
from storage import bay_models, communes
from storage.database import Connection, connect
from storage.model import ModelStatus, Simulation, TrainedModel
from tests.api.serving import client_of

_STANDSTILL = 1e-9


def malaga(folder: Path) -> dict[str, Any]:
    """Try the forecast on the reference car parks, positions included."""
    with open_lines(folder / "parking" / "catalogo.csv") as lines:
        sites = read_sites(lines)
    with open_lines(folder / "parking" / "malaga_2024.csv.gz") as lines:
        table = read_table(lines, time_zone="Europe/Madrid", sites=sites)
    began = time.perf_counter()
    document = evaluate(table, TrialOptions(), time_zone="Europe/Madrid").document
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "rows": document["rows"],
        "frozen_stretches": len(document["frozen"]),
        "horizons": document["horizons"],
        "unseen_places": document["unseen_places"],
    }


def simulated(days: int) -> tuple[Learnt, dict[str, Any]]:
    """Learn how the simulator's bays and spaces fill, from what truly happened."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    world = build_world(read_streets(default_extract()), seed=1, start=start, days=days, bins=20)
    until_s = int(start.timestamp()) + days * 86_400
    rows: list[tuple[int, int, bool]] = []
    for first, truth in ((0, world.bays_truth), (len(world.delivery_bays), world.spaces_truth)):
        found = truth.sessions_until(until_s)
        for place, arrive_s, depart_s in zip(found.place, found.arrive_s, found.depart_s, strict=True):
            rows += [(first + place, int(arrive_s), False), (first + place, int(depart_s), True)]
    table = np.array(sorted(row for row in rows if row[1] < until_s), dtype=np.int64)
    places = [*world.delivery_bays, *world.parking_spaces]
    kind = np.array([0] * len(world.delivery_bays) + [1] * len(world.parking_spaces))
    cells = [
        f"{place.longitude_deg:.3f} {place.latitude_deg:.3f} {use}" for place, use in zip(places, kind, strict=True)
    ]
    history = History(
        places=len(places), place_row=table[:, 0], at_s=table[:, 1], free=table[:, 2] > 0, silent_s=30 * 3600,
        time_zone="Europe/Paris",
    )  # fmt: skip
    began = time.perf_counter()
    learnt = learn(history, Bays(near=np.unique(cells, return_inverse=True)[1], alike=kind), LearningOptions())
    if isinstance(learnt, str):
        raise TypeError(learnt)
    return learnt, {
        "places": len(places),
        "readings": len(table),
        "seconds": round(time.perf_counter() - began, 1),
        "model_bytes": len(pack_model(learnt.model)),
        "scores": learnt.scores,
    }


def city(connection: Connection, *, bays: int, learnt: Learnt) -> None:
    """Save a city of bays, half of them taken, one in five without a sensor, and the model that serves it."""
    provision(connection, bays=bays)
    communes.save_simulation(
        connection,
        Simulation(
            commune_insee=INSEE, seed=1, streets_source="none", started_at=NOW - timedelta(days=28), history_until=NOW,
            wall_origin=datetime.now(UTC), simulated_origin=NOW, rate=_STANDSTILL, history_published=True,
        ),
    )  # fmt: skip
    connection.execute("DELETE FROM session_due")
    connection.execute("DELETE FROM occupancy_present")
    connection.execute(
        "INSERT INTO occupancy_present (commune_insee, place_id, device_id, heard_at, measured_at, occupied, since) "
        "SELECT commune_insee, place_id, 1, at, at, random() < 0.5, at FROM (SELECT commune_insee, place_id, "
        "%s - random() * interval '3 hours' AS at FROM place WHERE kind = 'delivery_bay' AND random() < 0.8) AS told",
        [NOW],
    )
    record = TrainedModel(
        commune_insee=INSEE, model_id=uuid4(), method="bay-trees-1", libraries={}, seed=0, as_of=NOW, made_at=NOW,
        trained_from=NOW - timedelta(days=28), trained_until=NOW, training_s=0, saw={}, scores={}, data_quality={},
        compared=None, status=ModelStatus.IN_SERVICE, reason="measured elsewhere", status_since=NOW,
    )  # fmt: skip
    bay_models.save(connection, record, fitted=pack_model(learnt.model))
    connection.commit()
    connection.execute("ANALYZE")
    connection.commit()


def served(url: str, *, bays: int, learnt: Learnt, repeat: int) -> dict[str, Any]:
    """Forecast a city, and ask for guidance in it."""
    with connect(url) as connection:
        city(connection, bays=bays, learnt=learnt)
        seconds = []
        for _ in range(3):
            began = time.perf_counter()
            run = forecast_bays(connection, INSEE, as_of=NOW)
            connection.commit()
            seconds.append(time.perf_counter() - began)
        groups = connection.execute("SELECT count(*) FROM bay_group_forecast").fetchone()
    assert run is not None
    rng = np.random.default_rng(0)
    figures: dict[str, Any] = {
        "bays": run.places,
        "with_sensor": run.sensed,
        "groups": groups[0] if groups else 0,
        "forecast_s": round(statistics.median(seconds), 2),
    }
    asks = {
        "guidance": ("guidance", {"vehicle": "delivery", "at": "20"}),
        "guidance_by_bay": ("guidance", {"vehicle": "delivery", "at": "20", "unit": "place"}),
        "number": ("guidance/number", {"vehicle": "delivery"}),
    }
    spare_collections()  # as `voirie api` does
    with client_of(ApiOptions(database_url=url, commune_insee=INSEE)) as client:
        for name, (path, parameters) in asks.items():
            took, sizes = [], []
            for _ in range(repeat):
                where = {"lon": f"{2.3 + rng.random() * 0.06:.4f}", "lat": f"{48.84 + rng.random() * 0.06:.4f}"}
                began = time.perf_counter()
                answer = client.get(f"/api/v1/communes/{INSEE}/{path}", params=parameters | where)
                took.append(1000 * (time.perf_counter() - began))
                answer.raise_for_status()
                sizes.append(len(answer.content))
            figures[name] = {
                "median_ms": round(statistics.median(took), 1),
                "p95_ms": round(statistics.quantiles(took, n=20)[-1], 1),
                "most_bytes": max(sizes),
            }
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--bays", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--database")
    parser.add_argument("--repeat", type=int, default=30)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    document: dict[str, Any] = {}
    if given.reference is not None:
        document["malaga"] = malaga(given.reference)
    learnt, document["simulated"] = simulated(given.days)
    with database(given.database) as url:
        document["served"] = served(url, bays=given.bays, learnt=learnt, repeat=given.repeat)
    print(json.dumps(document))


if __name__ == "__main__":
    main()
