"""The review against a simulated town's truth, on seeds that no threshold was set on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from ingest.review.levels import LevelFindings, review_levels
from simulators.faults import FaultOptions
from storage.model import Quality, Verdict
from storage.signal_table import CODES, SignalTable
from tests.review_scores import scores, silence_scores
from tests.reviewing import Case, case_of

SEEDS = (101, 102, 103)
FAULTS = FaultOptions(freeze_share=0.4, death_share=0.3)


@dataclass(frozen=True, eq=False)
class Judged:
    case: Case
    findings: LevelFindings


@cache
def judged(seed: int) -> Judged:
    case = case_of(seed=seed, faults=FAULTS, bins=60, days=21)
    return Judged(case, review_levels(case.table, case.habits, case.declared, until_s=case.until_s))


def score(seed: int, name: str) -> dict[str, float]:
    return scores(judged(seed).case, judged(seed).findings)[name]


@pytest.mark.parametrize("seed", SEEDS)
def test_frozen_sensors_are_found_and_quiet_nights_are_not(seed: int):
    stuck = score(seed, "stuck")
    assert stuck["episodes"] >= 2
    assert stuck["recall"] >= 0.85
    assert stuck["false_share"] <= 0.0005


@pytest.mark.parametrize("seed", SEEDS)
def test_wild_echoes_are_found_and_fillings_are_not(seed: int):
    spikes = score(seed, "spike")
    assert spikes["recall"] >= 0.75
    assert spikes["false_share"] <= 0.001


@pytest.mark.parametrize("seed", SEEDS)
def test_emptyings_are_seen_where_there_was_something_to_see(seed: int):
    emptyings = score(seed, "emptying")
    assert emptyings["recall_from_30_percent"] >= 0.98
    assert emptyings["recall_from_10_percent"] >= 0.9
    # A confidence is a promise: those called 90 % and more are right more often than that.
    assert emptyings["precision_at_90"] >= 0.98
    assert emptyings["precision_at_50_to_90"] >= 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_honest_crews_are_not_accused(seed: int):
    declared = score(seed, "declared")
    assert declared["seen"] >= 0.9
    assert declared["not_seen"] <= 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_dead_sensors_are_found_within_hours_and_lost_frames_are_no_death(seed: int):
    silent = silence_scores(judged(seed).case)
    assert silent["deaths"] >= 1
    assert silent["recall"] == 1.0
    assert silent["median_delay_h"] <= 8
    assert silent["false_a_device_month"] <= 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_filtered_level_is_nearer_to_the_truth_than_what_was_measured(seed: int):
    level = score(seed, "level")
    assert level["settled_mae"] < level["causal_mae"] < level["measured_mae"]
    assert level["settled_rmse"] < 0.8 * level["all_measured_rmse"]
    assert 0.9 <= level["within_two_deviations"] <= 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_settled_level_falls_only_at_emptyings(seed: int):
    """Between emptyings it rises but for noise: no step down beyond three deviations of the sensor's own noise."""
    found = judged(seed)
    level, table = found.findings.verdicts.filtered_fraction, found.case.table
    rows = np.flatnonzero(np.isfinite(level))
    same = table.series[rows][1:] == table.series[rows][:-1]
    fell = level[rows][:-1] - level[rows][1:]
    noise = found.case.habits.noise_fraction[table.series[rows][1:]]
    emptied = np.isin(table.at_s[rows][1:], found.findings.emptyings.before_s)
    large = same & ~emptied & (fell > 3 * noise)
    assert large.sum() / same.sum() < 0.003


@pytest.mark.parametrize("seed", SEEDS)
def test_reviewing_piecewise_says_the_same_as_reviewing_at_once(seed: int):
    """What is judged again with its context does not depend on how the history was cut."""
    case, whole = judged(seed).case, judged(seed).findings
    since_s = case.until_s - 10 * 86400
    part = case.table.at_s >= since_s
    table = only(case.table, part)
    declared = replace(
        case.declared,
        **{name: getattr(case.declared, name)[case.declared.at_s >= since_s] for name in ("series", "at_s", "found")},
    )
    again = review_levels(table, case.habits, declared, until_s=case.until_s)
    settled = table.at_s >= since_s + 2 * 86400
    agree = again.verdicts.quality == whole.verdicts.quality[part]
    # A freeze of more than ten days begins before the part; the simulated ones last six at most.
    assert agree[settled].mean() >= 0.9999
    both = settled & np.isfinite(again.verdicts.filtered_fraction)
    assert again.verdicts.filtered_fraction[both] == pytest.approx(
        whole.verdicts.filtered_fraction[part][both], abs=0.002
    )


def test_a_view_that_gets_blocked_is_found_by_the_emptyings_that_do_not_clear_it():
    case = case_of(seed=SEEDS[0], faults=FaultOptions(freeze_share=0, death_share=0), bins=40, days=21)
    table = case.table
    random = np.random.default_rng(3)
    since_s = case.until_s - 8 * 86400
    blocked = (table.series % 4 == 0) & (table.at_s >= since_s) & (table.quality == CODES[Quality.OK])
    near = np.where(blocked, 1.02 + random.normal(0, 0.012, len(table)), table.fill_fraction)
    distance = np.where(blocked, 140 + random.normal(0, 7, len(table)).round(), table.distance_mm)
    changed = replace(table, fill_fraction=near, distance_mm=distance)
    findings = review_levels(changed, case.habits, case.declared, until_s=case.until_s)
    found = findings.verdicts.quality == CODES[Quality.BLOCKED]
    for series in np.unique(table.series[blocked]):
        moments = case.declared.at_s[(case.declared.series == series) & (case.declared.at_s > since_s + 3600)]
        mine = blocked & (table.series == series)
        if len(moments) >= 3:
            late = mine & (table.at_s > moments[0] + 3600)
            assert found[late].mean() >= 0.95, int(series)
    assert found[table.series % 4 != 0].sum() == 0


def test_a_bin_whose_bottom_is_lower_than_was_entered_is_told_from_wild_echoes():
    case = case_of(seed=SEEDS[1], faults=FaultOptions(freeze_share=0, death_share=0), bins=30, days=14)
    table = case.table
    wrong = table.series == 7
    deeper = np.where(wrong, table.distance_mm + 400, table.distance_mm)
    beyond = wrong & (deeper > table.empty_distance_mm + 70)
    changed = replace(
        table,
        distance_mm=deeper,
        quality=np.where(beyond, CODES[Quality.IMPLAUSIBLE], table.quality),
        fill_fraction=np.where(beyond, np.nan, table.fill_fraction),
    )
    findings = review_levels(changed, case.habits, case.declared, until_s=case.until_s)
    told = findings.verdicts.quality == CODES[Quality.OUT_OF_CALIBRATION]
    assert told[beyond].mean() > 0.8
    assert told[~wrong].sum() == 0


def test_a_zero_that_is_off_is_told_by_what_emptyings_leave():
    case = case_of(seed=SEEDS[1], faults=FaultOptions(freeze_share=0, death_share=0), bins=30, days=14)
    table = case.table
    emptied_often = int(np.bincount(case.declared.series).argmax())
    off = table.series == emptied_often
    raised = np.where(off, 0.36 + 0.64 * table.fill_fraction, table.fill_fraction)
    findings = review_levels(replace(table, fill_fraction=raised), case.habits, case.declared, until_s=case.until_s)
    told = findings.verdicts.quality == CODES[Quality.OUT_OF_CALIBRATION]
    assert told[off & (table.at_s > case.until_s - 2 * 86400)].mean() > 0.8
    assert told[~off].sum() == 0


def test_a_missed_emptying_is_told_from_one_that_happened():
    case = case_of(seed=SEEDS[2], faults=FaultOptions(freeze_share=0, death_share=0), bins=40, days=10)
    level = case.table.fill_fraction
    # A crew declares an emptying in the middle of a quiet stretch of a half full bin, and did not come.
    rows = np.flatnonzero(np.isfinite(level) & (level > 0.4) & (level < 0.8))
    for row in rows[:: len(rows) // 12]:
        own, at_s = case.table.series[row], case.table.at_s[row] + 1800
        near = (case.table.series == own) & (np.abs(case.table.at_s - at_s) < 5 * 3600)
        other = (case.declared.series == own) & (np.abs(case.declared.at_s - at_s) < 6 * 3600)
        true = case.true_fraction[near]
        if other.any() or near.sum() < 8 or np.any(np.diff(true) < -0.05):
            continue
        order = np.searchsorted(case.declared.marks, own * 2.0**34 + at_s)
        declared = replace(
            case.declared,
            series=np.insert(case.declared.series, order, own),
            at_s=np.insert(case.declared.at_s, order, at_s),
            found=np.insert(case.declared.found, order, np.nan),
        )
        findings = review_levels(case.table, case.habits, declared, until_s=case.until_s)
        assert findings.comparison.verdicts[order] is Verdict.NOT_SEEN


def only(table: SignalTable, keep: np.ndarray) -> SignalTable:
    return SignalTable(**{name: getattr(table, name)[keep] for name in table.__dataclass_fields__})
