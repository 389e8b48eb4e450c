"""Days that are not like others: public and school holidays, markets and events, as hours of bins. Pure.

Nobody knows beforehand what such a day does to a town's bins: `day_effects` learns it from what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import holidays
import numpy as np
from numpy.typing import NDArray
from vacances_scolaires_france import SchoolHolidayDates, UnsupportedYearException

from optimise.fill.readings import HOUR_S, Ints
from storage.model import Bin, DayWeather, TownEvent

DAY_NAMES = ("public_holiday", "school_holiday")
"""The columns of `day_features`."""

WEATHER_NAMES = ("temperature", "rain")
"""The columns of `day_weather`."""

_M_PER_DEG = 111_195.0

type Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class TownCalendar:
    """What the town's days are known by: the zone of its school holidays (None: unknown) and what it told of.

    `country` is that of the public holidays, as `holidays` names it. `weather` is that of the days told, past or ahead.
    """

    school_zone: str | None = None
    country: str = "FR"
    events: tuple[TownEvent, ...] = ()
    weather: tuple[DayWeather, ...] = ()


def day_features(days: Sequence[date], calendar: TownCalendar) -> Flags:
    """Return (days, 2) whether each is a public holiday and whether schools of the town's zone are closed.

    A year of which the school holidays are not published yet has none: they say nothing then.
    """
    flags = [
        (day in _public_holidays(day.year, calendar.country), day in _school_days(day.year, calendar.school_zone))
        for day in days
    ]
    return np.array(flags, dtype=bool).reshape(-1, len(DAY_NAMES))


def day_weather(days: Sequence[date], calendar: TownCalendar) -> NDArray[np.float64]:
    """Return (days, 2): tens of degrees and the logarithm of 1 + mm of rain; NaN where it was not told."""
    told = {one.day: (one.temperature_c, one.rain_mm) for one in calendar.weather}
    rows = [told.get(day, (None, None)) for day in days]
    table = np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64)
    table = table.reshape(-1, len(WEATHER_NAMES))
    return np.column_stack([table[:, 0] / 10, np.log1p(table[:, 1])])


@lru_cache(maxsize=64)
def _public_holidays(year: int, country: str) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


@cache
def _published() -> SchoolHolidayDates:
    return SchoolHolidayDates()


@lru_cache(maxsize=64)
def _school_days(year: int, zone: str | None) -> frozenset[date]:
    if zone is None:
        return frozenset()
    try:
        return frozenset(_published().holidays_for_year_and_zone(year, zone))
    except UnsupportedYearException:
        return frozenset()


@lru_cache(maxsize=64)
def hours_of_days(start_s: int, hours: int, time_zone: str) -> tuple[tuple[date, ...], Ints]:
    """Return the local days that begin within the hours since `start_s`, and (hours,) the index of each hour's day."""
    zone = ZoneInfo(time_zone)
    of_hour = [datetime.fromtimestamp(start_s + hour * HOUR_S, UTC).astimezone(zone).date() for hour in range(hours)]
    days = sorted(set(of_hour))
    index = {day: number for number, day in enumerate(days)}
    numbers = np.array([index[day] for day in of_hour], dtype=np.int64)
    numbers.flags.writeable = False  # the cache hands the same array to everybody
    return tuple(days), numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class Occasion:
    """One market or event: the `bins` (bins,) that it reaches, the share of each of `hours` (hours,) that it lasts."""

    kind: str
    bins: Flags
    hours: NDArray[np.float64]


def occasions(
    bins: Sequence[Bin], calendar: TownCalendar, *, start_s: int, hours: int, time_zone: str
) -> list[Occasion]:
    """Return the events that reach a bin at some time within the hours since `start_s`."""
    found = []
    begins = start_s + HOUR_S * np.arange(hours)
    for event in calendar.events:
        share = np.zeros(hours)
        until = datetime.fromtimestamp(start_s + hours * HOUR_S, UTC)
        for first, last in times_of(event, until=until, time_zone=time_zone):
            overlap = np.minimum(begins + HOUR_S, last.timestamp()) - np.maximum(begins, first.timestamp())
            share = np.maximum(share, np.clip(overlap / HOUR_S, 0.0, 1.0))
        reached = _reached(bins, event)
        if share.any() and reached.any():
            found.append(Occasion(kind=event.kind.value, bins=reached, hours=share))
    return found


def times_of(event: TownEvent, *, until: datetime, time_zone: str) -> list[tuple[datetime, datetime]]:
    """Return when the event takes place, begun before `until`: once, or each week by the local clock."""
    zone = ZoneInfo(time_zone)
    lasts = event.ends_at - event.starts_at
    local = event.starts_at.astimezone(zone)
    found = []
    while local.astimezone(UTC) < until:
        begins = local.astimezone(UTC)
        found.append((begins, begins + lasts))
        # Wall-clock arithmetic: eight o'clock stays eight o'clock when clocks change.
        local += timedelta(days=7)
        if event.weekly_until is None or local.date() > event.weekly_until:
            break
    return found


def _reached(bins: Sequence[Bin], event: TownEvent) -> Flags:
    if event.radius_m is None or event.longitude_deg is None or event.latitude_deg is None:
        return np.ones(len(bins), dtype=bool)
    degrees = np.array([(item.longitude_deg, item.latitude_deg) for item in bins], dtype=np.float64).reshape(-1, 2)
    scale = np.array([np.cos(np.radians(event.latitude_deg)), 1.0]) * _M_PER_DEG
    distance = np.hypot(*((degrees - (event.longitude_deg, event.latitude_deg)) * scale).T)
    reached: Flags = distance <= event.radius_m
    return reached
