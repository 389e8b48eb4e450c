"""Days that are not like others: known as such, and what they do is learnt from what was measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from optimise.fill.calendar import TownCalendar, day_features, occasions, times_of
from optimise.fill.day_effects import DayEffects
from optimise.fill.model import fit_model
from optimise.fill.training import TrainingData, assemble
from storage.level_table import LevelTable
from storage.model import Bin, DayWeather, Emptying, TownEvent, TownEventKind

PARIS = ZoneInfo("Europe/Paris")
MARKET = TownEvent(
    event_id=UUID(int=1),
    kind=TownEventKind.MARKET,
    name="Marché",
    starts_at=datetime(2026, 3, 4, 7, tzinfo=UTC),
    ends_at=datetime(2026, 3, 4, 12, 30, tzinfo=UTC),
    weekly_until=date(2026, 12, 31),
    longitude_deg=2.55,
    latitude_deg=48.84,
    radius_m=150.0,
)


def test_holidays_are_those_of_france_and_of_the_zone():
    days = [date(2026, 2, 25), date(2026, 4, 6), date(2026, 3, 17), date(2026, 7, 14)]
    # Zone C is on winter holidays on 25 February, zone A is not; Easter Monday and 14 July are public holidays.
    assert day_features(days, TownCalendar(school_zone="C"))[:, 1].tolist() == [True, False, False, True]
    assert day_features(days, TownCalendar(school_zone="A"))[:, 1].tolist() == [False, True, False, True]
    assert day_features(days, TownCalendar())[:, 0].tolist() == [False, True, False, True]
    assert not day_features(days, TownCalendar())[:, 1].any()
    # What is not published yet says nothing.
    assert not day_features([date(2040, 8, 1)], TownCalendar(school_zone="C")).any()
    assert day_features([], TownCalendar()).shape == (0, 2)


def test_a_weekly_market_keeps_to_the_local_clock():
    times = times_of(MARKET, until=datetime(2026, 4, 9, tzinfo=UTC), time_zone="Europe/Paris")
    assert len(times) == 6
    assert {begins.astimezone(PARIS).hour for begins, _ in times} == {8}
    assert {ends - begins for begins, ends in times} == {timedelta(hours=5.5)}
    once = replace(MARKET, weekly_until=None)
    assert len(times_of(once, until=datetime(2027, 1, 1, tzinfo=UTC), time_zone="Europe/Paris")) == 1
    over = replace(MARKET, weekly_until=date(2026, 3, 20))
    assert len(times_of(over, until=datetime(2027, 1, 1, tzinfo=UTC), time_zone="Europe/Paris")) == 3


def _bin(number: int, *, east_m: float) -> Bin:
    return Bin(
        commune_insee="93051", place_id=f"COR-{number:04d}", longitude_deg=2.55 + east_m / 73_190, latitude_deg=48.84,
        street=None, bin_kind="street", volume_l=100.0,
    )  # fmt: skip


def test_an_event_reaches_the_bins_around_it_for_as_long_as_it_lasts():
    bins = [_bin(number, east_m=east_m) for number, east_m in enumerate((0.0, 140.0, 160.0))]
    start_s = int(datetime(2026, 3, 4, tzinfo=UTC).timestamp())
    (one,) = occasions(bins, TownCalendar(events=(MARKET,)), start_s=start_s, hours=24, time_zone="Europe/Paris")
    assert one.bins.tolist() == [True, True, False]
    assert one.hours.tolist() == [*[0.0] * 7, *[1.0] * 5, 0.5, *[0.0] * 11]
    everywhere = replace(MARKET, longitude_deg=None, latitude_deg=None, radius_m=None)
    (town,) = occasions(bins, TownCalendar(events=(everywhere,)), start_s=start_s, hours=24, time_zone="Europe/Paris")
    assert town.bins.all()
    assert occasions(bins, TownCalendar(events=(MARKET,)), start_s=0, hours=24, time_zone="Europe/Paris") == []


START = datetime(2026, 1, 12, tzinfo=UTC)
DAYS = 70
NEAR, BINS = 15, 60


def _wet(day: date) -> bool:
    return day.toordinal() % 3 == 0


def _town(calendar: TownCalendar, *, wet_factor: float = 1.0) -> TrainingData:
    """Ten weeks of bins that get 1.5 l/h, half of it while schools of zone C are closed, 6 l/h more at markets.

    On wet days it is `wet_factor` of that.
    """
    random = np.random.default_rng(1)
    bins = [
        _bin(number, east_m=60.0 * random.random() if number < NEAR else 400 + 20 * number) for number in range(BINS)
    ]
    hours = DAYS * 24
    local = [(START + timedelta(hours=h)).astimezone(PARIS) for h in range(hours)]
    closed = day_features([moment.date() for moment in local], TownCalendar(school_zone="C"))[:, 1]
    shop = np.array([1.7 if 7 <= moment.hour < 20 else 0.2 for moment in local])
    market = np.array([moment.weekday() == 2 and 8 <= moment.hour < 13 for moment in local])
    mean_l = 1.5 * shop * np.where(closed, 0.5, 1.0) + 6.0 * market * (np.arange(BINS)[:, None] < NEAR)
    wet = np.array([_wet(moment.date()) for moment in local])
    gained = random.poisson(mean_l * np.where(wet, wet_factor, 1.0) * 2) / 2 / 100
    ids, at_s, fill, emptied = [], [], [], []
    for row, item in enumerate(bins):
        level = 0.0
        for hour in range(hours):
            moment = START + timedelta(hours=hour + 1)
            level += gained[row, hour]
            # Every other bin has a sensor; each is emptied every other day.
            if hour % 48 == 30:
                emptied.append(Emptying(place_id=item.place_id, emptied_at=moment, found_fraction=None))
                level = 0.0
            if row % 2 == 0:
                ids.append(item.place_id)
                at_s.append(int(moment.timestamp()))
                fill.append(level)
    return assemble(
        bins=bins,
        levels=LevelTable(
            place_id=np.array(ids, dtype=object),
            measured_at_s=np.array(at_s, dtype=np.int64),
            fill_fraction=np.array(fill, dtype=np.float32),
        ),
        emptyings=emptied,
        as_of=START + timedelta(days=DAYS),
        calendar=calendar,
    )


@pytest.fixture(scope="module")
def told() -> TrainingData:
    """The calendar is told: zone C, and a market that goes on."""
    market = replace(
        MARKET, starts_at=datetime(2026, 1, 14, 7, tzinfo=UTC), ends_at=datetime(2026, 1, 14, 12, tzinfo=UTC)
    )
    return _town(TownCalendar(school_zone="C", events=(market,)))


def test_what_holidays_and_markets_do_is_learnt(told: TrainingData):
    days = fit_model(told, seed=0).days
    public, school = np.exp(days.log_factor)
    # Two weeks of holidays in ten: halved, and shrunk, since two weeks are few. No public holiday was seen.
    assert 0.45 < school < 0.8
    assert public == pytest.approx(1.0, abs=0.02)
    # Six litres an hour, of which the bins' own rhythm has learnt a part.
    assert 2.5 < days.litres_per_h["market"] < 6.5


def test_a_bin_without_a_sensor_at_a_market_is_forecast_fuller_on_that_day(told: TrainingData):
    blind = replace(told, calendar=TownCalendar())
    rows = np.arange(1, NEAR, 2)
    # From Monday morning over the market of Wednesday.
    valid_s = told.as_of_s + 3600 * np.arange(1, 73)
    with_market = fit_model(told, seed=0).outlook(told, rows, valid_s).expected
    without = fit_model(blind, seed=0).outlook(blind, rows, valid_s).expected
    start = told.as_of_s - int(START.timestamp())
    assert start == DAYS * 86_400
    wednesday = slice(48 + 6, 48 + 13)
    rise = (with_market[:, wednesday][:, -1] - with_market[:, wednesday][:, 0]).mean()
    rise_blind = (without[:, wednesday][:, -1] - without[:, wednesday][:, 0]).mean()
    # In truth: five hours of 6 l and six of 2.55 l in a bin of 100 l.
    assert rise > rise_blind + 0.08
    assert rise == pytest.approx(0.45, abs=0.12)
    # Elsewhere nothing changes by much.
    far = np.arange(NEAR + 2, BINS, 2)
    level, level_blind = (
        fit_model(data, seed=0).outlook(data, far, valid_s).expected for data in (told, blind)
    )  # fmt: skip
    assert np.abs(level - level_blind).mean() < 0.05


def test_what_wet_days_do_is_learnt_and_used_where_the_weather_is_told():
    days = [START.date() + timedelta(days=k) for k in range(DAYS + 7)]
    weather = tuple(DayWeather(day=day, rain_mm=8.0 if _wet(day) else 0.0) for day in days)
    told = _town(TownCalendar(weather=weather), wet_factor=0.6)
    effects = fit_model(told, seed=0).days
    hourly = effects.factors(told, ahead_h=6 * 24)
    ahead = [START + timedelta(days=DAYS, hours=hour) for hour in range(6 * 24)]
    wet = np.array([_wet(moment.astimezone(PARIS).date()) for moment in ahead])
    assert hourly[wet].mean() / hourly[~wet].mean() == pytest.approx(0.6, abs=0.12)
    # Nobody told the temperature, so it teaches nothing; and a week that nobody foretells is like others.
    assert effects.log_weather[0] == 0
    silent = replace(told, calendar=TownCalendar(weather=weather[:DAYS]))
    assert effects.factors(silent, ahead_h=6 * 24)[24:] == pytest.approx(1.0)


def test_a_calendar_without_anything_learnt_changes_nothing(told: TrainingData):
    nothing = DayEffects()
    assert (nothing.factors(told, ahead_h=168) == 1).all()
    assert nothing.added(told, np.arange(3), np.ones(3), ahead_h=24) is None
    later = replace(MARKET, starts_at=MARKET.starts_at.replace(year=2030), ends_at=MARKET.ends_at.replace(year=2030))
    unseen = replace(told, calendar=TownCalendar(events=(later,)))
    assert fit_model(unseen, seed=0).days.litres_per_h == {}
