"""The review on real sensors' levels: nobody labelled them, but the emptyings of a real town have a known rhythm."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ingest.review.declared import NONE_DECLARED
from ingest.review.habits import days_of, habits_of
from ingest.review.levels import LevelFindings, review_levels
from storage.model import Quality
from storage.signal_table import CODES, SignalTable
from tests.unit.test_review_devices import table_of

WEEK_S = 7 * 86400


def read(file: Path, *, who: str, when: str, level: str, scale: float) -> tuple[list[str], SignalTable]:
    by_device: defaultdict[str, dict[float, float]] = defaultdict(dict)
    with file.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            hour = datetime.fromisoformat(row[when]).replace(tzinfo=UTC).timestamp() / 3600
            by_device[row[who]][hour] = float(row[level]) / scale
    names = sorted(by_device)
    keys = [(index, hour) for index, name in enumerate(names) for hour in sorted(by_device[name])]
    levels = [by_device[names[index]][hour] for index, hour in keys]
    return names, table_of(keys, fill_fraction=levels)


def judge(table: SignalTable, count: int) -> LevelFindings:
    ids = np.arange(count)
    return review_levels(table, habits_of(days_of(table, ids), ids), NONE_DECLARED, until_s=float(table.at_s.max()))


def weeks(table: SignalTable, series: int) -> float:
    mine = table.at_s[table.series == series]
    return float(mine[-1] - mine[0]) / WEEK_S


def test_pragues_containers_are_emptied_as_their_streams_are(reference_data: Path):
    """Glass and plastic about twice a month to weekly, paper several times a week; each from full enough to empty."""
    names, table = read(
        reference_data / "fill" / "prague_levels.csv", who="container", when="time", level="fill_pct", scale=100
    )
    stream_of = {}
    with (reference_data / "fill" / "prague_levels.csv").open(encoding="utf-8") as rows:
        stream_of = {row["container"]: row["stream"] for row in csv.DictReader(rows)}
    findings = judge(table, len(names))
    seen = findings.emptyings
    for series, name in enumerate(names):
        mine = (seen.series == series) & (seen.confidence >= 0.5)
        a_week = mine.sum() / weeks(table, series)
        low, high = (2.0, 7.0) if stream_of[name] == "5" else (0.15, 2.0)
        assert low <= a_week <= high, name
        assert np.median(seen.level_before[mine]) >= 0.25, name
        assert np.median(seen.level_after[mine]) <= 0.15, name


def test_pragues_frozen_weeks_are_found_and_its_quiet_ones_are_not(reference_data: Path):
    names, table = read(
        reference_data / "fill" / "prague_levels.csv", who="container", when="time", level="fill_pct", scale=100
    )
    quality = judge(table, len(names)).verdicts.quality
    stuck = quality == CODES[Quality.STUCK]
    ok = np.array([(quality[table.series == series] == CODES[Quality.OK]).mean() for series in range(len(names))])
    assert np.sort(ok)[1:].min() >= 0.95
    assert ok.min() >= 0.85
    # A run of weeks on one value between 5 and 95 % is no quiet container.
    value, series = table.fill_fraction, table.series
    edge = np.flatnonzero(np.append(True, (value[1:] != value[:-1]) | (series[1:] != series[:-1])))
    for first, last in zip(edge, np.append(edge[1:], len(value)) - 1, strict=True):
        if table.at_s[last] - table.at_s[first] > 14 * 86400 and last - first > 60 and 0.05 < value[first] < 0.95:
            assert stuck[first + 1 : last + 1].all()


def test_wyndhams_street_bins_are_emptied_when_they_are_full_enough(reference_data: Path):
    """One reading a day in steps of a fifth: rounding is no emptying, and a constant week no stuck sensor."""
    names, table = read(
        reference_data / "fill" / "wyndham_levels.csv",
        who="serialNumber",
        when="timestamp",
        level="latestFullness",
        scale=10,
    )
    findings = judge(table, len(names))
    assert (findings.verdicts.quality == CODES[Quality.OK]).mean() >= 0.999
    seen = findings.emptyings
    for series, name in enumerate(names):
        mine = (seen.series == series) & (seen.confidence >= 0.8)
        assert 0.1 <= mine.sum() / weeks(table, series) <= 3.5, name
        assert np.median(seen.level_after[mine]) <= 0.2, name
    # A step down by one fifth is what rounding does, too.
    one_step = seen.level_before - seen.level_after < 0.3
    assert not (one_step & (seen.confidence >= 0.8)).any()
