"""A text read line by line, so that what is wrong with it is told with its line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Never

from storage.errors import InputError

_LONGEST_QUOTE = 40
_LARGEST = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a file: its number, from 1, and its words."""

    source: str
    number: int
    text: str

    @property
    def words(self) -> list[str]:
        """The line split on white space."""
        return self.text.split()

    def refuse(self, reason: str) -> Never:
        """Raise InputError with the file, the line and the reason."""
        raise InputError(f"{self.source}: line {self.number}: {reason}")

    def number_of(self, word: str, what: str, *, least: float = 0.0) -> float:
        """Return the number that a word is; refuses what is none, is below `least`, or is beyond all use."""
        try:
            value = float(word)
        except ValueError:
            self.refuse(f"expected a number as {what}, got {quoted(word)}")
        if not math.isfinite(value) or abs(value) > _LARGEST:
            self.refuse(f"expected {what} up to {_LARGEST:.0e}, got {quoted(word)}")
        if value < least:
            self.refuse(f"expected {what} >= {least:g}, got {quoted(word)}")
        return value

    def whole_number_of(self, word: str, what: str, *, least: int = 0) -> int:
        """Return the whole number that a word is."""
        value = self.number_of(word, what, least=least)
        if value != int(value):
            self.refuse(f"expected a whole number as {what}, got {quoted(word)}")
        return int(value)


def quoted(word: str) -> str:
    """Return foreign text as it may stand in a sentence."""
    return repr(word if len(word) <= _LONGEST_QUOTE else f"{word[:_LONGEST_QUOTE]}...")


def lines_of(text: str, source: str) -> Iterator[Line]:
    """Return the lines that say something."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield Line(source=source, number=number, text=line.strip())
