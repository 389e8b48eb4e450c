"""A week of each bin from its outlook and the law of errors: quantiles and probabilities, hour by hour. Pure.

The law of a bin's errors changes slowly along the hours: it is asked for at some of them, ever farther apart, and read
between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimise.fill.laws import ErrorLaw, at_errors
from optimise.fill.model import Outlook
from optimise.fill.readings import Floats, Ints

_KNOTS = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Curves:
    """`quantiles` (rows, times, p) of fill; `reaching`: (rows, times) the probability of at least each level asked."""

    quantiles: Floats
    reaching: tuple[Floats, ...]

    def blended(self, other: Curves, share: Floats) -> Curves:
        """Return these curves with a `share` (rows,) of the `other` ones: quantiles and probabilities both rise."""
        part = share[:, None]
        return Curves(
            quantiles=self.quantiles + part[..., None] * (other.quantiles - self.quantiles),
            reaching=tuple(
                mine + part * (theirs - mine) for mine, theirs in zip(self.reaching, other.reaching, strict=True)
            ),
        )


def curves_of(
    law: ErrorLaw, outlook: Outlook, group: Ints, *, probabilities: tuple[float, ...], levels: tuple[float, ...]
) -> Curves:
    """Return the curves of the outlook's rows, whose bins are of `group` (rows,)."""
    rows, times = outlook.expected.shape
    knots = _knots(times)
    distribution = law.distribution(outlook.table[:, knots])
    of_knot = np.broadcast_to(group[:, None], (rows, len(knots)))
    error = law.errors(distribution, of_knot, probabilities)
    before, share = _between(knots, times)
    after = np.minimum(before + 1, len(knots) - 1)
    along = error[:, before] * (1 - share)[:, None] + error[:, after] * share[:, None]
    scale = law.spread.scale(outlook.terms)
    quantiles = np.maximum(outlook.expected[..., None] + along * scale[..., None], 0.0)
    of_time = np.broadcast_to(group[:, None], (rows, times))
    reaching = []
    for level in levels:
        place = (level - outlook.expected) / scale
        below = (
            at_errors(distribution[:, before], place) * (1 - share) + at_errors(distribution[:, after], place) * share
        )
        reaching.append(1 - law.honest(below, of_time))
    return Curves(quantiles=quantiles, reaching=tuple(reaching))


def _knots(times: int) -> Ints:
    """Return at most `_KNOTS` indices of `times`, the first and the last among them, closer at the beginning."""
    if times <= _KNOTS:
        return np.arange(times)
    return np.unique(np.round(np.linspace(0, 1, _KNOTS) ** 1.5 * (times - 1)).astype(np.int64))


def _between(knots: Ints, times: int) -> tuple[Ints, Floats]:
    """Return for each of `times` the knot before it, and how far it lies towards the next, 0 to 1."""
    at = np.arange(times)
    before = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, max(len(knots) - 1, 0))
    after = np.minimum(before + 1, len(knots) - 1)
    span = np.maximum(knots[after] - knots[before], 1) if len(knots) else np.ones(times)
    return before, (at - knots[before]) / span if len(knots) else np.zeros(times)
