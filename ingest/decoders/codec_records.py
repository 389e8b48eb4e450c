"""More out of what a network's codec made of a frame: distances, lists of stored records, and what to keep of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ingest.decoders.codec_object import whole
from ingest.refusal import malformed, quoted

_FARTHEST_MM = 0xFFFF


def distance_mm(decoded: Mapping[str, Any], name: str) -> int | None:
    """Return a distance in millimetres, also from text such as "2799 mm"; None when it is missing.

    Raises RefusedError(MALFORMED_PAYLOAD) for what two bytes cannot say: a codec of another device wrote it.
    """
    value = whole(decoded, name, unit="mm")
    if value is not None and not 0 <= value <= _FARTHEST_MM:
        raise malformed(f"expected 0..{_FARTHEST_MM} mm in {name}, got {quoted(decoded[name])}")
    return value


def records(decoded: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects listed under the name, none when it is missing; RefusedError when it is no list of objects."""
    found = decoded.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(record, Mapping) for record in found):
        raise malformed(f"expected a list of objects in {name}, got {quoted(found)}")
    return found


def as_raw(record: Mapping[str, Any]) -> bytes:
    """Return an object as it is kept beside its measurement: its JSON."""
    return msgspec.json.encode(record)
