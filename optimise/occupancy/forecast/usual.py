"""What is usual at each bay in each half hour of a week, as it told itself or as the others of its kind do. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats, Ints
from optimise.occupancy.forecast.history import History
from optimise.occupancy.trial.clock import DAY_S, local_s
from optimise.occupancy.trial.field import SLOT_S, SLOTS, usual_of

WEEK = 7
_OTHERS = 4.0
"""So many places' worth of the commune's own habit stand beside a street's."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Usual:
    """The usual free fraction, `share` (p, days * SLOTS) from local day `first_day` on, NaN where nothing tells.

    `repeats`: after its last day it begins again, a week later; otherwise what lies outside is not known.
    """

    share: NDArray[np.float32]
    first_day: int
    time_zone: str
    repeats: bool

    def at(self, moment_s: Ints) -> Floats:
        """Return (t, p) the usual free fraction at moments (t,), between the middles of half hours."""
        position = (local_s(moment_s, self.time_zone) - self.first_day * DAY_S) / SLOT_S - 0.5
        width = self.share.shape[1]
        low = np.floor(position).astype(np.int64)
        mix = (position - low)[:, None]
        if self.repeats:
            a, b = low % width, (low + 1) % width
        else:
            a, b = np.clip(low, 0, width - 1), np.clip(low + 1, 0, width - 1)
        one, other = self.share[:, a].T.astype(np.float64), self.share[:, b].T.astype(np.float64)
        mixed = (1 - mix) * one + mix * other
        found: Floats = np.where(np.isnan(mixed), np.where(np.isnan(one), other, one), mixed)
        return found


def past_usual(history: History, *, first_day: int, days: int) -> Usual:
    """Return what was usual on each past day by what was known two days before it."""
    return Usual(
        share=usual_of(history.by_slot(first_day, days), first_day),
        first_day=first_day,
        time_zone=history.time_zone,
        repeats=False,
    )


def coming_usual(history: History, *, first_day: int, today: int) -> Usual:
    """Return what is usual in the week that begins with local day `today`, by all that is known since `first_day`."""
    days = today - first_day
    measured = np.full((history.places, (days + WEEK) * SLOTS), np.nan, dtype=np.float32)
    if days > 0:
        measured[:, : days * SLOTS] = history.by_slot(first_day, days)
    return Usual(
        share=usual_of(measured, first_day)[:, days * SLOTS :],
        first_day=today,
        time_zone=history.time_zone,
        repeats=True,
    )


def filled(share: Floats, near: Ints, alike: Ints) -> Floats:
    """Return (t, p) usual fractions with what is not known told by the others: those near, then those alike.

    `near`, `alike` (p,): the number of each place's group. NaN stays where nobody of its kind is known.
    """
    of_kind = group_mean(share, alike)
    total, count = group_sums(share, near)
    others = (total + _OTHERS * of_kind) / (count + _OTHERS)
    return np.where(np.isnan(share), others, share)


def group_sums(values: Floats, group: Ints) -> tuple[Floats, Floats]:
    """Return (t, p) the sum of the known `values` of each place's group, and how many they are."""
    known = ~np.isnan(values)
    size = int(group.max()) + 1 if len(group) else 0
    t = len(values)
    flat = (np.arange(t)[:, None] * size + group[None, :]).ravel()
    total = np.bincount(flat, weights=np.where(known, values, 0).ravel(), minlength=t * size).reshape(t, size)
    count = np.bincount(flat, weights=known.ravel().astype(np.float64), minlength=t * size).reshape(t, size)
    return total[:, group], count[:, group]


def group_mean(values: Floats, group: Ints) -> Floats:
    """Return (t, p) the mean of the known `values` of each place's group, NaN where there is none."""
    total, count = group_sums(values, group)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
