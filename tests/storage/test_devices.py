"""Devices move from place to place; a reading belongs to where its device was at the time."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
import pytest

from storage import bins, devices, readings
from storage.model import Device, Mounting
from tests.storage.town import INSEE, NOON, Town, batch, fill, mounting

EUI = "24e124713b000001"
DAY = timedelta(days=1)


def mountings(town: Town) -> tuple[Mounting, ...]:
    return devices.registry(town.connection)[INSEE, EUI].mountings


def test_registering_again_keeps_the_device(town: Town):
    device = Device(commune_insee=INSEE, eui=EUI, model="other", status="retired")
    assert devices.register(town.connection, device) == town.bin_device
    registered = devices.registry(town.connection)[INSEE, EUI].device
    assert (registered.device_id, registered.model, registered.status) == (town.bin_device, "other", "retired")


def test_same_eui_in_two_communes_is_two_devices(town: Town):
    town.connection.execute("INSERT INTO commune (commune_insee, name) VALUES ('75056', 'Paris')")
    other = devices.register(town.connection, Device(commune_insee="75056", eui=EUI, model="any"))
    assert other != town.bin_device
    assert {(INSEE, EUI), ("75056", EUI)} <= devices.registry(town.connection).keys()


def test_moved_device_is_where_it_was_at_each_moment(town: Town):
    devices.unmount(town.connection, INSEE, town.bin_device, at=NOON)
    devices.mount(town.connection, mounting(town.bin_device, "COR-0002", at=NOON + DAY))
    registered = devices.registry(town.connection)[INSEE, EUI]
    assert [item.place_id for item in registered.mountings] == ["COR-0002", "COR-0001"]

    def place_at(moment: datetime) -> str | None:
        found = registered.mounting_at(moment)
        return found and found.place_id

    assert place_at(NOON - timedelta(microseconds=1)) == "COR-0001"
    assert place_at(NOON) is None
    assert place_at(NOON + DAY - timedelta(microseconds=1)) is None
    assert place_at(NOON + DAY) == "COR-0002"
    assert place_at(NOON - timedelta(days=366)) is None


def test_readings_stay_with_the_place_when_the_device_moves_on(town: Town):
    readings.take_in(town.connection, batch(fill_readings=(fill(town.bin_device, NOON - DAY, 0.7),)))
    devices.unmount(town.connection, INSEE, town.bin_device, at=NOON)
    devices.mount(town.connection, mounting(town.bin_device, "COR-0002", at=NOON))
    moved = fill(town.bin_device, NOON + DAY, 0.1, place_id="COR-0002")
    readings.take_in(town.connection, batch(fill_readings=(moved,)))
    first, second, _ = bins.now(town.connection, INSEE, at=NOON + DAY)
    assert (first.has_sensor, first.measured_fill_fraction) == (False, pytest.approx(0.7))
    assert (second.has_sensor, second.measured_fill_fraction) == (True, pytest.approx(0.1))


def test_device_cannot_be_on_two_places_at_once(town: Town):
    with pytest.raises(psycopg.errors.ExclusionViolation, match="mounting_device_is_on_one_place"):
        devices.mount(town.connection, mounting(town.bin_device, "COR-0002", at=NOON))


def test_place_cannot_have_two_devices_at_once(town: Town):
    other = devices.register(town.connection, Device(commune_insee=INSEE, eui="24e124713b0000ff", model="any"))
    with pytest.raises(psycopg.errors.ExclusionViolation, match="mounting_place_has_one_device"):
        devices.mount(town.connection, mounting(other, "COR-0001", at=NOON))


def test_mounting_again_is_harmless(town: Town):
    before = mountings(town)
    devices.mount(town.connection, mounting(town.bin_device, "COR-0001"))
    assert mountings(town) == before


def test_mounting_carries_its_geometry_and_the_kind_of_its_place(town: Town):
    (item,) = mountings(town)
    assert item == mounting(town.bin_device, "COR-0001")


def test_mounting_ends_after_it_began(town: Town):
    with pytest.raises(psycopg.errors.CheckViolation):
        devices.unmount(town.connection, INSEE, town.bin_device, at=NOON - timedelta(days=366))
