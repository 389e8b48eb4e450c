"""Forecasts of a town whose truth is known: honest on bins it never saw, and better for everything it is told.

The town is not of the model's family: deposits come in lumps, rates scatter about their surroundings, crews forget.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from optimise.fill.baselines import SENSORED, UNSENSORED
from optimise.fill.forecast import PROBABILITIES, Forecaster, ForecastTable, train
from optimise.fill.model import fit_model
from optimise.fill.options import FillOptions
from optimise.fill.training import TrainingData, assemble, whole_hours
from storage.level_table import LevelTable
from storage.model import Bin, Emptying

START_S = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
DAYS, AHEAD_H = 18, 48
NOW_H = DAYS * 24 + 17
HOURS = NOW_H + AHEAD_H
BINS, SENSORED_BINS = 240, 100
AS_OF = datetime.fromtimestamp(START_S + NOW_H * 3600, UTC)
VALID_S = START_S + 3600 * np.arange(NOW_H + 1, HOURS + 1)
FORGOTTEN, SAID = 0.03, 0.35


@dataclass(frozen=True)
class Town:
    bins: list[Bin]
    levels: LevelTable
    emptyings: list[Emptying]
    truth: NDArray[np.float64]  # (bins, 48): fill in the hours to come if nobody empties
    sensored: NDArray[np.bool_]

    def known(self, *, until_s: int = START_S + NOW_H * 3600) -> TrainingData:
        return assemble(
            bins=self.bins, levels=self.levels, emptyings=self.emptyings, as_of=datetime.fromtimestamp(until_s, UTC)
        )


def make_town(seed: int, *, sensored: int = SENSORED_BINS) -> Town:
    random = np.random.default_rng(seed)
    where = random.uniform(-0.008, 0.008, (BINS, 2))
    shops = random.poisson(3.0, BINS).astype(float)
    field = np.sin(where[:, 0] * 500) * np.cos(where[:, 1] * 400)
    daily_l = 22 * np.exp(0.3 * np.log1p(shops) - 0.3 + 0.35 * field + random.normal(0, 0.35, BINS))
    volume_l = random.choice([80.0, 120.0], BINS)
    hour = np.arange(HOURS) % 24
    day = np.where(hour < 7, 0.1, np.where(hour < 20, 1.5, 0.8))
    expected = (
        daily_l[:, None]
        / 24
        * day
        / day.mean()
        * random.lognormal(-0.04, 0.3, (BINS, HOURS // 24 + 1)).repeat(24, axis=1)[:, :HOURS]
    )
    litres = random.gamma(random.poisson(expected / 2.0) + 1e-9, 2.0)  # lumps of two litres, exponential
    thrown = np.concatenate([np.zeros((BINS, 1)), np.cumsum(litres, axis=1)], axis=1) / volume_l[:, None]
    every, first = random.integers(1, 4, BINS), random.integers(0, 3, BINS)
    level = thrown.copy()
    emptyings = []
    bins = []
    for row in range(BINS):
        place_id = f"COR-{row:04d}"
        bins.append(
            Bin(
                commune_insee="93051",
                place_id=place_id,
                longitude_deg=2.55 + where[row, 0],
                latitude_deg=48.85 + where[row, 1],
                street=None,
                bin_kind="park" if row % 7 == 0 else "street",
                volume_l=float(volume_l[row]),
                surroundings={"shops_75m": float(shops[row]), "centre_distance_m": 900.0},
            )
        )
        for at_h in range(7 + 24 * int(first[row]), NOW_H, 24 * int(every[row])):
            found = level[row, at_h]
            level[row, at_h:] = thrown[row, at_h:] - thrown[row, at_h]
            if random.random() < FORGOTTEN:
                continue
            seen = float(np.clip(np.round(4 * (found + 0.04 + random.normal(0, 0.1))) / 4, 0, 1))
            at = datetime.fromtimestamp(START_S + at_h * 3600 - 60, UTC)
            said = seen if random.random() < SAID else None
            emptyings.append(Emptying(place_id=place_id, emptied_at=at, found_fraction=said))
    has_sensor = np.zeros(BINS, dtype=bool)
    has_sensor[random.permutation(BINS)[:sensored]] = True
    rows, hours = np.nonzero(has_sensor[:, None] & (random.random((BINS, NOW_H + 1)) > 0.05))
    noise = random.normal(0, 0.015, len(rows))
    levels = LevelTable(
        place_id=np.array([bins[row].place_id for row in rows], dtype=object),
        measured_at_s=START_S + 3600 * hours,
        fill_fraction=np.clip(level[rows, hours] + noise, 0, 1.2).astype(np.float32),
    )
    return Town(
        bins=bins,
        levels=levels,
        emptyings=emptyings,
        truth=np.minimum(level[:, NOW_H + 1 :], 1.3),
        sensored=has_sensor,
    )


@dataclass(frozen=True)
class Told:
    town: Town
    data: TrainingData
    forecaster: Forecaster
    table: ForecastTable


@pytest.fixture(scope="module")
def told() -> Told:
    town = make_town(1)
    data = town.known()
    forecaster = train(data, seed=0)
    return Told(town=town, data=data, forecaster=forecaster, table=forecaster.forecast(data, VALID_S))


def error(table: ForecastTable, town: Town, rows: NDArray[np.bool_]) -> float:
    return float(np.abs(table.quantiles[rows, :, 2] - town.truth[rows]).mean())


def covered(table: ForecastTable, town: Town, rows: NDArray[np.bool_]) -> float:
    low, high = table.quantiles[rows, :, 1], table.quantiles[rows, :, 3]
    return float(((low <= town.truth[rows]) & (town.truth[rows] <= high)).mean())


def test_quantiles_rise_and_nothing_falls_while_nobody_empties(told: Told) -> None:
    quantiles, full = told.table.quantiles, told.table.probability_full
    assert quantiles.shape == (BINS, AHEAD_H, len(PROBABILITIES))
    assert np.isfinite(quantiles).all()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=2) >= 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (np.diff(full, axis=1) >= 0).all()
    assert ((full >= 0) & (full <= 1)).all()


@pytest.mark.parametrize("sensored", [False, True])
def test_intervals_hold_on_bins_the_model_never_saw(told: Told, *, sensored: bool) -> None:
    rows = told.town.sensored == sensored
    assert 0.72 <= covered(told.table, told.town, rows) <= 0.9


@pytest.mark.parametrize("sensored", [False, True])
def test_its_own_scores_are_honest(told: Told, *, sensored: bool) -> None:
    scores = told.forecaster.scores["sensored" if sensored else "unsensored"]
    assert scores["bins"] == SENSORED_BINS
    assert 0.74 <= scores["coverage_80"] <= 0.86
    # Held-out moments lie before the next emptying, hence nearer than the 48 hours judged here.
    real = 100 * error(told.table, told.town, told.town.sensored == sensored)
    assert 0.4 * real <= scores["mae"] <= 1.2 * real


@pytest.mark.parametrize("sensored", [False, True])
def test_it_beats_every_baseline(told: Told, *, sensored: bool) -> None:
    rows = told.town.sensored == sensored
    bins = [item for item, wanted in zip(told.town.bins, rows, strict=True) if wanted]
    times = whole_hours(AS_OF, AHEAD_H)
    mine = error(told.table, told.town, rows)
    for baseline in SENSORED if sensored else UNSENSORED:
        simple = np.minimum(baseline.predict(told.data, bins, times), 1.3)
        assert mine < 0.85 * np.abs(simple - told.town.truth[rows]).mean(), baseline.name
    scores = told.forecaster.scores["sensored" if sensored else "unsensored"]
    assert scores["skill_vs_best"] > 0.1


def test_the_probability_of_full_means_what_it_says(told: Told) -> None:
    full = told.town.truth >= 1
    said = told.table.probability_full
    for low, high in ((0.0, 0.15), (0.15, 0.5), (0.5, 0.85), (0.85, 1.01)):
        rows = (said >= low) & (said < high)
        # Hours of one bin are full together, so a class is some thirty bins' luck, not its thousand hours'.
        assert full[rows].mean() == pytest.approx(said[rows].mean(), abs=0.2)


def test_what_crews_saw_narrows_bins_without_a_sensor(told: Told) -> None:
    silent = replace(told.town, emptyings=[replace(item, found_fraction=None) for item in told.town.emptyings])
    data = silent.known()
    table = train(data, seed=0).forecast(data, VALID_S)
    rows = ~told.town.sensored
    assert error(told.table, told.town, rows) < 0.9 * error(table, told.town, rows)
    width, silent_width = (t.quantiles[rows, :, 3] - t.quantiles[rows, :, 1] for t in (told.table, table))
    assert width.mean() < silent_width.mean()


def test_a_sensor_is_worth_more_than_a_guess(told: Told) -> None:
    rows = told.town.sensored
    assert error(told.table, told.town, rows) < 0.75 * error(told.table, told.town, ~rows)


def test_a_silent_sensor_degrades_towards_none(told: Told) -> None:
    town = told.town
    table = told.forecaster.forecast(heard_until(town, 40), VALID_S)
    rows = town.sensored
    assert error(told.table, town, rows) < error(table, town, rows) < error(told.table, town, ~rows)
    width, late_width = (t.quantiles[rows, 0, 3] - t.quantiles[rows, 0, 1] for t in (told.table, table))
    assert np.median(late_width) > 2 * np.median(width)


def heard_until(town: Town, silent_h: float) -> TrainingData:
    """Return what is known of the town when all its sensors fell silent `silent_h` hours ago."""
    spoke = town.levels.measured_at_s <= START_S + 3600 * (NOW_H - silent_h)
    return replace(town, levels=_of_levels(town.levels, spoke)).known()


def test_the_longer_a_sensor_is_silent_the_less_it_says_and_there_is_no_jump(told: Told) -> None:
    town, rows = told.town, told.town.sensored
    widths = []
    for silent_h in (0, 12, 24, 30, 36, 42, 48, 54, 60, 66, 72, 84):
        quantiles = told.forecaster.forecast(heard_until(town, silent_h), VALID_S).quantiles[:, 0]
        widths.append(quantiles[:, 3] - quantiles[:, 1])
    # Bins that nobody emptied meanwhile: there silence is all that changes.
    last_s = {item.place_id: item.emptied_at.timestamp() for item in town.emptyings}
    left = rows & np.array([last_s.get(item.place_id, 0) < START_S + 3600 * (NOW_H - 40) for item in town.bins])
    assert left.sum() >= 10
    of_left = [float(np.median(width[left])) for width in widths[:7]]
    assert all(after >= before - 0.005 for before, after in pairwise(of_left))
    assert max(after - before for before, after in pairwise(of_left[2:])) < 0.4 * (of_left[-1] - of_left[0])
    # In the end nothing is left of it but what it taught of the bin's rate.
    unsensored = float(np.median(told.table.quantiles[~rows, 0, 3] - told.table.quantiles[~rows, 0, 1]))
    assert 0.5 * unsensored < float(np.median(widths[-1][rows])) < 1.25 * unsensored


def test_sensors_that_speak_once_a_day_teach_rates_too(told: Told) -> None:
    town = told.town
    daily = town.levels.measured_at_s % 86400 == 6 * 3600
    data = replace(town, levels=_of_levels(town.levels, daily)).known()
    forecaster = train(data, seed=0)
    table = forecaster.forecast(data, VALID_S)
    rows = ~town.sensored
    bins = [item for item, wanted in zip(town.bins, rows, strict=True) if wanted]
    for baseline in UNSENSORED:
        simple = np.minimum(baseline.predict(data, bins, whole_hours(AS_OF, AHEAD_H)), 1.3)
        assert error(table, town, rows) < 0.9 * np.abs(simple - town.truth[rows]).mean(), baseline.name
    # Judged where something was measured: 29 hours apart, and some hours on.
    assert forecaster.scores["unsensored"]["bins"] > 0.4 * SENSORED_BINS


def test_the_same_seed_gives_the_same_forecast(told: Told) -> None:
    again = train(told.town.known(), seed=0)
    assert again.scores == told.forecaster.scores
    assert np.array_equal(again.forecast(told.data, VALID_S).quantiles, told.table.quantiles)


def test_a_hidden_sensor_teaches_nothing(told: Told) -> None:
    rng = np.random.default_rng(0)
    hidden = told.town.sensored & (rng.random(BINS) < 0.3)
    ids = {item.place_id for item, hide in zip(told.town.bins, hidden, strict=True) if hide}
    wild = np.array([place in ids for place in told.town.levels.place_id])
    fill = np.where(wild, rng.random(len(wild)), told.town.levels.fill_fraction).astype(np.float32)
    other = replace(told.town, levels=replace(told.town.levels, fill_fraction=fill))
    kernel = told.forecaster.model.kernel
    rates = [fit_model(town.known().hiding(hidden), seed=0, kernel=kernel).rates for town in (told.town, other)]
    assert np.array_equal(rates[0].log_rate, rates[1].log_rate)
    assert np.array_equal(rates[0].log_sd, rates[1].log_sd)


@pytest.mark.parametrize(
    ("days", "sensored", "declared", "why"),
    [
        (0.0, 0, False, "a town that opens its service this minute"),
        (0.0, 0, True, "crews declared, nothing was measured"),
        (0.2, SENSORED_BINS, False, "a morning of readings"),
        (2.0, SENSORED_BINS, True, "too short to hold anything out"),
        (float(DAYS), 3, True, "too few sensors to read a tail off"),
    ],
)
def test_a_cold_start_gives_wide_intervals_and_no_error(
    *, days: float, sensored: int, declared: bool, why: str
) -> None:
    town = make_town(2, sensored=sensored)
    since_s = START_S + 3600 * NOW_H - int(86400 * days)
    late = town.levels.measured_at_s >= since_s
    levels = LevelTable(
        place_id=town.levels.place_id[late],
        measured_at_s=town.levels.measured_at_s[late],
        fill_fraction=town.levels.fill_fraction[late],
    )
    young = replace(town, levels=levels, emptyings=town.emptyings if declared else [])
    data = young.known()
    table = train(data, seed=0).forecast(data, VALID_S)
    assert covered(table, town, ~town.sensored) >= 0.75, why
    assert (np.diff(table.quantiles, axis=2) >= 0).all()


def test_intervals_narrow_as_history_grows(told: Told) -> None:
    rows = ~told.town.sensored
    none = replace(told.town, levels=_no_levels(), emptyings=[]).known()
    blind = train(none, seed=0).forecast(none, VALID_S)
    late = told.town.levels.measured_at_s >= START_S + 3600 * (NOW_H - 6 * 24)
    emptyings = [item for item in told.town.emptyings if item.emptied_at >= AS_OF - timedelta(days=6)]
    week = replace(told.town, levels=_of_levels(told.town.levels, late), emptyings=emptyings).known()
    young = train(week, seed=0).forecast(week, VALID_S)
    width, young_width, blind_width = (
        (table.quantiles[rows, :, 3] - table.quantiles[rows, :, 1]).mean() for table in (told.table, young, blind)
    )
    assert blind_width > 1.4 * young_width
    assert young_width > width
    assert covered(young, told.town, rows) >= 0.72


def test_a_commune_without_bins_has_no_forecasts() -> None:
    data = assemble(bins=[], levels=_no_levels(), emptyings=[], as_of=AS_OF)
    assert train(data, seed=0).forecast(data, VALID_S).quantiles.shape == (0, AHEAD_H, len(PROBABILITIES))


def test_progress_is_told_to_the_end(told: Told) -> None:
    heard: list[tuple[str, float]] = []
    few = replace(told.town, levels=_no_levels()).known()
    train(few, seed=0, progress=lambda stage, share: heard.append((stage, share)))
    assert heard[0] == ("fitting", 0.0)
    assert ("held_out_bins", 1.0) in heard
    assert heard[-1] == ("held_out_times", 1.0)


@pytest.mark.parametrize("name", ["history_days", "fresh_h", "prior_rate_l_per_h", "prior_log_sd", "prior_interval_h"])
def test_nonsense_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"expected {name} > 0, got -1"):
        FillOptions(**{name: -1})


def _of_levels(levels: LevelTable, keep: NDArray[np.bool_]) -> LevelTable:
    return LevelTable(
        place_id=levels.place_id[keep],
        measured_at_s=levels.measured_at_s[keep],
        fill_fraction=levels.fill_fraction[keep],
    )


def _no_levels() -> LevelTable:
    return LevelTable(
        place_id=np.zeros(0, dtype=object),
        measured_at_s=np.zeros(0, dtype=np.int64),
        fill_fraction=np.zeros(0, dtype=np.float32),
    )
