"""Where each bin's fill starts from: the last level measured, else the last emptying known of. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.options import FillOptions
from optimise.fill.readings import HOUR_S, Floats, Ints, ordered_key, usual_gap_s
from optimise.fill.training import Emptyings, TrainingData

_FEWEST_INTERVALS = 4
_OVERDUE = 1.3
_LAST_FEW = 5
_FRESH_GAPS = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Starts:
    """Per bin: `level` (fill) at `at_s`, from which it only grows; all (bins,).

    `measured`: a sensor spoke lately. `known`: there was a level or an emptying at all; otherwise `at_s` is a guess.
    `emptied_s`: when the bin was last emptied, as far as that is known, else `at_s`; `silence`: how long its sensor has
    said nothing, 1 being the longest after which it still counts; inf without one.
    """

    level: Floats
    at_s: Floats
    measured: NDArray[np.bool_]
    known: NDArray[np.bool_]
    emptied_s: Floats
    silence: Floats


def known_emptyings(data: TrainingData) -> Emptyings:
    """Return declared and detected emptyings together, ordered by bin and time; one may be there twice."""
    both = Emptyings(
        bin_row=np.concatenate([data.declared.bin_row, data.detected.bin_row]),
        at_s=np.concatenate([data.declared.at_s, data.detected.at_s]),
        found=np.concatenate([data.declared.found, data.detected.found]),
    )
    return both.where(np.lexsort((both.at_s, both.bin_row)))


def previous(emptyings: Emptyings, bin_row: Ints, at_s: Ints, *, apart_s: int = 2 * HOUR_S) -> Floats:
    """Return (n,) the time of the last emptying of `bin_row` at least `apart_s` before `at_s`, NaN when unknown."""
    if not len(emptyings):
        return np.full(len(bin_row), np.nan)
    key = ordered_key(emptyings.bin_row, emptyings.at_s)
    index = np.searchsorted(key, ordered_key(bin_row, at_s - apart_s), side="right") - 1
    found = (index >= 0) & (emptyings.bin_row[np.maximum(index, 0)] == bin_row)
    return np.where(found, emptyings.at_s[np.maximum(index, 0)], np.nan)


def next_emptied(data: TrainingData, rows: Ints, at_s: int) -> Floats:
    """Return (rows,) when each bin was next emptied after `at_s`, inf when it was not."""
    known = known_emptyings(data)
    if not len(known):
        return np.full(len(rows), np.inf)
    key = ordered_key(known.bin_row, known.at_s)
    index = np.searchsorted(key, ordered_key(rows, np.full_like(rows, at_s)), side="right")
    at = np.minimum(index, len(known) - 1)
    found = (index < len(known)) & (known.bin_row[at] == rows)
    # A fall is seen at the first reading after it: the emptying may lie an hour before.
    return np.where(found, known.at_s[at] - HOUR_S, np.inf)


def starts_of(data: TrainingData, options: FillOptions) -> Starts:
    """Return where each bin's fill starts from, as known at `data.as_of_s`."""
    bins = len(data.bins)
    emptied_s = _last(data.declared.bin_row, data.declared.at_s, bins)
    seen_s = _last(data.readings.bin_row, data.readings.at_s, bins)
    fell_s = _last(data.detected.bin_row, data.detected.at_s, bins)
    # Who speaks once a day is not silent after a day.
    fresh_s = np.maximum(options.fresh_h * HOUR_S, _FRESH_GAPS * usual_gap_s(data.readings, bins))
    measured = data.as_of_s - seen_s <= fresh_s
    if not data.planned:
        emptied_s = np.where(measured, emptied_s, _not_overdue(data, emptied_s))
    # A reading at or after the last emptying is a level to start from; `fell_s` is itself such a reading.
    from_level = np.isfinite(seen_s) & ~(emptied_s > seen_s)
    since_s = np.fmax(emptied_s, fell_s)
    level = np.where(from_level, _last_level(data, since_s), 0.0)
    known = np.isfinite(seen_s) | np.isfinite(emptied_s)
    guess_s = data.as_of_s - _usual_interval_s(data, options) / 2
    at_s = np.where(known, np.where(from_level, seen_s, emptied_s), guess_s)
    return Starts(
        level=np.nan_to_num(level),
        at_s=at_s,
        measured=measured,
        known=known,
        emptied_s=np.where(np.isfinite(since_s), since_s, at_s),
        silence=np.where(np.isfinite(seen_s), (data.as_of_s - seen_s) / fresh_s, np.inf),
    )


def _last(bin_row: Ints, at_s: Ints, bins: int) -> Floats:
    """Return (bins,) the last of the times of each bin, NaN when it has none; the columns are ordered."""
    index = _last_index(bin_row, bins)
    return np.where(index >= 0, at_s[np.maximum(index, 0)], np.nan) if len(at_s) else np.full(bins, np.nan)


def _last_index(bin_row: Ints, bins: int) -> Ints:
    """Return (bins,) the index of the last row of each bin in an ordered column, -1 where there is none."""
    if not len(bin_row):
        return np.full(bins, -1)
    index = np.searchsorted(bin_row, np.arange(bins), side="right") - 1
    return np.where((index >= 0) & (bin_row[np.maximum(index, 0)] == np.arange(bins)), index, -1)


def _last_level(data: TrainingData, since_s: Floats) -> Floats:
    """Return (bins,) the median of the last few readings since `since_s`: one echo from a bottle's neck is no level."""
    row, at_s, fill = data.readings.bin_row, data.readings.at_s, data.readings.fill
    last = _last_index(row, len(data.bins))
    index = last[:, None] - np.arange(_LAST_FEW)
    valid = (index >= 0) & (last[:, None] >= 0)
    if not valid.any():
        return np.full(len(data.bins), np.nan)
    index = np.where(valid, index, 0)
    valid &= row[index] == np.arange(len(data.bins))[:, None]
    valid &= ~(at_s[index] < since_s[:, None]) & (at_s[index] >= at_s[index[:, :1]] - _LAST_FEW * HOUR_S)
    few = np.where(valid, fill[index], np.nan)
    few[~valid.any(axis=1), 0] = 0.0
    # Levels rise: the middle of the last few lags behind the last, so the last stands unless it is out of line.
    middle, newest = np.nanmedian(few, axis=1), few[:, 0]
    out_of_line = np.abs(newest - middle) > 0.15  # noqa: PLR2004 - the spike of ReadingOptions
    return np.where(out_of_line & (valid.sum(axis=1) > 2), middle, np.nan_to_num(newest))  # noqa: PLR2004


def _not_overdue(data: TrainingData, emptied_s: Floats) -> Floats:
    """Return (bins,) `emptied_s`, advanced by the usual interval where an emptying must have gone undeclared.

    Crews keep to a rhythm and forget to declare: a bin silent for well over its ninth decile of intervals was emptied.
    """
    row, at_s = data.declared.bin_row, data.declared.at_s
    same = row[1:] == row[:-1]
    interval, owner = np.diff(at_s)[same].astype(np.float64), row[1:][same]
    if not len(interval):
        return emptied_s
    order = np.lexsort((interval, owner))
    interval, owner = interval[order], owner[order]
    bins = np.arange(len(data.bins))
    first, count = np.searchsorted(owner, bins), np.bincount(owner, minlength=len(bins))
    enough = count >= _FEWEST_INTERVALS

    def decile(share: float) -> Floats:
        index = first + np.floor(share * np.maximum(count - 1, 0)).astype(np.int64)
        result: Floats = interval[np.minimum(index, len(interval) - 1)]
        return result

    overdue = enough & (data.as_of_s - emptied_s > _OVERDUE * decile(0.9))
    usual = np.maximum(decile(0.5), HOUR_S)
    missed = np.floor((data.as_of_s - emptied_s) / usual)
    return np.where(overdue, emptied_s + missed * usual, emptied_s)


def _usual_interval_s(data: TrainingData, options: FillOptions) -> float:
    row, at_s = data.declared.bin_row, data.declared.at_s
    interval = np.diff(at_s)[row[1:] == row[:-1]]
    return float(np.median(interval)) if len(interval) else options.prior_interval_h * HOUR_S
