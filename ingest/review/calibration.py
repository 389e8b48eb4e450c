"""Sensors whose zero is wrong: what emptyings leave is not near empty, or distances lie beyond the bin."""

from __future__ import annotations

import numpy as np

from ingest.review.columns import begins, key, runs
from ingest.review.emptyings import EmptyingTable
from ingest.review.options import ReviewOptions
from storage.signal_table import Flags, Floats, Ints

_OF_LAST = 5
_LEAST = 4
_SURE = 0.7


def offsets(
    series: Ints, at_s: Floats, seen: EmptyingTable, *, earlier_series: Ints, earlier_s: Floats, earlier: Floats
) -> Floats:
    """Return (n,) the median level that each reading's last five emptyings left; NaN before there were four.

    `seen` are this span's emptyings; `earlier_series`, `earlier_s`, `earlier` (h,): those of before, with the levels
    that they left. Only sure ones count: a bin that was emptied by half tells nothing of the zero.
    """
    sure = seen.confidence >= _SURE
    all_series = np.concatenate([earlier_series, seen.series[sure]])
    all_s = np.concatenate([earlier_s, seen.before_s[sure]])
    left = np.concatenate([earlier, seen.level_after[sure]])
    marks = key(all_series, all_s)
    order = np.argsort(marks, kind="stable")
    marks, all_series, left = marks[order], all_series[order], left[order]
    window = np.full((len(left), _OF_LAST), np.nan)
    for back in range(min(_OF_LAST, len(left))):
        same = all_series[back:] == all_series[: len(left) - back]
        window[back:, back] = np.where(same, left[: len(left) - back], np.nan)
    enough = np.isfinite(window).sum(axis=1) >= _LEAST
    median = np.full(len(left) + 1, np.nan)  # the last entry: no emptying yet
    if enough.any():
        median[:-1][enough] = np.nanmedian(window[enough], axis=1)
    last = np.searchsorted(marks, key(series, at_s), side="right") - 1
    own = np.append(all_series, -1)[last] == series
    answer: Floats = np.where(own, median[last], np.nan)
    return answer


def find_misfits(series: Ints, *, implausible: Flags, distance_mm: Floats, options: ReviewOptions) -> Flags:
    """Return (n,) which implausible readings agree with each other: the geometry is wrong, not the echo.

    `implausible` are readings outside the bin with a distance and without a tilt, among all readings in order. Wild
    echoes come alone; a bin whose bottom is lower than its mounting says is measured there again and again.
    """
    flags = np.zeros(len(series), dtype=np.bool_)
    if len(series) == 0:
        return flags
    with np.errstate(invalid="ignore"):
        close = np.abs(distance_mm - np.roll(distance_mm, 1)) <= options.misfit_mm
    continues = implausible & np.roll(implausible, 1) & close & ~begins(series)
    run, starts, ends = runs(continues)
    long = ends - starts + 1 >= options.misfit_least
    found: Flags = implausible & long[run]
    return found
