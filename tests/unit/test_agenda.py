"""What is due, by the commune's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from optimise.agenda import AgendaOptions, forecast_is_due, plan_due_for, score_due_for, training_is_due

OPTIONS = AgendaOptions(plan_at=time(20, 0))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "planned", "due"),
    [
        pytest.param("2026-03-10T18:59", set(), None, id="19:59 in Paris is too early"),
        pytest.param("2026-03-10T19:00", set(), date(2026, 3, 11), id="20:00 in Paris plans tomorrow"),
        pytest.param("2026-03-10T19:00", {date(2026, 3, 11)}, None, id="tomorrow is planned"),
        pytest.param("2026-07-10T18:00", set(), date(2026, 7, 11), id="20:00 in Paris, summer time"),
        pytest.param("2026-03-10T23:30", set(), date(2026, 3, 11), id="after midnight in Paris it is today"),
        pytest.param("2026-03-11T05:30", set(), None, id="06:30 in Paris is too late for today"),
    ],
)
def test_plan_is_due_from_the_evening_until_rounds_start(now: str, planned: set[date], due: date | None):
    assert plan_due_for(now=utc(now), time_zone="Europe/Paris", planned=planned, options=OPTIONS) == due


def test_forecast_is_due_when_missing_or_stale():
    now = utc("2026-03-10T12:00")
    assert forecast_is_due(now=now, latest_as_of=None, options=OPTIONS)
    assert forecast_is_due(now=now, latest_as_of=now - timedelta(hours=6), options=OPTIONS)
    assert not forecast_is_due(now=now, latest_as_of=now - timedelta(hours=5, minutes=59), options=OPTIONS)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match=r"expected every_h > 0, got 0"):
        AgendaOptions(every_h=0)


@pytest.mark.parametrize(
    ("now", "latest", "due"),
    [
        ("2026-03-10T12:00", None, True),  # a commune without any model
        ("2026-03-10T01:59", "2026-03-09T02:00", False),  # 2:59 in Paris: last night's still stands
        ("2026-03-10T02:00", "2026-03-09T02:00", True),  # 3:00 in Paris
        ("2026-03-10T12:00", "2026-03-10T02:00", False),
        ("2026-03-10T12:00", "2026-03-09T20:00", True),  # trained on demand last evening: the night comes all the same
        ("2026-03-29T01:00", "2026-03-28T02:00", True),  # 3:00 of the night in which summer time begins is 1:00 UTC
    ],
)
def test_a_model_is_trained_once_a_night_by_the_local_clock(*, now: str, latest: str | None, due: bool):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    before = None if latest is None else datetime.fromisoformat(latest).replace(tzinfo=UTC)
    options = AgendaOptions(train_at=time(3, 0))
    assert training_is_due(now=moment, time_zone="Europe/Paris", latest_as_of=before, options=options) is due


@pytest.mark.parametrize(
    ("now", "latest", "day"),
    [
        ("2026-03-10T12:00", None, date(2026, 3, 9)),
        ("2026-03-10T12:00", date(2026, 3, 8), date(2026, 3, 9)),
        ("2026-03-10T12:00", date(2026, 3, 9), None),
        ("2026-03-10T00:59", date(2026, 3, 8), None),  # 1:59 in Paris: what sensors stored still comes in
        ("2026-03-10T01:00", date(2026, 3, 8), date(2026, 3, 9)),
    ],
)
def test_yesterdays_forecasts_are_judged_once_two_hours_after_its_end(now: str, latest: date | None, day: date | None):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert score_due_for(now=moment, time_zone="Europe/Paris", latest_day=latest) == day
