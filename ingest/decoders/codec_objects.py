"""Reading what networks' codecs left in JSON: numbers that may be text with a unit, whole numbers that became floats."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ingest.refusal import RefusedError, quoted
from storage.model import RefusalReason

_NUMBER = re.compile(r"\s*(?P<number>[+-]?\d{1,9}(?:\.\d{1,9})?)\s*(?P<unit>[^\d\s.][^\d]{0,8})?\s*", re.ASCII)
_FARTHEST_MM = 65535


def malformed(detail: str) -> RefusedError:
    """Return the refusal of an object that is not what the codec writes."""
    return RefusedError(RefusalReason.MALFORMED_PAYLOAD, detail)


def number(found: object, *, units: tuple[str, ...] = ()) -> float | None:
    """Return a finite number, from JSON's own or from text such as "3.387" or "2799 mm"; None when it is none.

    `units`: what may stand after the number in a text. Text with another unit is no number of ours.
    """
    if isinstance(found, str):
        match = _NUMBER.fullmatch(found)
        if match is None or (match["unit"] is not None and match["unit"].strip() not in units):
            return None
        return float(match["number"])
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        value = float(found)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def whole(found: object, *, units: tuple[str, ...] = ()) -> int | None:
    """Return a whole number as `number` reads it, also from 2116.0, as networks write 2116; None when it is none."""
    value = number(found, units=units)
    return int(value) if value is not None and value.is_integer() else None


def distance_mm(found: object) -> int:
    """Return a distance of 0..65535 mm, from a number or from text with "mm"; RefusedError when it is something else."""
    value = whole(found, units=("mm",))
    if value is None or not 0 <= value <= _FARTHEST_MM:
        raise malformed(f"expected a distance of 0..{_FARTHEST_MM} mm, got {quoted(found)}")
    return value


def records(decoded: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the objects listed under the key, none when it is absent; RefusedError when it is no list of objects."""
    found = decoded.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(record, Mapping) for record in found):
        raise malformed(f"expected {key} to be a list of objects, got {quoted(found)}")
    return found


def as_raw(record: Mapping[str, Any]) -> bytes:
    """Return the object as it is kept beside the measurement: its JSON."""
    return msgspec.json.encode(record)
