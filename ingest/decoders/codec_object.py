"""Values out of what a network's published codec made of a frame.

JSON has one kind of number and ChirpStack writes all of them as floats; some codecs write a number as text with its
unit ("2000 mm"). What is there but cannot be read is refused, what is not there is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.refusal import malformed, quoted

_LARGEST = 1e15


def number(decoded: Mapping[str, Any], name: str, *, unit: str = "") -> float | None:
    """Return a finite number, also one written as text, with or without `unit` behind it; None when it is missing."""
    value = decoded.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value.removesuffix(unit))
        except ValueError:
            value = None
    # False for what is no number and what no device measures, and bears whole numbers that no float holds.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST <= value <= _LARGEST:
        expected = f"a number in {unit}" if unit else "a number"
        raise malformed(f"expected {expected} in {name}, got {quoted(decoded[name])}")
    return value


def whole(decoded: Mapping[str, Any], name: str, *, unit: str = "") -> int | None:
    """Return a whole number, None when it is missing."""
    value = number(decoded, name, unit=unit)
    return None if value is None else round(value)


def text(decoded: Mapping[str, Any], name: str) -> str | None:
    """Return a text, None when it is missing."""
    value = decoded.get(name)
    if value is not None and not isinstance(value, str):
        raise malformed(f"expected a text in {name}, got {quoted(value)}")
    return value


def flag(decoded: Mapping[str, Any], *names: str) -> bool | None:
    """Return the first of these flags that is there: true, false, 1 or 0; None when all are missing."""
    for name in names:
        value = decoded.get(name)
        if value is None:
            continue
        if isinstance(value, list | dict) or value not in (0, 1):
            raise malformed(f"expected true or false in {name}, got {quoted(value)}")
        return bool(value)
    return None
