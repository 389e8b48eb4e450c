"""The commune's sensors: which place has one, of which family, how it is mounted and how it ails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from simulators.devices import em310_udl, native, tps110
from simulators.randomness import Stream, stream
from storage.model import Bin, DeliveryBay, Device, Mounting, ParkingSpace, PlaceKind

_PHASE_MARGIN_S = 90


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedDevice:
    """A sensor on a place. `place_index` counts within its kind; `phase_s` is when in its period it speaks.

    Distances are None but for bins. `lag_s` is how long a parking sensor watches before it believes a change.
    """

    commune_insee: str
    eui: str
    model: str
    place_id: str
    place_kind: PlaceKind
    place_index: int
    mounted_at: datetime
    phase_s: int
    lag_s: int
    battery_percent: float
    drain_percent_a_day: float
    spreading_factor: int
    empty_distance_mm: int | None = None
    full_distance_mm: int | None = None

    @property
    def is_native(self) -> bool:
        """Whether it publishes JSON itself instead of speaking LoRaWAN."""
        return self.model == native.MODEL

    def as_device(self) -> Device:
        """Return it as storage registers it."""
        return Device(commune_insee=self.commune_insee, eui=self.eui, model=self.model)

    def as_mounting(self, device_id: int) -> Mounting:
        """Return its mounting, given the id that storage gave the device."""
        return Mounting(
            commune_insee=self.commune_insee,
            device_id=device_id,
            place_id=self.place_id,
            place_kind=self.place_kind,
            mounted_at=self.mounted_at,
            empty_distance_mm=self.empty_distance_mm,
            full_distance_mm=self.full_distance_mm,
        )


def mount_devices(
    bins: tuple[Bin, ...],
    bays: tuple[DeliveryBay, ...],
    spaces: tuple[ParkingSpace, ...],
    *,
    seed: int,
    sensor_share: float,
    native_share: float,
    mounted_at: datetime,
) -> tuple[SimulatedDevice, ...]:
    """Return a sensor for `sensor_share` of the bins, drawn at random, and for every bay and space."""
    generator = stream(seed, Stream.DEVICES)
    sensed = np.sort(generator.choice(len(bins), size=round(sensor_share * len(bins)), replace=False)).tolist()
    places: list[tuple[int, Bin | DeliveryBay | ParkingSpace, PlaceKind]] = [
        *((index, bins[index], PlaceKind.BIN) for index in sensed),
        *((index, bay, PlaceKind.DELIVERY_BAY) for index, bay in enumerate(bays)),
        *((index, space, PlaceKind.PARKING_SPACE) for index, space in enumerate(spaces)),
    ]
    return tuple(
        _device(number, index, place, kind, native_share=native_share, mounted_at=mounted_at, generator=generator)
        for number, (index, place, kind) in enumerate(places)
    )


def _device(
    number: int,
    index: int,
    place: Bin | DeliveryBay | ParkingSpace,
    kind: PlaceKind,
    *,
    native_share: float,
    mounted_at: datetime,
    generator: np.random.Generator,
) -> SimulatedDevice:
    is_bin = kind is PlaceKind.BIN
    is_native = bool(generator.random() < native_share)
    period_s = 3600 if is_bin else tps110.HEARTBEAT_S
    full_mm = int(generator.integers(110, 190))
    depth_mm = int(generator.integers(520, 760))
    # 24e124 is Milesight's block of addresses; Bosch's sensors carry 0004a3 of their radio module's maker.
    eui = f"24e124{generator.integers(2**24):06x}{number:04x}" if is_bin else f"0004a3{2**32 * 7 + number:010x}"
    return SimulatedDevice(
        commune_insee=place.commune_insee,
        eui=f"capteur-{place.place_id.lower()}" if is_native else eui,
        model=native.MODEL if is_native else em310_udl.MODEL if is_bin else tps110.MODEL,
        place_id=place.place_id,
        place_kind=kind,
        place_index=index,
        mounted_at=mounted_at,
        phase_s=int(generator.integers(_PHASE_MARGIN_S, period_s - _PHASE_MARGIN_S)),
        lag_s=int(generator.integers(3, 16)),
        battery_percent=float(generator.uniform(55.0, 100.0)),
        drain_percent_a_day=float(generator.uniform(0.01, 0.05)),
        spreading_factor=int(generator.choice([7, 8, 9, 10, 11, 12], p=[0.4, 0.22, 0.15, 0.1, 0.08, 0.05])),
        empty_distance_mm=full_mm + depth_mm if is_bin else None,
        full_distance_mm=full_mm if is_bin else None,
    )
