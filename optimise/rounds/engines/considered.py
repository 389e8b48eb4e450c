"""The bins that a search looks at: the others cannot be served, or cannot pay any detour."""

from __future__ import annotations

import numpy as np

from optimise.rounds.problem import Integers, Problem


def considered(problem: Problem) -> Integers:
    """Return the bins, by index, that some vehicle may serve and whose prize is above the cost of service alone."""
    cheapest = min(problem.prices_of(vehicle).per_second for vehicle in range(len(problem.vehicles)))
    wanted = problem.must | (problem.prize > problem.service_s * cheapest)
    return np.flatnonzero(wanted & problem.allowed.any(axis=1)).astype(np.int64)
