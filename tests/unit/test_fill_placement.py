"""Where more sensors would help: the advice keeps its rules, and its sensors lower the error that was advised on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from optimise.fill.features import positions_km
from optimise.fill.readings import HOUR_S
from optimise.fill.report.exposure import Exposure, _absolute_error
from optimise.fill.report.placement import Placed, PlacementOptions, place_sensors
from optimise.fill.report.surprise import surprise
from optimise.fill.report.town import Study, advise, expected_errors, study
from optimise.fill.training import TrainingData
from tests.sensing import START, TEST_H, Commune, commune, errors_of, fullest

BINS, SENSORED, MORE, DAYS = 150, 30, 25, 21
CUT_S = int(START.timestamp()) + DAYS * 24 * HOUR_S


@dataclass(frozen=True)
class Case:
    town: Commune
    sensored: np.ndarray
    others: np.ndarray
    known: TrainingData
    studied: Study


def make_case(seed: int) -> Case:
    town = commune(seed=seed, bins=BINS, days=DAYS + TEST_H // 24)
    order = np.random.default_rng(seed).permutation(BINS)
    known = town.heard(order[:SENSORED]).at(CUT_S)
    return Case(town, order[:SENSORED], order[SENSORED:], known, study(known, seed=0))


@pytest.fixture(scope="module")
def case() -> Case:
    return make_case(21)


def test_advice_is_for_bins_without_a_sensor_each_once_and_apart(case: Case):
    advice = advise(case.known, case.studied, PlacementOptions(sensors=MORE, apart_m=80.0))
    rows = [one.row for one in advice.placed]
    assert len(set(rows)) == MORE
    assert not case.known.has_sensor[rows].any()
    where_m = positions_km(case.known.bins)[rows] * 1000
    apart = np.linalg.norm(where_m[:, None] - where_m[None], axis=2) + np.eye(MORE) * 1e6
    assert apart.min() >= 80.0


def test_each_sensor_lowers_the_expected_error_by_what_is_said_of_it(case: Case):
    advice = advise(case.known, case.studied, PlacementOptions(sensors=MORE))
    errors = np.array([advice.error_now, *advice.error_after])
    said = np.array([one.own + one.others for one in advice.placed])
    assert (said > 0).all()
    assert -np.diff(errors) * BINS == pytest.approx(said)
    assert advice.error_now == pytest.approx(
        expected_errors(case.known, case.studied, PlacementOptions()).mean(), rel=0.02
    )


def test_the_same_town_gets_the_same_advice_and_more_sensors_begin_with_the_same(case: Case):
    few, many = (advise(case.known, case.studied, PlacementOptions(sensors=count)) for count in (5, 12))
    assert [one.row for one in many.placed[:5]] == [one.row for one in few.placed]
    assert many.error_after[:5] == few.error_after


def test_looking_at_few_candidates_again_chooses_as_looking_at_all_would():
    random = np.random.default_rng(3)
    bins = 90
    root = random.normal(size=(bins, 12))
    covariance = root @ root.T / 12 + 0.05 * np.eye(bins)
    exposure = Exposure(
        gain=random.uniform(0.1, 0.9, (bins, 3)),
        rest=random.uniform(0.001, 0.01, (bins, 3)),
        sensed_sd=np.full((bins, 3), 0.04),
        sensor_variance=random.uniform(0.01, 0.05, bins),
        factor=random.uniform(0.7, 1.4, bins),
    )
    has_sensor = random.random(bins) < 0.2
    town = commune(seed=21, bins=BINS, days=DAYS + TEST_H // 24)
    advice = place_sensors(
        town.bins[:bins],
        covariance=covariance,
        has_sensor=has_sensor,
        exposure=exposure,
        options=PlacementOptions(sensors=4, apart_m=0.0),
    )
    known, sensed = covariance.copy(), has_sensor.copy()
    for placed in advice.placed:
        errors = [_mean_error(known, sensed, exposure, row) for row in range(bins)]
        best = int(np.argmin(np.where(sensed, np.inf, errors)))
        assert placed.row == best
        known = _told(known, exposure, best)
        sensed[best] = True


def _told(covariance: np.ndarray, exposure: Exposure, row: int) -> np.ndarray:
    column = covariance[:, row]
    return covariance - np.outer(column, column) / (column[row] + exposure.sensor_variance[row])


def _mean_error(covariance: np.ndarray, sensed: np.ndarray, exposure: Exposure, row: int) -> float:
    variance = np.maximum(np.diag(_told(covariance, exposure, row)), 0)
    has = sensed.copy()
    has[row] = True
    return float(np.where(has, exposure.sensed_error(), exposure.unsensed_error(variance)).mean())


def test_the_error_until_full_is_that_of_many_draws():
    random = np.random.default_rng(0)
    for level, sd in ((0.3, 0.1), (0.8, 0.3), (1.0, 0.2), (1.2, 0.3), (2.0, 0.1)):
        drawn = np.minimum(random.normal(level, sd, 400_000), 1.0)
        expected = float(_absolute_error(np.array(level), np.array(sd)))
        assert expected == pytest.approx(np.abs(drawn - min(level, 1.0)).mean(), abs=1e-3)


def test_bins_that_crews_find_as_forecast_surprise_less(case: Case):
    data, model = case.known, case.studied.model
    before = surprise(data, model)
    assert before.mean() == pytest.approx(1.0, abs=0.15)
    said = np.flatnonzero(np.isfinite(data.declared.found))
    row = int(data.declared.bin_row[said[0]])
    mine = data.declared.bin_row == row
    wrong = replace(data.declared, found=np.where(mine, 0.0, data.declared.found))
    never = replace(data.declared, found=np.full(len(data.declared), np.nan))
    assert surprise(replace(data, declared=wrong), model)[row] > before[row]
    assert (surprise(replace(data, declared=never), model) == 1.0).all()


def test_a_town_without_history_gets_advice_and_one_with_sensors_everywhere_none(case: Case):
    nothing = case.known.hiding(np.ones(BINS, dtype=bool))
    advice = advise(nothing, study(nothing, seed=0), PlacementOptions(sensors=3))
    assert len(advice.placed) == 3
    assert advice.error_after[-1] < advice.error_now
    everywhere = case.town.heard(np.arange(BINS)).at(CUT_S)
    assert advise(everywhere, case.studied, PlacementOptions()).placed == ()


@pytest.mark.parametrize(("name", "value"), [("sensors", -1), ("apart_m", -1.0), ("sensor_days", 0.0)])
def test_nonsense_is_refused(name: str, value: float):
    with pytest.raises(ValueError, match=f"expected {name} >"):
        PlacementOptions(**{name: value})


def test_advised_sensors_lower_the_true_error_more_than_others(case: Case):
    """In two towns together: a sensor is lucky or not, and a town has few of them."""
    advised, random_ones, fullest_ones, none = [], [], [], []
    for one in (case, make_case(22)):
        placed: tuple[Placed, ...] = advise(one.known, one.studied, PlacementOptions(sensors=MORE)).placed
        draws = np.random.default_rng(7)

        def error(rows: object, of: Case = one) -> float:
            return errors_of(of.town, np.concatenate([of.sensored, np.asarray(rows, dtype=np.int64)]), CUT_S)[1]

        none.append(error([]))
        advised.append(error([item.row for item in placed]))
        fullest_ones.append(error(fullest(one.known, one.studied.model, one.others)[:MORE]))
        random_ones.append(np.mean([error(draws.permutation(one.others)[:MORE]) for _ in range(3)]))
    gained = np.mean(none) - np.mean(advised)
    assert gained > 1.25 * (np.mean(none) - np.mean(random_ones)) > 0
    assert gained > np.mean(none) - np.mean(fullest_ones)
