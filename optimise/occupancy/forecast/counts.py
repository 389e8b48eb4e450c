"""How many of several bays are free: sums of single chances that rise and fall together. Pure.

Bays of a street share what no single one's forecast knows (a film begins). So all their logits are moved by one
normal shift, whose size was learnt on streets; given the shift, the number is Poisson-binomial.
"""

from __future__ import annotations

import numpy as np

from optimise.fill.readings import Floats

SHOCKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_EDGE = 1e-6
# A logistic curve under a normal shift is about as steep as one without, divided by this (MacKay 1992).
_FLATTENED = np.pi / 8


def count_pmf(chance: Floats, shock: Floats) -> Floats:
    """Return (t, n + 1) the chance of each number of free bays for chances (t, n) and shifts' sizes (t,)."""
    t, n = chance.shape
    clipped = np.clip(chance, _EDGE, 1 - _EDGE)
    logit = np.log(clipped / (1 - clipped)) * np.sqrt(1 + _FLATTENED * shock**2)[:, None]
    moved = 1 / (1 + np.exp(-(logit[None] + _NODES[:, None, None] * shock[None, :, None])))
    pmf = np.zeros((len(_NODES), t, n + 1))
    pmf[..., 0] = 1
    for bay in range(n):
        p = moved[..., bay, None]
        pmf[..., 1 : bay + 2] = pmf[..., 1 : bay + 2] * (1 - p) + pmf[..., : bay + 1] * p
        pmf[..., :1] *= 1 - p
    mixed: Floats = np.tensordot(_WEIGHTS, pmf, axes=1)
    return mixed


def added(one: Floats, other: Floats) -> Floats:
    """Return (t, n + m + 1) the distribution of the sum of two independent numbers."""
    t, width = len(one), one.shape[1] + other.shape[1] - 1
    total = np.zeros((t, width))
    for number in range(other.shape[1]):
        total[:, number : number + one.shape[1]] += one * other[:, number, None]
    return total


def interval(pmf: Floats, *, level: float = 0.8) -> tuple[Floats, Floats]:
    """Return (t,) the ends of the central interval that holds at least `level`."""
    below = np.cumsum(pmf, axis=1)
    tail = (1 - level) / 2
    return (below <= tail).sum(axis=1).astype(np.float64), (below < 1 - tail - 1e-12).sum(axis=1).astype(np.float64)


def mean(pmf: Floats) -> Floats:
    """Return (t,) the expected number."""
    found: Floats = pmf @ np.arange(pmf.shape[1])
    return found


def median(pmf: Floats) -> Floats:
    """Return (t,) the median number."""
    found: Floats = (np.cumsum(pmf, axis=1) < 0.5).sum(axis=1).astype(np.float64)  # noqa: PLR2004 - half on either side
    return found
