"""Yesterday's forecasts against what was then measured: figures that can be recomputed by hand, and an alarm."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from optimise.fill.job import JobOptions, forecast_commune
from optimise.fill.watch import watch_day
from storage import bins, forecast_scores, forecasts
from storage.database import Connection
from storage.model import ForecastScore
from tests.storage import test_forecast_job
from tests.storage.test_forecast_job import BINS, DAYS, INSEE, SENSORED, _emptied, _measure
from tests.storage.town import NOON

town = test_forecast_job.town
HOUR = timedelta(hours=1)
DAY = date(2026, 3, 11)
DAY_BEGINS = datetime.fromisoformat("2026-03-11T00:00:00+01:00")


def live_a_day(connection: Connection, *, faster: float = 1.0) -> None:
    """Forecast four times a day from NOON on, while bins fill by the rates of the fixture (times `faster`)."""
    random = np.random.default_rng(5)
    random.uniform(-0.005, 0.005, (BINS, 2))
    rates = random.lognormal(np.log(0.012), 0.4, BINS)
    for row, rate in enumerate(rates[:SENSORED]):
        begun = rate * ((DAYS * 24 - 7) % 48)
        _measure(connection, row, [(h, min(begun + faster * rate * h, 1.2)) for h in range(40)], since=NOON)
    for hours in range(0, 36, 6):
        forecast_commune(connection, INSEE, as_of=NOON + hours * HOUR, job=JobOptions())


def of(scores: list[ForecastScore], group: str, ahead_h: int) -> ForecastScore:
    (found,) = [score for score in scores if (score.bin_group, score.ahead_h) == (group, ahead_h)]
    return found


def test_a_day_is_judged_by_what_sensors_then_said(town: Connection):
    live_a_day(town)
    # At noon a bin is emptied that nobody measures, and one that has a sensor.
    bins.declare(town, [_emptied(f"COR-{row:04d}", DAY_BEGINS + 11 * HOUR, 0.7) for row in (0, 30)])
    scores = watch_day(town, INSEE, day=DAY)
    assert scores == watch_day(town, INSEE, day=DAY)
    stored = forecast_scores.since(town, INSEE, DAY)
    assert [(s.ahead_h, s.bin_group, s.levels) for s in stored] == sorted(
        (s.ahead_h, s.bin_group, s.levels) for s in scores
    )
    assert forecast_scores.latest_day(town, INSEE) == DAY
    # By hand: every run's sixth hour that lies in the day, against the levels of that hour.
    errors, held = [], []
    told = forecast_scores.told_of(town, INSEE, since=DAY_BEGINS, until=DAY_BEGINS + 24 * HOUR, ahead_h=6)
    levels = {
        (place_id, int(at_s)): fill
        for place_id, at_s, fill in town.execute(
            "SELECT place_id, extract(epoch FROM measured_at), fill_fraction FROM fill_reading"
        ).fetchall()
    }
    for place_id, valid_s, as_of_s, q in zip(
        told.place_id, told.valid_s.tolist(), told.as_of_s, told.quantiles, strict=True
    ):
        assert valid_s - as_of_s == 6 * 3600
        actual = levels.get((place_id, valid_s))
        # The one that was emptied at eleven in the morning says nothing of the hours after it, up to an hour late.
        emptied_s = (DAY_BEGINS + 11 * HOUR).timestamp()
        if actual is None or (place_id == "COR-0000" and as_of_s < emptied_s <= valid_s + 3600):
            continue
        errors.append(abs(min(actual, 1.0) - min(q[2], 1.0)))
        held.append(min(q[1], 1.0) <= min(actual, 1.0) <= min(q[3], 1.0))
    whole = of(scores, "all", 6)
    assert whole.levels == len(errors) > 2 * SENSORED
    assert whole.bins == SENSORED
    assert whole.mae_points == pytest.approx(100 * np.mean(errors), abs=1e-4)
    assert whole.coverage_80 == pytest.approx(np.mean(held))
    assert of(scores, "evidence:sensor", 6).levels == whole.levels
    assert of(scores, "kind:street", 6).levels == whole.levels
    looked = of(scores, "crews", 6)
    assert (looked.levels, looked.bins, looked.in_band) == (1, 1, None)


def test_a_town_that_changes_raises_the_alarm(town: Connection):
    live_a_day(town, faster=3.0)
    scores = watch_day(town, INSEE, day=DAY)
    whole = of(scores, "all", 6)
    assert whole.in_band is False
    assert whole.bias_points is not None
    assert whole.bias_points > 3


def test_a_day_without_measurements_is_judged_once(town: Connection):
    forecast_commune(town, INSEE, as_of=NOON, job=JobOptions())
    (only,) = watch_day(town, INSEE, day=date(2026, 3, 14))
    assert (only.levels, only.mae_points, only.in_band) == (0, None, None)
    assert forecast_scores.latest_day(town, INSEE) == date(2026, 3, 14)
    assert forecasts.latest_run(town, INSEE, at=NOON) is not None
