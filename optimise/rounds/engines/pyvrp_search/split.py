"""The routes of a solution in neighbouring parts, cut along another line each time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

type Points = NDArray[np.float64]


def split(centres: Points, sizes: Sequence[int], *, parts: int, around: Points, random: Random) -> list[list[int]]:
    """Return the routes in at most so many parts of about equal size.

    `centres` (r, 2) of the routes, `sizes` their clients, `around` (2,) the point from which angles are taken. Each cut
    halves a part across a random direction, or between two angles.
    """
    return _halved(list(range(len(sizes))), centres, sizes, parts, around, random)


def _halved(  # noqa: PLR0917 - it calls itself
    routes: list[int], centres: Points, sizes: Sequence[int], parts: int, around: Points, random: Random
) -> list[list[int]]:
    if parts <= 1 or len(routes) < 2:  # noqa: PLR2004 - one route is not cut
        return [routes] if routes else []
    points = centres[routes]
    turn = random.random() * 2 * math.pi
    if random.random() < 0.5:  # noqa: PLR2004 - either way
        key = points @ np.array([math.cos(turn), math.sin(turn)])
    else:
        away = points - around
        key = (np.arctan2(away[:, 1], away[:, 0]) + turn) % (2 * math.pi)
    ordered = [routes[at] for at in np.argsort(key, kind="stable").tolist()]
    here = parts // 2
    goal = sum(sizes[route] for route in ordered) * here / parts
    taken, count = 0, 0
    while count < len(ordered) - 1 and (count == 0 or taken + sizes[ordered[count]] / 2 < goal):
        taken += sizes[ordered[count]]
        count += 1
    return [
        *_halved(ordered[:count], centres, sizes, here, around, random),
        *_halved(ordered[count:], centres, sizes, parts - here, around, random),
    ]
