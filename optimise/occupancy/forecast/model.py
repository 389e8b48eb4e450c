"""What was learnt of a commune's bays, and its answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats, Ints
from optimise.occupancy.forecast.hidden import Hidden
from optimise.occupancy.forecast.questions import AHEAD_S, FEATURES, Bays, Known, features
from optimise.occupancy.forecast.trees import Trees

_FADE_S = 3600.0
_LEAST, _MOST = 0.01, 0.99


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """Chances of single bays from `trees`, bent by `slope` and `shift`; without trees from what is simple.

    `shock` (ahead,): how far bays of a street move together, by `AHEAD_S`; `hidden`: how bays without a sensor follow.
    """

    trees: Trees | None = None
    slope: float = 1.0
    shift: float = 0.0
    shock: Floats = field(default_factory=lambda: np.full(len(AHEAD_S), 0.6))
    hidden: Hidden = field(default_factory=Hidden)

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.shock.shape != AHEAD_S.shape or not (self.shock >= 0).all():
            raise ValueError(f"expected a shock >= 0 for each of {len(AHEAD_S)} moments ahead, got {self.shock}")
        if self.trees is not None and not ((self.trees.feature >= 0) & (self.trees.feature < FEATURES)).all():
            raise ValueError(f"expected trees of {FEATURES} features")

    def chance(
        self, known: Known, bays: Bays, *, asked_s: Ints, target_s: Ints, time_zone: str, changed: bool = False
    ) -> Floats:
        """Return (t, p) the chance that each bay is free, NaN where its own state is unknown.

        `changed`: each by itself had just turned to the other state.
        """
        ahead_s = (target_s - asked_s)[:, None]
        own = (1 - known.now, np.zeros_like(known.now)) if changed else (known.now, known.held_s)
        if self.trees is None:
            chance = simple_chance(replace(known, now=own[0]), ahead_s)
        else:
            asked = features(known, bays, asked_s=asked_s, target_s=target_s, time_zone=time_zone, own=own)
            ours = ~np.isnan(known.now)
            chance = np.full(known.now.shape, np.nan)
            chance[ours] = self.bent(self.trees.logit(asked[ours]))
        # What is measured now is known now.
        found: Floats = np.where(ahead_s > 0, chance, own[0])
        return found

    def bent(self, logit: Floats) -> Floats:
        """Return chances as validation has it (Platt 1999)."""
        found: Floats = 1 / (1 + np.exp(-(self.slope * logit + self.shift)))
        return found


def simple_chance(known: Known, ahead_s: Ints | NDArray[np.float64]) -> Floats:
    """Return (t, p) what is usual, and the present as far as it lasts: it fades with an hour."""
    usual_then = np.where(np.isnan(known.usual_then), 0.5, known.usual_then)
    faded = usual_then + (known.now - usual_then) * np.exp(-ahead_s / _FADE_S)
    found: Floats = np.clip(faded, _LEAST, _MOST)
    return found
