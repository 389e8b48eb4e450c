"""Where in a JSON text something stands, so that what is wrong with it can be told with its line."""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"[ \t\n\r]*")
_PART = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
_DECODER = json.JSONDecoder()


def line_of_offset(text: str, byte: int) -> int:
    """Return the line of a byte of the text."""
    return text.encode()[:byte].count(b"\n") + 1


def line_of_path(text: str, path: str) -> int:
    """Return the line of the deepest part of a path such as `$.stops[3].place` that valid JSON has."""
    at = _skip(text, 0)
    for part in _PART.finditer(path):
        found = _member(text, at, part.group(1)) if part.group(1) else _item(text, at, int(part.group(2) or 0))
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def _member(text: str, at: int, name: str) -> int | None:
    if text[at : at + 1] != "{":
        return None
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"':
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key == name:
            return at
        at = _next(text, at)
    return None


def _item(text: str, at: int, index: int) -> int | None:
    if text[at : at + 1] != "[":
        return None
    at = _skip(text, at + 1)
    for _ in range(index):
        if text[at : at + 1] in {"]", ""}:
            return None
        at = _next(text, at)
    return at


def _next(text: str, at: int) -> int:
    """Return where the value after this one begins."""
    _, at = _DECODER.raw_decode(text, at)
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at : at + 1] == "," else at
