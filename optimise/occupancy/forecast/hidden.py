"""Bays without a sensor, told by those of their street that have one: a beta-binomial, calibrated on hidden bays. Pure.

Of a bay that nothing measures its street tells how far from usual things stand, the less the farther ahead and the
fewer bays speak. How many of several are free then varies by more than chance alone: their common share is Beta
distributed (Skellam 1948), as strongly as bays that were hidden on purpose have shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import betaln, gammaln
from scipy.stats import beta as beta_distribution

from optimise.fill.readings import Floats, Ints

_EDGE = 0.01
_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_FADES_S = (1800.0, 3600.0, 7200.0, 14400.0)
_DOUBTS = (1.0, 3.0, 8.0)
_STRENGTHS = (0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 40.0)
_LEAST_ROWS = 100


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """How bays without a sensor follow the others.

    `weight`: how much of the others' oddness they share at once, fading with `fade_s`; `doubt`: so many bays that say
    nothing stand beside those that speak; `strength` of the Beta distribution: few is uncertain.
    """

    weight: float = 0.5
    fade_s: float = 3600.0
    doubt: float = 3.0
    strength: float = 1.5

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if not 0 <= self.weight <= 1:
            raise ValueError(f"expected weight within 0..1, got {self.weight}")
        if min(self.fade_s, self.doubt, self.strength) <= 0:
            raise ValueError(f"expected fade_s, doubt, strength > 0, got {self}")

    def share(self, usual_then: Floats, odd_sum: Floats, speaking: Floats, ahead_s: Floats | Ints) -> Floats:
        """Return the expected free share: what is usual, moved by the `odd_sum` of so many bays `speaking`."""
        moved = self.weight * np.exp(-ahead_s / self.fade_s) * odd_sum / (speaking + self.doubt)
        shared: Floats = np.clip(usual_then + moved, _EDGE, 1 - _EDGE)
        return shared

    def interval(self, share: Floats) -> tuple[Floats, Floats]:
        """Return the 80 % interval of the chance itself."""
        a, b = self.strength * share, self.strength * (1 - share)
        return beta_distribution.ppf(0.1, a, b), beta_distribution.ppf(0.9, a, b)

    def count_pmf(self, share: Floats, hidden: int) -> Floats:
        """Return (..., hidden + 1) the chance of each number of free bays among `hidden`."""
        k = np.arange(hidden + 1)
        pmf: Floats = np.exp(_log_pmf(k, hidden, share[..., None], self.strength))
        return pmf


@dataclass(frozen=True, kw_only=True, eq=False)
class HiddenCounts:
    """What hidden bays really did, (k,) each: `free` of `hidden`, with what the others told when it was asked."""

    free: Floats
    hidden: Floats
    usual_then: Floats
    odd_sum: Floats
    speaking: Floats
    ahead_s: Floats


def fit_hidden(counts: HiddenCounts) -> Hidden:
    """Return the most likely of a grid of parameters; the default where too little was hidden."""
    if len(counts.free) < _LEAST_ROWS:
        return Hidden()
    best, most = Hidden(), -np.inf
    for weight, fade_s, doubt in product(_WEIGHTS, _FADES_S, _DOUBTS):
        share = Hidden(weight=weight, fade_s=fade_s, doubt=doubt).share(
            counts.usual_then, counts.odd_sum, counts.speaking, counts.ahead_s
        )
        for strength in _STRENGTHS:
            likely = float(_log_pmf(counts.free, counts.hidden, share, strength).sum())
            if likely > most:
                most, best = likely, Hidden(weight=weight, fade_s=fade_s, doubt=doubt, strength=strength)
    return best


def _log_pmf(k: Floats | Ints, n: Floats | int, share: Floats, strength: float) -> Floats:
    a, b = strength * share, strength * (1 - share)
    chosen = gammaln(np.asarray(n) + 1) - gammaln(k + 1) - gammaln(np.asarray(n) - k + 1)
    found: Floats = chosen + betaln(k + a, np.asarray(n) - k + b) - betaln(a, b)
    return found
