"""Devices and where they are mounted over time: what is known of them. `device_changes` is how that changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from storage.database import Connection, fetch, statement
from storage.errors import NotFoundError, UnavailableError
from storage.model import Device, DeviceChange, DeviceNow, DeviceStatus, Mounting, RegisteredDevice


def register(connection: Connection, device: Device) -> int:
    """Insert the device or update its model and status; return its device_id. Bare: for provisioning."""
    row = connection.execute(statement("devices", "register"), asdict(device)).fetchone()
    if row is None:
        raise UnavailableError("the database returned no device_id")
    return int(row[0])


def mount(connection: Connection, mounting: Mounting) -> None:
    """Put a device on a place. Neither may be taken. Bare: for provisioning, readings stay as they are."""
    connection.execute(statement("devices", "mount"), asdict(mounting))
    _changed(connection, mounting.commune_insee, [mounting.device_id])


def unmount(connection: Connection, commune_insee: str, device_id: int, *, at: datetime) -> None:
    """End the device's present mounting; its readings up to `at` stay with the place. Bare, as `mount` is."""
    parameters = {"commune_insee": commune_insee, "device_id": device_id, "unmounted_at": at}
    connection.execute(statement("devices", "unmount"), parameters)
    _changed(connection, commune_insee, [device_id])


def _changed(connection: Connection, commune_insee: str, device_ids: Sequence[int]) -> None:
    parameters = {"commune_insee": commune_insee, "device_ids": list(device_ids)}
    connection.execute(statement("devices", "changed"), parameters)


def hold_registry(connection: Connection, communes: Iterable[str]) -> dict[str, int]:
    """Keep the communes' registries from changing until the transaction ends; return their versions.

    Many may hold one at once; who changes it waits for all of them. A commune that is not there has no version.
    """
    rows = connection.execute(statement("devices", "hold_registry"), {"communes": sorted(communes)})
    return dict(rows.fetchall())


def registry(connection: Connection) -> dict[tuple[str, str], RegisteredDevice]:
    """Return every device of the installation with its mountings, newest first, by (commune_insee, eui)."""
    found = fetch(connection, Device, statement("devices", "every"), {})
    return _by_name(found, fetch(connection, Mounting, statement("devices", "mountings"), {}))


def registry_since(connection: Connection, versions: Mapping[str, int]) -> dict[tuple[str, str], RegisteredDevice]:
    """Return the devices that changed after these versions of their communes' registries, as `registry` does."""
    parameters = {"communes": list(versions), "versions": list(versions.values())}
    return _with_mountings(connection, fetch(connection, Device, statement("devices", "changed_since"), parameters))


def of_commune(connection: Connection, commune_insee: str) -> list[RegisteredDevice]:
    """Return every device of a commune with its mountings, newest first."""
    found = fetch(connection, Device, statement("devices", "of_commune"), {"commune_insee": commune_insee})
    return list(_with_mountings(connection, found).values())


def some(
    connection: Connection, commune_insee: str, *, euis: Iterable[str], place_ids: Iterable[str]
) -> list[RegisteredDevice]:
    """Return the devices of these names, and those that are or were on one of these places."""
    parameters = {"commune_insee": commune_insee, "euis": list(euis), "place_ids": list(place_ids)}
    found = fetch(connection, Device, statement("devices", "some"), parameters)
    return list(_with_mountings(connection, found).values())


def one(connection: Connection, commune_insee: str, eui: str) -> RegisteredDevice:
    """Return one device with its mountings, newest first; NotFoundError when the commune has none of that name."""
    for known in some(connection, commune_insee, euis=[eui], place_ids=[]):
        return known
    raise NotFoundError(f"commune {commune_insee} has no device {eui!r}")


def _with_mountings(connection: Connection, found: Sequence[Device]) -> dict[tuple[str, str], RegisteredDevice]:
    parameters = {"device_ids": [device.device_id for device in found]}
    mountings = fetch(connection, Mounting, statement("devices", "mountings_of"), parameters) if found else []
    return _by_name(found, mountings)


def _by_name(found: Iterable[Device], mountings: Iterable[Mounting]) -> dict[tuple[str, str], RegisteredDevice]:
    of_device: defaultdict[int, list[Mounting]] = defaultdict(list)
    for mounting in mountings:
        of_device[mounting.device_id].append(mounting)
    return {
        (device.commune_insee, device.eui): RegisteredDevice(
            device=device, mountings=tuple(of_device[device.device_id])
        )
        for device in found
    }


def now(
    connection: Connection,
    commune_insee: str,
    *,
    eui: str | None = None,
    status: DeviceStatus | None = None,
    model: str | None = None,
    place_id: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[DeviceNow]:
    """Return the commune's devices by eui, those that are all that is asked for; `after`, `limit`: one page of them."""
    parameters: dict[str, Any] = {
        "commune_insee": commune_insee,
        "eui": eui,
        "status": status,
        "model": model,
        "place_id": place_id,
        "after": after,
        "limit": limit,
    }
    return fetch(connection, DeviceNow, statement("devices", "now"), parameters)


def counts_by_status(connection: Connection, commune_insee: str) -> dict[DeviceStatus, int]:
    """Return how many devices the commune has of each status; those of which it has none are absent."""
    rows = connection.execute(statement("devices", "counts"), {"commune_insee": commune_insee})
    return {DeviceStatus(status): number for status, number in rows}


def changes(connection: Connection, device_id: int) -> list[DeviceChange]:
    """Return all that was ever told of a device, in the order in which it was told."""
    return fetch(connection, DeviceChange, statement("devices", "changes"), {"device_id": device_id})
