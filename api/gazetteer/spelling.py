"""How names are compared: without accents, case and small words, with the abbreviations of French addresses. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

_WORDS = re.compile(r"[^\W_]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})
_SHORT = {
    "av": "avenue", "ave": "avenue", "bd": "boulevard", "bld": "boulevard", "blvd": "boulevard", "boul": "boulevard",
    "pl": "place", "r": "rue", "rte": "route", "sq": "square", "imp": "impasse", "all": "allee", "ch": "chemin",
    "fbg": "faubourg", "qu": "quai", "crs": "cours", "st": "saint", "ste": "sainte", "gal": "general",
    "mal": "marechal", "dr": "docteur", "pdt": "president", "pt": "pont",
}  # fmt: skip
_SMALL = frozenset({"a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "sur"})
_EXACT, _BEGINS, _HOLDS, _ALIKE = 1.0, 0.93, 0.72, 0.85
_LEAST_ALIKE = 0.74
_HOLDS_LETTERS = 4
_ALIKE_LETTERS = 4

NUMBER = re.compile(r"\d{1,4}(bis|ter|quater|[a-h])?")


def words_of(text: str) -> list[str]:
    """Return the words of a name or of what somebody typed: « Av. du Gal-de-Gaulle » is avenue, general, gaulle.

    A text of nothing but small words keeps them.
    """
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    found = _WORDS.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
    return [_SHORT.get(word, word) for word in found if word not in _SMALL] or found


def with_suffixes(words: Sequence[str]) -> list[str]:
    """Return the words with « 12 bis » as one: the number of a house."""
    found: list[str] = []
    for word in words:
        if found and found[-1].isdigit() and NUMBER.fullmatch(found[-1] + word) and not word.isdigit():
            found[-1] += word
        else:
            found.append(word)
    return found


def holds(typed: str, word: str) -> float:
    """Return how well a word of a name, 0 to 1, answers one that somebody typed, perhaps not to its end."""
    if typed == word:
        return _EXACT
    if word.startswith(typed):
        return _BEGINS
    return _HOLDS if len(typed) >= _HOLDS_LETTERS and typed in word else 0.0


def alikeness(typed: str, word: str) -> float:
    """Return how well a word of a name, 0 to 1, answers one that somebody typed wrongly, perhaps not to its end."""
    if typed.isdigit() or word.isdigit() or len(typed) < _ALIKE_LETTERS:
        return 0.0
    # Not to its end: the beginning of the word, a letter more or less.
    begun = (word[: len(typed) + more] for more in (-1, 0, 1))
    ratio = max(_ratio(typed, each) for each in {*begun, word})
    return _ALIKE * ratio if ratio >= _LEAST_ALIKE else 0.0


def _ratio(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, other, one, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= _LEAST_ALIKE else 0.0


def pieces(word: str) -> set[str]:
    """Return the pairs of letters of a word: two words alike share some."""
    return {word[at : at + 2] for at in range(len(word) - 1)} or {word}
