"""What crews declared, in columns, and how it compares with what the sensors saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.review.columns import key
from ingest.review.emptyings import EmptyingTable
from ingest.review.measured import Measured
from ingest.review.options import HOUR_S, ReviewOptions
from storage.model import Verdict
from storage.signal_table import Floats, Ints

_NEAR_READINGS_S = 6 * HOUR_S
_NEAR_PERIODS = 3.0
_STAYED_SHARE = 0.65
_READINGS_AFTER = 2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DeclaredTable:
    """Declared emptyings in columns of one length e, ordered by series and time.

    `series` int64; `at_s` float64, Unix seconds; `found` float64: how full the crew said the bin was, NaN if it did
    not say. A declaration counts in every series of its place.
    """

    series: Ints
    at_s: Floats
    found: Floats

    def __len__(self) -> int:
        return len(self.series)

    @property
    def marks(self) -> Floats:
        """(e,) the sorted keys of `columns.key`."""
        return key(self.series, self.at_s)


NONE_DECLARED = DeclaredTable(series=np.zeros(0, np.int64), at_s=np.zeros(0), found=np.zeros(0))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparison:
    """Declared (e,) against seen (k,) emptyings.

    `declared_of` int64 (k,): index of the declaration of each seen emptying, -1 when nobody declared it; `late_s` (k,):
    how much later it was declared than the middle of its two readings. `verdicts`: one of each declaration, None while
    it is too early to say; `level_before`, `level_after` (e,): what the sensor read around it, NaN when it did not.
    """

    declared_of: Ints
    late_s: Floats
    verdicts: tuple[Verdict | None, ...]
    level_before: Floats
    level_after: Floats


def compare(
    declared: DeclaredTable,
    seen: EmptyingTable,
    *,
    trusted: Measured,
    until_s: float,
    options: ReviewOptions,
) -> Comparison:
    """Match declarations with seen emptyings, nearest first, each once; say what the sensor saw of the others.

    `trusted` are the readings whose level is trusted; `until_s` is the present.
    """
    believed = np.flatnonzero(seen.confidence >= options.emptying_told)
    partner = _pair(declared, seen, believed, options)
    late_s = np.full(len(seen), np.nan)
    declared_of = np.full(len(seen), -1, dtype=np.int64)
    for index, other in partner.items():
        declared_of[other] = index
        late_s[other] = declared.at_s[index] - (seen.after_s[other] + seen.before_s[other]) / 2
    keys = key(trusted.series, trusted.at_s)
    before = np.full(len(declared), np.nan)
    after = np.full(len(declared), np.nan)
    verdicts: list[Verdict | None] = []
    for index in range(len(declared)):
        if index in partner:
            before[index] = seen.level_before[partner[index]]
            after[index] = seen.level_after[partner[index]]
            verdicts.append(Verdict.SEEN)
            continue
        around = _around(declared, index, keys, trusted, options)
        before[index], after[index], _ = around
        verdicts.append(_verdict(declared, index, around, until_s=until_s, options=options))
    return Comparison(
        declared_of=declared_of, late_s=late_s, verdicts=tuple(verdicts), level_before=before, level_after=after
    )


def _pair(declared: DeclaredTable, seen: EmptyingTable, believed: Ints, options: ReviewOptions) -> dict[int, int]:
    """Return declaration -> seen emptying, nearest in time first, each used once."""
    tolerance_s = options.declared_tolerance_s
    candidates: list[tuple[float, int, int]] = []
    marks = declared.marks
    for other in believed.tolist():
        since, until = seen.after_s[other] - tolerance_s, seen.before_s[other] + tolerance_s
        own = np.array([seen.series[other]] * 2)
        first, last = np.searchsorted(marks, key(own, np.array([since, until])))
        middle = (seen.after_s[other] + seen.before_s[other]) / 2
        candidates += [(abs(float(declared.at_s[index]) - middle), index, other) for index in range(first, last)]
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, index, other in sorted(candidates):
        if index not in partner and other not in taken:
            partner[index] = other
            taken.add(other)
    return partner


def _around(
    declared: DeclaredTable, index: int, keys: Floats, trusted: Measured, options: ReviewOptions
) -> tuple[float, float, int]:
    """Return the trusted level before and after a declaration (NaN: none near), and how many readings follow near."""
    own, moment = declared.series[index], declared.at_s[index]
    tolerance_s = options.declared_tolerance_s
    edges_s = np.array([moment - tolerance_s, moment + tolerance_s])
    first, last = np.searchsorted(keys, key(np.array([own, own]), edges_s))
    before = after = np.nan

    def near(row: int) -> bool:
        reach_s = max(_NEAR_READINGS_S, _NEAR_PERIODS * float(trusted.habits.period_s[row]))
        return bool(trusted.series[row] == own and abs(moment - trusted.at_s[row]) <= reach_s)

    if first > 0 and near(int(first) - 1):
        before = float(trusted.level[first - 1])
    follow = [row for row in range(last, min(last + _READINGS_AFTER, len(trusted))) if near(row)]
    if follow:
        after = float(trusted.level[follow].min())
    return before, after, len(follow)


def _verdict(
    declared: DeclaredTable,
    index: int,
    around: tuple[float, float, int],
    *,
    until_s: float,
    options: ReviewOptions,
) -> Verdict | None:
    before, after, follow = around
    if follow < _READINGS_AFTER:
        young = until_s - declared.at_s[index] < _NEAR_READINGS_S
        return None if young else Verdict.NOT_OBSERVABLE
    if not np.isfinite(before) or before < options.seen_empty or after <= _STAYED_SHARE * before:
        # Nothing to see in a bin that was as good as empty; a fall too slight to be told from noise proves nothing.
        return Verdict.NOT_OBSERVABLE
    return Verdict.NOT_SEEN
