"""What rounds have to know of bins, vehicles and disposal sites beyond where they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalHours:
    """Local hours of each day of service between which something may begin."""

    opens: time
    closes: time


@dataclass(frozen=True, kw_only=True, slots=True)
class BinRule:
    """Who may empty a bin and when. `windows`: none means at any time; `vehicle_kinds`: none means any kind.

    `crew` is the people that it takes, `kg_per_l` what a litre of its waste weighs.
    """

    place_id: str
    max_width_cm: int | None = None
    crew: int = 1
    vehicle_kinds: tuple[str, ...] = ()
    windows: tuple[LocalHours, ...] = ()
    kg_per_l: float = 0.0


class VehicleSize(StrEnum):
    """A variant of the streets' profile: an old centre's narrow vehicle, a 3.5 t tipper, a 19 t refuse truck."""

    SMALL = "small"
    STANDARD = "standard"
    LARGE = "large"


@dataclass(frozen=True, kw_only=True, slots=True)
class VehicleRule:
    """What a vehicle can do and costs beside its capacity and shift. A price of None is the commune's.

    `capacity_kg` and `range_m` None: no limit. `end_depot_id` None: it comes back to where it started. `overtime_s` is
    how much later than the shift's end it may come back. `sectors`: those that its crew knows. `size` is the variant of
    the streets' profile that measures it, with its own width, height, length and laden weight where they are told.
    """

    vehicle_id: str
    capacity_kg: float | None = None
    width_cm: int = 0
    size: VehicleSize = VehicleSize.STANDARD
    height_cm: int | None = None
    length_cm: int | None = None
    laden_kg: int | None = None
    kind: str = ""
    crew: int = 1
    range_m: float | None = None
    end_depot_id: str | None = None
    overtime_s: float = 0.0
    unloadings_at_most: int | None = None
    home_empty: bool = True
    km_eur: float | None = None
    hour_eur: float | None = None
    out_eur: float | None = None
    overtime_hour_eur: float | None = None
    sectors: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DisposalRule:
    """When a disposal site takes waste; no windows: at any time."""

    place_id: str
    windows: tuple[LocalHours, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundRules:
    """All rules of a commune that differ from the usual."""

    bins: tuple[BinRule, ...] = ()
    vehicles: tuple[VehicleRule, ...] = ()
    disposal_sites: tuple[DisposalRule, ...] = ()
