"""Communes, their clock, their places and vehicles: kept as given, apart from other communes'."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from storage import communes, places
from storage.errors import NotFoundError
from storage.model import Commune, PlaceKind, Simulation
from tests.storage.town import DEPOT, DISPOSAL_SITE, INSEE, NOON, VEHICLE, Town


def simulation(**changes: object) -> Simulation:
    made = Simulation(
        commune_insee=INSEE,
        seed=7,
        streets_source="helsinki",
        started_at=NOON - timedelta(days=28),
        history_until=NOON,
        wall_origin=datetime(2026, 6, 1, tzinfo=UTC),
        simulated_origin=NOON,
        rate=180.0,
        options={"bins": 3},
    )
    return replace(made, **changes)


def test_communes_are_updated_in_place_and_unknown_ones_named(town: Town):
    renamed = Commune(commune_insee=INSEE, name="Noisy", time_zone="Europe/Paris", school_zone=None)
    communes.save(town.connection, renamed)
    assert communes.every(town.connection) == [renamed]
    assert communes.one(town.connection, INSEE) == renamed
    with pytest.raises(NotFoundError, match="no commune with INSEE code '75056'"):
        communes.one(town.connection, "75056")


@pytest.mark.parametrize("code", ["9305", "930511", "2C004", "abcde", ""])
def test_only_insee_codes_name_communes(town: Town, code: str):
    with pytest.raises(psycopg.errors.CheckViolation):
        communes.save(town.connection, Commune(commune_insee=code, name="x"))


def test_corsican_code_names_a_commune(town: Town):
    communes.save(town.connection, Commune(commune_insee="2A004", name="Ajaccio"))
    assert communes.one(town.connection, "2A004").name == "Ajaccio"


def test_simulated_commune_has_its_own_clock_and_a_real_one_the_walls(town: Town):
    assert communes.simulation(town.connection, INSEE) is None
    real = communes.clock(town.connection, INSEE)
    assert abs(real.now() - datetime.now(UTC)) < timedelta(seconds=5)
    communes.save_simulation(town.connection, simulation())
    communes.save_simulation(town.connection, simulation(seed=8, history_published=True))
    assert communes.simulation(town.connection, INSEE) == simulation(seed=8, history_published=True)
    clock = communes.clock(town.connection, INSEE)
    assert clock.wall_time(NOON + timedelta(hours=1)) == datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=20)


def test_places_come_back_as_they_went_in(town: Town):
    assert places.of_kind(town.connection, INSEE, PlaceKind.DEPOT) == [DEPOT]
    assert places.disposal_sites(town.connection, INSEE) == [DISPOSAL_SITE]
    assert places.vehicles(town.connection, INSEE) == [VEHICLE]
    assert places.counts_by_kind(town.connection, INSEE)[PlaceKind.BIN] == 3
    assert places.vehicles(town.connection, "75056") == []


def test_vehicle_starts_from_a_place_that_exists(town: Town):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        places.save_vehicles(town.connection, [replace(VEHICLE, depot_id="DEPOT-9")])


def test_extent_holds_every_place(town: Town):
    west, south, east, north = places.extent(town.connection, INSEE) or (0.0, 0.0, 0.0, 0.0)
    assert (west, south, east, north) == pytest.approx((2.55, 48.84, 2.553, 48.84))
    assert places.extent(town.connection, "75056") is None
