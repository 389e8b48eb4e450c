"""The forecast of a commune as a job: what is known, by the model in service, for every bin, stored as one run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as local_time
from typing import Any
from uuid import uuid4

import numpy as np
import structlog

from optimise.fill.days import Rounds, at_moments, full_dates, rounds_ahead, usual_hour
from optimise.fill.forecast import PROBABILITIES, ForecastTable, Progress
from optimise.fill.loading import load
from optimise.fill.options import FillOptions
from optimise.fill.readings import Ints
from optimise.fill.registry import counts, model_version, serving_for, train_commune
from optimise.fill.starts import starts_of
from optimise.fill.training import TrainingData, whole_hours
from storage import forecasts, places
from storage.database import Connection
from storage.model import Evidence, FillByRounds, FillForecast, ForecastRun, FullDate, TrainedModel

log = structlog.get_logger()

HORIZON_H = 168


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOptions:
    """How to forecast: `horizon_h` hours ahead; in a town without vehicles rounds come by at local `rounds_at`."""

    horizon_h: int = HORIZON_H
    rounds_at: local_time = local_time(9, 0)
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if not 1 <= self.horizon_h <= HORIZON_H:
            raise ValueError(f"expected 1 <= horizon_h <= {HORIZON_H}, got {self.horizon_h}")


def forecast_commune(
    connection: Connection,
    commune_insee: str,
    *,
    as_of: datetime,
    job: JobOptions | None = None,
    progress: Progress | None = None,
    options: FillOptions | None = None,
) -> ForecastRun:
    """Forecast every bin of the commune at each whole hour ahead, as if nobody emptied any, with the model in service.

    Sees data before `as_of` alone. Trains a model first where none can serve: in a new commune, or after its bins
    changed. Stores the run in the caller's transaction, which the caller commits. `progress` is told (stage, share
    0..1). Raises NotFoundError for a commune that is not served.
    """
    if as_of.tzinfo is None:
        raise ValueError(f"expected as_of with a time zone, got {as_of.isoformat()}")
    started = time.monotonic()
    job, options = job or JobOptions(), options or FillOptions()
    data = load(connection, commune_insee, as_of=as_of, options=options)
    serving, why_none = serving_for(connection, commune_insee, data)
    if serving is None:
        log.info("fill_model_is_missing", commune_insee=commune_insee, reason=why_none)
        train_commune(
            connection, commune_insee, as_of=as_of, seed=job.seed, progress=progress, options=options, data=data
        )
        serving, why_none = serving_for(connection, commune_insee, data)
        assert serving is not None, why_none  # it was just put in service for these bins
    loaded = time.monotonic()
    times = whole_hours(as_of, job.horizon_h)
    valid_s = np.array([int(moment.timestamp()) for moment in times], dtype=np.int64)
    table = serving.forecaster.forecast(data, valid_s)
    computed = time.monotonic()
    if progress:
        progress("forecast", 1.0)
    run = ForecastRun(
        commune_insee=commune_insee,
        run_id=uuid4(),
        model_id=serving.record.model_id,
        model_version=model_version(serving.record),
        as_of=as_of,
        made_at=datetime.now(UTC),
        trained_from=serving.record.trained_from,
        trained_until=serving.record.trained_until,
        scores=_scores(data, serving.record),
    )
    hour = usual_hour(places.vehicles(connection, commune_insee), otherwise=job.rounds_at)
    rounds = rounds_ahead(since=as_of, until=times[-1], at=hour, time_zone=data.time_zone)
    forecasts.save(
        connection,
        run,
        _hours(data, table, times),
        by_rounds=_by_rounds(data, table, valid_s, rounds),
        full_dates=_full_dates(data, table, valid_s, options),
    )
    forecasts.thin(connection, commune_insee)
    if progress:
        progress("saved", 1.0)
    log.info(
        "fill_forecast",
        commune_insee=commune_insee,
        run_id=str(run.run_id),
        model_id=str(run.model_id),
        bins=len(data.bins),
        bins_with_sensor=run.scores["bins_with_sensor"],
        load_s=round(loaded - started, 2),
        compute_s=round(computed - loaded, 2),
        store_s=round(time.monotonic() - computed, 2),
    )
    return run


def _scores(data: TrainingData, record: TrainedModel) -> dict[str, Any]:
    """Return what a reader of the run should know: the model's errors on bins without a sensor, and what the run saw.

    Errors are None in a town in which too little was measured to hold anything out.
    """
    unsensored = record.scores.get("unsensored") or {}
    chief = {name: unsensored.get(name) for name in ("mae", "coverage_80", "best_baseline", "best_baseline_mae")}
    return chief | counts(data) | record.scores


def _hours(data: TrainingData, table: ForecastTable, times: list[datetime]) -> Iterator[FillForecast]:
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


def _by_rounds(data: TrainingData, table: ForecastTable, valid_s: Ints, rounds: list[Rounds]) -> Iterator[FillByRounds]:
    if not rounds:
        return
    wanted_s = np.array([int(one.at.timestamp()) for one in rounds], dtype=np.int64)
    columns = [PROBABILITIES.index(p) for p in (0.1, 0.5, 0.9)]
    quantiles = at_moments(table.quantiles[:, :, columns], valid_s, wanted_s).tolist()
    full = at_moments(table.probability_full, valid_s, wanted_s).tolist()
    overflow = at_moments(table.probability_overflow, valid_s, wanted_s).tolist()
    for row, item in enumerate(data.bins):
        for column, one in enumerate(rounds):
            p10, p50, p90 = quantiles[row][column]
            yield FillByRounds(
                place_id=item.place_id,
                service_date=one.service_date,
                rounds_at=one.at,
                p10=p10,
                p50=p50,
                p90=p90,
                probability_full=full[row][column],
                probability_overflow=min(overflow[row][column], full[row][column]),
            )


def _full_dates(data: TrainingData, table: ForecastTable, valid_s: Ints, options: FillOptions) -> Iterator[FullDate]:
    starts = starts_of(data, options)
    reaches_until = datetime.fromtimestamp(int(valid_s[-1]), UTC)
    dates = full_dates(table.probability_full, valid_s).tolist()
    for item, of_bin, measured, known in zip(
        data.bins, dates, starts.measured.tolist(), starts.known.tolist(), strict=True
    ):
        early, middle, late = (None if np.isnan(at_s) else datetime.fromtimestamp(round(at_s), UTC) for at_s in of_bin)
        yield FullDate(
            place_id=item.place_id,
            evidence=Evidence.SENSOR if measured else Evidence.EMPTYING if known else Evidence.NOTHING,
            full_early_at=early,
            full_at=middle,
            full_late_at=late,
            reaches_until=reaches_until,
        )
