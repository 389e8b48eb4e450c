"""Metrics for Prometheus."""

from __future__ import annotations

import psycopg
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from psycopg_pool import PoolTimeout

from api.check_metrics import CheckedCommune
from api.errors import documented
from api.forecast_metrics import WatchedForecast
from api.state import AppState, state_of
from storage import (
    bay_forecasts,
    bay_models,
    bay_scores,
    checks,
    communes,
    fill_models,
    forecast_scores,
    forecasts,
    readings,
)
from storage.database import Connection
from storage.isolation import CommunePool
from storage.model import IntakeTally, ModelStatus

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=Response,
    responses=documented() | {200: {"description": "Prometheus' text format", "content": {"text/plain": {}}}},
)
def metrics(request: Request) -> Response:
    """Return requests, streams, the ledger, forecasts and checks by commune; answers without a database too."""
    state = state_of(request)
    tallies, forecasts_now, checked = _watched(state)
    told = state["metrics"].exposition(tallies, forecasts_now, checked)
    return Response(told, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _watched(
    state: AppState,
) -> tuple[dict[str, IntakeTally] | None, list[WatchedForecast], list[CheckedCommune]]:
    try:
        with state["pool"].transaction([]) as connection:
            served = [item.commune_insee for item in communes.served(connection)]
            CommunePool.act_for(connection, served)
            tallies = {insee: readings.tally(connection, insee) for insee in served}
            watched = [_forecast(connection, insee) for insee in served]
            return tallies, watched, [_checked(connection, insee) for insee in served]
    except (psycopg.Error, PoolTimeout):
        return None, [], []


def _checked(connection: Connection, commune_insee: str) -> CheckedCommune:
    now = communes.clock(connection, commune_insee).now()
    return CheckedCommune(
        commune_insee=commune_insee,
        held=checks.held_now(connection, commune_insee, now=now),
        closings=checks.closings(connection, commune_insee),
    )


def _forecast(connection: Connection, commune_insee: str) -> WatchedForecast:
    now = communes.clock(connection, commune_insee).now()
    run = forecasts.latest_run(connection, commune_insee, at=now)
    newest = fill_models.every(connection, commune_insee, most=1)
    bays = bay_forecasts.latest_run(connection, commune_insee)
    newest_of_bays = bay_models.every(connection, commune_insee, most=1)
    day = forecast_scores.latest_day(connection, commune_insee)
    return WatchedForecast(
        commune_insee=commune_insee,
        now=now,
        run_as_of=None if run is None else run.as_of,
        serving=fill_models.serving(connection, commune_insee),
        newest_refused=bool(newest) and newest[0].status is ModelStatus.REFUSED,
        scores=() if day is None else tuple(forecast_scores.since(connection, commune_insee, day)),
        bays_as_of=None if bays is None else bays.as_of,
        bay_model=bay_models.serving(connection, commune_insee),
        bay_model_refused=bool(newest_of_bays) and newest_of_bays[0].status is ModelStatus.REFUSED,
        bay_scores=tuple(bay_scores.of_latest_day(connection, commune_insee)),
    )
