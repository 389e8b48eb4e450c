"""A town's own bins, depots, sites and vehicles come in by files: whole, or with every fault and nothing."""

from __future__ import annotations

import pytest

from storage import bins, communes, places
from storage.cleansing_import import import_bins, import_vehicles
from storage.database import Connection
from storage.model import Commune, PlaceKind

INSEE = "93051"
PLACES = """place_id;kind;longitude_deg;latitude_deg;street;volume_l
COR-1;;2,5531;48,8486;Rue de la République;80
COR-2;bin;2,5532;48,8487;;60
DEPOT;depot;2,56;48,85;;
EXUTOIRE;disposal_site;2,57;48,86;;
"""
VEHICLES = "vehicle_id,depot_id,capacity_l,shift_from\nBOM-1,DEPOT,3500,06:00\n"


@pytest.fixture
def town(connection: Connection) -> Connection:
    """A commune without anything."""
    communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
    return connection


def test_a_town_begins_with_two_files(town: Connection):
    report = import_bins(town, INSEE, PLACES.encode())
    assert (report.imported, report.errors) == (4, ())
    first, second = bins.every(town, INSEE)
    assert (first.longitude_deg, first.street, first.volume_l, first.service_s) == (
        2.5531, "Rue de la République", 80, 40,
    )  # fmt: skip
    assert (second.place_id, second.volume_l) == ("COR-2", 60)
    assert places.counts_by_kind(town, INSEE) == {
        PlaceKind.BIN: 2, PlaceKind.DEPOT: 1, PlaceKind.DISPOSAL_SITE: 1,
    }  # fmt: skip
    assert import_vehicles(town, INSEE, VEHICLES.encode()).imported == 1
    (vehicle,) = places.vehicles(town, INSEE)
    assert (vehicle.name, f"{vehicle.shift_from:%H:%M}", vehicle.capacity_l) == ("BOM-1", "06:00", 3500)


def test_told_again_nothing_changes_and_a_correction_is_one(town: Connection):
    import_bins(town, INSEE, PLACES.encode())
    again = import_bins(town, INSEE, PLACES.encode())
    assert (again.imported, again.updated, again.unchanged) == (0, 0, 4)
    corrected = import_bins(town, INSEE, PLACES.replace(";80", ";100").encode())
    assert (corrected.imported, corrected.updated, corrected.unchanged) == (0, 1, 3)


def test_every_fault_is_told_and_nothing_written(town: Connection):
    wrong = "place_id,kind,longitude_deg,latitude_deg\nA,bin,200,48\nA,lamp,2,\nB,bin,2\n"
    report = import_bins(town, INSEE, wrong.encode())
    assert [(one.line, one.column) for one in report.errors] == [
        (2, "longitude_deg"), (3, "latitude_deg"), (3, "kind"), (3, "place_id"), (4, None),
    ]  # fmt: skip
    assert bins.every(town, INSEE) == []
    unknown = import_vehicles(town, INSEE, VEHICLES.encode())
    assert [one.column for one in unknown.errors] == ["depot_id"]
    assert "voirie bins import" in unknown.errors[0].reason


def test_a_depot_does_not_become_a_bin(town: Connection):
    import_bins(town, INSEE, PLACES.encode())
    report = import_bins(town, INSEE, PLACES.replace("DEPOT;depot", "DEPOT;bin").encode())
    assert [one.column for one in report.errors] == ["kind"]
    assert import_bins(town, INSEE, PLACES.encode(), dry_run=True).unchanged == 4
