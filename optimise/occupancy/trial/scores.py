"""How good answers were: errors in places and percent, Brier score, calibration, skill over simple methods. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats
from optimise.occupancy.trial.learner import Answer, Asked

_GROUPS, _LEAST_IN_GROUP = 10, 200


def nothing() -> dict[str, Any]:
    """Return the scores of a question that could not be asked."""
    figures = ("mae_places", "mae_percent", "brier", "calibration_error")
    return {"n": 0, **dict.fromkeys(figures), "baselines": {}, "best_baseline": None, "skill_vs_best": None}


def score(asked: Asked, found: Answer) -> dict[str, Any]:
    """Return the scores of answers; percent are of the place's capacity. `skill_vs_best` is null if nothing errs."""
    free = asked.fraction * asked.capacity
    off = np.abs(found.free - free)
    mae_percent = float(100 * np.mean(off / asked.capacity))
    baselines = {
        name: float(100 * np.mean(np.abs(values - asked.fraction))) for name, values in asked.baselines.items()
    }
    best = min(baselines, key=lambda name: baselines[name])
    return {
        "n": len(free),
        "mae_places": float(off.mean()),
        "mae_percent": mae_percent,
        "brier": float(np.mean((found.chance - asked.any_free) ** 2)),
        "calibration_error": calibration_error(found.chance, asked.any_free),
        "baselines": baselines,
        "best_baseline": best,
        "skill_vs_best": 1 - mae_percent / baselines[best] if baselines[best] > 0 else None,
    }


def calibration_error(chance: Floats, happened: NDArray[np.bool_]) -> float:
    """Return the mean distance, 0 to 1, of chances from how often it happened, over up to ten groups of equal size.

    Groups are of alike chances (expected calibration error, Naeini et al. 2015, with groups of equal size).
    """
    groups = int(np.clip(len(chance) // _LEAST_IN_GROUP, 1, _GROUPS))
    parts = np.array_split(np.argsort(chance, kind="stable"), groups)
    off = [abs(float(chance[part].mean() - happened[part].mean())) * len(part) for part in parts]
    return sum(off) / len(chance)
