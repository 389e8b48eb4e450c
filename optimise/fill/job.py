"""The forecast of a commune as a job: read what is known, train, forecast every bin, store the run with its scores."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import numpy as np
import structlog

from optimise.fill.forecast import Forecaster, ForecastTable, Progress, train
from optimise.fill.options import FillOptions
from optimise.fill.training import TrainingData, assemble, hourly_times
from storage import bins, communes, forecasts, levels
from storage.database import Connection
from storage.model import FillForecast, ForecastRun

log = structlog.get_logger()

METHOD = "paced-rates-1"


def forecast_commune(
    connection: Connection,
    commune_insee: str,
    *,
    as_of: datetime,
    horizon_h: int = 48,
    seed: int = 0,
    progress: Progress | None = None,
    options: FillOptions | None = None,
) -> ForecastRun:
    """Forecast every bin of the commune hourly for `horizon_h` hours after `as_of`, as if nobody emptied any.

    Sees data before `as_of` alone. Stores run and forecasts in the caller's transaction, which the caller commits.
    `progress` is told (stage, share 0..1). Raises NotFoundError for a commune that is not served.
    """
    if horizon_h < 1:
        raise ValueError(f"expected horizon_h >= 1, got {horizon_h}")
    if as_of.tzinfo is None:
        raise ValueError(f"expected as_of with a time zone, got {as_of.isoformat()}")
    started = time.monotonic()
    options = options or FillOptions()
    data = load(connection, commune_insee, as_of=as_of, options=options)
    forecaster = train(data, seed=seed, options=options, progress=progress)
    times = hourly_times(as_of, horizon_h)
    valid_s = np.array([int(moment.timestamp()) for moment in times], dtype=np.int64)
    run = ForecastRun(
        commune_insee=commune_insee,
        run_id=uuid4(),
        model_version=model_version(),
        as_of=as_of,
        made_at=datetime.now(UTC),
        trained_from=datetime.fromtimestamp(data.start_s, UTC),
        trained_until=as_of,
        scores=_scores(data, forecaster),
    )
    forecasts.save(connection, run, _rows(data, forecaster.forecast(data, valid_s), times))
    if progress:
        progress("saved", 1.0)
    log.info(
        "fill_forecast",
        commune_insee=commune_insee,
        run_id=str(run.run_id),
        bins=len(data.bins),
        bins_with_sensor=run.scores["bins_with_sensor"],
        mae=run.scores["mae"],
        coverage_80=run.scores["coverage_80"],
        seconds=round(time.monotonic() - started, 2),
    )
    return run


def load(connection: Connection, commune_insee: str, *, as_of: datetime, options: FillOptions) -> TrainingData:
    """Return all that is known of the commune's bins before `as_of`."""
    commune = communes.one(connection, commune_insee)
    since = as_of - timedelta(days=options.history_days)
    return assemble(
        bins=bins.every(connection, commune_insee),
        levels=levels.trusted(connection, commune_insee, since=since, until=as_of),
        emptyings=bins.emptyings(connection, commune_insee, since=since, until=as_of),
        as_of=as_of,
        time_zone=commune.time_zone,
        options=options.readings,
    )


def model_version() -> str:
    """Return the method's name with the versions of the libraries that its numbers depend on."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "scipy", "numpy"))
    return f"{METHOD} ({libraries})"


def _scores(data: TrainingData, forecaster: Forecaster) -> dict[str, Any]:
    """Return what a reader of the run should know: errors on bins without a sensor first, then all else, then counts.

    Errors are None in a town in which too little was measured to hold anything out.
    """
    unsensored = forecaster.scores["unsensored"] or {}
    chief = {name: unsensored.get(name) for name in ("mae", "coverage_80", "best_baseline", "best_baseline_mae")}
    counts = {
        "bins": len(data.bins),
        "bins_with_sensor": int(data.has_sensor.sum()),
        "readings": len(data.readings),
        "emptyings_declared": len(data.declared),
        "emptyings_detected": len(data.detected),
        "looks_of_crews": int(np.isfinite(data.declared.found).sum()),
    }
    return chief | counts | forecaster.scores


def _rows(data: TrainingData, table: ForecastTable, times: list[datetime]) -> Iterator[FillForecast]:
    quantiles, full = table.quantiles.tolist(), table.probability_full.tolist()
    for item, of_bin, full_of_bin in zip(data.bins, quantiles, full, strict=True):
        for valid_at, (p05, p10, p50, p90, p95), probability_full in zip(times, of_bin, full_of_bin, strict=True):
            yield FillForecast(
                place_id=item.place_id,
                valid_at=valid_at,
                p05=p05,
                p10=p10,
                p50=p50,
                p90=p90,
                p95=p95,
                probability_full=probability_full,
            )
