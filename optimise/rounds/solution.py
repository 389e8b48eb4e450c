"""What an engine answers: who drives where and when. Plain data, read by the checker, the explainer and the planner."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VisitKind(StrEnum):
    """What happens at one point of a route."""

    STOP = "stop"
    DISPOSAL = "disposal"
    BREAK = "break"


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One point of a route. `index` is the bin's or the disposal site's in the problem, 0 for a break.

    `load_l` and `load_kg` are the load on leaving. Who arrives before a window opens waits there, so a stay may be
    longer than its service. A break may lie on the way: the drive between its neighbours then goes on after it.
    """

    kind: VisitKind
    index: int
    arrive_s: int
    depart_s: int
    load_l: int
    load_kg: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One vehicle's day between leaving its depot and coming back; `vehicle` is its index in the problem."""

    vehicle: int
    start_s: int
    end_s: int
    visits: tuple[Visit, ...]

    @property
    def stops(self) -> tuple[int, ...]:
        """The bins it serves, in order."""
        return tuple(visit.index for visit in self.visits if visit.kind is VisitKind.STOP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Solution:
    """Routes, the bins left out, and the totals that the engine claims (the checker recomputes them)."""

    engine: str
    routes: tuple[Route, ...]
    left_out: tuple[int, ...]
    distance_m: int
    duration_s: int
    cost: int
