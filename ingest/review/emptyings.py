"""Emptyings that a sensor saw: falls of the level that stay, each with a confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.review.columns import shifted
from ingest.review.measured import Measured
from ingest.review.options import ReviewOptions
from storage.signal_table import Floats, Ints

_SETTLING = 0.06
"""Waste settles: a level may sink by such a share of itself (one standard deviation) though nobody took anything."""
_LEAST_FALL = 0.05
_DEVIATIONS, _DEVIATIONS_SCALE = 4.0, 0.8
_SHARE_LEFT, _SHARE_SCALE = 0.45, 0.06
_UNSETTLED, _REBOUNDED = 0.7, 0.1


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class EmptyingTable:
    """Seen emptyings in columns of one length k, ordered by series and time.

    `series` int64; `after_s`, `before_s` float64: the two readings between which it happened, Unix seconds;
    `level_before`, `level_after` float64; `confidence` float64, 0..1.
    """

    series: Ints
    after_s: Floats
    before_s: Floats
    level_before: Floats
    level_after: Floats
    confidence: Floats

    def __len__(self) -> int:
        return len(self.series)


def find_emptyings(measured: Measured, options: ReviewOptions) -> tuple[EmptyingTable, Ints]:
    """Return the emptyings among trusted readings (n,) in order, and the reading (k,) that first shows each.

    Three questions, each answered from 0 to 1 and multiplied: is the fall more than noise, rounding and settling; is
    the bin nearly empty now; did the next reading confirm it.
    """
    series, at_s, level, habits = measured.series, measured.at_s, measured.level, measured.habits
    before = shifted(level, series, -1)
    behind = shifted(level, series, 1)
    fall = before - level
    scale = np.sqrt(
        2 * habits.noise_fraction**2 + (_SETTLING * before) ** 2 + habits.step_fraction**2 / 6  # two rounded levels
    )
    with np.errstate(invalid="ignore"):
        large = _logistic((fall / scale - _DEVIATIONS) / _DEVIATIONS_SCALE)
        share = np.maximum(level, 0.0) / np.maximum(before, 1e-6)
        clear = _logistic((_SHARE_LEFT - share) / _SHARE_SCALE)
        stays = np.where(np.isnan(behind), _UNSETTLED, np.where(behind > level + fall / 2, _REBOUNDED, 1.0))
        confidence = np.where(fall >= _LEAST_FALL, large * clear * stays, 0.0)
    found = np.flatnonzero(np.nan_to_num(confidence) >= options.emptying_told)
    table = EmptyingTable(
        series=series[found],
        after_s=shifted(at_s, series, -1)[found],
        before_s=at_s[found],
        level_before=before[found],
        level_after=level[found],
        confidence=np.minimum(confidence[found], 1.0),
    )
    return table, found


def _logistic(score: Floats) -> Floats:
    answer: Floats = 1.0 / (1.0 + np.exp(-np.clip(score, -50.0, 50.0)))
    return answer
