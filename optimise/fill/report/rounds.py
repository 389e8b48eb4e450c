"""What the errors mean for who decides on rounds: bins left though full, bins served though far from it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimise.fill.report.tried import Tried

_LEFT_BELOW = 0.2
_SERVED_FROM = 0.5
_FULL = 0.97
_NEARLY_EMPTY = 0.5
_FROM_H, _UNTIL_H = 6, 30


@dataclass(frozen=True, kw_only=True)
class RoundSense:
    """Of forecasts 6 to 30 h ahead, or of all where they are of the present; shares are 0..1, None where of nothing.

    `full_share`: how often bins were full at all. `left_full`: of bins with less than 20 % of chances of being full,
    the share that was full. `found_full`: of bins that were full, the share that had 20 % or more. `served_full`: of
    bins with 50 % or more, the share that was full; `served_empty`: that was less than half full. `left_n`, `full_n`
    and `served_n` are the numbers of forecasts that these are shares of.
    """

    n: int
    left_n: int
    full_n: int
    served_n: int
    full_share: float
    left_full: float | None
    found_full: float | None
    served_full: float | None
    served_empty: float | None


def round_sense(made: Tried) -> RoundSense | None:
    """Return what the forecasts of the coming round are worth, None when none was made so far ahead."""
    ahead = (made.ahead_h >= _FROM_H) & (made.ahead_h <= _UNTIL_H)
    if not made.ahead_h.any():  # forecasts of the present: there are no others
        ahead = np.ones(len(made), dtype=bool)
    if not ahead.any():
        return None
    said, level = made.full[ahead], made.actual[ahead]
    full = level >= _FULL

    def share(of: np.typing.NDArray[np.bool_], among: np.typing.NDArray[np.bool_]) -> float | None:
        return float(of[among].mean()) if among.any() else None

    return RoundSense(
        n=int(ahead.sum()),
        left_n=int((said < _LEFT_BELOW).sum()),
        full_n=int(full.sum()),
        served_n=int((said >= _SERVED_FROM).sum()),
        full_share=float(full.mean()),
        left_full=share(full, said < _LEFT_BELOW),
        found_full=share(said >= _LEFT_BELOW, full),
        served_full=share(full, said >= _SERVED_FROM),
        served_empty=share(level < _NEARLY_EMPTY, said >= _SERVED_FROM),
    )
