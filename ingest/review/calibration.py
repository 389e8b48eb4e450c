"""Sensors whose zero is wrong: what emptyings leave is not near empty, or distances lie beyond the bin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.review.columns import begins, key, runs
from ingest.review.declared import Comparison, DeclaredTable
from ingest.review.emptyings import EmptyingTable
from ingest.review.options import ReviewOptions
from storage.signal_table import Flags, Floats, Ints

_OF_LAST = 5
_LEAST = 4
_SURE = 0.7


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Leftovers:
    """What emptyings left in the bin, in columns of one length h, ordered by series and time.

    `series` int64; `at_s` float64, Unix seconds; `level` float64.
    """

    series: Ints
    at_s: Floats
    level: Floats

    def and_then(self, later: Leftovers) -> Leftovers:
        """Return both, in order."""
        series = np.concatenate([self.series, later.series])
        at_s = np.concatenate([self.at_s, later.at_s])
        order = np.argsort(key(series, at_s), kind="stable")
        return Leftovers(series=series[order], at_s=at_s[order], level=np.concatenate([self.level, later.level])[order])


NO_LEFTOVERS = Leftovers(series=np.zeros(0, np.int64), at_s=np.zeros(0), level=np.zeros(0))


def leftovers_of(declared: DeclaredTable, seen: EmptyingTable, comparison: Comparison) -> Leftovers:
    """Return what the declared emptyings left, whatever was seen of them, and the sure ones that nobody declared.

    A sensor whose zero is off sees an emptying as a slight fall: only the declaration tells what it was.
    """
    told = np.array([verdict is not None for verdict in comparison.verdicts], dtype=np.bool_)
    told &= np.isfinite(comparison.level_after)
    sure = (seen.confidence >= _SURE) & (comparison.declared_of < 0)
    of_declared = Leftovers(series=declared.series[told], at_s=declared.at_s[told], level=comparison.level_after[told])
    return of_declared.and_then(
        Leftovers(series=seen.series[sure], at_s=seen.before_s[sure], level=seen.level_after[sure])
    )


def offsets(series: Ints, at_s: Floats, left: Leftovers) -> Floats:
    """Return (n,) the median level that each reading's last five emptyings left; NaN before there were four."""
    window = np.full((len(left.level), _OF_LAST), np.nan)
    for back in range(min(_OF_LAST, len(left.level))):
        kept = len(left.level) - back
        same = left.series[back:] == left.series[:kept]
        window[back:, back] = np.where(same, left.level[:kept], np.nan)
    enough = np.isfinite(window).sum(axis=1) >= _LEAST
    median = np.full(len(left.level) + 1, np.nan)  # the last entry: no emptying yet
    if enough.any():
        median[:-1][enough] = np.nanmedian(window[enough], axis=1)
    last = np.searchsorted(key(left.series, left.at_s), key(series, at_s), side="right") - 1
    own = np.append(left.series, -1)[last] == series
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
