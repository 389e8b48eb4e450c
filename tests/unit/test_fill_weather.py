"""Weather told with a town's file: what a moment is told of it, and whether it helped, never said without a trial."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cli.town_files import read_weather_file
from optimise.fill.towns import sensored
from optimise.fill.towns import setting as trials
from optimise.fill.towns.evaluate import TrialOptions, evaluate
from optimise.fill.towns.present import history_of
from optimise.fill.towns.serving import in_service_data
from optimise.fill.towns.table import read_table
from optimise.fill.towns.town import Town, build_town
from optimise.fill.towns.weather import NAMES, weather_between
from optimise.fill.towns.worth import compared, worth
from storage.errors import InputError
from storage.model import DayWeather
from tests.unit.fill_files import START_S, levels, numbered

FIRST = datetime.fromtimestamp(START_S, UTC).date()


def town_of(lines: list[str], weather: list[DayWeather], *, time_zone: str = "UTC") -> Town:
    table = read_table(numbered(lines), emptyings=False, time_zone=time_zone)
    return build_town(table, of_emptyings=False, time_zone=time_zone, weather=weather)


def rain(millimetres: np.ndarray) -> list[DayWeather]:
    return [DayWeather(day=FIRST + timedelta(days=day), rain_mm=float(mm)) for day, mm in enumerate(millimetres)]


def seconds(text: str) -> np.ndarray:
    return np.array([int(datetime.fromisoformat(text).timestamp())])


def test_a_moment_is_told_the_weather_since_then_and_of_its_own_day() -> None:
    told = [
        DayWeather(day=date(2026, 1, 5), temperature_c=10, rain_mm=0),
        DayWeather(day=date(2026, 1, 6), temperature_c=20),
        DayWeather(day=date(2026, 1, 7), temperature_c=0, rain_mm=np.expm1(2.0)),
    ]
    # In Paris the first moment is of the sixth, the second of the seventh.
    town = town_of(levels(bins=1, days=3), told, time_zone="Europe/Paris")
    found = weather_between(town, seconds("2026-01-05T23:30:00+00:00"), seconds("2026-01-07T12:00:00+00:00"))
    assert tuple(found) == NAMES
    assert [float(value[0]) for value in found.values()] == pytest.approx([1.0, 2.0, 0.0, 2.0])
    untold = weather_between(town, seconds("2026-01-08T00:30:00+00:00"), seconds("2026-01-09T12:00:00+00:00"))
    assert all(np.isnan(value[0]) for value in untold.values())
    assert weather_between(replace(town, weather=()), seconds("2026-01-05T00:00:00+00:00"), town.at_s[:1]) == {}


def day_ahead(town: Town) -> tuple[trials.Tested, np.ndarray]:
    setting = trials.set_up(town, folds=3, seed=0, most=3000)
    tested = sensored.run(setting, history_of(town), sensored.learnings(setting), 24, most=3000)
    assert tested is not None
    return tested, setting.marks


def test_rain_that_keeps_a_town_at_home_is_worth_telling() -> None:
    wet = np.where(np.random.default_rng(5).random(90) < 0.4, 12.0, 0.0)
    lines = levels(bins=8, days=90, busy=np.where(wet > 0, 0.1, 1.6))
    (told, marks), (untold, _) = (day_ahead(town_of(lines, weather)) for weather in (rain(wet), []))
    found = worth([told], [untold], marks)
    assert found["helped"]
    assert found["gain"] > 0.5


def test_weather_that_moves_nothing_is_not_said_to_help() -> None:
    # What a trial without weather says is what it says of the same town beside weather.
    lines, options = levels(bins=7, days=30), TrialOptions(folds=3, moments=2400)
    made_up = rain(np.random.default_rng(1).gamma(0.5, 8.0, 30))
    plain, found = (evaluate(town_of(lines, weather), options) for weather in ([], made_up))
    assert "weather" not in plain
    protocols = found["weather"]["protocols"]
    assert found["weather"]["days"] == 30
    assert set(protocols) == {
        *(f"sensored.{hours}" for hours in (6, 24, 72)),
        "unsensored",
        *(f"few_looks.{looks}" for looks in (1, 3, 10)),
        "in_service",
    }
    assert protocols["unsensored"]["mae_without"] == pytest.approx(plain["protocols"]["unsensored"]["mae"])
    assert protocols["unsensored"]["mae"] == pytest.approx(found["protocols"]["unsensored"]["mae"])
    assert protocols["in_service"]["mae"] == pytest.approx(found["protocols"]["unsensored"]["in_service"]["mae"])
    assert not any(each["helped"] for each in protocols.values())


def test_the_method_in_service_learns_from_the_same_days() -> None:
    told = rain(np.array([3.0, 0.0]))
    data = in_service_data(town_of(levels(bins=6, days=10), told), np.zeros(6, dtype=bool))
    assert data.calendar.weather == tuple(told)


def test_a_difference_within_luck_is_no_help() -> None:
    row = np.repeat(np.arange(8), 20)
    untold = np.full(160, 10.0)
    better = untold - np.where(row < 4, 3.0, -1.0)
    found = compared(row, told=better, untold=untold)
    assert found["gain"] == pytest.approx(1.0)
    assert not found["helped"]
    assert not found["hurt"]
    assert compared(row, told=untold - 1.0, untold=untold)["helped"]
    assert compared(row, told=untold + 1.0, untold=untold)["hurt"]
    assert not compared(row[:20], told=untold[:20] - 1.0, untold=untold[:20])["helped"]  # one bin tells of no luck


def test_a_fault_in_the_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "weather.csv"
    file.write_text("day,rain_mm\n2026-01-05,1.5\n2026-01-06,much\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"weather.csv, line 3: expected a number, got 'much'"):
        read_weather_file(file)
    file.write_text("day,rain_mm\n2026-01-05,1.5\n", encoding="utf-8")
    assert read_weather_file(file) == [DayWeather(day=date(2026, 1, 5), rain_mm=1.5)]
