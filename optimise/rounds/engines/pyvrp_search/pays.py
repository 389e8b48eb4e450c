"""Which of two ways to search pays: parts of a solution, or all of it at once. Tried in turns, told by what came of it.

Many short routes are improved fastest in parts. A few long ones have most of what could be exchanged across parts, and
no number of routes or bins tells beforehand which of the two a problem is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_FIRST_IN_PARTS = 4
"""Rounds: a start is far from good everywhere, which parts mend fastest."""
_OTHER_EVERY = 6
_MEMORY = 0.5


@dataclass(kw_only=True, slots=True)
class Pays:
    """What each way gained for its effort lately, whatever unit efforts have; None before it was tried."""

    _rate: dict[bool, float | None] = field(default_factory=lambda: {True: None, False: None})

    def whole(self, turn: int) -> bool:
        """Return whether round `turn`, from 1 on, is for the whole."""
        whole, parts = self._rate[True], self._rate[False]
        if turn <= _FIRST_IN_PARTS or parts is None:
            return False
        if whole is None:
            return True
        return (whole > parts) != (turn % _OTHER_EVERY == 0)

    def told(self, *, whole: bool, gain: float, effort: float) -> None:
        """Learn what a round gained."""
        rate, known = gain / max(effort, 1e-9), self._rate[whole]
        self._rate[whole] = rate if known is None else (1 - _MEMORY) * known + _MEMORY * rate
