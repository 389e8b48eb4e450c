"""Forecast runs and what they predict: quantiles by the hour, by the days' rounds, and the date of full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from storage.database import Connection, fetch, fetch_one, statement
from storage.model import FillByRounds, FillForecast, ForecastRun, FullDate

_RUN_TYPES = ("text", "uuid", "text")
_TYPES = (*_RUN_TYPES, "timestamptz", *("float4",) * 6)
_BY_ROUNDS_TYPES = (*_RUN_TYPES, "date", "timestamptz", *("float4",) * 5)
_FULL_DATE_TYPES = (*_RUN_TYPES, "text", *("timestamptz",) * 4)

KEPT_AHEAD_H = (1, 3, 6, 12, 18, 24, 36, 48, 72, 96, 120, 144, 168)
"""The hours ahead that a replaced run keeps: what its accuracy is judged by, a twelfth of all."""

_WHOLE_RUNS = 2
"""The newest run serves; the one before it is what the rounds on the road may have been planned with."""


def save(
    connection: Connection,
    run: ForecastRun,
    forecasts: Iterable[FillForecast],
    *,
    by_rounds: Iterable[FillByRounds] = (),
    full_dates: Iterable[FullDate] = (),
) -> None:
    """Store a run with all its forecasts in the caller's transaction and tell the live listeners."""
    connection.execute(statement("forecasts", "save_run"), asdict(run) | {"scores": Jsonb(run.scores)})
    of_run = (run.commune_insee, run.run_id)
    _copy(
        connection,
        "copy_forecasts",
        _TYPES,
        (
            (*of_run, f.place_id, f.valid_at, f.p05, f.p10, f.p50, f.p90, f.p95, f.probability_full)
            for f in forecasts
        ),
    )  # fmt: skip
    _copy(
        connection,
        "copy_by_rounds",
        _BY_ROUNDS_TYPES,
        (
            (
                *of_run, f.place_id, f.service_date, f.rounds_at, f.p10, f.p50, f.p90, f.probability_full,
                f.probability_overflow,
            )
            for f in by_rounds
        ),
    )  # fmt: skip
    _copy(
        connection,
        "copy_full_dates",
        _FULL_DATE_TYPES,
        (
            (*of_run, f.place_id, f.evidence.value, f.full_early_at, f.full_at, f.full_late_at, f.reaches_until)
            for f in full_dates
        ),
    )  # fmt: skip
    notice = {"kind": "forecast", "commune_insee": run.commune_insee, "run_id": str(run.run_id)}
    connection.execute(statement("readings", "notify"), {"message": msgspec.json.encode(notice).decode()})


def _copy(connection: Connection, name: str, types: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement("forecasts", name).removesuffix(";")) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def thin(connection: Connection, commune_insee: str) -> int:
    """Let go of the hours that replaced runs need no more (see `KEPT_AHEAD_H`); return how many rows went."""
    parameters = {"commune_insee": commune_insee, "whole_runs": _WHOLE_RUNS}
    replaced = [run_id for (run_id,) in connection.execute(statement("forecasts", "replaced_runs"), parameters)]
    if not replaced:
        return 0
    of_runs = {"commune_insee": commune_insee, "run_ids": replaced}
    gone = connection.execute(statement("forecasts", "thin_hours"), of_runs | {"ahead_h": list(KEPT_AHEAD_H)}).rowcount
    connection.execute(statement("forecasts", "mark_thinned"), of_runs)
    return gone


def latest_run(connection: Connection, commune_insee: str, *, at: datetime) -> ForecastRun | None:
    """Return the newest run that was made of data up to `at`."""
    parameters = {"commune_insee": commune_insee, "now": at}
    return fetch_one(connection, ForecastRun, statement("forecasts", "latest_run"), parameters)


def run(connection: Connection, commune_insee: str, run_id: UUID) -> ForecastRun | None:
    """Return a run, None when the commune has no such one."""
    key = {"commune_insee": commune_insee, "run_id": run_id}
    return fetch_one(connection, ForecastRun, statement("forecasts", "run"), key)


def of_run(
    connection: Connection,
    commune_insee: str,
    run_id: UUID,
    *,
    since: datetime,
    until: datetime,
    place_id: str | None = None,
    after: str | None = None,
    most: int | None = None,
) -> list[FillForecast]:
    """Return a run's forecasts valid in [since, until), of all bins or of one, by place and time.

    `after`: only of places after this one; `most` rows.
    """
    parameters = {
        "commune_insee": commune_insee, "run_id": run_id, "since": since, "until": until, "place_id": place_id,
        "after": after, "most": most,
    }  # fmt: skip
    return fetch(connection, FillForecast, statement("forecasts", "of_run"), parameters)


def by_rounds(
    connection: Connection, commune_insee: str, run_id: UUID, *, place_ids: Sequence[str] | None = None
) -> list[FillByRounds]:
    """Return what a run says by each day's rounds, of all bins or of these, by place and day."""
    parameters = {
        "commune_insee": commune_insee, "run_id": run_id, "place_ids": None if place_ids is None else list(place_ids),
    }  # fmt: skip
    return fetch(connection, FillByRounds, statement("forecasts", "by_rounds"), parameters)


def full_dates(
    connection: Connection,
    commune_insee: str,
    run_id: UUID,
    *,
    place_id: str | None = None,
    after: str | None = None,
    most: int | None = None,
) -> list[FullDate]:
    """Return when a run expects each bin to be full, of all bins or of one, by place."""
    parameters = {
        "commune_insee": commune_insee, "run_id": run_id, "place_id": place_id, "after": after, "most": most,
    }  # fmt: skip
    return fetch(connection, FullDate, statement("forecasts", "full_dates"), parameters)
