"""What stands where, and the vehicles that start there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time

from storage.model.kinds import PlaceKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A point of the commune; WGS 84 degrees."""

    commune_insee: str
    place_id: str
    kind: PlaceKind
    longitude_deg: float
    latitude_deg: float
    street: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """A street bin (corbeille de rue). `surroundings` are numbers read from OpenStreetMap around it."""

    commune_insee: str
    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    bin_kind: str
    volume_l: float
    service_s: float = 40.0
    sector: str | None = None
    surroundings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryBay:
    """A delivery bay (place d'une aire de livraison) with its rule: days are ISO weekdays, hours are local."""

    commune_insee: str
    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    length_cm: int
    max_stay_s: int
    grace_s: int
    enforced_days: tuple[int, ...]
    enforced_from: time
    enforced_until: time


@dataclass(frozen=True, kw_only=True, slots=True)
class ParkingSpace:
    """A parking space on the street; `space_kind` is standard, pmr (disabled persons) or short_stay (arrêt minute)."""

    commune_insee: str
    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    space_kind: str = "standard"


@dataclass(frozen=True, kw_only=True, slots=True)
class DisposalSite:
    """Where vehicles unload."""

    commune_insee: str
    place_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    unload_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Vehicle:
    """A collection vehicle with its shift, its legal break and its depot. Hours are local, of the day of service."""

    commune_insee: str
    vehicle_id: str
    name: str
    capacity_l: float
    depot_id: str
    shift_from: time
    shift_until: time
    break_s: float
    break_from: time
    break_until: time
