"""Forecast runs: whole or not at all, newest by what they saw, forgotten together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from storage import forecasts
from storage.database import connect
from storage.model import FillForecast
from tests.storage.town import INSEE, NOON, Town, forecast_run

HOUR = timedelta(hours=1)


def forecast(place_id: str, hours: int) -> FillForecast:
    # Fractions that a four-byte float holds exactly, so that what comes back is what went in.
    return FillForecast(
        place_id=place_id,
        valid_at=NOON + hours * HOUR,
        p05=0.125,
        p10=0.25,
        p50=0.5,
        p90=0.75,
        p95=1.25,
        probability_full=0.0625,
    )


def test_run_comes_back_as_it_went_in(town: Town):
    run = forecast_run()
    every = [forecast(place_id, hours) for place_id in ("COR-0001", "COR-0002") for hours in (1, 2, 3)]
    forecasts.save(town.connection, run, reversed(every))
    assert forecasts.latest_run(town.connection, INSEE, at=NOON) == run
    window = {"since": NOON + HOUR, "until": NOON + 3 * HOUR}
    assert forecasts.of_run(town.connection, INSEE, run.run_id, **window) == [*every[0:2], *every[3:5]]
    of_one = forecasts.of_run(town.connection, INSEE, run.run_id, place_id="COR-0002", **window)
    assert of_one == every[3:5]


def test_latest_run_is_the_one_that_saw_most_but_not_the_future(town: Town):
    older, newer = forecast_run(as_of=NOON - HOUR), forecast_run(as_of=NOON)
    again = replace(forecast_run(as_of=NOON), made_at=newer.made_at + HOUR)
    for run in (again, newer, older):
        forecasts.save(town.connection, run, [])
    assert forecasts.latest_run(town.connection, INSEE, at=NOON - 2 * HOUR) is None
    assert forecasts.latest_run(town.connection, INSEE, at=NOON - HOUR) == older
    assert forecasts.latest_run(town.connection, INSEE, at=NOON) == again


@pytest.mark.parametrize(
    "change",
    [{"p50": 0.9}, {"p05": 0.3}, {"probability_full": 1.5}, {"p95": 0.7}],
    ids=lambda change: next(iter(change)),
)
def test_nonsense_is_refused_with_its_whole_run(town: Town, change: dict[str, float]):
    wrong = [forecast("COR-0001", 1), replace(forecast("COR-0002", 1), **change)]
    with pytest.raises(psycopg.errors.CheckViolation), town.connection.transaction():
        forecasts.save(town.connection, forecast_run(), wrong)
    assert forecasts.latest_run(town.connection, INSEE, at=NOON) is None


def test_listeners_hear_of_a_run(town: Town, any_database_url: str):
    run = forecast_run()
    with connect(any_database_url, autocommit=True) as listener:
        listener.execute("LISTEN voirie_live")
        forecasts.save(town.connection, run, [])
        town.connection.commit()
        (heard,) = listener.notifies(timeout=10, stop_after=1)
    assert json.loads(heard.payload) == {"kind": "forecast", "commune_insee": INSEE, "run_id": str(run.run_id)}
