"""The day in whole numbers: local hours become seconds, over midnight and through clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from optimise.rounds.day import Calendar, Fleet, PriceOptions
from storage.errors import InputError
from storage.model import DisposalSite, Place, PlaceKind, Vehicle

HOUR = 3600
DEPOT = Place(commune_insee="93051", place_id="DEPOT-1", kind=PlaceKind.DEPOT, longitude_deg=2.5, latitude_deg=48.8)
SITE = DisposalSite(
    commune_insee="93051", place_id="EXUTOIRE-1", longitude_deg=2.5, latitude_deg=48.8, street=None, unload_s=900
)


def truck(
    shift: tuple[time, time] = (time(5, 30), time(12)),
    rest: tuple[time, time] = (time(8), time(10)),
    depot_id: str = "DEPOT-1",
) -> Vehicle:
    return Vehicle(
        commune_insee="93051", vehicle_id="BOM-1", name="Benne 1", capacity_l=3500.7, depot_id=depot_id,
        shift_from=shift[0], shift_until=shift[1], break_s=1800, break_from=rest[0], break_until=rest[1],
    )  # fmt: skip


def paris(day: date) -> Calendar:
    return Calendar(service_date=day, time_zone="Europe/Paris")


def test_hours_are_the_communes_and_moments_are_utc():
    calendar = paris(date(2026, 3, 10))
    assert calendar.origin == datetime(2026, 3, 9, 23, tzinfo=UTC)
    found = calendar.day_vehicle(truck(), depot=0)
    assert (found.shift_from_s, found.shift_until_s) == (5.5 * HOUR, 12 * HOUR)
    assert (found.break_from_s, found.break_until_s, found.capacity_l) == (8 * HOUR, 10 * HOUR, 3500)
    assert calendar.moment(found.shift_from_s) == datetime(2026, 3, 10, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hours", "break_utc_hour"),
    [(date(2026, 3, 29), 4, 2), (date(2026, 10, 25), 6, 3), (date(2026, 10, 26), 5, 3)],
    ids=["clocks go forward", "clocks go back", "an ordinary day"],
)
def test_a_night_shift_is_as_long_as_the_night_is(day: date, hours: int, break_utc_hour: int):
    calendar = paris(day)
    night = truck(shift=(time(0, 30), time(5, 30)), rest=(time(4), time(5)))
    begin, end = calendar.shift(night)
    assert end - begin == hours * HOUR
    rest_from = calendar.moment(calendar.day_vehicle(night, depot=0).break_from_s)
    assert rest_from == datetime(day.year, day.month, day.day, break_utc_hour, tzinfo=UTC)


def test_a_shift_over_midnight_ends_the_day_after():
    found = paris(date(2026, 3, 10)).day_vehicle(truck(shift=(time(21), time(4)), rest=(time(0), time(2))), depot=0)
    assert (found.shift_from_s, found.shift_until_s) == (21 * HOUR, 28 * HOUR)
    assert (found.break_from_s, found.break_until_s) == (24 * HOUR, 26 * HOUR)


def test_the_time_of_service_is_the_middle_of_the_shifts():
    calendar = paris(date(2026, 3, 10))
    shifts = [truck(shift=(time(6), time(12))), truck(shift=(time(8), time(14)))]
    assert calendar.middle(shifts) == datetime(2026, 3, 10, 9, tzinfo=UTC)


def test_a_fleet_names_what_it_lacks():
    with pytest.raises(InputError, match="expected the commune to have disposal sites, got none"):
        Fleet(vehicles=(truck(),), depots=(DEPOT,), disposal_sites=())
    with pytest.raises(InputError, match="vehicle BOM-1 starts at 'DEPOT-9', which is no depot"):
        Fleet(vehicles=(truck(depot_id="DEPOT-9"),), depots=(DEPOT,), disposal_sites=(SITE,))


def test_prices_become_whole_millionths():
    prices = PriceOptions(km_eur=1.5, hour_eur=45, vehicle_eur=30).prices()
    assert (prices.per_metre, prices.per_second, prices.per_vehicle) == (1500, 12_500, 30_000_000)
    with pytest.raises(InputError, match="expected km_eur >= 0, got -1"):
        PriceOptions(km_eur=-1)
