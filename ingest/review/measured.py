"""The readings of a span that carry a level, as the single questions look at them."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.review.habits import Habits
from storage.signal_table import Flags, Floats, Ints


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Measured:
    """Readings with a level in columns of one length n, in order: series, Unix seconds, fill fraction, its habits."""

    series: Ints
    at_s: Floats
    level: Floats
    habits: Habits

    def __len__(self) -> int:
        return len(self.series)

    def at(self, rows: Ints | Flags) -> Measured:
        """Return those that `rows` marks (n,) or lists."""
        return Measured(
            series=self.series[rows], at_s=self.at_s[rows], level=self.level[rows], habits=self.habits.at(rows)
        )
