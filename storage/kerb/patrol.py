"""A patrol on foot: the places that may be checked, and the order in which some of them are. Pure values.

Times are seconds from the patrol's start. A check's gain depends on when the officer gets there: it is told for every
whole minute, 0 where a check would not be justified.
"""

from __future__ import annotations

from dataclasses import dataclass

type Point = tuple[float, float]
"""Longitude and latitude, WGS 84 degrees."""

MINUTE_S = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class PatrolSite:
    """A place that may be checked. `gains` (m,): what it is to get there in the minute 0, 1, ... after the start."""

    place_id: str
    point: Point
    gains: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if not self.gains or min(self.gains) < 0:
            raise ValueError(f"expected gains >= 0 for each minute, got {self.gains[:3]}...")

    def gain(self, arrive_s: float) -> float:
        """Return the gain of a check that begins at `arrive_s`; 0 after the last minute that is told."""
        minute = int(arrive_s // MINUTE_S)
        return self.gains[minute] if minute < len(self.gains) else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PatrolTask:
    """Where an officer starts and what may be checked `within_s`, the way `back` to the start included if so asked.

    A check takes `check_s`; who comes too early for one that will be justified waits at most `wait_s` for it.
    """

    start: Point
    sites: tuple[PatrolSite, ...]
    within_s: int
    back: bool = False
    check_s: int = 120
    wait_s: int = 180

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for broken, rule in (
            (self.within_s <= 0, f"within_s > 0, got {self.within_s}"),
            (self.check_s < 0, f"check_s >= 0, got {self.check_s}"),
            (self.wait_s < 0, f"wait_s >= 0, got {self.wait_s}"),
            (len({site.place_id for site in self.sites}) != len(self.sites), "each place once"),
        ):
            if broken:
                raise ValueError(f"expected {rule}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PatrolStop:
    """A check of a patrol: the walk to it, when it begins (after a wait, if any) and ends, and its gain."""

    place_id: str
    walk_m: int
    walk_s: int
    wait_s: int
    arrive_s: int
    leave_s: int
    gain: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Patrol:
    """Checks in order. `total_s` has the way back, if one was asked for; `travel_source`: how walks were measured.

    `line`: the way along the streets, from the start; empty where the walks are straight lines.
    """

    stops: tuple[PatrolStop, ...]
    gain: float
    walk_m: int
    total_s: int
    travel_source: str
    line: tuple[Point, ...] = ()
