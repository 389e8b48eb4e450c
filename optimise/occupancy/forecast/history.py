"""What sensors told of bays in the past, looked up at any moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats, Ints
from optimise.occupancy.trial.clock import DAY_S, local_s
from optimise.occupancy.trial.field import SLOT_S, SLOTS

_FAR_S = 1 << 34


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """Readings (n,) in order of place and time, of p places: `free` at `at_s`.

    A reading holds until the next one, for `silent_s` at most.
    """

    places: int
    place_row: Ints
    at_s: Ints
    free: NDArray[np.bool_]
    silent_s: int
    time_zone: str

    def __post_init__(self) -> None:
        """Refuse what is not in order."""
        if len(self.at_s) and (np.diff(self._key()) < 0).any():
            raise ValueError("expected readings in order of place and time")

    def _key(self) -> Ints:
        key: Ints = self.place_row.astype(np.int64) * _FAR_S + self.at_s
        return key

    def at(self, moment_s: Ints) -> tuple[Floats, Floats]:
        """Return (t, p) whether places are free at moments (t,), 1 or 0, NaN where unknown; and since how long, s."""
        row = np.arange(self.places)
        asked = row[None, :] * _FAR_S + moment_s[:, None]
        if not len(self.at_s):
            return np.full(asked.shape, np.nan), np.full(asked.shape, np.nan)
        found = np.searchsorted(self._key(), asked, side="right") - 1
        last = np.maximum(found, 0)
        known = (found >= 0) & (self.place_row[last] == row[None, :])
        known &= moment_s[:, None] - self.at_s[last] <= self.silent_s
        held_s = moment_s[:, None] - self.at_s[self._run_start()[last]]
        return np.where(known, self.free[last].astype(np.float64), np.nan), np.where(known, held_s, np.nan)

    def _run_start(self) -> Ints:
        fresh = np.ones(len(self.at_s), dtype=bool)
        fresh[1:] = (np.diff(self.place_row) != 0) | (self.free[1:] != self.free[:-1])
        fresh[1:] |= np.diff(self.at_s) > self.silent_s
        start: Ints = np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))
        return start

    def by_slot(self, first_day: int, days: int) -> NDArray[np.float32]:
        """Return (p, days * SLOTS) whether places were free in the middle of each half hour of the local clock."""
        # The local clock runs on evenly but for two nights a year, where a slot is looked up an hour off.
        middle = first_day * DAY_S + (np.arange(days * SLOTS) * 2 + 1) * (SLOT_S // 2)
        shift = local_s(middle, self.time_zone) - middle
        state, _ = self.at(middle - shift)
        return state.T.astype(np.float32)
