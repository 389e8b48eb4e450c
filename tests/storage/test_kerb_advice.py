"""Advice from a real database: made of what sensors saw, stored, and the same over HTTP."""

from __future__ import annotations

import math
from datetime import time, timedelta
from pathlib import Path

import numpy as np
import pytest

from optimise.occupancy.advice.ground import read_ground
from optimise.occupancy.advice.job import advise_commune
from optimise.occupancy.advice.options import AdviceOptions
from optimise.occupancy.advice.scene import distances_m
from optimise.occupancy.job import make_sessions
from storage import advice, kerb_places, readings
from storage.database import Connection
from storage.errors import InputError, NotFoundError
from storage.model import KerbPlace, OccupancyReading, PlaceKind, Rule
from tests.api.rows import INSEE, NOW, mount, occupancy, save_commune, save_places
from tests.storage.town import batch

OPTIONS = AdviceOptions(weeks=4, workers=1)
HOUR = timedelta(hours=1)
DAYS = 28


@pytest.fixture
def street(connection: Connection) -> Connection:
    """Two bays four weeks long: one taken from 8 to 18 but for moments, one of which nobody wants anything."""
    save_commune(connection)
    save_places(connection)
    rules = (Rule(days=(1, 2, 3, 4, 5, 6), starts=time(7), ends=time(20), max_stay_s=1800),)
    kerb_places.save(
        connection,
        INSEE,
        [
            KerbPlace(
                place_id="AREA", kind=PlaceKind.DELIVERY_AREA, longitude_deg=2.55, latitude_deg=48.841, rules=rules
            ),
            KerbPlace(
                place_id="ADL-01", kind=PlaceKind.DELIVERY_BAY, longitude_deg=2.55, latitude_deg=48.841, length_cm=1200,
                part_of="AREA", street="Rue A",
            ),
            KerbPlace(
                place_id="ADL-02", kind=PlaceKind.DELIVERY_BAY, longitude_deg=2.56, latitude_deg=48.841, length_cm=1200,
                rules=rules, street="Rue B",
            ),
        ],
    )  # fmt: skip
    generator = np.random.default_rng(5)
    said: list[OccupancyReading] = []
    for place_id, per_h in (("ADL-01", 4.0), ("ADL-02", 0.02)):
        device_id = mount(connection, place_id, eui=place_id, kind=PlaceKind.DELIVERY_BAY)
        start = NOW - DAYS * 24 * HOUR
        free_at = start
        said += [
            occupancy(place_id, occupied=False, at=start + number * 6 * HOUR, device_id=device_id)
            for number in range(DAYS * 4)
            if (number * 6) % 24 in {12, 18}  # 23:00 and 5:00 in Paris, when nobody delivers
        ]
        moment = start
        while (moment := moment + generator.exponential(1 / per_h) * HOUR) < NOW:
            if not 8 <= (moment + HOUR).hour < 18 or moment < free_at:
                continue
            left = moment + min(math.exp(generator.normal(math.log(12), 0.6)), 90) * timedelta(minutes=1)
            said += [
                occupancy(place_id, occupied=True, at=moment, device_id=device_id),
                occupancy(place_id, occupied=False, at=left, device_id=device_id),
            ]
            free_at = left + timedelta(minutes=1)
    said.sort(key=lambda one: one.measured_at)
    readings.take_in(connection, batch(occupancy_readings=tuple(said)))
    make_sessions(connection, INSEE)
    connection.commit()
    return connection


def test_the_full_bay_gets_another_and_the_idle_one_goes(street: Connection):
    with pytest.raises(NotFoundError, match="no advice"):
        advice.latest(street, INSEE)
    told = advise_commune(street, INSEE, now=NOW, options=OPTIONS, extract=None)
    document = told.document
    assert advice.latest(street, INSEE) == document
    measures = {one["measure_id"]: one for one in document["measures"]}
    assert "add:AREA+1" in measures
    assert any(name in measures for name in ("remove:ADL-02", "share:ADL-02"))
    added = measures["add:AREA+1"]["expected"]["refused_avoided_per_week"]
    assert 0 < added["low"] < added["mean"] < added["high"]
    (full,) = (area for area in document["areas"] if area["area_id"] == "AREA")
    # Of four an hour in ten hours of seven days: what sensors could not see is found again.
    assert full["deliveries_wanted_per_week"] == pytest.approx(280, rel=0.12)
    assert full["refused_share"] == pytest.approx(0.47, abs=0.06)
    assert document["played"]["fit"] == pytest.approx(1, abs=0.05)
    assert document["seen"]["shops"] == 0


def test_without_sensors_there_is_nothing_to_advise_on(connection: Connection):
    save_commune(connection)
    save_places(connection)
    with pytest.raises(InputError, match="nothing to advise on"):
        advise_commune(connection, INSEE, now=NOW, options=OPTIONS, extract=None)


def test_shops_and_spots_of_a_real_town(reference_data: Path):
    areas = [(7.4206, 43.7384), (7.4270, 43.7402)]
    origins, spots = read_ground(reference_data / "osm" / "monaco-latest.osm.pbf", areas, within_m=80)
    assert sum(one.shops for one in origins) > 50
    assert len(spots) > 20
    where = [spot.at for spot in spots]
    assert distances_m(where, areas).min() >= 15
    assert distances_m(where, [one.at for one in origins]).min(axis=1).max() <= 80
    assert len({spot.spot_id for spot in spots}) == len(spots)
    with pytest.raises(InputError, match="no street extract"):
        read_ground(Path("none.pbf"), areas, within_m=80)
