"""What the advice sees of a town: its delivery areas, where deliveries come from, and where a bay could be. Pure.

A week is 168 hours from Monday 0:00. Figures by (class of day, hour) are arrays (3, 24): workday, saturday, sunday.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

type Slots = NDArray[np.float64]
"""(3, 24) figures by class of day and local hour."""

DAY_CLASSES = ("workday", "saturday", "sunday")
DAYS_OF_CLASS = np.array([5.0, 1.0, 1.0])
CLASS_OF_HOUR = np.repeat([0, 0, 0, 0, 0, 1, 2], 24)
"""(168,) the class of day of each hour of the week."""
_METRES_OF_A_DEGREE = 111_195.0


def week_sum(slots: Slots) -> float:
    """Return the sum over a week of what happens in an hour of each slot."""
    return float((slots.sum(axis=1) * DAYS_OF_CLASS).sum())


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Area:
    """A delivery area, or a bay that is none's.

    `places` vehicles find room. `wanted` (3, 24) vehicles an hour came, those refused included, of which the share
    `short` (3, 24) stays no longer than a delivery; None where no sensor is. `open` (3, 24) is True where a rule keeps
    it for deliveries, `max_stay_s` its limit. `dwell_counts` (13,) are of all its told dwells, in the classes of
    `storage.kerb.usage`.
    """

    area_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    places: int
    open: NDArray[np.bool_]
    max_stay_s: int | None
    wanted: Slots | None = None
    seen: Slots | None = None
    short: Slots | None = None
    dwell_counts: tuple[int, ...] = ()
    occupied_share: float | None = None
    refused_share: float | None = None
    overstay_share: float | None = None
    known_h: float = 0.0

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.places < 1:
            raise ValueError(f"expected places >= 1, got {self.places} of {self.area_id}")
        for name in ("wanted", "seen", "short"):
            found = getattr(self, name)
            if found is not None and (found.shape != (3, 24) or not (found >= 0).all()):
                raise ValueError(f"expected {name} (3, 24), none below 0, of {self.area_id}")

    @property
    def at(self) -> tuple[float, float]:
        """Longitude and latitude, degrees."""
        return self.longitude_deg, self.latitude_deg

    @property
    def open_h_per_week(self) -> float:
        """Hours of a week in which it is kept for deliveries."""
        return week_sum(self.open.astype(np.float64))


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Some shops beside each other, to which deliveries come: `shops` of them, 0 for an area's own surroundings."""

    longitude_deg: float
    latitude_deg: float
    shops: int

    @property
    def at(self) -> tuple[float, float]:
        """Longitude and latitude, degrees."""
        return self.longitude_deg, self.latitude_deg


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A place at the kerb where a bay could be marked out."""

    spot_id: str
    longitude_deg: float
    latitude_deg: float
    street: str | None

    @property
    def at(self) -> tuple[float, float]:
        """Longitude and latitude, degrees."""
        return self.longitude_deg, self.latitude_deg


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """A town as advice sees it."""

    areas: tuple[Area, ...]
    origins: tuple[Origin, ...]
    spots: tuple[Spot, ...] = field(default=())


def distances_m(here: list[tuple[float, float]], there: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Return (len(here), len(there)) metres between points in degrees, on a plane around them."""
    if not here or not there:
        return np.zeros((len(here), len(there)))
    a, b = np.array(here), np.array(there)
    shrink = np.cos(np.radians(a[:, 1].mean()))
    across = (a[:, None, 0] - b[None, :, 0]) * shrink
    found: NDArray[np.float64] = np.hypot(across, a[:, None, 1] - b[None, :, 1]) * _METRES_OF_A_DEGREE
    return found
