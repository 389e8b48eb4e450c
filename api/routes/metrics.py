"""Metrics for Prometheus."""

from __future__ import annotations

import psycopg
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from psycopg_pool import PoolTimeout

from api.errors import documented
from api.state import AppState, state_of
from storage import communes, readings
from storage.model import IntakeTally

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    summary="Metrics",
    response_class=Response,
    responses=documented() | {200: {"description": "Prometheus' text format", "content": {"text/plain": {}}}},
)
def metrics(request: Request) -> Response:
    """Return requests, live streams and the collectors' ledger by commune; answers without a database too."""
    state = state_of(request)
    return Response(state["metrics"].exposition(_tallies(state)), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _tallies(state: AppState) -> dict[str, IntakeTally] | None:
    try:
        with state["pool"].connection(timeout=state["options"].pool_wait_s) as connection:
            return {
                item.commune_insee: readings.tally(connection, item.commune_insee)
                for item in communes.every(connection)
            }
    except (psycopg.Error, PoolTimeout):
        return None
