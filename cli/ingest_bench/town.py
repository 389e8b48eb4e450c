"""The measurement's commune: devices on their places."""

from __future__ import annotations

from datetime import datetime, timedelta

from cli.ingest_bench.messages import BINS, COMMUNE_INSEE, DEVICES, EMPTY_MM, FULL_MM, eui_of, model_of
from storage import bins, communes, devices, places
from storage.database import connect
from storage.model import Bin, Commune, Device, Mounting, ParkingSpace, PlaceKind


def provision(url: str, *, since: datetime) -> None:
    """Register the devices of the stream, mounted since a day before `since`."""
    with connect(url) as connection:
        communes.save(connection, Commune(commune_insee=COMMUNE_INSEE, name="Mesure"))
        names = [_place_of(device) for device in range(DEVICES)]
        bins.save(
            connection,
            [
                Bin(
                    commune_insee=COMMUNE_INSEE, place_id=name, longitude_deg=2.5, latitude_deg=48.8, street=None,
                    bin_kind="street", volume_l=80,
                )
                for name in names[:BINS]
            ],
        )  # fmt: skip
        places.save_parking_spaces(
            connection,
            [
                ParkingSpace(
                    commune_insee=COMMUNE_INSEE, place_id=name, longitude_deg=2.5, latitude_deg=48.8, street=None
                )
                for name in names[BINS:]
            ],
        )
        for device, name in enumerate(names):
            is_bin = device < BINS
            device_id = devices.register(
                connection, Device(commune_insee=COMMUNE_INSEE, eui=eui_of(device), model=model_of(device))
            )
            devices.mount(
                connection,
                Mounting(
                    commune_insee=COMMUNE_INSEE,
                    device_id=device_id,
                    place_id=name,
                    place_kind=PlaceKind.BIN if is_bin else PlaceKind.PARKING_SPACE,
                    mounted_at=since - timedelta(days=1),
                    empty_distance_mm=EMPTY_MM if is_bin else None,
                    full_distance_mm=FULL_MM if is_bin else None,
                ),
            )


def _place_of(device: int) -> str:
    return f"COR-{device:05d}" if device < BINS else f"STA-{device:05d}"
