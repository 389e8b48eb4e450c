"""A town's own files of levels, emptyings and places, read from disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from storage.errors import InputError

if TYPE_CHECKING:  # what reads rows is imported when it runs, so that `voirie --help` answers at once
    from optimise.fill.towns.table import Place, Table


def read_table_file(path: Path, *, emptyings: bool, columns: str | None, time_zone: str) -> Table:
    """Return the rows of a file of levels, or of emptyings. Raises InputError when it cannot be read."""
    from optimise.fill.towns.columns import parse_mapping
    from optimise.fill.towns.table import read_table

    mapping = parse_mapping(columns)
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            return read_table(lines, emptyings=emptyings, time_zone=time_zone, mapping=mapping)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def read_places_file(path: Path) -> dict[str, Place]:
    """Return the rows of a file of places. Raises InputError when it cannot be read."""
    from optimise.fill.towns.table import read_places

    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            return read_places(lines)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def check_zone(name: str) -> None:
    """Raise InputError unless there is a time zone of this name."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"there is no time zone {name!r}: name one as Europe/Paris") from error
