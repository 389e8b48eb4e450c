"""Scores and baselines by hand-made numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from optimise.fill.baselines import GlobalMean, KindRate, NearestLevel, NearestRate, Persistence, WeekdayHourMean
from optimise.fill.evaluation import coverage, pinball_loss, score
from optimise.fill.intervals import blind_spread, learn_spread
from optimise.fill.model import TERMS
from optimise.fill.training import TrainingData, assemble
from storage.level_table import LevelTable
from storage.model import Bin, Emptying

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
HOURS = 30


def test_scores_are_in_points_of_fill() -> None:
    quantiles = np.array([[0.2, 0.5, 0.8], [0.2, 0.5, 0.8]])
    found = score(np.array([0.4, 0.9]), quantiles, (0.1, 0.5, 0.9), bins=2)
    assert found is not None
    assert (found.n, found.bins) == (2, 2)
    assert found.mae == pytest.approx(25)
    assert found.width_80 == pytest.approx(60)
    assert found.coverage_80 == pytest.approx(0.5)
    assert score(np.zeros(0), np.zeros((0, 3)), (0.1, 0.5, 0.9), bins=0) is None


def test_pinball_asks_high_quantiles_to_be_high() -> None:
    actual = np.array([0.5])
    assert pinball_loss(actual, np.array([[0.4]]), (0.9,)) == pytest.approx(9.0)
    assert pinball_loss(actual, np.array([[0.6]]), (0.9,)) == pytest.approx(1.0)


def test_bounds_belong_to_the_interval() -> None:
    assert coverage(np.array([0.1, 0.2]), np.array([0.1, 0.1]), np.array([0.1, 0.2])) == 1.0


def town() -> TrainingData:
    """Three sensored bins in a row, rising by 1, 2 and 3 points an hour; a fourth beside the third, without."""
    bins = [
        Bin(
            commune_insee="93051",
            place_id=f"COR-000{number}",
            longitude_deg=2.5 + number / 1000 - (0.0009 if number == 3 else 0),
            latitude_deg=48.8,
            street=None,
            bin_kind="park" if number >= 2 else "street",
            volume_l=100.0,
        )
        for number in range(4)
    ]
    hours = np.arange(HOURS + 1)
    levels = LevelTable(
        place_id=np.repeat(np.array([item.place_id for item in bins[:3]], dtype=object), len(hours)),
        measured_at_s=np.tile(int(START.timestamp()) + 3600 * hours, 3),
        fill_fraction=np.concatenate([hours * rate for rate in (0.01, 0.02, 0.03)]).astype(np.float32),
    )
    emptied = [Emptying(place_id="COR-0003", emptied_at=START + timedelta(hours=HOURS - 10), found_fraction=None)]
    return assemble(bins=bins, levels=levels, emptyings=emptied, as_of=START + timedelta(hours=HOURS))


def test_each_baseline_says_what_its_name_promises() -> None:
    data = town()
    unseen = data.bins[3:]
    in_ten_hours = [START + timedelta(hours=HOURS + 10)]
    mean_level = 0.02 * HOURS / 2
    assert GlobalMean().predict(data, unseen, in_ten_hours) == pytest.approx(np.array([[mean_level]]))
    assert KindRate().predict(data, unseen, in_ten_hours) == pytest.approx(np.array([[20 * 0.03]]), rel=1e-4)
    assert NearestRate().predict(data, unseen, in_ten_hours) == pytest.approx(np.array([[20 * 0.02]]), rel=1e-4)
    assert NearestLevel().predict(data, unseen, in_ten_hours) == pytest.approx(np.array([[0.02 * HOURS]]))
    assert Persistence().predict(data, data.bins[:1], in_ten_hours) == pytest.approx(np.array([[0.01 * HOURS]]))
    # The hour three hours into the data, a week later: it was seen once, at three gains above nothing.
    monday = [START + timedelta(days=7, hours=3)]
    assert WeekdayHourMean().predict(data, unseen, monday) == pytest.approx(np.array([[0.02 * 3]]))


def test_neighbours_of_a_sensored_bin_do_not_include_itself() -> None:
    data = town()
    assert NearestLevel().predict(data, data.bins[:1], [START + timedelta(hours=HOURS + 1)]) == pytest.approx(
        np.array([[0.025 * HOURS]])
    )


def rows(bins: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    bin_row = np.repeat(np.arange(bins), 20)
    expected = random.uniform(0.0, 1.0, len(bin_row))
    terms = np.zeros((len(bin_row), len(TERMS)))
    terms[:, TERMS.index("share")] = expected**2
    terms[:, TERMS.index("floor")] = 1
    # Skewed errors, a bin's own share of them, growing with what is expected.
    error = (random.gamma(2.0, 0.5, bins)[bin_row] + random.gamma(2.0, 0.5, len(bin_row)) - 2) * 0.2 * expected
    return {"bin_row": bin_row, "expected": expected, "terms": terms, "actual": expected + error}


def test_the_law_of_errors_carries_over_to_new_bins() -> None:
    spread = learn_spread(**rows(300))
    new = rows(300, seed=1)
    quantiles = spread.quantiles(new["expected"], new["terms"], (0.05, 0.1, 0.5, 0.9, 0.95))
    assert (np.diff(quantiles, axis=1) >= 0).all()
    for column, share in enumerate((0.05, 0.1, 0.5, 0.9, 0.95)):
        assert (new["actual"] <= quantiles[:, column]).mean() == pytest.approx(share, abs=0.04)


def test_every_bin_weighs_the_same_however_often_it_was_seen() -> None:
    given = rows(40)
    loud = np.flatnonzero(given["bin_row"] == 0)
    again = {name: np.concatenate([column, *[column[loud]] * 50]) for name, column in given.items()}
    once, often = (learn_spread(**held) for held in (given, again))
    assert often.errors == pytest.approx(once.errors, abs=0.3)
    assert often.factors == pytest.approx(once.factors, rel=0.2, abs=1e-3)


def test_few_bins_get_the_wide_law() -> None:
    assert np.array_equal(learn_spread(**rows(19)).errors, blind_spread().errors)


def test_the_chance_of_reaching_a_level_agrees_with_the_quantiles() -> None:
    spread = learn_spread(**rows(100))
    expected, terms = np.array([0.7]), np.array([[0, 0, 0, 0.49, 0, 1.0]])
    [[ninth]] = spread.quantiles(expected, terms, (0.9,))
    assert spread.probability_reaching(ninth, expected, terms) == pytest.approx(0.1, abs=1e-6)
    assert spread.probability_reaching(9.0, expected, terms) == 0
    assert spread.probability_reaching(-9.0, expected, terms) == 1
