"""Forecasts of fill: every bin at an hour or by the days' rounds, and all that is said of one."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import AwareDatetime

from api.errors import documented
from api.here import Here, Reading
from api.models.bins import ForecastPoint
from api.models.forecasts import (
    BinForecastModel,
    BinRoundsModel,
    BinSeriesModel,
    ByRoundsModel,
    ForecastScoreModel,
    ForecastScoresModel,
    ForecastsModel,
    FullDateModel,
    RoundsForecastModel,
    RunModel,
)
from storage import bins, forecast_scores, forecasts
from storage.model import ForecastRun

_UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The run named by `If-None-Match` is still the newest"}
}

router = APIRouter(
    prefix="/communes/{commune_insee}", tags=["forecasts"], responses=documented(404, 422, 503) | _UNCHANGED
)

_HOUR = timedelta(hours=1)
_REACH = timedelta(days=8)

After = Annotated[str | None, Query(max_length=100, description="The last page's `next`")]
Limit = Annotated[int, Query(ge=1, le=5000, description="Bins a page")]
IfNoneMatch = Annotated[str | None, Header(description="The `ETag` of an answer that you have")]


@router.get("/forecasts", summary="Every bin at an hour ahead", response_model=ForecastsModel)
def list_forecasts(  # noqa: PLR0917 - each is a part of the request
    here: Reading,
    response: Response,
    at: Annotated[
        AwareDatetime | None, Query(description="The moment asked for, at most a week ahead; otherwise the next hour")
    ] = None,
    after: After = None,
    limit: Limit = 1000,
    if_none_match: IfNoneMatch = None,
) -> ForecastsModel | Response:
    """Return each bin's predicted fill at the whole hour next to a moment, and when it will be full, by place."""
    run = _run(here)
    if run is None:
        return ForecastsModel(run=None, valid_at=None, bins=[], next=None)
    valid_at = _nearest_hour(at or here.now + _HOUR / 2)
    if unchanged := _unchanged(response, if_none_match, f"{run.run_id} {valid_at:%Y%m%d%H} {after} {limit}"):
        return unchanged
    found = forecasts.full_dates(here.connection, here.insee, run.run_id, after=after, most=limit + 1)
    page = found[:limit]
    hours = {
        item.place_id: item
        for item in forecasts.of_run(
            here.connection,
            here.insee,
            run.run_id,
            since=valid_at,
            until=valid_at + _HOUR,
            after=after,
            most=limit,
        )
    }
    return ForecastsModel(
        run=RunModel.of(run),
        valid_at=valid_at,
        bins=[
            BinForecastModel(
                place_id=item.place_id,
                evidence=item.evidence,
                predicted=ForecastPoint.of(hours[item.place_id]) if item.place_id in hours else None,
                full=FullDateModel.of(item),
            )
            for item in page
        ],
        next=page[-1].place_id if len(found) > limit else None,
    )


@router.get("/forecasts/rounds", summary="Every bin by the days' rounds", response_model=RoundsForecastModel)
def list_forecasts_by_rounds(
    here: Reading, response: Response, after: After = None, limit: Limit = 1000, if_none_match: IfNoneMatch = None
) -> RoundsForecastModel | Response:
    """Return each bin's predicted fill, and the risks that it is full and overflows, by each day's rounds, by place."""
    run = _run(here)
    if run is None:
        return RoundsForecastModel(run=None, bins=[], next=None)
    if unchanged := _unchanged(response, if_none_match, f"{run.run_id} {after} {limit}"):
        return unchanged
    found = forecasts.full_dates(here.connection, here.insee, run.run_id, after=after, most=limit + 1)
    page = found[:limit]
    days: dict[str, list[ByRoundsModel]] = {item.place_id: [] for item in page}
    for item in forecasts.by_rounds(here.connection, here.insee, run.run_id, place_ids=list(days)):
        days[item.place_id].append(ByRoundsModel.of(item))
    return RoundsForecastModel(
        run=RunModel.of(run),
        bins=[
            BinRoundsModel(
                place_id=item.place_id,
                evidence=item.evidence,
                full=FullDateModel.of(item),
                days=days[item.place_id],
            )
            for item in page
        ],
        next=page[-1].place_id if len(found) > limit else None,
    )


@router.get("/forecasts/scores", summary="How forecasts held")
def list_forecast_scores(
    here: Reading, days: Annotated[int, Query(ge=1, le=400, description="Days back from the commune's present")] = 30
) -> ForecastScoresModel:
    """Return how each day's forecasts held against what was then measured, by hours ahead and group of bins."""
    since = here.today - timedelta(days=days)
    return ForecastScoresModel(
        scores=[
            ForecastScoreModel.model_validate(score)
            for score in forecast_scores.since(here.connection, here.insee, since)
        ]
    )


@router.get("/bins/{place_id}/forecast", summary="A bin's week ahead", response_model=BinSeriesModel)
def bin_forecast(
    here: Reading,
    response: Response,
    place_id: Annotated[str, Path(min_length=1, max_length=100, description="Id of the bin", examples=["COR-0001"])],
    if_none_match: IfNoneMatch = None,
) -> BinSeriesModel | Response:
    """Return all that the newest run says of one bin: every hour ahead, each day's rounds, and when it will be full."""
    bins.one_now(here.connection, here.insee, place_id, at=here.now)
    run = _run(here)
    if run is None:
        return BinSeriesModel(place_id=place_id, run=None, evidence=None, full=None, days=[], hours=[])
    if unchanged := _unchanged(response, if_none_match, f"{run.run_id} {place_id}"):
        return unchanged
    of_bin = (here.connection, here.insee, run.run_id)
    (full,) = forecasts.full_dates(*of_bin, place_id=place_id) or (None,)
    hours = forecasts.of_run(*of_bin, since=run.as_of, until=run.as_of + _REACH, place_id=place_id)
    return BinSeriesModel(
        place_id=place_id,
        run=RunModel.of(run),
        evidence=None if full is None else full.evidence,
        full=None if full is None else FullDateModel.of(full),
        days=[ByRoundsModel.of(item) for item in forecasts.by_rounds(*of_bin, place_ids=[place_id])],
        hours=[ForecastPoint.of(item) for item in hours],
    )


def _run(here: Here) -> ForecastRun | None:
    return forecasts.latest_run(here.connection, here.insee, at=here.now)


def _nearest_hour(moment: datetime) -> datetime:
    return (moment + _HOUR / 2).replace(minute=0, second=0, microsecond=0)


def _unchanged(response: Response, if_none_match: str | None, content: str) -> Response | None:
    """Mark the response with an ETag of its `content`; return the answer for a client that has it already."""
    # Place ids may hold any character; a digest may stand in a header.
    etag = f'"{hashlib.sha256(content.encode()).hexdigest()[:24]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if if_none_match is not None and etag in if_none_match.replace("W/", ""):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return None
