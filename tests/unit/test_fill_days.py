"""From hours to days: rounds by the local clock, and the date of full as a quantile of a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest

from optimise.fill.days import at_moments, full_dates, rounds_ahead, usual_hour
from tests.storage.town import VEHICLE

START = datetime(2026, 3, 27, 12, tzinfo=UTC)
VALID_S = int(START.timestamp()) + 3600 * np.arange(1, 169)


def test_rounds_keep_to_the_local_clock_when_it_changes():
    found = rounds_ahead(since=START, until=START + timedelta(days=7), at=time(9), time_zone="Europe/Paris")
    assert [one.service_date for one in found] == [date(2026, 3, 28) + timedelta(days=ahead) for ahead in range(7)]
    # Summer time begins on 29 March: 9 o'clock is 8 h UTC before, 7 h after.
    assert [one.at.hour for one in found] == [8, *[7] * 6]


def test_rounds_that_passed_today_are_not_ahead():
    before, after = START.replace(hour=7), START.replace(hour=8)
    reach = {"until": START + timedelta(days=1), "at": time(9), "time_zone": "Europe/Paris"}
    assert rounds_ahead(since=before, **reach)[0].service_date == date(2026, 3, 27)
    assert rounds_ahead(since=after, **reach)[0].service_date == date(2026, 3, 28)


def test_the_usual_hour_is_the_middle_of_shifts_also_over_midnight():
    day = replace(VEHICLE, shift_from=time(6), shift_until=time(13))
    night = replace(VEHICLE, shift_from=time(22), shift_until=time(5))
    assert usual_hour([day], otherwise=time(9)) == time(9, 30)
    assert usual_hour([night], otherwise=time(9)) == time(1, 30)
    assert usual_hour([], otherwise=time(9)) == time(9)


def test_between_hours_a_value_is_read_on_the_straight_line():
    values = np.array([[0.0, 1.0, 3.0]])
    assert at_moments(values, np.array([10, 20, 30]), np.array([5, 10, 15, 29, 30])) == pytest.approx(
        np.array([[0.0, 0.0, 0.5, 2.8, 3.0]])
    )


def test_the_date_of_full_is_the_quantile_of_the_time_of_full():
    """Against times drawn: a tenth, a half, nine tenths of them lie before the three dates."""
    random = np.random.default_rng(0)
    full_s = START.timestamp() + random.gamma(4.0, 8 * 3600, (3, 4000))
    probability = (full_s[:, :, None] <= VALID_S).mean(axis=1)
    dates = full_dates(probability, VALID_S)
    for column, share in enumerate((0.1, 0.5, 0.9)):
        assert (full_s <= dates[:, column, None]).mean(axis=1) == pytest.approx(np.full(3, share), abs=0.01)


def test_beyond_the_horizon_no_date_is_told():
    never, soon = np.zeros(168), np.linspace(0.0, 0.6, 168)
    dates = full_dates(np.stack([never, soon, np.ones(168)]), VALID_S)
    assert np.isnan(dates[0]).all()
    assert np.isnan(dates[1]).tolist() == [False, False, True]
    # Full already: by the first moment that is told of.
    assert (dates[2] == VALID_S[0]).all()
