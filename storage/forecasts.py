"""Forecast runs and the quantiles that they predict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from storage.database import Connection, fetch, fetch_one, statement
from storage.model import FillForecast, ForecastRun

_TYPES = ("text", "uuid", "text", "timestamptz", "float4", "float4", "float4", "float4", "float4", "float4")


def save(connection: Connection, run: ForecastRun, forecasts: Iterable[FillForecast]) -> None:
    """Store a run with all its forecasts in the caller's transaction and tell the live listeners."""
    connection.execute(statement("forecasts", "save_run"), asdict(run) | {"scores": Jsonb(run.scores)})
    with (
        connection.cursor() as cursor,
        cursor.copy(statement("forecasts", "copy_forecasts").removesuffix(";")) as copy,
    ):
        copy.set_types(_TYPES)
        for f in forecasts:
            quantiles = (f.p05, f.p10, f.p50, f.p90, f.p95)
            copy.write_row((run.commune_insee, run.run_id, f.place_id, f.valid_at, *quantiles, f.probability_full))
    notice = {"kind": "forecast", "commune_insee": run.commune_insee, "run_id": str(run.run_id)}
    connection.execute(statement("readings", "notify"), {"message": msgspec.json.encode(notice).decode()})


def latest_run(connection: Connection, commune_insee: str, *, at: datetime) -> ForecastRun | None:
    """Return the newest run that was made of data up to `at`."""
    parameters = {"commune_insee": commune_insee, "now": at}
    return fetch_one(connection, ForecastRun, statement("forecasts", "latest_run"), parameters)


def of_run(
    connection: Connection,
    commune_insee: str,
    run_id: UUID,
    *,
    since: datetime,
    until: datetime,
    place_id: str | None = None,
) -> list[FillForecast]:
    """Return a run's forecasts valid in [since, until), of all bins or of one, by place and time."""
    parameters = {
        "commune_insee": commune_insee, "run_id": run_id, "since": since, "until": until, "place_id": place_id,
    }  # fmt: skip
    return fetch(connection, FillForecast, statement("forecasts", "of_run"), parameters)
