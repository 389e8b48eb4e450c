"""How deep JSON from outside is nested, told before anything reads it. Pure."""

from __future__ import annotations

import re

MOST_LEVELS = 32
"""Nothing that Voirie takes goes deeper than ten or so; a reader's own stack ends at some hundreds."""

# A string swallows its brackets; one that never ends swallows the rest, so that the scan stays linear.
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_OPENING, _CLOSING = b"[{", b"]}"


def is_too_deep(text: bytes, *, most: int = MOST_LEVELS) -> bool:
    """Whether arrays and objects are nested deeper than `most`; of text that is no JSON, what it looks like."""
    if text.count(b"[") + text.count(b"{") <= most:
        return False  # nearly every message: two searches instead of a scan
    depth = 0
    for mark in _MARKS.finditer(text):
        first = text[mark.start()]
        if first in _OPENING:
            depth += 1
            if depth > most:
                return True
        elif first in _CLOSING:
            depth -= 1
    return False
