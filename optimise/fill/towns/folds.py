"""Which bins and which times teach, validate and test; never one bin or one time in two roles of a forecast. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimise.fill.readings import Ints
from optimise.fill.towns.town import Town

_TEACHES, _VALIDATES = 0.45, 0.7


@dataclass(frozen=True, kw_only=True)
class Cuts:
    """Unix seconds: before `validation_s` forecasts are taught, before `test_s` validated, from then on tested."""

    validation_s: int
    test_s: int

    @property
    def apart_s(self) -> int:
        """How far what is asked lies after what was known of it, at most about."""
        return max(self.test_s - self.validation_s, 1)


def cut_times(at_s: Ints) -> Cuts:
    """Return the cuts that leave almost half of the moments (n,) to teach, and about as many to validate as to test.

    So what is calibrated lies as far after what was learnt as what is tested.
    """
    validation, test = np.quantile(at_s, [_TEACHES, _VALIDATES])
    return Cuts(validation_s=int(validation), test_s=int(test))


def bin_folds(town: Town, folds: int, seed: int) -> Ints:
    """Return (bins,) the fold of each bin; kinds are spread evenly over the folds, else chance decides."""
    chance = np.random.default_rng(seed).permutation(town.bins)
    order = np.lexsort((chance, town.kind))
    fold_of = np.empty(town.bins, dtype=np.int64)
    fold_of[order] = np.arange(town.bins) % folds
    return fold_of
