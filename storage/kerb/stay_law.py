"""How long who stands at the kerb still stays: from dwells that were told in a town, with a guess until there are many.

Pure. Dwells are counted in classes (`sql/views/occupancy_session_hours.sql`); between the edges of two classes the
share of stays that last longer falls at an even rate.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

EDGES_S = (300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14_400, 28_800, 86_400)
"""Upper edges of the classes of dwells, seconds; the last class has none."""

_GUESS_SHAPE = 1.2
_GUESS_SCALE_S = 1200.0
_GUESS_STAYS = 50.0
"""The guess weighs as much as so many told stays: half of the stays over 16 minutes, a heavy tail (Lomax's law)."""


class StayLaw:
    """The share of stays that last longer than a time. `counts` are told dwells by class; empty: the guess alone."""

    def __init__(self, counts: Sequence[int] = ()) -> None:
        if counts and len(counts) != len(EDGES_S) + 1:
            raise ValueError(f"expected {len(EDGES_S) + 1} counts of dwells, got {len(counts)}")
        told = sum(counts)
        longer = float(told)
        self._longer = [1.0]
        for index, edge_s in enumerate(EDGES_S):
            longer -= counts[index] if counts else 0
            guessed = _GUESS_STAYS * (1 + edge_s / _GUESS_SCALE_S) ** -_GUESS_SHAPE
            self._longer.append((longer + guessed) / (told + _GUESS_STAYS))
        self._edges = (0, *EDGES_S)
        self._rates = [
            math.log(before / after) / (until_s - since_s)
            for before, after, since_s, until_s in zip(
                self._longer, self._longer[1:], self._edges, EDGES_S, strict=False
            )
        ]

    def longer(self, seconds: float) -> float:
        """Return the share of stays that last longer than `seconds`, 0 to 1; after a day as fast as before it."""
        index = min(bisect_right(self._edges, max(0.0, seconds)) - 1, len(self._rates) - 1)
        return self._longer[index] * math.exp(-self._rates[index] * (max(0.0, seconds) - self._edges[index]))

    def stays(self, *, age_s: float, for_s: float) -> float:
        """Return the chance that a stay of `age_s` goes on `for_s` longer, 0 to 1."""
        if for_s <= 0:
            return 1.0
        share = self.longer(age_s)
        return self.longer(age_s + for_s) / share if share > 0 else 0.0
