"""The report's values: they agree with what training says, add up, and name what the forecast lives on."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cli.report.document import document_of
from optimise.fill.forecast import train
from optimise.fill.report.by_bin import reasons_of
from optimise.fill.report.drivers import drivers, withheld
from optimise.fill.report.placement import PlacementOptions
from optimise.fill.report.town import study
from optimise.fill.report.tried import Tried, tried
from optimise.fill.report.whole import Report, ReportOptions, make_report
from optimise.fill.training import TrainingData
from tests.sensing import commune

BINS, SENSORED, DAYS = 110, 60, 14


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return commune(seed=31, bins=BINS, days=DAYS).heard(np.random.default_rng(1).permutation(BINS)[:SENSORED])


@pytest.fixture(scope="module")
def report(data: TrainingData) -> Report:
    return make_report(data, ReportOptions(placement=PlacementOptions(sensors=4)))


def made_of(report: Report) -> Tried:
    assert report.unsensored is not None
    return report.unsensored.made


def test_the_errors_are_those_that_training_states(data: TrainingData, report: Report):
    scores = train(data, seed=0).scores
    for name, part in (("unsensored", report.unsensored), ("sensored", report.sensored)):
        assert part is not None
        assert (len(part.made), part.made.simple_name) == (scores[name]["n"], scores[name]["best_baseline"])
        assert part.made.error.mean() == pytest.approx(scores[name]["mae"])
        assert part.made.simple_error.mean() == pytest.approx(scores[name]["best_baseline_mae"])
        assert part.made.inside(0.8).mean() == pytest.approx(scores[name]["coverage_80"])


def test_errors_of_bins_hours_and_groups_add_up_to_the_whole(report: Report):
    part, made = report.unsensored, made_of(report)
    assert part is not None
    assert sum(one.n * one.mae for one in part.ahead) / len(made) == pytest.approx(made.error.mean())
    assert sum(point.n for point in part.full) == len(made)
    for one in report.errors:
        mine = made.bin_row == one.row
        assert (one.n, one.mae) == (mine.sum(), pytest.approx(made.error[mine].mean()))
        assert abs(one.bias) <= one.mae + 1e-9
    assert [one.mae for one in report.errors] == sorted(one.mae for one in report.errors)
    thirds = [one for one in part.groups if one.theme == "pace"]
    assert sum(one.n for one in thirds) == len(made)


def test_the_best_and_the_worst_are_ten_each_and_no_bin_is_both(report: Report):
    worst, best = ({one.row for one in some} for some in (report.worst, report.best))
    assert len(worst) == len(best) == 10
    assert not worst & best
    assert min(one.mae for one in report.worst) >= max(one.mae for one in report.best)
    assert report.worst[0].mae == max(one.mae for one in report.errors)


def test_a_reason_is_a_fact_that_sets_the_bin_apart():
    looks = np.array([0.0, 4, 5, 6, 7, 8, 9, 30])
    facts = {"crew_looks": looks, "nearest_sensor_m": np.full(8, 20.0), "irregularity": np.full(8, np.nan)}
    rows = np.arange(8.0)
    assert reasons_of(0, facts, rows, worst=True) == (("crew_looks", 0.0),)
    assert reasons_of(0, facts, rows, worst=False) == ()
    assert reasons_of(7, facts, rows, worst=False) == (("crew_looks", 30.0),)
    near = {"nearest_sensor_m": np.array([10.0, 20, 30, 40, 50, 60, 70, 80])}
    assert reasons_of(7, near, rows, worst=True) == (), "80 m is the farthest here, and yet near"
    far = {"nearest_sensor_m": 10 * near["nearest_sensor_m"]}
    assert reasons_of(7, far, rows, worst=True) == (("nearest_sensor_m", 800.0),)


def test_what_is_withheld_costs_and_what_was_never_known_does_not(data: TrainingData, report: Report):
    worth = {one.name: one for one in report.drivers}
    assert set(worth) == {*withheld(data, seed=0), "own_sensor"}
    assert [one.worse_by for one in report.drivers] == sorted((one.worse_by for one in report.drivers), reverse=True)
    for one in report.drivers:
        assert one.low <= one.worse_by <= one.high
    assert worth["emptying_times"].low > 1.0
    assert worth["own_sensor"].low > 1.0
    # Of so few bins, what looks add to when crews come is within chance; what it is worth is told with its interval.
    assert worth["crew_looks"].high > 0.0
    # Nobody said how full it was: to be told nothing then costs nothing.
    silent = replace(data, declared=replace(data.declared, found=np.full(len(data.declared), np.nan)))
    studied = study(silent, seed=0)
    whole = tried(studied.unsensored)
    assert whole is not None
    again = {one.name: one for one in drivers(silent, studied.trial, whole, None, progress=lambda _stage, _share: None)}
    assert again["crew_looks"].worse_by == pytest.approx(0.0, abs=1e-9)


def test_example_weeks_hold_only_what_was_forecast_and_measured(data: TrainingData, report: Report):
    made = made_of(report)
    assert len(report.examples) == 4
    for example in report.examples:
        told = {(int(at_s), round(float(middle), 9)) for at_s, middle in zip(
            made.at_s[made.bin_row == example.row], made.middle[made.bin_row == example.row], strict=True)}  # fmt: skip
        shown = [
            (int(at_s), round(float(levels[1]), 9))
            for band in example.bands
            for at_s, levels in zip(band.at_s, band.levels, strict=True)
        ]
        assert shown
        assert set(shown) <= told
        assert len({at_s for at_s, _ in shown}) == len(shown), "one forecast at a time"
        hour = (example.at_s - data.start_s) // 3600
        measured = np.minimum(data.hourly.level[example.row, hour], 1.0)
        assert example.level == pytest.approx(measured, nan_ok=True)


def test_the_document_is_plain_json_and_the_same_each_time(data: TrainingData, report: Report):
    document = document_of(report)
    quick = make_report(data, ReportOptions(with_drivers=False, placement=PlacementOptions(sensors=4)))
    again = document_of(quick)
    assert again.pop("drivers") == []
    del document["drivers"]
    assert json.loads(json.dumps(document, allow_nan=False)) == json.loads(json.dumps(again))
    assert len(document["bins"]) == BINS
    assert len(document["sensors"]["advised"]) == 4


@pytest.mark.parametrize("hours", [1, 30])
def test_a_town_with_hardly_any_history_is_told_so(data: TrainingData, hours: int):
    young = data.at(data.start_s + hours * 3600)
    report = make_report(young, ReportOptions())
    assert report.unsensored is None
    assert (report.errors, report.worst, report.drivers, report.examples) == ([], [], [], [])
    document = document_of(report)
    assert json.dumps(document, allow_nan=False)
    assert document["unsensored"] is None
    assert np.isfinite(report.expected_error).all()
