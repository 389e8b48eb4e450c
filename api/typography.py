"""How French is set: which of its spaces no line may break at (Imprimerie nationale, Lexique des règles en usage).

The one rule for all texts of pages; `api/web/static/js/typography.js` is the same for scripts, and a test compares
both. Texts are written with ordinary spaces, so that nobody has to think of it.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NO_BREAK = "\N{NO-BREAK SPACE}"
_NARROW = "\N{NARROW NO-BREAK SPACE}"
# A figure, or what stands for one until it is filled in: {count}, %(count)s, %(count)d.
_BEFORE_UNIT = r"(?<=[\d}])|(?<=\)[sd])"
_RULES = (
    (re.compile(r" (?=[;!?](?![\w=]))"), _NARROW),
    (re.compile(r" (?=[:»](?!\w))|(?<=«) |(?<=n°) "), _NO_BREAK),
    (re.compile(rf"(?:{_BEFORE_UNIT}) (?=(?:min|h|j|s|km|m|kg|t|l|L|%|€|ko|Mo|Go|dBm|V)(?!\w))"), _NO_BREAK),
    # The minutes of "2 h 05".
    (re.compile(rf"(?<=[\d}}s]{_NO_BREAK}h) (?=[\d{{])"), _NO_BREAK),
)


@lru_cache(maxsize=4096)
def typeset(french: str) -> str:
    """Return a French text with no-break spaces: narrow before ; ! ? and whole before :, in « » and before units."""
    for space, kept in _RULES:
        french = space.sub(kept, french)
    return french
