"""A commune of two streets of bays and spaces whose sensors told weeks of stays, some of them without a sensor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from optimise.occupancy.forecast.job import forecast_bays
from optimise.occupancy.job import make_sessions
from storage import communes, devices, places, sessions
from storage.database import Connection
from storage.model import Commune, Device, Mounting, ParkingSpace, PlaceKind

INSEE = "93051"
NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
"""A Tuesday, 11:00 in Paris."""
DAYS = 14
SENSED, SILENT = 12, 4


def provision(connection: Connection, *, days: int = DAYS, until: datetime = NOW, seed: int = 0) -> None:
    """Store the commune, its spaces and what their sensors told in the days before `until`; commit."""
    communes.save(connection, Commune(commune_insee=INSEE, name="Noisy-le-Grand"))
    spaces = [
        ParkingSpace(
            commune_insee=INSEE,
            place_id=f"STA-{number:04d}",
            longitude_deg=2.55 + number % 8 * 0.00008,
            latitude_deg=48.84 + number // 8 * 0.002,
            street=("Rue Haute", "Rue Basse")[number // 8],
        )
        for number in range(SENSED + SILENT)
    ]
    places.save_parking_spaces(connection, spaces)
    rng = np.random.default_rng(seed)
    for number in [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13]:
        device_id = devices.register(
            connection, Device(commune_insee=INSEE, eui=f"70b3d5e75e{number:06x}", model="made-up")
        )
        devices.mount(
            connection,
            Mounting(
                commune_insee=INSEE,
                device_id=device_id,
                place_id=f"STA-{number:04d}",
                place_kind=PlaceKind.PARKING_SPACE,
                mounted_at=until - timedelta(days=days),
            ),
        )
        tell(connection, f"STA-{number:04d}", device_id, stays(rng, until - timedelta(days=days), until))
    due = [
        sessions.SessionsDue(place_id=space.place_id, changed_since=until - timedelta(days=days)) for space in spaces
    ]
    sessions.ask(connection, INSEE, due)
    connection.commit()


def stays(rng: np.random.Generator, since: datetime, until: datetime) -> list[tuple[datetime, bool]]:
    """Return when a space turned occupied or free: stays of an hour by day, a free space by night."""
    at, occupied, told = since, False, []
    while at < until:
        told.append((at, occupied))
        by_day = 7 <= at.hour < 19
        usual_h = (1.0 if occupied else 0.5) if by_day else (0.5 if occupied else 3.0)
        at += timedelta(hours=max(0.02, rng.exponential(usual_h)))
        occupied = not occupied
    return told


def tell(connection: Connection, place_id: str, device_id: int, told: list[tuple[datetime, bool]]) -> None:
    """Store what a sensor told."""
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY occupancy_reading (commune_insee, device_id, place_id, measured_at, record_index, received_at,"
            " quality, occupied) FROM STDIN"
        ) as copy,
    ):
        for at, occupied in told:
            copy.write_row((INSEE, device_id, place_id, at, 0, at, "ok", occupied))


def set_free(connection: Connection, *, free: set[int], at_min: float = 5) -> None:
    """Have every sensor say, so long before NOW, whether its space is free; make the stays, and commit."""
    at = NOW - timedelta(minutes=at_min)
    rows = connection.execute("SELECT place_id, device_id FROM mounting WHERE commune_insee = %s", [INSEE]).fetchall()
    for place_id, device_id in rows:
        tell(connection, place_id, device_id, [(at, int(place_id[-4:]) not in free)])
    sessions.ask(connection, INSEE, [sessions.SessionsDue(place_id=place_id, changed_since=at) for place_id, _ in rows])
    make_sessions(connection, INSEE)
    connection.commit()


def forecast(connection: Connection) -> None:
    """Foretell the bays as of NOW, and commit."""
    forecast_bays(connection, INSEE, as_of=NOW)
    connection.commit()
