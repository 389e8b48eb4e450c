"""Sensors, where they are mounted over time, and what was told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from storage.model.kinds import BinShape, DeviceChangeKind, DeviceStatus, Orientation, PlaceKind


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownModel:
    """A model of sensor as the registry knows it. `lorawan`: its devices are named by a DevEUI of 16 hex digits."""

    name: str
    title: str
    measures: Literal["level", "occupancy", "either"]
    lorawan: bool = True

    def fits(self, kind: PlaceKind) -> bool:
        """Whether a place of this kind has something that the model measures."""
        if kind is PlaceKind.BIN:
            return self.measures != "occupancy"
        return kind in {PlaceKind.DELIVERY_BAY, PlaceKind.PARKING_SPACE} and self.measures != "level"


type Catalogue = Mapping[str, KnownModel]
"""Every model that this installation reads, by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A sensor. `model` names its decoder; `eui` is a LoRaWAN DevEUI in lower-case hex or a native identifier."""

    commune_insee: str
    eui: str
    model: str
    device_id: int = 0  # given by the database
    status: DeviceStatus = DeviceStatus.MOUNTED
    comment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """How a bin's sensor is mounted and what the bin is like; what a distance means follows from it.

    `empty_distance_mm`, `full_distance_mm`: what the sensor reads when the bin is empty, and when it is full.
    `mounting_height_mm`, `full_height_mm`: the sensor and the full line above the bin's bottom. `bottom_ratio`: a
    tapered bin's width at its bottom, as a share of that at its full line.
    """

    empty_distance_mm: int | None = None
    full_distance_mm: int | None = None
    mounting_height_mm: int | None = None
    full_height_mm: int | None = None
    orientation: Orientation = Orientation.DOWN
    bin_shape: BinShape = BinShape.STRAIGHT
    bottom_ratio: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mounting:
    """A device on a place for a time, from `mounted_at` until before `unmounted_at`; on a bin with its `Geometry`."""

    commune_insee: str
    device_id: int
    place_id: str
    place_kind: PlaceKind
    mounted_at: datetime
    unmounted_at: datetime | None = None
    empty_distance_mm: int | None = None
    full_distance_mm: int | None = None
    mounting_height_mm: int | None = None
    full_height_mm: int | None = None
    orientation: Orientation = Orientation.DOWN
    bin_shape: BinShape = BinShape.STRAIGHT
    bottom_ratio: float | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether the device was on this place at `moment`."""
        return self.mounted_at <= moment and (self.unmounted_at is None or moment < self.unmounted_at)

    @property
    def geometry(self) -> Geometry:
        """What a distance means here."""
        return Geometry(
            empty_distance_mm=self.empty_distance_mm,
            full_distance_mm=self.full_distance_mm,
            mounting_height_mm=self.mounting_height_mm,
            full_height_mm=self.full_height_mm,
            orientation=self.orientation,
            bin_shape=self.bin_shape,
            bottom_ratio=self.bottom_ratio,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredDevice:
    """A device and all its mountings, newest first: what the collector needs to place a reading."""

    device: Device
    mountings: tuple[Mounting, ...]

    def mounting_at(self, moment: datetime) -> Mounting | None:
        """Return the mounting in force at `moment`, or None."""
        for mounting in self.mountings:
            if mounting.covers(moment):
                return mounting
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceChange:
    """What was told of a device: it happened at `happened_at` and was entered at `recorded_at`, by `author`."""

    kind: DeviceChangeKind
    happened_at: datetime
    recorded_at: datetime
    place_id: str | None = None
    author: str | None = None
    comment: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceNow:
    """A device as a list shows it: where it is (None: on no place), when it was last heard, and its battery then."""

    eui: str
    model: str
    status: DeviceStatus
    comment: str | None
    place_id: str | None
    place_kind: PlaceKind | None
    mounted_at: datetime | None
    geometry: Geometry
    last_seen_at: datetime | None
    battery_percent: float | None
    battery_v: float | None
