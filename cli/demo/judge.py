"""What only the simulator can judge: whether a publication was lost, and how far a forecast was from the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.ledger import LedgerEntry
from storage import forecasts, readings
from storage.database import Connection
from storage.errors import UnavailableError


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """The fill that only the simulator knows, of n bins at t moments if nobody empties them after `as_of_s`.

    `place_id`: (n,) str; `has_sensor`: (n,) bool; `at_s`: (t,) int64, Unix seconds; `fill_fraction`: (n, t) float.
    """

    as_of_s: int
    place_id: NDArray[np.str_]
    has_sensor: NDArray[np.bool_]
    at_s: NDArray[np.int64]
    fill_fraction: NDArray[np.float64]


def write_truth(file: Path, truth: Truth) -> None:
    """Write the truth for `read_truth`."""
    np.savez_compressed(
        file,
        as_of_s=np.int64(truth.as_of_s),
        place_id=truth.place_id,
        has_sensor=truth.has_sensor,
        at_s=truth.at_s,
        fill_fraction=truth.fill_fraction,
    )


def read_truth(file: Path) -> Truth:
    """Return what `write_truth` wrote."""
    with np.load(file, allow_pickle=False) as known:
        return Truth(
            as_of_s=int(known["as_of_s"]),
            place_id=known["place_id"],
            has_sensor=known["has_sensor"],
            at_s=known["at_s"],
            fill_fraction=known["fill_fraction"],
        )


def count_lost(connection: Connection, commune_insee: str, entries: Iterable[LedgerEntry]) -> int:
    """Count acknowledged publications whose reading (or event) is neither stored nor kept as refused."""
    stored = readings.reading_keys(connection, commune_insee)
    refused = readings.refused_digests(connection, commune_insee)
    # A refused message is one row that counts how often it came; each publication needs one of those.
    wanted: Counter[str] = Counter()
    lost = 0
    for entry in entries:
        if entry.digest in refused:
            wanted[entry.digest] += 1
        elif entry.measured_at_s is None or (entry.eui, entry.measured_at_s) not in stored:
            lost += 1
    return lost + sum(max(0, count - refused[digest]) for digest, count in wanted.items())


def judge_forecast(connection: Connection, commune_insee: str, truth: Truth) -> dict[str, Any]:
    """Return the forecast's error on bins without a sensor and the best simple method's, in points of fill."""
    from optimise.fill.baselines import UNSENSORED
    from optimise.fill.loading import load
    from optimise.fill.options import FillOptions

    as_of = datetime.fromtimestamp(truth.as_of_s, UTC)
    run = forecasts.latest_run(connection, commune_insee, at=as_of + timedelta(hours=1))
    if run is None:
        raise UnavailableError("there is no forecast to judge")
    row = {place_id: index for index, place_id in enumerate(truth.place_id.tolist())}
    column = {int(at_s): index for index, at_s in enumerate(truth.at_s)}
    p10, p50, p90 = (np.full(truth.fill_fraction.shape, np.nan) for _ in range(3))
    until = datetime.fromtimestamp(int(truth.at_s[-1]), UTC) + timedelta(seconds=1)
    for item in forecasts.of_run(connection, commune_insee, run.run_id, since=as_of, until=until):
        cell = row[item.place_id], column[int(item.valid_at.timestamp())]
        p10[cell], p50[cell], p90[cell] = item.p10, item.p50, item.p90
    blind = ~truth.has_sensor
    known = truth.fill_fraction[blind]
    options = FillOptions()
    data = load(connection, commune_insee, as_of=run.as_of, options=options)
    of_place = {item.place_id: item for item in data.bins}
    places = [of_place[place_id] for place_id in truth.place_id[blind].tolist()]
    moments = [datetime.fromtimestamp(at_s, UTC) for at_s in truth.at_s.tolist()]
    # Each sees what the model saw and answers what the model answered, and none may pile waste higher.
    simple = {
        baseline.name: _points(np.minimum(baseline.predict(data, places, moments), options.most_fill) - known)
        for baseline in UNSENSORED
    }
    best = min(simple, key=lambda name: simple[name])
    inside = (p10[blind] <= known) & (known <= p90[blind])
    return {
        "bins": int(np.count_nonzero(np.isfinite(p50).all(axis=1))),
        "mae_percent_unsensored": round(_points(p50[blind] - known), 2),
        "mae_percent_baseline": round(simple[best], 2),
        "baseline": best,
        "coverage_80": round(float(np.mean(inside)), 3),
    }


def _points(error: NDArray[np.float64]) -> float:
    """Return the mean absolute error in points of fill."""
    return float(np.mean(np.abs(error)) * 100)
