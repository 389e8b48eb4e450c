"""Forecasts of bays are judged by what came: a perfect one, a sure one that errs, and what nobody knows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from optimise.fill.readings import Floats
from optimise.occupancy.forecast.drift import BayDriftOptions, score_bay_day
from storage.bay_sample import SAMPLED_MIN, BaySample

DAY = date(2026, 3, 9)
START = datetime(2026, 3, 8, 23, tzinfo=UTC)
BAYS, HALF_HOURS = 40, 48


def town(chance_of: Floats, *, seed: int = 1) -> tuple[list[BaySample], list[Floats]]:
    """Return a day on which each bay is free as often as its true chance says, told by `chance_of` (bays,)."""
    rng = np.random.default_rng(seed)
    truth = np.linspace(0.05, 0.95, BAYS)
    samples, came = [], []
    for number in range(HALF_HOURS):
        free = (rng.random((len(SAMPLED_MIN), BAYS)) < truth).astype(float)
        before = (rng.random(BAYS) < truth).astype(float)
        before[0], free[:, 1] = np.nan, np.nan  # one that was silent then, one that fell silent
        samples.append(
            BaySample(
                as_of=START + number * timedelta(minutes=30),
                place_id=np.array([f"B{bay}" for bay in range(BAYS)], dtype=object),
                use=np.array(["delivery" if bay % 2 else "car" for bay in range(BAYS)], dtype=object),
                evidence=np.array(["street", *["sensor"] * (BAYS - 1)], dtype=object),
                free=before,
                chance=np.tile(chance_of, (len(SAMPLED_MIN), 1)),
            )
        )
        came.append(free)
    return samples, came


def test_a_chance_that_holds_is_in_its_band_and_beats_persistence():
    samples, came = town(np.linspace(0.05, 0.95, BAYS))
    scores = {(one.ahead_min, one.bay_group): one for one in score_bay_day(DAY, samples, came, BayDriftOptions())}
    assert {minutes for minutes, _ in scores} == set(SAMPLED_MIN)
    groups = {group for _, group in scores}
    assert groups == {"all", "evidence:sensor", "evidence:street", "use:car", "use:delivery"}
    of_all = scores[30, "all"]
    assert (of_all.answers, of_all.bays) == (HALF_HOURS * (BAYS - 1), BAYS - 1)
    assert of_all.brier is not None
    assert of_all.brier_persistence is not None
    # Who throws a coin of the true chance errs twice as much, squared, as who tells the chance.
    assert of_all.brier_persistence == pytest.approx(2 * of_all.brier, rel=0.15)
    assert of_all.calibration_error == pytest.approx(0, abs=0.03)
    assert of_all.in_band is True
    # Ten bays are the fewest that tell chance from error; of the silent one no state was known.
    lone = scores[30, "evidence:street"]
    assert (lone.bays, lone.in_band, lone.brier_persistence) == (1, None, None)


def test_a_town_that_is_fuller_than_foretold_is_out_of_its_band():
    samples, came = town(np.clip(np.linspace(0.05, 0.95, BAYS) + 0.2, 0, 1))
    (of_all,) = (
        one
        for one in score_bay_day(DAY, samples, came, BayDriftOptions())
        if (one.ahead_min, one.bay_group) == (60, "all")
    )
    assert of_all.in_band is False
    assert of_all.mean_chance is not None
    assert of_all.free_share is not None
    assert of_all.mean_chance - of_all.free_share == pytest.approx(0.18, abs=0.03)


def test_a_day_that_nobody_can_judge_is_said_to_be_one():
    samples, came = town(np.full(BAYS, 0.5))
    for nothing in ([], [np.full_like(one, np.nan) for one in came]):
        (score,) = score_bay_day(DAY, samples if nothing else [], nothing, BayDriftOptions())
        assert (score.day, score.bay_group, score.answers, score.brier, score.in_band) == (DAY, "all", 0, None, None)
    with pytest.raises(ValueError, match="expected 0 < band < 1"):
        BayDriftOptions(band=0)
