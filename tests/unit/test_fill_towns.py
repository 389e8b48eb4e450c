"""Forecasts tried on any town's file: nothing leaks, the same seed does the same, and what cannot be tried says why."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optimise.fill.towns import unsensored
from optimise.fill.towns.columns import parse_mapping
from optimise.fill.towns.evaluate import TrialOptions, evaluate
from optimise.fill.towns.setting import Setting, set_up
from optimise.fill.towns.table import read_table
from optimise.fill.towns.town import Town, build_town
from tests.unit.fill_files import emptyings, levels, numbered

SHORT = TrialOptions(folds=3, seed=0, moments=2400)
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


def test_when_bins_get_full_is_foretold_in_hours(tried: dict[str, Any]) -> None:
    full = tried["protocols"]["unsensored"]["time_of_full"]
    assert full["intervals"] >= 30  # fewer say nothing
    assert 0 < full["mae_h"] < full["baselines"]["global_mean"]


def test_the_same_seed_gives_the_same_figures() -> None:
    lines = levels(bins=6, days=20)
    found = [evaluate(town_of(lines), replace(SHORT, seed=seed)) for seed in (1, 1, 2)]
    figures = [[scores["mae"] for scores in every_score(each["protocols"])] for each in found]
    assert figures[0] == figures[1] != figures[2]


def setting_of(town: Town) -> Setting:
    return set_up(town, folds=3, seed=0, most=1500)


def test_bins_and_times_in_which_is_learnt_validated_and_tested_are_apart() -> None:
    setting = setting_of(town_of(levels(bins=9, days=40)))
    held = unsensored.forecast_scenes(setting)
    assert {len(hidden) for hidden in held} == {1, 2}
    for hidden, by_looks in held.items():
        cases = by_looks[0].cases
        assert set(setting.fold[cases.bin_row]) <= set(hidden)
        since, until = (
            (setting.cuts.test_s, np.inf) if len(hidden) == 1 else (setting.cuts.validation_s, setting.cuts.test_s)
        )
        assert cases.at_s.min() >= since
        assert cases.at_s.max() < until
    tested = unsensored.run(setting, held, looks=3)
    bins = [set(part.bin_row) for part in tested]
    assert all(not one & other for one, other in pairwise(bins))
    assert all(part.at_s.min() >= setting.cuts.test_s for part in tested)


def test_levels_of_a_held_out_bin_never_reach_its_forecast() -> None:
    town = town_of(levels(bins=9, days=40))
    setting = setting_of(town)
    hidden = setting.fold == 0
    wild = np.random.default_rng(1).permutation(np.flatnonzero(hidden[town.bin_row]))
    fill, found = town.fill.copy(), town.found.copy()
    fill[np.sort(wild)] = fill[wild]
    found[hidden[town.emptied_row]] = 0.5
    lied = set_up(replace(town, fill=fill, found=found), folds=3, seed=0, most=1500)
    lied = replace(lied, fold=setting.fold, marks=setting.marks, cuts=setting.cuts)
    told, lied_to = (unsensored.forecast_scenes(each)[0,] for each in (setting, lied))
    assert np.array_equal(told[0].members, lied_to[0].members)
    # With looks, what was found at the bin is what it may know.
    assert not np.array_equal(told[3].members, lied_to[3].members)


@pytest.mark.parametrize(
    ("lines", "of_emptyings", "protocol", "reason"),
    [
        (levels(bins=3, days=40), False, "unsensored", "to hold out whole bins takes 6"),
        (levels(bins=8, days=120, every_h=24), False, "sensored.6", "too few readings of a bin are about 6 h apart"),
        (emptyings(bins=8), True, "sensored.24", "emptyings tell levels only when a bin is emptied"),
        (levels(bins=1, days=2), False, "unsensored", "it takes 200"),
    ],
)
def test_what_cannot_be_tried_says_why(lines: list[str], of_emptyings: bool, protocol: str, reason: str) -> None:  # noqa: FBT001
    found = evaluate(town_of(lines, of_emptyings=of_emptyings), SHORT)
    assert reason in found["why"][protocol]
    name, _, part = protocol.partition(".")
    assert (found["protocols"][name][part] if part else found["protocols"][name]) is None


@pytest.mark.parametrize(
    ("lines", "of_emptyings"),
    [(levels(bins=7, days=30, places=False), False), (emptyings(), True), (levels(bins=9, days=50, step=0.25), False)],
    ids=["no places", "emptyings in quarters", "levels in quarters"],
)
def test_any_town_gets_an_answer(lines: list[str], of_emptyings: bool) -> None:  # noqa: FBT001
    found = evaluate(town_of(lines, of_emptyings=of_emptyings), SHORT)
    assert found["protocols"]["unsensored"] is not None
    for scores in every_score(found["protocols"]):
        assert 0.55 <= scores["coverage_80"] <= 1
        assert np.isfinite(scores["mae"])


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
    found = evaluate(build_town(table, of_emptyings=False, time_zone=zone), replace(SHORT, moments=6000))
    protocols = found["protocols"]
    assert protocols["unsensored"]["skill_vs_best"] > 0.05
    assert protocols["sensored"]["24"]["skill_vs_best"] > 0.2
    for scores in every_score(protocols):
        assert 0.68 <= scores["coverage_80"] <= 0.92
