"""A street of two delivery bays over four weeks, of which one is far too little and one lies idle."""

from __future__ import annotations

import math
from datetime import time, timedelta

import numpy as np

from optimise.occupancy.job import make_sessions
from storage import kerb_places, readings
from storage.database import Connection
from storage.model import KerbPlace, OccupancyReading, PlaceKind, Rule
from tests.api.rows import INSEE, NOW, mount, occupancy, save_commune, save_places
from tests.storage.town import batch

HOUR = timedelta(hours=1)
DAYS = 28


def save_street(connection: Connection) -> None:
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
