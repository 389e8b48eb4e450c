"""A town as months are played on it: what falls into its bins hour by hour, what sensors hear of it, what it owns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.day import Calendar, Fleet
from optimise.rounds.months.arrays import Flags, Floats
from optimise.rounds.months.fixed import Past
from optimise.rounds.months.law import Law
from optimise.rounds.travel import Matrices
from storage.errors import InputError
from storage.model import Bin

PLANNED_AT = time(5, 0)
"""The local hour at which a day begins: rounds are planned with what is known by then, crews leave after it."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Town:
    """A town of n bins over h hours from `start` (UTC), which is PLANNED_AT of its first local day.

    `deposits_l` (n, h): loose litres thrown in each hour. `full_l` (n,): the loose litres at which a bin is full;
    `press` (n,): how strongly layers press those below (0: not at all). `heard` (n, h): whether a sensor on that bin
    would be heard in that hour, and `echo` (n, h) by how much it would be wrong, as a fraction of fill. `eye` (n, d):
    by how much a crew misjudges each bin each day, `mute` (n, d) whether it forgets to note the emptying, `says`
    (n, d) whether it says how full it was: of the old rounds, without tablets. The matrices' places are
    `fleet.anchors`, then the bins. `sectors` (n,): each bin's round in the old calendar, which was tuned on `past`.
    `law`: what deposits are drawn from, for whoever is to know it.
    """

    seed: int
    time_zone: str
    start: datetime
    bins: tuple[Bin, ...]
    deposits_l: NDArray[np.float32]
    full_l: Floats
    press: Floats
    heard: Flags
    echo: NDArray[np.float32]
    eye: Floats
    mute: Flags
    says: Flags
    fleet: Fleet
    matrices: Matrices
    sectors: NDArray[np.int64]
    past: Past
    law: Law

    def __post_init__(self) -> None:
        count, days = len(self.bins), self.days
        for name in ("deposits_l", "heard", "echo"):
            _require(name, getattr(self, name).shape, (count, self.deposits_l.shape[1]))
        for name in ("full_l", "press", "sectors"):
            _require(name, getattr(self, name).shape, (count,))
        for name in ("eye", "mute", "says"):
            _require(name, getattr(self, name).shape, (count, days))
        places = count + len(self.fleet.anchors)
        _require("matrices.duration_s", self.matrices.duration_s.shape, (places, places))

    @property
    def days(self) -> int:
        """Whole days, of 24 hours from `start`: a change of clocks moves the hour of planning, not the account."""
        return int(self.deposits_l.shape[1]) // 24

    @property
    def start_s(self) -> int:
        """`start` in Unix seconds."""
        return int(self.start.timestamp())

    def morning(self, day: int) -> datetime:
        """Return when day `day` begins, UTC."""
        return self.start + timedelta(days=day)

    def local_date(self, day: int) -> date:
        """Return the local date of day `day`."""
        return self.morning(day).astimezone(ZoneInfo(self.time_zone)).date()

    def calendar(self, day: int) -> Calendar:
        """Return the local day, from whose midnight a problem's seconds count."""
        return Calendar(service_date=self.local_date(day), time_zone=self.time_zone)

    def fill(self, bins: NDArray[np.int64], litres: Floats) -> Floats:
        """Return how full, (k,), bins (k,) are with these loose litres (k,) in them, 1.3 at most: a heap slides off.

        A layer dx under a weight x takes exp(-c x) dx, so litres u, in volumes, stand (1 - exp(-c u)) / c high.
        """
        volume_l = np.array([item.volume_l for item in self.bins])[bins]
        height, press = litres / volume_l, self.press[bins]
        pressed = -np.expm1(-press * height) / np.where(press > 0, press, 1.0)
        filled: Floats = np.minimum(np.where(press > 0, pressed, height), MOST_FILL)
        return filled


MOST_FILL = 1.3


def full_litres(volume_l: Floats, press: Floats) -> Floats:
    """Return the loose litres (n,) at which bins (n,) are full: the inverse of `Town.fill` at 1."""
    pressed = -np.log1p(-np.minimum(press, 0.999)) / np.where(press > 0, press, 1.0)
    full_l: Floats = volume_l * np.where(press > 0, pressed, 1.0)
    return full_l


def first_morning(service_date: date, time_zone: str) -> datetime:
    """Return the UTC moment of PLANNED_AT on a local date."""
    return datetime.combine(service_date, PLANNED_AT, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def _require(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        raise InputError(f"expected {name} of shape {expected}, got {found}")
