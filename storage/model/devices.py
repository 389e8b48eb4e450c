"""Sensors, and where they are mounted over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.model.kinds import PlaceKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A sensor. `model` names its decoder; `eui` is a LoRaWAN DevEUI in lower-case hex or a native identifier."""

    commune_insee: str
    eui: str
    model: str
    device_id: int = 0  # given by the database
    status: str = "mounted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mounting:
    """A device on a place for a time. Distances (bins only): what the sensor reads when the bin is empty and full."""

    commune_insee: str
    device_id: int
    place_id: str
    place_kind: PlaceKind
    mounted_at: datetime
    unmounted_at: datetime | None = None
    empty_distance_mm: int | None = None
    full_distance_mm: int | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether the device was on this place at `moment`."""
        return self.mounted_at <= moment and (self.unmounted_at is None or moment < self.unmounted_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredDevice:
    """A device and all its mountings, newest first: what the collector needs to place a reading."""

    device: Device
    mountings: tuple[Mounting, ...]

    def mounting_at(self, moment: datetime) -> Mounting | None:
        """Return the mounting in force at `moment`, or None."""
        return next((mounting for mounting in self.mountings if mounting.covers(moment)), None)
