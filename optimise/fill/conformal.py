"""Intervals that hold on what was never seen, though levels come in steps and groups of bins differ. Pure.

A case's score is how far its level lies from the middle of its own forecast distribution; the share of held-out cases
with a smaller score is the interval's promise (Chernozhukov et al., Distributional conformal prediction, PNAS 2021).
A level that is an atom of the distribution counts by the middle of its mass, so that an interval is no wider than its
promise where half of all bins are empty. Groups share what they know: one with few bins leans on the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimise.fill.forest import COARSE, middle
from optimise.fill.readings import Floats, Ints

_LENT_BINS = 4.0


def centred(distribution: Floats) -> Floats:
    """Return (n, g) how far each mark is from the middle of its distribution (n, g): 0 the median, 0.5 the ends."""
    below = np.concatenate([np.zeros((len(distribution), 1)), distribution[:, :-1]], axis=1)
    result: Floats = np.abs((below + distribution) / 2 - 0.5)
    return result


def scores_of(distribution: Floats, actual: Floats, marks: Floats) -> Floats:
    """Return (n,) the score of what happened; 0 where it was the median, which every interval holds."""
    nearest = np.abs(actual[:, None] - marks[None, :]).argmin(axis=1)
    score = centred(distribution)[np.arange(len(actual)), nearest]
    return np.where(nearest == _median(distribution), 0.0, score)


def _median(distribution: Floats) -> Ints:
    return np.asarray(np.minimum((distribution < 0.5 - 1e-9).sum(axis=1), distribution.shape[1] - 1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Law:
    """Scores of held-out cases, ascending, (n,); for each group (groups, n) the weights with which they count."""

    scores: Floats
    weights: Floats

    def reach(self, group: Ints, share: float) -> Floats:
        """Return (n,) the score that the `share` of cases like those of `group` (n,) stays under."""
        passed = np.cumsum(self.weights, axis=1)
        passed /= passed[:, -1:]
        limits = np.array([np.interp(share, row, self.scores) for row in passed])
        return np.asarray(limits[group])


def learn_law(distribution: Floats, actual: Floats, *, marks: Floats, bin_row: Ints, group: Ints, groups: int) -> Law:
    """Learn from held-out cases (n,), forecast as `distribution` (n, g); every bin weighs the same."""
    scores = scores_of(distribution, actual, marks)
    _, owner, count = np.unique(bin_row, return_inverse=True, return_counts=True)
    weight = 1 / count[owner]
    total = weight.sum()
    rows = []
    for name in range(groups):
        mine = group == name
        own = weight[mine].sum()
        lent = min(_LENT_BINS, total) / max(total, 1e-9)
        rows.append(np.where(mine, weight, 0.0) * 1.0 + lent * weight if own > 0 else weight)
    order = np.argsort(scores, kind="stable")
    return Law(scores=scores[order], weights=np.array(rows)[:, order])


def interval(distribution: Floats, limit: Floats, marks: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and highest level (n,) whose score is within `limit` (n,); at least the median."""
    inside = centred(distribution) <= limit[:, None] + 1e-12
    rows = np.arange(len(distribution))
    inside[rows, _median(distribution)] = True
    low = inside.argmax(axis=1)
    high = len(marks) - 1 - inside[:, ::-1].argmax(axis=1)
    best = middle(distribution, marks)
    # Between fine marks, each stands for what is nearest to it.
    half_step = np.diff(marks).max(initial=0.0) / 2 if np.diff(marks).max(initial=0.0) <= COARSE else 0.0
    lower, upper = np.maximum(marks[low] - half_step, 0.0), np.minimum(marks[high] + half_step, 1.0)
    return np.minimum(lower, best), np.maximum(upper, best)
