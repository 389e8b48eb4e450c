"""Devices and where they are mounted over time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import datetime

from storage.database import Connection, fetch, statement
from storage.errors import UnavailableError
from storage.model import Device, Mounting, RegisteredDevice


def register(connection: Connection, device: Device) -> int:
    """Insert the device or update its model and status; return its device_id."""
    row = connection.execute(statement("devices", "register"), asdict(device)).fetchone()
    if row is None:
        raise UnavailableError("the database returned no device_id")
    return int(row[0])


def mount(connection: Connection, mounting: Mounting) -> None:
    """Put a device on a place. It must not be mounted elsewhere: unmount it first."""
    connection.execute(statement("devices", "mount"), asdict(mounting))


def unmount(connection: Connection, commune_insee: str, device_id: int, *, at: datetime) -> None:
    """End the device's present mounting; its readings up to `at` stay with the place."""
    parameters = {"commune_insee": commune_insee, "device_id": device_id, "unmounted_at": at}
    connection.execute(statement("devices", "unmount"), parameters)


def registry(connection: Connection) -> dict[tuple[str, str], RegisteredDevice]:
    """Return every device of the installation with its mountings, newest first, by (commune_insee, eui)."""
    mountings: defaultdict[int, list[Mounting]] = defaultdict(list)
    for mounting in fetch(connection, Mounting, statement("devices", "mountings"), {}):
        mountings[mounting.device_id].append(mounting)
    return {
        (device.commune_insee, device.eui): RegisteredDevice(
            device=device, mountings=tuple(mountings[device.device_id])
        )
        for device in fetch(connection, Device, statement("devices", "every"), {})
    }
