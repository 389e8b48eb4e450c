"""Walks between the places of a patrol, and what a patrol that goes to some of them comes to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.kerb.patrol import MINUTE_S, Patrol, PatrolSite, PatrolStop, PatrolTask

type Order = tuple[int, ...]
"""Sites by their index in the task, in the order of the patrol."""

_NEVER_S = 10**9


@dataclass(frozen=True, kw_only=True, slots=True)
class Walks:
    """Walks between the start (0) and the sites (1, 2, ...), from row to column; None: there is no way."""

    duration_s: tuple[tuple[int | None, ...], ...]
    distance_m: tuple[tuple[int, ...], ...]
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tour:
    """A feasible patrol: its gain, and when it is over. Of equal gains the shorter one is better."""

    order: Order
    gain: float
    total_s: int

    @property
    def merit(self) -> tuple[float, int]:
        """What to compare tours by."""
        return round(self.gain, 9), -self.total_s


class Course:
    """Judges patrols of one task exactly: gains by the minute, waits, the time that there is."""

    def __init__(self, task: PatrolTask, walks: Walks) -> None:
        self.task = task
        self.walks = walks
        self.opens_s = [_opens_s(site) for site in task.sites]

    def walk_s(self, here: int, there: int) -> int:
        """Return the walk between two rows (0: the start), seconds; longer than anything where there is no way."""
        found = self.walks.duration_s[here][there]
        return _NEVER_S if found is None else found

    def tour(self, order: Sequence[int]) -> Tour | None:
        """Return what a patrol comes to, None when it takes too long or gets somewhere far too early."""
        task, now_s, here, gain = self.task, 0, 0, 0.0
        for site in order:
            now_s = self.begins_s(now_s + self.walk_s(here, site + 1), site)
            gain += task.sites[site].gain(now_s)
            now_s += task.check_s
            if now_s > task.within_s:
                return None
            here = site + 1
        if task.back:
            now_s += self.walk_s(here, 0) if order else 0
        return Tour(order=tuple(order), gain=gain, total_s=now_s) if now_s <= task.within_s else None

    def begins_s(self, arrive_s: int, site: int) -> int:
        """Return when a check begins for who arrives at `arrive_s`; never where nobody would wait so long for it."""
        early_s = self.opens_s[site] - arrive_s
        if early_s <= 0:
            return arrive_s
        return self.opens_s[site] if early_s <= self.task.wait_s else _NEVER_S

    def patrol(self, tour: Tour) -> Patrol:
        """Return a tour with the times of its stops."""
        stops, now_s, here = [], 0, 0
        for site in tour.order:
            walk_s = self.walk_s(here, site + 1)
            begins_s = self.begins_s(now_s + walk_s, site)
            stops.append(
                PatrolStop(
                    place_id=self.task.sites[site].place_id,
                    walk_m=self.walks.distance_m[here][site + 1],
                    walk_s=walk_s,
                    wait_s=begins_s - now_s - walk_s,
                    arrive_s=begins_s,
                    leave_s=begins_s + self.task.check_s,
                    gain=self.task.sites[site].gain(begins_s),
                )
            )
            now_s, here = begins_s + self.task.check_s, site + 1
        back_m = self.walks.distance_m[here][0] if self.task.back and tour.order else 0
        return Patrol(
            stops=tuple(stops),
            gain=tour.gain,
            walk_m=sum(stop.walk_m for stop in stops) + back_m,
            total_s=tour.total_s,
            travel_source=self.walks.source,
        )


def _opens_s(site: PatrolSite) -> int:
    """Return the first second at which a check has a gain."""
    return next((minute * MINUTE_S for minute, gain in enumerate(site.gains) if gain > 0), _NEVER_S)
