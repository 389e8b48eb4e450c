"""What a town can do about a delivery area, and what the areas are like once it did. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from optimise.occupancy.advice.scene import Area, Scene, Spot


class MeasureKind(StrEnum):
    """What is done: a bay more, one moved, one given up, hours shared with others, hours added, another limit."""

    ADD = "add"
    MOVE = "move"
    REMOVE = "remove"
    SHARE = "share"
    EXTEND = "extend"
    LIMIT = "limit"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Measure:
    """One thing to do, at the area `area` (its index) or at the spot `spot`, or from the one to the other.

    `open` (3, 24) are the area's hours afterwards (SHARE, EXTEND), `max_stay_s` its limit (LIMIT). `saves` and `loses`
    are first guesses of the deliveries refused less and more in a week, `gives_back_h` place-hours given to others.
    `reaches` are the origins whose refused deliveries a bay at the spot could take.
    """

    kind: MeasureKind
    cost_eur: float
    area: int | None = None
    spot: int | None = None
    open: NDArray[np.bool_] | None = None
    max_stay_s: int | None = None
    saves: float = 0.0
    loses: float = 0.0
    gives_back_h: float = 0.0
    reaches: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        needs_spot = self.kind in {MeasureKind.ADD, MeasureKind.MOVE}
        needs_area = self.kind is not MeasureKind.ADD
        if (self.spot is not None) != needs_spot or (self.area is not None) != needs_area:
            raise ValueError(f"expected {self.kind} to name {'a spot' if needs_spot else 'an area'}")

    def name(self, scene: Scene) -> str:
        """Return what it is known by: the same measure of the same town has the same name."""
        area = "" if self.area is None else scene.areas[self.area].area_id
        spot = "" if self.spot is None else scene.spots[self.spot].spot_id
        return f"{self.kind}:{'>'.join(part for part in (area, spot) if part)}"


ORDINARY_STAY_S = 1800
"""The limit of a new bay."""


def new_area(spot: Spot) -> Area:
    """Return the bay that is marked out at a spot: for deliveries from Monday to Saturday, 6:00 to 20:00."""
    hours = np.zeros((3, 24), dtype=np.bool_)
    hours[:2, 6:20] = True
    return Area(
        area_id=spot.spot_id,
        longitude_deg=spot.longitude_deg,
        latitude_deg=spot.latitude_deg,
        street=spot.street,
        places=1,
        open=hours,
        max_stay_s=ORDINARY_STAY_S,
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Layout:
    """The areas after measures: the scene's by index (`places` 0: given up), then the new ones, from `before` on.

    `limits` are stays that drivers are held to by a measure, by area; `extended` (3, 24) hours that it opened, `shared`
    those that it gave to others. A new area's other hours are shared: nobody knows who would stand there.
    """

    areas: tuple[Area, ...]
    places: tuple[int, ...]
    before: int
    limits: dict[int, int]
    extended: dict[int, NDArray[np.bool_]]
    shared: dict[int, NDArray[np.bool_]]


def layout(scene: Scene, measures: Iterable[Measure] = ()) -> Layout:
    """Return the scene's areas as they are after `measures`."""
    areas = list(scene.areas)
    places = [area.places for area in areas]
    limits: dict[int, int] = {}
    extended: dict[int, NDArray[np.bool_]] = {}
    shared: dict[int, NDArray[np.bool_]] = {}
    for one in measures:
        if one.area is not None:
            if one.kind in {MeasureKind.REMOVE, MeasureKind.MOVE}:
                places[one.area] -= 1
            if one.open is not None:
                before = areas[one.area].open
                if one.kind is MeasureKind.EXTEND:
                    extended[one.area] = one.open & ~before
                else:
                    shared[one.area] = before & ~one.open
            if one.max_stay_s is not None:
                limits[one.area] = one.max_stay_s
        if one.spot is not None:
            areas.append(new_area(scene.spots[one.spot]))
            places.append(1)
            shared[len(areas) - 1] = ~areas[-1].open
    return Layout(
        areas=tuple(areas),
        places=tuple(places),
        before=len(scene.areas),
        limits=limits,
        extended=extended,
        shared=shared,
    )
