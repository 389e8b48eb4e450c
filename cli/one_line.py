"""Foreign text as it may stand on a terminal: one line, short, and nothing that a terminal obeys."""

from __future__ import annotations

_LONGEST = 1000
_SPACES = "\u00a0\u202f"  # of French typography


def one_line(text: str) -> str:
    """Return the text with what is not printable written out: no new line, no escape, no turn of direction."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    if cut.isprintable():
        return cut
    told = "".join(letter if letter.isprintable() or letter in _SPACES else _written_out(letter) for letter in cut)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}..."


def _written_out(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
