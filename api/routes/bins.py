"""Bins now, and the past and future of one."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.answering import answer
from api.errors import documented
from api.here import Here, Reading
from api.models.bins import (
    BinHistoryModel,
    BinModel,
    BinsModel,
    EmptyingModel,
    ForecastPoint,
    ForecastRunModel,
    MeasuredLevelModel,
)
from storage import bins, forecasts, readings
from storage.model import ForecastRun

router = APIRouter(prefix="/communes/{commune_insee}/bins", tags=["bins"], responses=documented(404, 422, 503))

PlaceId = Annotated[str, Path(min_length=1, max_length=100, description="Id of the bin", examples=["COR-0001"])]


def _run(here: Here) -> ForecastRun | None:
    return forecasts.latest_run(here.connection, here.insee, at=here.now)


def _run_model(run: ForecastRun | None) -> ForecastRunModel | None:
    if run is None:
        return None
    return ForecastRunModel(run_id=run.run_id, model_version=run.model_version, as_of=run.as_of, made_at=run.made_at)


@router.get("", summary="Every bin, now", response_model=BinsModel)
def list_bins(here: Reading) -> Response:
    """Return every bin with its last measurement, its last declared emptying and its next prediction."""
    run = _run(here)
    found = bins.now(here.connection, here.insee, at=here.now)
    rows = [BinModel.of(item, run=run, now=here.now) for item in found]
    return answer(BinsModel(now=here.now, forecast_run=_run_model(run), bins=rows))


@router.get("/{place_id}", summary="One bin, now")
def one_bin(here: Reading, place_id: PlaceId) -> BinModel:
    """Return one bin as in the list of all."""
    return BinModel.of(bins.one_now(here.connection, here.insee, place_id, at=here.now), run=_run(here), now=here.now)


@router.get("/{place_id}/history", summary="A bin's past, and its future as predicted")
def bin_history(
    here: Reading,
    place_id: PlaceId,
    days: Annotated[int, Query(ge=1, le=400, description="How many days back from the commune's present")] = 7,
    ahead_h: Annotated[int, Query(ge=1, le=168, description="How many hours ahead of it")] = 48,
) -> BinHistoryModel:
    """Return what was measured and declared in the last `days`, and the forecast's bands from now on."""
    bins.one_now(here.connection, here.insee, place_id, at=here.now)
    since = here.now - timedelta(days=days)
    span = {"since": since, "until": here.now}
    run = _run(here)
    predicted = (
        []
        if run is None
        else forecasts.of_run(
            here.connection,
            here.insee,
            run.run_id,
            since=here.now,
            until=here.now + timedelta(hours=ahead_h, seconds=1),
            place_id=place_id,
        )
    )
    measured = readings.history_of_bin(here.connection, here.insee, place_id, **span)
    declared = bins.emptyings(here.connection, here.insee, place_id=place_id, **span)
    return BinHistoryModel(
        place_id=place_id,
        since=since,
        now=here.now,
        measured=[
            MeasuredLevelModel(measured_at=item.measured_at, fill_fraction=item.fill_fraction, quality=item.quality)
            for item in measured
        ],
        declared=[EmptyingModel.of(item) for item in declared],
        forecast_run=_run_model(run),
        predicted=[ForecastPoint.of(item) for item in predicted],
    )
