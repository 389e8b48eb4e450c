"""Travel times and distances between places, whoever measures them: streets (OSRM) or great circles.

Whoever plans asks for matrices first, looks for places that cannot be reached, and asks for the ways of the finished
rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np

from optimise.rounds.problem import Integers
from storage.errors import InputError
from storage.model import Step, VehicleRule, VehicleSize

type Point = tuple[float, float]
"""Longitude and latitude, WGS 84 degrees."""

NO_WAY = -1
"""In a matrix: there is no way from the row's place to the column's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VehicleBody:
    """How large a vehicle is: a variant of the profile, and its own figures where somebody told them.

    Streets that are too narrow, low or short for it are not used, nor those for less than its laden weight.
    """

    size: VehicleSize = VehicleSize.STANDARD
    width_cm: int | None = None
    height_cm: int | None = None
    length_cm: int | None = None
    weight_kg: int | None = None

    @classmethod
    def of(cls, rule: VehicleRule) -> VehicleBody:
        """Return what a rule tells of its vehicle."""
        return cls(
            size=rule.size,
            width_cm=rule.width_cm or None,
            height_cm=rule.height_cm,
            length_cm=rule.length_cm,
            weight_kg=rule.laden_kg,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TravelOptions:
    """How to measure travel.

    `extract` is an OpenStreetMap file (.osm.pbf), None for great circles; `profile` the Lua profile of the vehicle;
    `cache_dir` keeps prepared streets. `kerb_side`: stop with the bin on the vehicle's right. `max_snap_m`: a place
    farther than this from any street is unreachable. `detour_factor` and `speed_kmh` serve great circles only.
    `closed_ways`: OpenStreetMap's ids of ways that are closed. `body`: the vehicle's.
    """

    extract: Path | None
    profile: Path
    cache_dir: Path
    kerb_side: bool = True
    max_snap_m: float = 150.0
    detour_factor: float = 1.4
    speed_kmh: float = 16.0
    closed_ways: frozenset[int] = frozenset()
    body: VehicleBody = field(default_factory=VehicleBody)

    def __post_init__(self) -> None:
        for name in ("max_snap_m", "speed_kmh"):
            value = getattr(self, name)
            if not value > 0:
                raise InputError(f"expected {name} > 0, got {value}")
        if self.closed_ways and self.extract is None:
            raise InputError("streets can only be closed where there are some: expected an extract with closed_ways")
        if not self.detour_factor >= 1:
            raise InputError(f"expected detour_factor >= 1, got {self.detour_factor}")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Matrices:
    """Travel between m places: `duration_s` and `distance_m` (m, m), from row to column, NO_WAY where there is none.

    `snap_m` (m,): how far each place is from the street where the vehicle stops. `kerb` (m,): whether it stops on its
    side.
    """

    duration_s: Integers
    distance_m: Integers
    snap_m: tuple[float, ...]
    kerb: tuple[bool, ...]

    def of(self, places: Sequence[int]) -> Matrices:
        """Return the matrices of some of the places."""
        chosen = np.ix_(places, places)
        return Matrices(
            duration_s=self.duration_s[chosen],
            distance_m=self.distance_m[chosen],
            snap_m=tuple(self.snap_m[place] for place in places),
            kerb=tuple(self.kerb[place] for place in places),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """The way from one place to the next: its metres, its steps, and where it ends on the geometry."""

    distance_m: float
    point_index: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """The way through some places: its points and its legs."""

    geometry: tuple[Point, ...]
    legs: tuple[Leg, ...]


class Cutoff(StrEnum):
    """Why a place cannot be served."""

    FAR_FROM_STREETS = "far_from_streets"
    NO_WAY = "no_way"


class Travel(Protocol):
    """What measures travel."""

    @property
    def source(self) -> str:
        """Where the numbers come from, kept with the plan: "osrm:FILE" or "great_circle x 1.4"."""
        ...

    def matrices(self, points: Sequence[Point], *, kerb: Sequence[bool]) -> Matrices:
        """Return travel between all points; `kerb` asks, point by point, to stop on the point's side of the street."""
        ...

    def way(self, points: Sequence[Point], *, kerb: Sequence[bool]) -> Way:
        """Return the way through `points` in their order."""
        ...


def open_travel(options: TravelOptions) -> Travel:
    """Return what measures travel by `options`, preparing the streets (once per extract and profile) when need be."""
    if options.extract is None:
        from optimise.rounds.great_circle import GreatCircles  # noqa: PLC0415 - both import this module's types

        return GreatCircles(detour_factor=options.detour_factor, speed_kmh=options.speed_kmh)
    from optimise.rounds.osrm_cache import StreetChanges, prepared_streets  # noqa: PLC0415 - OSRM only where there is an extract
    from optimise.rounds.osrm_streets import Streets  # noqa: PLC0415

    data = prepared_streets(
        options.extract,
        profile=options.profile,
        cache_dir=options.cache_dir,
        changes=StreetChanges(closed_ways=options.closed_ways, body=options.body),
    )
    return Streets(data, name=options.extract.name)


def unreachable(
    matrices: Matrices, *, anchors: Sequence[int], max_snap_m: float, names: Sequence[str]
) -> dict[int, Cutoff]:
    """Return the places that a vehicle cannot serve, with the cause.

    `anchors` are the depots and disposal sites. A place is reachable when ways lead to it from all of them and back;
    then reachable places reach each other through them. Raises InputError, by its name in `names`, for an anchor that
    is cut off.
    """
    first = list(anchors)
    for anchor in first:
        snap_m = matrices.snap_m[anchor]
        if snap_m > max_snap_m:
            raise InputError(f"{names[anchor]} is {snap_m:.0f} m from any street, expected at most {max_snap_m:.0f} m")
        for other in first:
            if matrices.duration_s[anchor, other] == NO_WAY:
                raise InputError(f"no way leads from {names[anchor]} to {names[other]}")
    come = (matrices.duration_s[first] != NO_WAY).all(axis=0)
    leave = (matrices.duration_s[:, first] != NO_WAY).all(axis=1)
    found: dict[int, Cutoff] = {}
    for place, snap_m in enumerate(matrices.snap_m):
        if snap_m > max_snap_m:
            found[place] = Cutoff.FAR_FROM_STREETS
        elif not (come[place] and leave[place]):
            found[place] = Cutoff.NO_WAY
    return found
