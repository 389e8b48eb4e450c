"""Boosted trees as plain arrays, so that a stored model is numbers and nothing that is stored is run. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from optimise.fill.readings import Floats, Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Trees:
    """The nodes of all trees, (n,) each; `root` (trees,) is each tree's first. The sum of leaves' `value` is a logit.

    A node sends what is at most its `threshold` in its `feature` to `left`, the rest to `right`; unknown to `left`
    where `unknown_left`. A leaf leads to itself.
    """

    root: Ints
    feature: Ints
    threshold: Floats
    unknown_left: NDArray[np.bool_]
    left: Ints
    right: Ints
    value: Floats
    depth: int
    base: float

    def __post_init__(self) -> None:
        """Refuse nodes that lead elsewhere: what is stored may have been meddled with."""
        n = len(self.feature)
        for name in ("threshold", "unknown_left", "left", "right", "value"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"expected {name} of {n} nodes, got {len(getattr(self, name))}")
        for name in ("root", "left", "right"):
            nodes = getattr(self, name)
            if len(nodes) and not (nodes.min() >= 0 and nodes.max() < n):
                raise ValueError(f"expected {name} within 0..{n - 1}")
        if not 0 <= self.depth <= n:
            raise ValueError(f"expected depth within 0..{n}, got {self.depth}")

    def logit(self, features: NDArray[np.float32]) -> Floats:
        """Return (k,) the logit for features (k, f)."""
        total = np.full(len(features), self.base)
        rows = np.arange(len(features))
        for root in self.root:
            node = np.full(len(features), root)
            for _ in range(self.depth):
                found = features[rows, self.feature[node]]
                goes_left = np.where(np.isnan(found), self.unknown_left[node], found <= self.threshold[node])
                node = np.where(goes_left, self.left[node], self.right[node])
            total += self.value[node]
        return total


def trees_of(model: HistGradientBoostingClassifier) -> Trees:
    """Return a fitted classifier's trees; features must be numbers, not categories."""
    per_tree = [predictor.nodes for (predictor,) in model._predictors]  # noqa: SLF001 - scikit-learn shows its trees nowhere else
    starts = np.concatenate([[0], np.cumsum([len(nodes) for nodes in per_tree])])[:-1]
    nodes = np.concatenate(per_tree)
    first = np.repeat(starts, [len(each) for each in per_tree])
    leaf = nodes["is_leaf"].astype(bool)
    itself = np.arange(len(nodes))
    return Trees(
        root=starts.astype(np.int64),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=np.where(leaf, np.inf, nodes["num_threshold"]),
        unknown_left=nodes["missing_go_to_left"].astype(bool),
        left=np.where(leaf, itself, nodes["left"].astype(np.int64) + first),
        right=np.where(leaf, itself, nodes["right"].astype(np.int64) + first),
        value=np.where(leaf, nodes["value"], 0.0),
        depth=int(nodes["depth"].max()) if len(nodes) else 0,
        base=float(np.ravel(model._baseline_prediction)[0]),  # noqa: SLF001 - see above
    )
