"""A simulated commune enters the registry as a real one would: places, vehicles, devices and where they are mounted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time
from pathlib import Path

from optimise.fill.surroundings import read_surroundings
from simulators.world import World
from storage import bins, devices, places
from storage.database import Connection
from storage.model import Vehicle

_VEHICLES = 4


def fleet(commune_insee: str, depot_id: str, *, vehicles: int = _VEHICLES) -> list[Vehicle]:
    """Return the demo's vehicles: light compacting trucks (7.5 t, about 3.5 m3 of street waste before compaction)."""
    return [
        Vehicle(
            commune_insee=commune_insee,
            vehicle_id=f"BOM-{number}",
            name=f"Benne {number}",
            capacity_l=3500.0,
            depot_id=depot_id,
            shift_from=time(6, 0),
            shift_until=time(12, 30),
            break_s=1800.0,
            break_from=time(8, 30),
            break_until=time(10, 30),
        )
        for number in range(1, vehicles + 1)
    ]


def provision(connection: Connection, world: World, *, extract: Path, vehicles: Sequence[Vehicle]) -> None:
    """Store the commune's places, vehicles and mounted devices in the caller's transaction; harmless when repeated."""
    surroundings = read_surroundings(extract, [(item.longitude_deg, item.latitude_deg) for item in world.bins])
    bins.save(
        connection,
        [replace(item, surroundings=around) for item, around in zip(world.bins, surroundings, strict=True)],
    )
    places.save_places(connection, [world.depot])
    places.save_disposal_sites(connection, [world.disposal_site])
    places.save_delivery_bays(connection, world.delivery_bays)
    places.save_parking_spaces(connection, world.parking_spaces)
    places.save_vehicles(connection, vehicles)
    for simulated in world.devices:
        device_id = devices.register(connection, simulated.as_device())
        devices.mount(connection, simulated.as_mounting(device_id))
