"""docs/metrics.md against the web server: every metric of forecasts, with its labels; and what they say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import httpx
from prometheus_client.parser import text_string_to_metric_families

from storage import bay_forecasts, bay_models, bay_scores, fill_models, forecast_scores
from storage.database import Connection
from storage.model import BayForecastRun, BayForecastScore, ForecastScore, ModelStatus
from tests.api.rows import INSEE, NOW, ago, save_forecast
from tests.api.test_forecasts import MODEL
from tests.tools import REPOSITORY

TEXT = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
SECTION = TEXT.split("## How forecasts hold", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]


def test_metrics_are_the_documented_ones_and_say_what_is_stored(client: httpx.Client, rows: Connection):
    fill_models.save(rows, MODEL, fitted=b"numbers")
    refused = replace(MODEL, model_id=uuid4(), as_of=ago(hours=1), status=ModelStatus.REFUSED)
    fill_models.save(rows, refused, fitted=None)
    day = NOW.date() - timedelta(days=1)
    held = ForecastScore(
        day=day, ahead_h=24, bin_group="all", levels=40, bins=20, mae_points=7.5, bias_points=-1.0, coverage_80=0.625,
        coverage_90=0.75, width_80_points=30.0, in_band=False,
    )  # fmt: skip
    forecast_scores.save(rows, INSEE, [held, replace(held, bin_group="crews", in_band=None)])
    bay_models.save(rows, MODEL, fitted=b"numbers")
    run = BayForecastRun(
        as_of=ago(minutes=4), made_at=ago(minutes=4), model_id=MODEL.model_id, method="made-up", ahead_min=(0, 90),
        places=0, sensed=0,
    )  # fmt: skip
    bay_forecasts.save(rows, INSEE, run, bays=[], groups=[])
    free = BayForecastScore(
        day=day, ahead_min=30, bay_group="all", answers=500, bays=20, brier=0.125, brier_persistence=0.25,
        mean_chance=0.5, free_share=0.25, calibration_error=0.25, in_band=False,
    )  # fmt: skip
    bay_scores.save(rows, INSEE, [replace(free, day=day - timedelta(days=1), brier=0.5), free])
    save_forecast(rows, ["COR-0001"], as_of=ago(hours=2))
    told = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            told[sample.name, sample.labels.get("bin_group") or sample.labels.get("bay_group")] = sample
    documented = re.findall(r"^\| `([a-z_0-9]+)` \| gauge \|[^|]*\|([^|]*)\|", SECTION, re.MULTILINE)
    assert {name for name, _ in documented} == {
        name for name, _ in told if name.startswith(("voirie_forecast_", "voirie_fill_model_", "voirie_bay_"))
    }
    for name, labels in documented:
        sample = told.get((name, None)) or told[name, "all"]
        assert set(sample.labels) == set(re.findall(r"`(\w+)`", labels)), name
    assert told["voirie_forecast_coverage_80", "all"].value == 0.625
    assert told["voirie_forecast_error_points", "crews"].value == 7.5
    assert told["voirie_forecast_coverage_out_of_band", None].value == 1
    assert told["voirie_bay_forecast_brier", "all"].value == 0.125
    assert told["voirie_bay_forecast_free_share", "all"].value == 0.25
    assert told["voirie_bay_forecast_out_of_band", None].value == 1
    assert told["voirie_fill_model_refused", None].value == 1
    assert told["voirie_fill_model_age_seconds", None].value >= 9 * 3600
    assert told["voirie_bay_model_refused", None].value == 0
    assert 240 <= told["voirie_bay_forecast_age_seconds", None].value < 300
    assert told["voirie_forecast_age_seconds", None].value >= 2 * 3600
    scores = client.get(f"/api/v1/communes/{INSEE}/forecasts/scores", params={"days": 400}).json()["scores"]
    assert [(score["bin_group"], score["in_band"]) for score in scores] == [("all", False), ("crews", None)]
