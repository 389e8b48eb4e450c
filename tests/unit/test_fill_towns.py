"""Forecasts tried on any town's file: nothing leaks, the same seed does the same, and what cannot be tried says why."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr

from optimise.fill.conformal import interval, learn_law
from optimise.fill.likelihood import learn_likelihood
from optimise.fill.rates import leave_one_out
from optimise.fill.towns import unsensored
from optimise.fill.towns.columns import parse_mapping
from optimise.fill.towns.evaluate import TrialOptions, evaluate
from optimise.fill.towns.learnt import learn
from optimise.fill.towns.looks import Looks, told
from optimise.fill.towns.prior import usable_looks
from optimise.fill.towns.setting import Setting, set_up
from optimise.fill.towns.table import read_table
from optimise.fill.towns.town import Town, build_town
from tests.unit.fill_files import emptyings, levels, numbered

SHORT = TrialOptions(folds=3, seed=0, moments=2400)
POOL = replace(SHORT, served_bin_hours=0)
"""Without the method in service, which takes longer than all the rest."""
SCORES = {
    "n",
    "mae",
    "rmse",
    "pinball",
    "coverage_80",
    "coverage_90",
    "width_80",
    "width_90",
    "worst_group_coverage_80",
    "baselines",
    "best_baseline",
    "skill_vs_best",
}
WYNDHAM = "bin_id=serialNumber,measured_at=timestamp,fill_percent=latestFullness*10,lon=longitude,lat=latitude"
PRAGUE = "bin_id=container,measured_at=time,fill_percent=fill_pct,kind=stream"


def town_of(lines: list[str], *, of_emptyings: bool = False) -> Town:
    table = read_table(numbered(lines), emptyings=of_emptyings, time_zone="Europe/Paris")
    return build_town(table, of_emptyings=of_emptyings, time_zone="Europe/Paris")


def every_score(protocols: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        scores
        for scores in (*protocols["sensored"].values(), protocols["unsensored"], *protocols["few_looks"].values())
        if scores is not None
    ]


@pytest.fixture(scope="module")
def tried() -> dict[str, Any]:
    return evaluate(town_of(levels()), SHORT)


def test_the_answer_has_the_shape_that_is_documented(tried: dict[str, Any]) -> None:
    protocols = tried["protocols"]
    assert list(protocols) == ["sensored", "unsensored", "few_looks"]
    assert list(protocols["sensored"]) == ["6", "24", "72"]
    assert list(protocols["few_looks"]) == ["1", "3", "10"]
    assert len(every_score(protocols)) == 7
    for scores in every_score(protocols):
        assert set(scores) >= SCORES
        assert scores["skill_vs_best"] == pytest.approx(1 - scores["mae"] / min(scores["baselines"].values()))
        assert scores["coverage_80"] <= scores["coverage_90"]
        assert scores["width_80"] <= scores["width_90"]
    assert {"persistence", "own_seasonal_mean"} <= set(protocols["sensored"]["24"]["baselines"])
    assert {"nearest_bins", "kriging", "knn_place_features"} <= set(protocols["unsensored"]["baselines"])


def test_a_look_at_a_bin_is_worth_having(tried: dict[str, Any]) -> None:
    looks = tried["protocols"]["few_looks"]
    assert looks["10"]["mae"] < looks["1"]["mae"] < tried["protocols"]["unsensored"]["mae"]


def test_what_stops_the_figures_stands_beside_them(tried: dict[str, Any]) -> None:
    protocols = tried["protocols"]
    for scores in (protocols["unsensored"], *protocols["few_looks"].values()):
        floor = scores["noise_floor"]
        assert floor["mae"] > 0
        assert floor["mae_above"] == pytest.approx(scores["mae"] - floor["mae"])
        assert floor["coverage_80"] == pytest.approx(2 * scores["coverage_80_error"])
        assert 0 < scores["coverage_80_inner"] <= scores["coverage_80"]


@pytest.fixture(scope="module")
def in_quarters() -> dict[str, Any]:
    return evaluate(town_of(levels(bins=9, days=50, step=0.25)), POOL)


def test_of_levels_in_coarse_steps_those_at_the_ends_are_told_apart(in_quarters: dict[str, Any]) -> None:
    scores = in_quarters["protocols"]["unsensored"]
    assert scores["coverage_80_inner"] < scores["coverage_80"] - 0.1
    assert scores["noise_floor"]["steps"] == (scores["coverage_80_inner"] <= 0.8 <= scores["coverage_80"])


def test_when_bins_get_full_is_foretold_in_hours(tried: dict[str, Any]) -> None:
    full = tried["protocols"]["unsensored"]["time_of_full"]
    assert full["intervals"] >= 30  # fewer say nothing
    assert 0 < full["mae_h"] < full["baselines"]["global_mean"]


def test_the_same_seed_gives_the_same_figures() -> None:
    lines = levels(bins=6, days=20)
    found = [evaluate(town_of(lines), replace(POOL, seed=seed)) for seed in (1, 1, 2)]
    figures = [[scores["mae"] for scores in every_score(each["protocols"])] for each in found]
    assert figures[0] == figures[1] != figures[2]


@cache
def setting() -> Setting:
    return set_up(town_of(levels(bins=9, days=40)), folds=3, seed=0, most=1500)


@cache
def scenes() -> unsensored.Scenes:
    return unsensored.forecast_scenes(setting())


def test_bins_and_times_in_which_is_learnt_validated_and_tested_are_apart() -> None:
    split, held = setting(), scenes()
    assert {len(hidden) for hidden in held} == {1, 2}
    for hidden, by_looks in held.items():
        cases = by_looks[0].cases
        assert set(split.fold[cases.bin_row]) <= set(hidden)
        since, until = (split.cuts.test_s, np.inf) if len(hidden) == 1 else (split.cuts.validation_s, split.cuts.test_s)
        assert cases.at_s.min() >= since
        assert cases.at_s.max() < until
    tested = unsensored.run(split, held, looks=3)
    bins = [set(part.bin_row) for part in tested]
    assert all(not one & other for one, other in pairwise(bins))
    assert all(part.at_s.min() >= split.cuts.test_s for part in tested)


def test_levels_of_a_held_out_bin_never_reach_its_forecast() -> None:
    split = setting()
    town, hidden = split.town, split.fold == 0
    wild = np.random.default_rng(1).permutation(np.flatnonzero(hidden[town.bin_row]))
    fill, found = town.fill.copy(), town.found.copy()
    fill[np.sort(wild)] = fill[wild]
    found[hidden[town.emptied_row]] = 0.5
    lied = set_up(replace(town, fill=fill, found=found), folds=3, seed=0, most=1500)
    lied = replace(lied, fold=split.fold, marks=split.marks, cuts=split.cuts)
    told, lied_to = (held[0,] for held in (scenes(), unsensored.forecast_scenes(lied)))
    assert np.array_equal(told[0].members, lied_to[0].members)
    # With looks, what was found at the bin is what it may know.
    assert not np.array_equal(told[3].members, lied_to[3].members)


@pytest.mark.parametrize(
    ("lines", "of_emptyings", "protocol", "reason"),
    [
        (levels(bins=3, days=40), False, "unsensored", "to hold out whole bins takes 6"),
        (levels(bins=4, days=120, every_h=24), False, "sensored.6", "too few readings of a bin are about 6 h apart"),
        (emptyings(bins=5), True, "sensored.24", "emptyings tell levels only when a bin is emptied"),
        (levels(bins=1, days=2), False, "unsensored", "it takes 200"),
    ],
)
def test_what_cannot_be_tried_says_why(*, lines: list[str], of_emptyings: bool, protocol: str, reason: str) -> None:
    found = evaluate(town_of(lines, of_emptyings=of_emptyings), POOL)
    assert reason in found["why"][protocol]
    name, _, part = protocol.partition(".")
    assert (found["protocols"][name][part] if part else found["protocols"][name]) is None


@pytest.mark.parametrize(
    ("lines", "of_emptyings"),
    [(levels(bins=7, days=30, places=False), False), (emptyings(), True), (None, False)],
    ids=["no places", "emptyings in quarters", "levels in quarters"],
)
def test_any_town_gets_an_answer(*, lines: list[str] | None, of_emptyings: bool, in_quarters: dict[str, Any]) -> None:
    found = in_quarters if lines is None else evaluate(town_of(lines, of_emptyings=of_emptyings), SHORT)
    assert found["protocols"]["unsensored"] is not None
    for scores in every_score(found["protocols"]):
        assert 0.55 <= scores["coverage_80"] <= 1
        assert np.isfinite(scores["mae"])


def test_a_town_in_which_every_bin_is_found_full_is_no_error() -> None:
    header, *rows = emptyings(days=60)
    full = [header, *(";".join([*row.split(";")[:2], "100", row.split(";")[3]]) for row in rows)]
    scores = evaluate(town_of(full, of_emptyings=True), POOL)["protocols"]["unsensored"]
    assert (scores["mae"], scores["coverage_80"]) == (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mapping", "zone"),
    [("wyndham", WYNDHAM, "Australia/Melbourne"), ("prague", PRAGUE, "Europe/Prague")],
)
def test_real_towns_in_short(name: str, mapping: str, zone: str, reference_data: Path) -> None:
    lines = (reference_data / "fill" / f"{name}_levels.csv").read_text(encoding="utf-8").splitlines()
    bad = [lines[1], "no time,0,,,,,,,,", "x"]
    table = read_table(numbered([*lines, *bad]), emptyings=False, time_zone=zone, mapping=parse_mapping(mapping))
    assert table.refused == 3
    assert [refusal.line for refusal in table.refusals] == [len(lines) + 1, len(lines) + 2, len(lines) + 3]
    assert table.refusals[0].reason == "a second row of the same bin and time"
    found = evaluate(build_town(table, of_emptyings=False, time_zone=zone), replace(POOL, moments=6000))
    protocols = found["protocols"]
    assert protocols["unsensored"]["skill_vs_best"] > 0.05
    assert protocols["sensored"]["24"]["skill_vs_best"] > 0.2
    for scores in every_score(protocols):
        assert 0.68 <= scores["coverage_80"] <= 0.92


def test_the_method_in_service_is_tried_on_the_same_cases(tried: dict[str, Any]) -> None:
    serving = tried["protocols"]["unsensored"]["in_service"]
    assert 0 < serving["mae"] < tried["protocols"]["unsensored"]["baselines"]["global_mean"]
    assert 0.6 <= serving["coverage_80"] <= 1
    assert serving["below_p10"] + serving["above_p90"] == pytest.approx(1 - serving["coverage_80"])


def test_the_rate_of_a_bin_left_out_is_what_the_others_alone_tell() -> None:
    rng = np.random.default_rng(0)
    inputs = np.column_stack([rng.normal(size=(12, 2)), rng.uniform(0, 1, (12, 2)), np.arange(12.0)])
    rate, variance = rng.normal(-4, 0.5, 12), rng.uniform(0.01, 0.2, 12)
    variance[7] = np.inf
    told, _ = leave_one_out(inputs, rate, variance, seed=0)
    assert np.isfinite(told).all()
    other = rate.copy()
    other[7] = 99.0  # nobody saw it
    assert np.array_equal(leave_one_out(inputs, other, variance, seed=0)[0], told)
    other[3] += 1.0
    moved = leave_one_out(inputs, other, variance, seed=0)[0] - told
    # What is seen at a bin says nothing of it "by the others", but for the town's mean.
    assert abs(moved[3]) < 0.2
    assert moved.mean() > 0


def test_a_full_bin_says_that_as_much_or_more_came() -> None:
    hours = np.full(6, 48.0)
    row = np.zeros(6, dtype=np.int64)
    taught = np.ones(6, dtype=bool)
    half, full = (np.full(6, level) for level in (0.5, 1.0))
    known = learn_likelihood(row, half, hours, taught, 0.01)
    mean, sd = known.evidence(known.of(half, hours).sum(axis=0, keepdims=True))
    assert np.exp(mean[0]) == pytest.approx(0.5 / 48, rel=0.2)
    more, doubt = known.evidence(known.of(full, hours).sum(axis=0, keepdims=True))
    assert np.exp(more[0]) > 1 / 48
    assert doubt[0] > 2 * sd[0]


def test_looks_narrow_what_is_known_of_a_rate_and_old_ones_count_less() -> None:
    split = setting()
    town = split.town
    prior = learn(town, split.cases, split.grid, split.fold != 0, split.cuts.test_s).prior
    row = np.flatnonzero(split.fold == 0)[:1]
    mine = np.flatnonzero((town.emptied_row == row[0]) & usable_looks(town))[:6]
    looks = Looks(emptying=mine[None, ::-1])
    doubts = []
    for count in range(7):
        seen = Looks(emptying=np.where(np.arange(6) < count, looks.emptying, -1))
        weight = told(town, np.ones(len(town.emptied_s)), seen).weights(1.0)
        doubts.append(prior.rates(row, seen.emptying, weight)[1][0])
    assert doubts[0] == pytest.approx(prior.log_rate_sd[row[0]], rel=0.1)
    assert doubts[6] < 0.7 * doubts[0]
    weights = told(town, np.ones(len(town.emptied_s)), looks).weights(0.8)[0]
    assert (np.diff(weights) < 0).all()


@pytest.mark.parametrize("steps", [4, 10, 100])
def test_intervals_hold_on_new_bins_though_levels_come_in_steps(steps: int) -> None:
    marks = np.linspace(0, 1, steps + 1)

    def draw(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        bin_row = np.repeat(np.arange(300), 20)
        middle = rng.uniform(0.1, 0.9, len(bin_row))
        # Two times as wrong as the distribution says, and each bin in its own way.
        level = middle + 0.12 * rng.normal(size=300)[bin_row] + 0.12 * rng.normal(size=len(bin_row))
        actual = marks[np.abs(np.clip(level, 0, 1)[:, None] - marks).argmin(axis=1)]
        half = np.append((marks[1:] + marks[:-1]) / 2, np.inf)
        return bin_row, actual, ndtr((half[None, :] - middle[:, None]) / 0.09)

    bin_row, actual, distribution = draw(0)
    group = bin_row % 3
    law = learn_law(distribution, actual, marks=marks, bin_row=bin_row, group=group, groups=3)
    _, actual, distribution = draw(1)
    low, high = interval(distribution, law.reach(group, 0.8), marks)
    inside = (low - 1e-9 <= actual) & (actual <= high + 1e-9)
    assert inside.mean() == pytest.approx(0.8, abs=0.03)
    for name in range(3):
        assert inside[group == name].mean() == pytest.approx(0.8, abs=0.06)
