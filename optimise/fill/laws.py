"""How wrong the middle is: a law of errors that minds the moment, made honest on whole bins that it never saw. Pure.

Errors are divided by a spread (`intervals`); how they are then distributed a forest tells from the description of the
moment (`describe`, `forest`). What it promises is corrected on held-out bins, group by group, by conformal scores of
whole distributions (`conformal`), each fold forecast by forests that other folds taught.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.conformal import learn_law
from optimise.fill.forest import ERRORS, Forest, grow
from optimise.fill.intervals import FULL, Spread, blind_spread, learn_spread
from optimise.fill.readings import Floats, Ints

SHARES = np.linspace(0.0, 1.0, 101)

_FEWEST_BINS = 8
_FEWEST_ROWS = 200
_MOST_ROWS = 8_000
_TREES = 24
_LEAST_IN_LEAF = 60
_TINY = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """Forecasts of n moments without their law: `expected` (n,) fill, `terms` (n, 6), a description `table` (n, k).

    `group` (n,): the bin's, in which intervals hold one by one.
    """

    expected: Floats
    terms: Floats
    table: Floats
    group: Ints

    def where(self, keep: NDArray[np.bool_] | Ints) -> Moments:
        """Return the moments that `keep` (n,) marks or lists."""
        return Moments(
            expected=self.expected[keep], terms=self.terms[keep], table=self.table[keep], group=self.group[keep]
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ErrorLaw:
    """The law of errors: divided by `spread`, distributed as the `forest` says of the moment (None: as the spread).

    `limits` (groups, 101): how far from the middle of that the true interval of each of `SHARES` reaches, 0 to 0.5.
    """

    spread: Spread
    forest: Forest | None
    limits: Floats

    def distribution(self, table: Floats) -> Floats:
        """Return (..., 101) the chance that the error is at most each of `ERRORS` spreads; `table` is (..., k)."""
        if self.forest is None:
            below = np.interp(ERRORS, self.spread.errors, self.spread.probabilities, left=0.0, right=1.0)
            return np.broadcast_to(below, (*table.shape[:-1], len(ERRORS)))
        flat = self.forest.distribution(table.reshape(-1, table.shape[-1]))
        return flat.reshape(*table.shape[:-1], len(ERRORS))

    def errors(self, distribution: Floats, group: Ints, probabilities: tuple[float, ...]) -> Floats:
        """Return (..., p) the errors, in spreads, at honest `probabilities`, by `distribution` (..., g), of `group`."""
        result = np.empty((*distribution.shape[:-1], len(probabilities)))
        for index, share in enumerate(probabilities):
            reach = self._reach(abs(2 * share - 1))[group] if share != 0.5 else np.zeros(group.shape)  # noqa: PLR2004 - the median
            result[..., index] = _quantile(distribution, 0.5 + np.sign(share - 0.5) * reach)
        return np.maximum.accumulate(result, axis=-1)

    def honest(self, below: Floats, group: Ints) -> Floats:
        """Return (...) the probability that is meant where the distribution says `below` (...)."""
        distance, share = np.abs(below - 0.5), np.empty(below.shape)
        for name in np.unique(group):
            mine = group == name
            rising = self.limits[name] + _TINY * np.arange(len(SHARES))
            share[mine] = np.interp(distance[mine], rising, SHARES)
        return 0.5 + np.sign(below - 0.5) * share / 2

    def quantiles(self, moments: Moments, probabilities: tuple[float, ...]) -> Floats:
        """Return (n, p) quantiles of fill, never negative, rising with the probability."""
        error = self.errors(self.distribution(moments.table), moments.group, probabilities)
        scale = self.spread.scale(moments.terms)
        return np.maximum(moments.expected[:, None] + error * scale[:, None], 0.0)

    def probability_reaching(self, level: float, moments: Moments) -> Floats:
        """Return (n,) the probability that fill is at least `level`."""
        place = (level - moments.expected) / self.spread.scale(moments.terms)
        below = at_errors(self.distribution(moments.table), place)
        return 1 - self.honest(below, moments.group)

    def _reach(self, share: float) -> Floats:
        return np.array([np.interp(share, SHARES, row) for row in self.limits])


def blind_law(groups: int) -> ErrorLaw:
    """Return a wide law for a town in which too few bins were measured to learn one."""
    return ErrorLaw(spread=blind_spread(), forest=None, limits=np.tile(SHARES / 2, (groups, 1)))


def learn_error_law(moments: Moments, actual: Floats, *, bin_row: Ints, fold: Ints, groups: int, seed: int) -> ErrorLaw:
    """Learn the law from held-out `moments` (n,) with their `actual` fill; every bin weighs the same, in its group.

    `fold` (n,): rows of one are never judged by what they taught.
    """
    if len(np.unique(bin_row)) < _FEWEST_BINS or len(actual) < _FEWEST_ROWS or len(np.unique(fold)) < 2:  # noqa: PLR2004 - to learn from, to judge on
        return blind_law(groups)
    chosen = _thinned(len(actual), seed)
    moments, actual, bin_row, fold = moments.where(chosen), actual[chosen], bin_row[chosen], fold[chosen]
    met = (actual >= FULL) & (moments.expected > actual)
    spread = learn_spread(expected=moments.expected, terms=moments.terms, actual=actual, bin_row=bin_row)
    error = np.where(met, 0.0, (actual - moments.expected) / spread.scale(moments.terms))
    error = np.clip(error, ERRORS[0], ERRORS[-1])
    judged = np.zeros((len(error), len(ERRORS)))
    for name in np.unique(fold):
        mine = fold == name
        judged[mine] = _law(spread, moments.table[~mine], error[~mine], bin_row[~mine], seed=seed).distribution(
            moments.table[mine]
        )
    law = learn_law(judged, error, marks=ERRORS, bin_row=bin_row, group=moments.group, groups=groups)
    limits = np.stack([law.reach(np.arange(groups), share) for share in SHARES], axis=1)
    limits[:, -1] = 0.5
    found = _law(spread, moments.table, error, bin_row, seed=seed)
    return ErrorLaw(spread=spread, forest=found.forest, limits=limits)


def at_errors(distribution: Floats, place: Floats) -> Floats:
    """Return (...) the chance that the error is at most `place` (...) spreads, by `distribution` (..., 101)."""
    step = ERRORS[1] - ERRORS[0]
    # A mark stands for what is nearest to it, so its whole mass is passed half a step beyond it.
    at = (np.asarray(place) - ERRORS[0]) / step - 0.5
    lower = np.clip(np.floor(at), -1, len(ERRORS) - 1).astype(np.int64)
    before = _taken(distribution, np.maximum(lower, 0)) * (lower >= 0)
    after = _taken(distribution, np.minimum(lower + 1, len(ERRORS) - 1))
    result: Floats = before + np.clip(at - lower, 0.0, 1.0) * (after - before)
    return result


def _taken(distribution: Floats, index: Ints) -> Floats:
    result: Floats = np.take_along_axis(distribution, index[..., None], axis=-1)[..., 0]
    return result


def _quantile(distribution: Floats, share: Floats) -> Floats:
    """Return (...) the error that is passed with the chance `share` (...), by `distribution` (..., 101)."""
    index = np.minimum((distribution < share[..., None] - _TINY).sum(axis=-1), len(ERRORS) - 1)
    above = _taken(distribution, index)
    below = np.where(index > 0, _taken(distribution, np.maximum(index - 1, 0)), 0.0)
    part = np.clip((share - below) / np.maximum(above - below, _TINY), 0.0, 1.0)
    result: Floats = ERRORS[index] + (part - 0.5) * (ERRORS[1] - ERRORS[0])
    return result


def _law(spread: Spread, table: Floats, error: Floats, bin_row: Ints, *, seed: int) -> ErrorLaw:
    forest = None
    if len(error) >= _FEWEST_ROWS:
        _, owner, count = np.unique(bin_row, return_inverse=True, return_counts=True)
        weight = len(error) / len(count) / count[owner]
        columns = tuple(range(table.shape[1]))
        least = max(_LEAST_IN_LEAF, len(error) // 60)
        forest = grow(table, error, marks=ERRORS, weight=weight, columns=columns, least=least, seed=seed, trees=_TREES)
    return ErrorLaw(spread=spread, forest=forest, limits=np.zeros((1, len(SHARES))))


def _thinned(count: int, seed: int) -> Ints:
    if count <= _MOST_ROWS:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, _MOST_ROWS, replace=False))
