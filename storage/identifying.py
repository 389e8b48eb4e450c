"""What must not be written down about a vehicle: registration plates, wherever somebody may type freely. Pure.

The forms are those of France (since 2009 and before), of its neighbours and of the United Kingdom. A text is refused
when something in it looks like one: a word that must be written otherwise does less harm than a plate that is kept.
"""

from __future__ import annotations

import re
import unicodedata

from storage.errors import InputError

_LETTER = "[A-Z]"
_GAP = r"[\s.\-_/·]{0,3}"
_PLATES = re.compile(
    r"(?<![A-Z0-9])(?:"
    + "|".join(
        (
            rf"{_LETTER}{{2}}{_GAP}\d{{3}}{_GAP}{_LETTER}{{2}}",  # France since 2009, Italy
            rf"\d{{1,4}}{_GAP}{_LETTER}{{2,3}}{_GAP}(?:\d{{2}}|2[AB]|97\d)",  # France before
            rf"{_LETTER}{{2}}{_GAP}\d{{2}}{_GAP}{_LETTER}{{3}}",  # United Kingdom
            r"\d{4}[\s.\-]{0,3}[BCDFGHJKLMNPRSTVWXYZ]{3}",  # Spain
            r"[A-Z]{2}[\s.\-]{0,3}\d{4}(?:[\s.\-]{0,3}[A-Z]{2})?",  # Luxembourg; Ukraine
            r"\d[\s.\-]{0,3}[A-Z]{3}[\s.\-]{0,3}\d{3}",  # Belgium
            r"[A-ZÄÖÜ]{1,3}\s?[\-:·]\s?[A-Z]{1,2}\s?\d{1,4}[EH]?",  # Germany
            r"[A-Z]{2}\s?\d{4,6}",  # Switzerland
            # The Netherlands, Portugal: three groups of letters or digits.
            r"(?=[\dA-Z\-]*\d)(?=[\dA-Z\-]*[A-Z])(?:\d{1,3}|[A-Z]{1,3})(?:-(?:\d{1,3}|[A-Z]{1,3})){2}",
            r"[A-HJ-NPR-Z0-9]{11}\d{6}",  # a vehicle's identification number
        )
    )
    + r")(?![A-Z0-9])"
)


def looks_like_plate(text: str) -> bool:
    """Whether something in `text` looks like a registration plate (or a vehicle's identification number)."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return _PLATES.search(plain) is not None


def refuse_plates(text: str | None, *, what: str) -> None:
    """Raise InputError when `text` holds what looks like a plate; `what` is what the text is."""
    if text is not None and looks_like_plate(text):
        raise InputError(
            f"{what}: something in it looks like a registration plate; nothing that identifies a vehicle is kept here"
        )
