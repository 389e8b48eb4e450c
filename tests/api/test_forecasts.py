"""Forecasts over HTTP: every bin at an hour and by the days' rounds, one bin's week, and the models behind them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from storage import fill_models, forecasts
from storage.database import Connection
from storage.model import Evidence, FillByRounds, FillForecast, ForecastRun, FullDate, ModelStatus, TrainedModel
from tests.api.rows import INSEE, NOW, RUN_ID, ago

HERE = f"/api/v1/communes/{INSEE}"
HOUR = timedelta(hours=1)
BINS = ("COR-0001", "COR-0002", "COR-0003")
MODEL = TrainedModel(
    commune_insee=INSEE,
    model_id=uuid4(),
    method="made-up",
    libraries={"numpy": "2.5"},
    seed=0,
    as_of=ago(hours=9),
    made_at=ago(hours=9),
    trained_from=ago(days=28),
    trained_until=ago(hours=33),
    training_s=1.5,
    saw={"bins": 3},
    scores={"unsensored": {"mae": 10.5}, "sensored": None},
    data_quality={"sensors_silent": 1},
    compared=None,
    status=ModelStatus.IN_SERVICE,
    reason="the first model of the commune",
    status_since=ago(hours=9),
)


@pytest.fixture
def week(rows: Connection) -> Connection:
    """A run of a week: each bin fills by a hundredth an hour from 0.1, 0.2 and 0.3; the third is full within it."""
    run = ForecastRun(
        commune_insee=INSEE,
        run_id=RUN_ID,
        model_id=MODEL.model_id,
        model_version="made-up",
        as_of=NOW,
        made_at=NOW,
        trained_from=MODEL.trained_from,
        trained_until=MODEL.trained_until,
    )
    fill_models.save(rows, MODEL, fitted=b"numbers")
    first = NOW.replace(minute=0, second=0, microsecond=0)
    hours = []
    days = []
    dates = []
    for row, place_id in enumerate(BINS):
        for ahead in range(1, 169):
            fill = 0.125 * (row + 1) + ahead / 256
            hours.append(
                FillForecast(
                    place_id=place_id,
                    valid_at=first + ahead * HOUR,
                    p05=fill - 0.0625,
                    p10=fill - 0.03125,
                    p50=fill,
                    p90=fill + 0.03125,
                    p95=fill + 0.0625,
                    probability_full=0.25,
                )
            )
        for day in range(7):
            rounds_at = first + (20 + 24 * day) * HOUR
            days.append(
                FillByRounds(
                    place_id=place_id,
                    service_date=rounds_at.date(),
                    rounds_at=rounds_at,
                    p10=0.25,
                    p50=0.5,
                    p90=0.75,
                    probability_full=0.5,
                    probability_overflow=0.125,
                )
            )
        full_at = first + 100 * HOUR if row == 2 else None
        dates.append(
            FullDate(
                place_id=place_id,
                evidence=Evidence.SENSOR,
                full_early_at=full_at,
                full_at=full_at,
                full_late_at=None,
                reaches_until=first + 168 * HOUR,
            )
        )
    forecasts.save(rows, run, hours, by_rounds=days, full_dates=dates)
    rows.commit()
    return rows


def get(client: httpx.Client, path: str, **parameters: Any) -> Any:
    answer = client.get(f"{HERE}{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("week")
def test_every_bin_is_told_at_any_hour_of_the_week(client: httpx.Client):
    at = NOW.replace(minute=0, second=0, microsecond=0) + 99.4 * HOUR
    page = get(client, "/forecasts", at=at.isoformat())
    assert [item["place_id"] for item in page["bins"]] == list(BINS)
    assert page["run"]["model_id"] == str(MODEL.model_id)
    assert page["run"]["trained_until"] == MODEL.trained_until.isoformat().replace("+00:00", "Z")
    for row, item in enumerate(page["bins"]):
        assert item["predicted"]["p50"] == 0.125 * (row + 1) + 99 / 256
        assert item["predicted"]["valid_at"] == page["valid_at"]
        assert item["evidence"] == "sensor"
    assert [item["full"]["full_at"] is None for item in page["bins"]] == [True, True, False]
    assert all(item["full"]["full_late_at"] is None for item in page["bins"])
    beyond = get(client, "/forecasts", at=(NOW + 400 * HOUR).isoformat())
    assert [item["predicted"] for item in beyond["bins"]] == [None] * 3


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize("path", ["/forecasts", "/forecasts/rounds"])
def test_pages_hold_every_bin_once(client: httpx.Client, path: str):
    seen, after = [], None
    for _ in range(4):
        page = get(client, path, limit=2, **({} if after is None else {"after": after}))
        seen += [item["place_id"] for item in page["bins"]]
        after = page["next"]
        if after is None:
            break
    assert seen == list(BINS)


@pytest.mark.usefixtures("week")
def test_days_rounds_are_told_of_every_bin(client: httpx.Client):
    page = get(client, "/forecasts/rounds")
    for item in page["bins"]:
        assert len(item["days"]) == 7
        assert item["days"] == sorted(item["days"], key=lambda day: day["service_date"])
        assert {(day["probability_full"], day["probability_overflow"]) for day in item["days"]} == {(0.5, 0.125)}


@pytest.mark.usefixtures("week")
def test_one_bins_week_is_whole(client: httpx.Client):
    found = get(client, "/bins/COR-0003/forecast")
    assert len(found["hours"]) == 168
    assert [hour["p50"] for hour in found["hours"]] == sorted(hour["p50"] for hour in found["hours"])
    assert len(found["days"]) == 7
    assert found["full"]["full_at"] is not None
    assert client.get(f"{HERE}/bins/COR-9999/forecast").status_code == 404
    # The page's band is shorter unless it asks for more.
    assert len(get(client, "/bins/COR-0003/history")["predicted"]) == 48
    assert len(get(client, "/bins/COR-0003/history", ahead_h=168)["predicted"]) >= 167


@pytest.mark.parametrize("path", ["/forecasts?at=2026-03-11T12:00:00Z", "/forecasts/rounds", "/bins/COR-0001/forecast"])
def test_an_answer_changes_with_its_run_alone(client: httpx.Client, week: Connection, path: str):
    first = client.get(f"{HERE}{path}")
    again = client.get(f"{HERE}{path}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    run = ForecastRun(
        commune_insee=INSEE,
        run_id=uuid4(),
        model_id=MODEL.model_id,
        model_version="made-up",
        as_of=NOW,
        made_at=NOW + HOUR,
        trained_from=MODEL.trained_from,
        trained_until=MODEL.trained_until,
    )
    forecasts.save(week, run, [])
    week.commit()
    assert client.get(f"{HERE}{path}", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


@pytest.mark.usefixtures("rows")
def test_before_the_first_forecast_nothing_is_told(client: httpx.Client):
    for path in ("/forecasts", "/forecasts/rounds"):
        assert get(client, path)["run"] is None
        assert get(client, path)["bins"] == []
    assert get(client, "/bins/COR-0001/forecast")["hours"] == []
    assert get(client, "/fill-models") == {"models": []}


def test_models_are_told_with_their_status(client: httpx.Client, week: Connection):
    refused = replace(
        MODEL, model_id=uuid4(), as_of=ago(hours=1), status=ModelStatus.REFUSED, reason="worse", compared={"rows": 9}
    )
    fill_models.save(week, refused, fitted=None)
    week.commit()
    found = get(client, "/fill-models")["models"]
    assert [(model["model_id"], model["status"]) for model in found] == [
        (str(refused.model_id), "refused"),
        (str(MODEL.model_id), "in_service"),
    ]
    assert get(client, f"/fill-models/{MODEL.model_id}") == found[1]
    assert found[0]["compared"] == {"rows": 9}
    assert client.get(f"{HERE}/fill-models/{uuid4()}").status_code == 404
    assert client.get(f"{HERE}/fill-models/none").status_code == 422
