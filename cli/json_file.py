"""A JSON document that somebody hands to a command: bounded in bytes and levels before it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MOST_BYTES = 64 * 1024 * 1024


def read_json(file: Path, *, option: str) -> Any:
    """Return the document in a file. Raises InputError that names the `option` which gave it."""
    from cli.registry import content_of
    from storage.errors import InputError
    from storage.json_depth import MOST_LEVELS, is_too_deep

    content = content_of(str(file), most=MOST_BYTES)
    if len(content) > MOST_BYTES:
        raise InputError(f"{option}: expected at most {MOST_BYTES} bytes")
    if is_too_deep(content):
        raise InputError(f"{option}: expected JSON of at most {MOST_LEVELS} levels")
    try:
        return json.loads(content)
    except ValueError as error:
        raise InputError(f"{option}: the file is not JSON: {error}") from error
