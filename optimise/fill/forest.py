"""Whole distributions of fill from descriptions of moments, by a forest; and the pool of several of them. Pure.

A tree's leaf holds the levels of the cases that fell into it; the mean of the leaves' distributions is the forecast.
Nothing is assumed of its shape: an atom at empty, one at full, two humps where a crew may or may not have come.
Source: Meinshausen, Quantile Regression Forests, JMLR 7 (2006); trees as in Geurts et al., Extremely Randomized Trees
(2006), since cut points at random generalise better to bins that were never seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.ensemble import ExtraTreesRegressor

from optimise.fill.readings import Floats, Ints

_FINE_LEVELS = 51
COARSE = 0.03
_MOST_STEPS = 26
_TREES = 40
_EVEN = 0.02
_NOTHING = 1e-12
ERRORS = np.linspace(-4.0, 4.0, 101)

type Integers = NDArray[np.integer[Any]]


def level_marks(fill: Floats) -> Floats:
    """Return (g,) the levels at which distributions are kept: the data's own when they are few, else every 2 %."""
    values = np.unique(np.round(fill, 4))
    return values if len(values) <= _MOST_STEPS else np.linspace(0.0, 1.0, _FINE_LEVELS)


def reached(actual: Floats, marks: Floats) -> Floats:
    """Return (n, g) 1.0 where the mark nearest to `actual` (n,) is at or below each of `marks` (g,)."""
    nearest = np.abs(actual[:, None] - marks[None, :]).argmin(axis=1)
    result: Floats = (nearest[:, None] <= np.arange(len(marks))[None, :]).astype(np.float64)
    return result


@dataclass(frozen=True, kw_only=True, eq=False)
class Forest:
    """Trees as plain arrays over all their nodes (m,), and the distribution (leaves, g) of levels in each leaf.

    From node k, who has at most `threshold[k]` of `feature[k]` goes to `left[k]`, the others to `right[k]`; `leaf[k]`
    is the row of `levels` where the way ends, -1 where it goes on. `columns` of a description are the features.
    """

    roots: Ints
    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    leaf: Integers
    levels: NDArray[np.float32]
    columns: tuple[int, ...]

    def distribution(self, table: Floats) -> Floats:
        """Return (n, g) the chance that fill is at most each mark, for descriptions `table` (n, all columns)."""
        used = _filled(table[:, self.columns])
        total = np.zeros((len(table), self.levels.shape[1]))
        for root in self.roots:
            total += self.levels[self.leaf[self._ends(used, int(root))]]
        result: Floats = total / len(self.roots)
        return result

    def _ends(self, used: NDArray[np.float32], root: int) -> NDArray[np.intp]:
        """Return (n,) the node at which each row's way through the tree at `root` ends."""
        node = np.full(len(used), root, dtype=np.intp)
        going = np.arange(len(used))
        while len(going):
            at = node[going]
            inner = self.leaf[at] < 0
            going, at = going[inner], at[inner]
            under = used[going, self.feature[at]] <= self.threshold[at]
            node[going] = np.where(under, self.left[at], self.right[at])
        return node


@dataclass(frozen=True, kw_only=True, eq=False)
class Expected:
    """What a rate foretells of n moments: `fill` (not cut at full), and `scale`, how wrong that may well be."""

    fill: Floats
    scale: Floats

    def errors(self, actual: Floats) -> Floats:
        """Return (n,) errors in scales; who foretold more than full was right when the bin was full."""
        met = (actual >= 1) & (self.fill > actual)
        return np.where(met, 0.0, (actual - self.fill) / self.scale)

    def distribution(self, law: Floats, marks: Floats) -> Floats:
        """Return (n, g) the chance that fill is at most each of `marks` (g,), by the `law` (n, errors) of errors."""
        ends = np.append((marks[1:] + marks[:-1]) / 2, np.inf)  # a mark stands for what is nearest to it
        place = (ends[None, :-1] - self.fill[:, None]) / self.scale[:, None]
        place = np.clip((place - ERRORS[0]) / (ERRORS[1] - ERRORS[0]), 0, len(ERRORS) - 1.001)
        lower = place.astype(np.int64)
        rows = np.arange(len(law))[:, None]
        below = law[rows, lower] + (place - lower) * (law[rows, lower + 1] - law[rows, lower])
        return np.column_stack([below, np.ones(len(law))])


def grow(
    table: Floats,
    actual: Floats,
    *,
    marks: Floats,
    weight: Floats,
    columns: tuple[int, ...],
    least: int,
    seed: int,
    trees: int = _TREES,
) -> Forest:
    """Grow a forest on descriptions (n, all) of which it looks at `columns`, with at least `least` cases in a leaf."""
    used = _filled(table[:, columns])
    forest = ExtraTreesRegressor(
        trees,
        min_samples_leaf=max(1, min(least, len(used) // 8)),
        max_features=0.6,
        bootstrap=False,
        random_state=seed,
    ).fit(used, actual, sample_weight=weight)
    below = reached(actual, marks) * weight[:, None]
    return _plain([one.tree_ for one in forest.estimators_], used, below, weight, columns=columns)


def _plain(
    trees: list[Any], used: NDArray[np.float32], below: Floats, weight: Floats, *, columns: tuple[int, ...]
) -> Forest:
    """Return the fitted `trees` of scikit-learn with what fell into their leaves: `below` (n, g), weighed."""
    firsts = np.cumsum([0, *(tree.node_count for tree in trees)])
    parts = []
    leaf = np.full(firsts[-1], -1, dtype=np.int32)
    leaves = 0
    for first, tree in zip(firsts, trees, strict=False):
        ends = tree.apply(used)
        nodes, owner = np.unique(ends, return_inverse=True)
        order = np.argsort(owner, kind="stable")
        starts = np.flatnonzero(np.append(True, np.diff(owner[order]) != 0))
        mass = np.bincount(owner, weights=weight)
        parts.append(np.add.reduceat(below[order], starts, axis=0) / np.maximum(mass, _NOTHING)[:, None])
        leaf[first + nodes] = leaves + np.arange(len(nodes))
        leaves += len(nodes)

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(tree, name) for tree in trees])

    first_of = np.repeat(firsts[:-1], np.diff(firsts))
    return Forest(
        roots=firsts[:-1].astype(np.int64),
        feature=joined("feature").astype(np.int16),
        threshold=joined("threshold"),
        left=(joined("children_left") + first_of).astype(np.int32),
        right=(joined("children_right") + first_of).astype(np.int32),
        leaf=leaf,
        levels=np.concatenate(parts).astype(np.float32),
        columns=columns,
    )


def _filled(table: Floats) -> NDArray[np.float32]:
    """Return the table as trees take it: what is unknown is apart from all that is known."""
    return np.nan_to_num(table, nan=-9.0, posinf=1e6, neginf=-1e6).astype(np.float32)


def pool_weights(members: Floats, actual: Floats, *, marks: Floats, weight: Floats) -> Floats:
    """Return (k,) weights of `members` (k, n, g), summing to 1, whose mixture scores best on cases held out.

    The score is the ranked probability score, which is quadratic in the weights (a linear opinion pool; Gneiting and
    Raftery, Strictly Proper Scoring Rules, JASA 2007). A little is added to even weights, where members are alike.
    """
    count = len(members)
    if count == 1:
        return np.ones(1)
    apart = (np.diff(marks, append=marks[-1]) * 1.0)[None, :]
    truth = reached(actual, marks)
    scale = np.sqrt(weight[:, None] / weight.sum() * apart)
    error = ((members - truth[None]) * scale[None]).reshape(count, -1)
    # With weights that sum to one, the mixture's error is the mixture of the errors.
    gram = error @ error.T
    if np.trace(gram) <= _NOTHING:  # every level is the same: none errs, and none is better
        return np.full(count, 1 / count)
    gram += _EVEN * np.trace(gram) / count * np.eye(count)
    root = np.linalg.cholesky(gram).T
    heavy = 1e3 * np.sqrt(np.trace(gram))
    found, _ = nnls(np.vstack([root, np.full((1, count), heavy)]), np.append(np.zeros(count), heavy))
    return np.asarray(found / max(found.sum(), 1e-12))


def middle(distribution: Floats, marks: Floats, share: float = 0.5) -> Floats:
    """Return (n,) the quantile at `share`, on coarse levels one of them; the median errs least."""
    index = np.minimum((distribution < share - 1e-9).sum(axis=1), len(marks) - 1)
    rows = np.arange(len(distribution))
    if np.diff(marks).max(initial=0.0) > COARSE:
        return np.asarray(marks[index])
    above = distribution[rows, index]
    below = np.where(index > 0, distribution[rows, np.maximum(index - 1, 0)], 0.0)
    part = np.clip((share - below) / np.maximum(above - below, 1e-9), 0.0, 1.0)
    start = marks[np.maximum(index - 1, 0)]
    # A mark stands for what is nearest to it: half a mark's width to either side.
    width = np.where(index > 0, marks[index] - start, 0.0)
    return np.asarray(np.clip(start + width * part, 0.0, 1.0))
