"""What somebody knows who knows every bin's law and level, but not the coming days: the most that sensors can tell.

Perfect information in the study of Groningen's containers is this: sensors that are never wrong, and the true rates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.leaving import Chances
from optimise.rounds.months.arrays import Floats

LAW_WEEKS = 240
_CHANCES = 14
_SERVED_H = 4
_LATER_H = 2
"""Hours after a day's beginning at which bins are served, and by how much later in its round a bin may come next."""
_WEEKDAYS, _DAY_H = 7, 24
_WEEKS_AHEAD = 3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Law:
    """Of n bins, draws of what is thrown in from the morning of a day of the week on.

    `ahead_l` (7, s, n, k + 1): loose litres until that day's service and until each of the k next chances.
    """

    ahead_l: NDArray[np.float32]

    @classmethod
    def of(cls, deposits_l: NDArray[np.float64]) -> Law:
        """Return the law that deposits (n, h), from a morning on that begins a week, were drawn from."""
        thrown = np.concatenate([np.zeros((len(deposits_l), 1)), np.cumsum(deposits_l, axis=1)], axis=1)
        weeks = deposits_l.shape[1] // (_WEEKDAYS * _DAY_H) - _WEEKS_AHEAD
        until_h = np.concatenate([[_SERVED_H], _DAY_H * np.arange(1, _CHANCES + 1) + _SERVED_H + _LATER_H])
        mornings = _DAY_H * (_WEEKDAYS * np.arange(weeks)[None, :] + np.arange(_WEEKDAYS)[:, None])
        ahead = thrown[:, mornings[:, :, None] + until_h] - thrown[:, mornings][..., None]
        return cls(ahead_l=np.ascontiguousarray(ahead.transpose(1, 2, 0, 3), dtype=np.float32))

    def chances(self, day: int, litres: Floats, full_l: Floats) -> Chances:
        """Return the chances of bins (n,) that hold `litres` on the morning of `day` and are full at `full_l`."""
        draws = self.ahead_l[day % _WEEKDAYS]
        room_l = (full_l - litres).astype(np.float32)[None, :, None]
        since_l = draws[:, :, 1:] - draws[:, :, :1]
        return Chances(
            left=(draws[:, :, 1:] > room_l).mean(axis=0),
            emptied=(since_l > full_l.astype(np.float32)[None, :, None]).mean(axis=0),
        )
