"""The verdict on every level of a span, put together from the single questions in an order that matters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.review.blocked import find_blocked
from ingest.review.calibration import NO_LEFTOVERS, Leftovers, find_misfits, leftovers_of, offsets
from ingest.review.columns import begins
from ingest.review.declared import Comparison, DeclaredTable, compare
from ingest.review.emptyings import EmptyingTable, find_emptyings
from ingest.review.habits import Habits, raw_value
from ingest.review.jumps import find_jumps, find_unconfirmed
from ingest.review.level_filter import filter_levels
from ingest.review.measured import Measured
from ingest.review.options import ReviewOptions
from ingest.review.reasons import reason_of
from ingest.review.stuck import find_stuck
from storage.model import Quality
from storage.signal_table import CODES, Floats, Ints, SignalTable, VerdictTable


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LevelFindings:
    """What the review found of n readings.

    `causal_fraction`, `causal_sd` (n,): the filtered level as it was known at each reading, NaN where it is not
    trusted; `offset_fraction` (n,): what emptyings leave by then, NaN while unknown. `emptyings` (k,) are those seen,
    `comparison` sets them against what was declared.
    """

    verdicts: VerdictTable
    causal_fraction: Floats
    causal_sd: Floats
    offset_fraction: Floats
    emptyings: EmptyingTable
    comparison: Comparison


def review_levels(
    table: SignalTable,
    habits: Habits,
    declared: DeclaredTable,
    *,
    until_s: float,
    earlier: Leftovers = NO_LEFTOVERS,
    options: ReviewOptions | None = None,
) -> LevelFindings:
    """Judge the readings of a span; `habits` are those of the table's series, `until_s` is the present.

    `earlier` is what emptyings left before the span.
    """
    options = options or ReviewOptions()
    quality = table.quality.copy()
    every = Measured(series=table.series, at_s=table.at_s, level=table.fill_fraction, habits=habits.at(table.series))
    marks = declared.marks

    def with_level() -> Ints:
        return np.flatnonzero((quality == CODES[Quality.OK]) & np.isfinite(table.fill_fraction))

    rows = with_level()
    stuck = find_stuck(
        every.at(rows),
        value=raw_value(table)[rows],
        by_distance=np.isfinite(table.distance_mm[rows]),
        declared_marks=marks,
        options=options,
    )
    quality[rows[stuck]] = CODES[Quality.STUCK]
    rows = with_level()
    quality[rows[find_jumps(every.at(rows), marks, options)]] = CODES[Quality.IMPOSSIBLE_JUMP]
    _judge_views(table, quality, declared, options)
    rows = with_level()
    quality[rows[find_unconfirmed(every.at(rows), marks, options)]] = CODES[Quality.UNCONFIRMED]
    rows = with_level()
    seen, shown = find_emptyings(every.at(rows), options)
    comparison = compare(declared, seen, trusted=every.at(rows), until_s=until_s, options=options)
    left = earlier.and_then(leftovers_of(declared, seen, comparison))
    offset = offsets(table.series, every.at_s, left)
    with np.errstate(invalid="ignore"):
        shifted_zero = (quality == CODES[Quality.OK]) & (offset > options.offset_distrusted)
    quality[shifted_zero] = CODES[Quality.OUT_OF_CALIBRATION]
    emptied = np.zeros(len(table), dtype=np.bool_)
    emptied[rows[shown[seen.confidence >= options.emptying_believed]]] = True
    kept = with_level()
    trusted = every.at(kept)
    columns = [np.full(len(table), np.nan) for _ in range(4)]
    for column, found in zip(columns, filter_levels(trusted, emptied=emptied[kept], options=options), strict=True):
        column[kept] = found
    causal, causal_sd, settled, settled_sd = columns
    return LevelFindings(
        verdicts=VerdictTable(
            quality=quality,
            reasons=_reasons(table, quality, offset),
            filtered_fraction=settled,
            filtered_sd=settled_sd,
        ),
        causal_fraction=causal,
        causal_sd=causal_sd,
        offset_fraction=offset,
        emptyings=seen,
        comparison=comparison,
    )


def _judge_views(table: SignalTable, quality: Ints, declared: DeclaredTable, options: ReviewOptions) -> None:
    """Mark blocked views and wrong geometry in `quality`."""
    blind = quality == CODES[Quality.BLIND_ZONE]
    rows = np.flatnonzero(blind | ((quality == CODES[Quality.OK]) & np.isfinite(table.fill_fraction)))
    blocked = find_blocked(
        table.series[rows], table.at_s[rows], np.where(blind, np.nan, table.fill_fraction)[rows], blind=blind[rows],
        declared=declared, options=options,
    )  # fmt: skip
    quality[rows[blocked]] = CODES[Quality.BLOCKED]
    misfit = find_misfits(
        table.series,
        implausible=(quality == CODES[Quality.IMPLAUSIBLE]) & np.isfinite(table.distance_mm) & ~table.tilted,
        distance_mm=table.distance_mm,
        options=options,
    )
    quality[misfit] = CODES[Quality.OUT_OF_CALIBRATION]


def _reasons(table: SignalTable, quality: Ints, offset: Floats) -> dict[int, str]:
    """Return why each reading is not OK, in words, for those whose verdict is the review's own."""
    changed = np.flatnonzero(quality != table.quality)
    first = np.maximum.accumulate(np.where(begins(table.series), np.arange(len(table)), 0))
    return {int(row): reason_of(table, quality, offset, int(row), first=int(first[row])) for row in changed}
