"""Where bins lie on a plane, told from travel alone: what is near in the plan is near on the road.

Landmark multidimensional scaling (de Silva & Tenenbaum, 2004, "Sparse multidimensional scaling using
landmark points", Stanford). Only used to cut the town in parts, so that a plane is good enough.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.problem import Integers, Problem

_LANDMARKS = 60


def plane(problem: Problem, rows: Integers) -> NDArray[np.float64]:
    """Return points of the plane, (r, 2), for rows of the travel matrices."""
    count = len(rows)
    if count < 3:  # noqa: PLR2004 - nothing to scale
        return np.zeros((count, 2))
    marks = rows[np.linspace(0, count - 1, min(_LANDMARKS, count)).astype(np.int64)]
    prices = problem.prices
    per_metre = float(prices.per_metre)
    per_second = float(prices.per_second) if prices.per_metre or prices.per_second else 1.0
    between = _both_ways(problem, marks, marks, per_metre=per_metre, per_second=per_second)
    reach = _both_ways(problem, rows, marks, per_metre=per_metre, per_second=per_second)
    squared = between**2
    means = squared.mean(axis=0)
    centred = -0.5 * (squared - means[None, :] - means[:, None] + squared.mean())
    values, vectors = np.linalg.eigh(centred)
    top = [-1, -2]
    scales = np.sqrt(np.maximum(values[top], 1e-9))
    return np.asarray(-0.5 * (reach**2 - means[None, :]) @ (vectors[:, top] / scales))


def _both_ways(
    problem: Problem, rows: Integers, columns: Integers, *, per_metre: float, per_second: float
) -> NDArray[np.float64]:
    there, back = np.ix_(rows, columns), np.ix_(columns, rows)
    metres = problem.distance_m[there] + problem.distance_m[back].T
    seconds = problem.duration_s[there] + problem.duration_s[back].T
    return np.asarray(metres * per_metre + seconds * per_second, dtype=np.float64)
