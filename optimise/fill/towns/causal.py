"""What was known at each reading, and nothing of what came after it. Pure.

An emptying found in the past was confirmed by the two readings after it. At the last two readings themselves the bare
fall must do: later readings may still show it to have been an echo.
"""

from __future__ import annotations

import numpy as np

from optimise.fill.readings import Floats, Ints, ordered_key
from optimise.fill.towns.town import Town

_CONFIRMED_AFTER = 2
_LEFT_SHARE = 0.6


def confirmed_emptying(town: Town) -> Ints:
    """Return (n,) the index of the last emptying that was certain at each reading, -1 without one."""
    if not len(town.emptied_s):
        return np.full(len(town.at_s), -1)
    key = ordered_key(town.bin_row, town.at_s)
    at = np.searchsorted(key, ordered_key(town.emptied_row, town.emptied_s))
    index = np.searchsorted(at, np.arange(len(key)) - _CONFIRMED_AFTER, side="right") - 1
    found = (index >= 0) & (town.emptied_row[np.maximum(index, 0)] == town.bin_row)
    return np.where(found, index, -1)


def emptied_since_s(town: Town) -> Floats:
    """Return (n,) when the bin was last emptied, by what was known at each reading; NaN when that is unknown.

    In a town of emptyings a reading is itself one, and what counts is the one before it.
    """
    if town.of_emptyings:
        same = np.append(False, np.diff(town.bin_row) == 0)
        return np.where(same, np.append(np.nan, town.at_s[:-1].astype(np.float64)), np.nan)
    index = confirmed_emptying(town)
    since = np.where(index >= 0, town.emptied_s[np.maximum(index, 0)] if len(town.emptied_s) else np.nan, np.nan)
    fall = min(max(0.15, 1.25 * town.step), 0.5)
    before, after = town.fill[:-1], town.fill[1:]
    fell = np.append(
        False,
        (np.diff(town.bin_row) == 0) & (before - after >= fall) & (after <= _LEFT_SHARE * before),
    )
    just = np.append(False, fell[:-1]) & np.append(False, np.diff(town.bin_row) == 0)
    since = np.where(just, np.append(np.nan, town.at_s[:-1].astype(np.float64)), since)
    return np.where(fell, town.at_s, since)
