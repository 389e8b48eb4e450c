"""What more was told is worth: two trials of the same cases side by side, with luck beside the difference. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from optimise.fill.evaluation import POINTS
from optimise.fill.forest import middle
from optimise.fill.readings import Floats, Ints
from optimise.fill.towns.scores import luck
from optimise.fill.towns.setting import Tested

_SURE = 2.0


def worth(parts: Sequence[Tested], without: Sequence[Tested], marks: Floats) -> dict[str, Any]:
    """Return `compared` of the medians of `parts` and of those `without` it, tested on the same cases in order."""
    told, untold = (
        np.concatenate([np.abs(middle(part.distribution, marks) - part.actual) for part in trial]) * POINTS
        for trial in (parts, without)
    )
    return compared(np.concatenate([part.bin_row for part in parts]), told=told, untold=untold)


def compared(bin_row: Ints, *, told: Floats, untold: Floats) -> dict[str, Any]:
    """Return mean errors of cases (n,) of bins when more was `told`, without it, and whether they differ beyond luck.

    `gain_error` is the standard error of the `gain` over bins; `helped` and `hurt` say that it is beyond two of them.
    """
    gain = untold - told
    error = luck(bin_row, gain)
    sure = np.inf if error is None else _SURE * error
    return {
        "mae": float(told.mean()),
        "mae_without": float(untold.mean()),
        "gain": float(gain.mean()),
        "gain_error": error,
        "helped": bool(gain.mean() > sure),
        "hurt": bool(gain.mean() < -sure),
    }
