"""A frozen sensor says one level again and again: the review of readings tells, and the forecast goes over to none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.review.declared import DeclaredTable
from ingest.review.habits import days_of, habits_of
from ingest.review.levels import review_levels
from optimise.fill.forecast import Forecaster, train
from storage.level_table import LevelTable
from storage.model import Quality
from storage.signal_table import CODES, SignalTable
from tests.unit.test_fill_forecast import NOW_H, START_S, VALID_S, Town, make_town

FROZEN_H = 84
NOW_S = START_S + NOW_H * 3600


@dataclass(frozen=True)
class Trained:
    town: Town
    forecaster: Forecaster


@pytest.fixture(scope="module")
def trained() -> Trained:
    town = make_town(1)
    return Trained(town=town, forecaster=train(town.known(), seed=0))


def frozen(town: Town) -> LevelTable:
    """Return the levels of the town had every sensor said the same ever since it froze."""
    levels = town.levels
    place, at_s, fill = levels.place_id, levels.measured_at_s, levels.fill_fraction.copy()
    since = NOW_S - FROZEN_H * 3600
    for name in np.unique(place):
        mine = np.flatnonzero(place == name)
        late = mine[at_s[mine] > since]
        fill[late] = fill[mine[at_s[mine] <= since][-1]]
    return LevelTable(place_id=place, measured_at_s=at_s, fill_fraction=fill)


def believed(town: Town, levels: LevelTable) -> NDArray[np.bool_]:
    """Return which of the levels the review leaves as they are."""
    names, series = np.unique(levels.place_id, return_inverse=True)
    count = len(series)
    unknown = {
        name: np.full(count, np.nan)
        for name in ("distance_mm", "empty_distance_mm", "temperature_c", "battery_percent")
    } | {name: np.full(count, np.nan) for name in ("battery_v", "rssi_dbm", "snr_db")}
    order = np.lexsort((levels.measured_at_s, series))
    at_us = levels.measured_at_s[order].astype(np.int64) * 1_000_000
    table = SignalTable(
        series=series[order].astype(np.int64),
        measured_us=at_us,
        record_index=np.zeros(count, np.int64),
        heard_us=at_us,
        quality=np.full(count, CODES[Quality.OK]),
        fill_fraction=levels.fill_fraction[order].astype(np.float64),
        frame_counter=np.full(count, -1),
        **unknown,
        **{name: np.zeros(count, dtype=bool) for name in ("tilted", "fire", "full")},
    )
    number = {name: row for row, name in enumerate(names.tolist())}
    said = sorted(
        (number[item.place_id], item.emptied_at.timestamp(), np.nan)
        for item in town.emptyings
        if item.place_id in number
    )
    declared = DeclaredTable(
        series=np.array([row for row, _, _ in said], dtype=np.int64),
        at_s=np.array([at for _, at, _ in said]),
        found=np.array([found for _, _, found in said]),
    )
    device_ids = np.arange(len(names), dtype=np.int64)
    habits = habits_of(days_of(table, device_ids), device_ids)
    quality = review_levels(table, habits, declared, until_s=float(NOW_S)).verdicts.quality
    good = np.zeros(count, dtype=bool)
    good[order] = quality == CODES[Quality.OK]
    return good


def of(levels: LevelTable, keep: NDArray[np.bool_]) -> LevelTable:
    return LevelTable(
        place_id=levels.place_id[keep],
        measured_at_s=levels.measured_at_s[keep],
        fill_fraction=levels.fill_fraction[keep],
    )


def test_a_frozen_sensor_degrades_to_none(trained: Trained) -> None:
    town, rows = trained.town, trained.town.sensored
    stuck = frozen(town)
    trusted = of(stuck, believed(town, stuck))
    taken_in = replace(town, levels=stuck).known()
    known = replace(town, levels=trusted).known()
    whole, gone = (trained.forecaster.forecast(data, VALID_S) for data in (taken_in, known))
    mute = trained.forecaster.forecast(
        replace(town, levels=of(town.levels, np.zeros(len(stuck), bool))).known(), VALID_S
    )

    def width(table: np.ndarray) -> float:
        return float(np.median(table[rows, 0, 3] - table[rows, 0, 1]))

    def error(table: np.ndarray) -> float:
        return float(np.abs(table[rows, :, 2] - town.truth[rows]).mean())

    # Who believed it would be sure of a level that is wrong.
    assert width(whole.quantiles) < 0.5 * width(mute.quantiles)
    assert error(gone.quantiles) < 0.8 * error(whole.quantiles)
    assert width(gone.quantiles) == pytest.approx(width(mute.quantiles), rel=0.2)
    assert error(gone.quantiles) == pytest.approx(error(mute.quantiles), rel=0.2)
