"""Blocked views: something near that emptyings do not clear, or nothing but the blind zone."""

from __future__ import annotations

import numpy as np

from ingest.review.columns import begins, count_until, runs
from ingest.review.declared import DeclaredTable
from ingest.review.options import ReviewOptions
from storage.signal_table import Flags, Floats, Ints

_ENOUGH = 2
_CONTRADICTS = 0.5
_READINGS_AFTER = 2
_HEAPED = 0.6


def find_blocked(
    series: Ints, at_s: Floats, level: Floats, *, blind: Flags, declared: DeclaredTable, options: ReviewOptions
) -> Flags:
    """Return (n,) which readings see something that hangs before the sensor instead of the waste.

    The rows are readings with a level and those in the blind zone (`blind`, level NaN), in order. Two declared
    emptyings that leave the bin "full" are proof, or one whose crew found the bin much emptier; one missed emptying is
    not. What came before the first of them may have been a full bin. So is a day of nothing but blind zone that began
    in a bin that was not full.
    """
    flags = np.zeros(len(series), dtype=np.bool_)
    if len(series) == 0:
        return flags
    near = blind | (np.nan_to_num(level) >= options.near_fraction)
    continues = near & np.roll(near, 1) & ~begins(series)
    _, starts, ends = runs(continues)
    marks = declared.marks
    tolerance_s = options.declared_tolerance_s
    first_after = count_until(marks, series[starts], at_s[starts] + tolerance_s)
    last_before = count_until(marks, series[starts], at_s[ends] - tolerance_s)
    for index in np.flatnonzero(near[starts] & (last_before > first_after)).tolist():
        start, end = starts[index], ends[index]
        unseen = range(first_after[index], last_before[index])
        # The emptying that ends the run may have been written down early: what follows it must be seen twice.
        unseen_at = [
            (declared.at_s[one], declared.found[one])
            for one in unseen
            if np.count_nonzero(at_s[start : end + 1] > declared.at_s[one] + tolerance_s) >= _READINGS_AFTER
        ]
        usual = np.nanmedian(level[start : end + 1]) if np.isfinite(level[start : end + 1]).any() else 1.0
        weight = len(unseen_at) + sum(found <= usual - _CONTRADICTS for _, found in unseen_at)
        if weight >= _ENOUGH:
            flags[start : end + 1] |= at_s[start : end + 1] > unseen_at[0][0]
    only_blind = blind & np.roll(blind, 1) & ~begins(series)
    _, starts, ends = runs(only_blind)
    for index in np.flatnonzero(blind[starts] & (at_s[ends] - at_s[starts] >= options.blind_s)).tolist():
        start = starts[index]
        known = start > 0 and series[start - 1] == series[start] and np.isfinite(level[start - 1])
        # A heap that grew into the blind zone is a full bin, whose alert is another.
        if not known or level[start - 1] < _HEAPED:
            flags[start : ends[index] + 1] = True
    return flags
