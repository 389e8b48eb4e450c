"""The simulated town fills by a law that the fill model's own family does not contain: its world must not flatter it.

The model's family is fitted to all that was thrown in, hour by hour, as no sensor ever tells it. What is left over is
then compared with what the fitted family itself would leave, drawn from it: a world of the model's own making would
look the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import numpy as np

from optimise.fill.model import fit_model
from optimise.fill.pace import activity, pace_of
from optimise.fill.readings import HourlyLevels, Readings
from optimise.fill.training import Emptyings, TrainingData
from simulators.bins import place_bins
from simulators.character import Character, characters
from simulators.fill_process import FillProcess
from simulators.habits import ACTIVITIES
from simulators.kerbs import find_kerbs
from simulators.local_time import WEEK_HOURS, local_hours
from simulators.weather import weather_of
from tests.commune import streets

SEED, BINS, WEEKS = 4, 240, 12
START = datetime(2026, 6, 1, tzinfo=UTC)
ZONE = "Europe/Paris"
HOURS = WEEKS * WEEK_HOURS
DAY = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """Litres of each bin in each hour: what came, what the model expects, and what it might have come to by its law."""

    character: Character
    came: np.ndarray
    expected: np.ndarray
    drawn: np.ndarray
    dispersion_l: float
    day_variance: float

    def odd(self, litres: np.ndarray) -> np.ndarray:
        """(bins, days): how far each day is from what was expected, in standard deviations of the model's law."""
        mean = by_day(self.expected)
        return (by_day(litres) - mean) / np.sqrt(self.dispersion_l * mean + self.day_variance * mean**2)


def by_day(hourly: np.ndarray) -> np.ndarray:
    return hourly.reshape(len(hourly), -1, DAY).sum(axis=2)


@cache
def fitted() -> Fitted:
    kerbs = find_kerbs(streets())
    placed = place_bins(streets(), kerbs, commune_insee="93051", seed=SEED, count=BINS)
    character = characters(placed, seed=SEED)
    process = FillProcess(character, seed=SEED, start=START, time_zone=ZONE)
    came = np.concatenate([process.week_litres(week) for week in range(WEEKS)], axis=1)
    start_s = int(START.timestamp())
    volume = character.volume_l[:, None]
    # A bin that somebody empties whenever it is full: what its sensor says says all that was thrown in.
    level = np.concatenate([np.zeros((BINS, 1)), np.cumsum(came, axis=1)], axis=1) / volume % 1.0
    nobody = np.zeros(0, np.int64)
    nothing = Emptyings(bin_row=nobody, at_s=nobody, found=np.zeros(0))
    data = TrainingData(
        bins=tuple(placed.bins),
        time_zone=ZONE,
        as_of_s=start_s + HOURS * 3600,
        start_s=start_s,
        readings=Readings(
            bin_row=np.repeat(np.arange(BINS), HOURS + 1),
            at_s=np.tile(start_s + 3600 * np.arange(HOURS + 1, dtype=np.int64), BINS),
            fill=level.ravel(),
        ),
        hourly=HourlyLevels(level=level.astype(np.float32), gained=(came / volume).astype(np.float32)),
        declared=nothing,
        detected=nothing,
    )
    model = fit_model(data, seed=0)
    rate = np.exp(model.rates.log_rate)
    busy = activity(data, model.rhythm, rate, dispersion_l=model.noise.dispersion_l)
    pace = pace_of(data, model.rhythm, busy, rows=np.arange(BINS), ahead_h=1)
    expected = rate[:, None] * np.diff(pace.passed[:, : HOURS + 1], axis=1)
    # The family's own world: each day its luck, each hour its lumps, both as large as the model learnt them to be.
    rng = np.random.default_rng(0)
    shape = 1 / max(model.noise.day_variance, 1e-6)
    luck = rng.gamma(shape, 1 / shape, (BINS, HOURS // DAY)).repeat(DAY, axis=1)
    lump = model.noise.dispersion_l
    drawn = rng.gamma(expected * luck / lump + 1e-12, lump)
    return Fitted(
        character=character,
        came=came,
        expected=expected,
        drawn=drawn,
        dispersion_l=lump,
        day_variance=model.noise.day_variance,
    )


def test_what_is_drawn_from_the_family_is_what_the_family_expects() -> None:
    town = fitted()
    odd = town.odd(town.drawn)
    assert abs(odd.mean()) < 0.05
    assert 0.9 < odd.std() < 1.1
    assert 0.98 < town.came.sum() / town.expected.sum() < 1.02


def test_days_of_dumping_lie_beyond_the_family_s_tail() -> None:
    town = fitted()
    world, family = (town.odd(litres) for litres in (town.came, town.drawn))
    limit = np.quantile(family, 0.9995)
    assert (world > limit).mean() > 4 * (family > limit).mean()
    assert world.max() > 1.5 * family.max()


def test_bins_differ_in_how_restless_they_are() -> None:
    town = fitted()
    spread = [np.log((town.odd(litres) ** 2).mean(axis=1)).std() for litres in (town.came, town.drawn)]
    assert spread[0] > 1.5 * spread[1]


def test_rain_empties_parks_more_than_streets_where_people_live() -> None:
    town = fitted()
    _, dates = local_hours(START, HOURS, ZONE)
    rainy = np.array([weather_of(SEED, int(date)).rain_out for date in dates])
    leisure = town.character.mix[:, ACTIVITIES.index("leisure")]
    order = np.argsort(leisure)
    few, many = order[: BINS // 4], order[-BINS // 4 :]

    def wet(litres: np.ndarray, bins: np.ndarray) -> float:
        return float(litres[np.ix_(bins, rainy)].sum() / town.expected[np.ix_(bins, rainy)].sum())

    assert wet(town.came, many) < 0.9 * wet(town.came, few)
    assert abs(wet(town.drawn, many) / wet(town.drawn, few) - 1) < 0.05


def test_regulars_and_markets_come_again_at_their_hour_of_the_week() -> None:
    town = fitted()

    def again(litres: np.ndarray) -> float:
        """Return how like what is left over at an hour is to that of a week later, at the ninth of ten bins."""
        left = (litres - town.expected) / np.sqrt(town.expected + 0.1)
        left = np.clip(left, -5, 5).reshape(BINS, WEEKS, WEEK_HOURS)
        left -= left.mean(axis=(1, 2), keepdims=True)
        found = (left[:, 1:] * left[:, :-1]).mean(axis=(1, 2)) / (left**2).mean(axis=(1, 2))
        return float(np.quantile(found, 0.9))

    assert again(town.drawn) < 0.05
    assert again(town.came) > 3 * again(town.drawn)


def test_a_bin_whose_waste_is_pressed_fills_slower_the_fuller_it_is() -> None:
    character = fitted().character
    process = FillProcess(character, seed=SEED, start=START, time_zone=ZONE)
    pressed = np.flatnonzero(character.compaction > 0)
    assert len(pressed) > BINS / 8
    half, whole = (process.level(pressed, share * character.volume_l[pressed]) for share in (0.5, 1.0))
    assert (whole < 1.95 * half).all()
