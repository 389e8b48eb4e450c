"""A town's own files of levels, emptyings, counts and places, read from disk, packed or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

import typer

from storage.errors import InputError

if TYPE_CHECKING:  # what reads rows is imported when it runs, so that `voirie --help` answers at once
    from optimise.fill.towns.table import Place, Table
    from storage.model import DayWeather

MOST_CHARACTERS = 4 * 1024**3
"""What a file may come to, unpacked: some kilobytes of gzip can be made to fill any disk."""
MOST_LINE_CHARACTERS = 100_000
_GZIP = b"\x1f\x8b"


@contextmanager
def open_lines(path: Path) -> Iterator[Iterator[str]]:
    """Open a file of rows, also one packed by gzip, bounded in its lines and in what it unpacks to.

    Raises InputError when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with (gzip.open if packed else open)(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as lines:
            yield bounded_lines(cast("TextIO", lines))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def bounded_lines(stream: TextIO) -> Iterator[str]:
    """Yield the lines; nothing longer than a line may be is ever held. Raises InputError."""
    number = characters = 0
    while line := stream.readline(MOST_LINE_CHARACTERS + 1):
        number += 1
        characters += len(line)
        if len(line) > MOST_LINE_CHARACTERS:
            raise InputError(f"line {number}: expected at most {MOST_LINE_CHARACTERS} characters, got more")
        if characters > MOST_CHARACTERS:
            raise InputError(f"line {number}: expected a file of at most {MOST_CHARACTERS} characters unpacked")
        yield line


def read_table_file(path: Path, *, emptyings: bool, columns: str | None, time_zone: str) -> Table:
    """Return the rows of a file of levels, or of emptyings. Raises InputError when it cannot be read."""
    from optimise.fill.towns.columns import parse_mapping
    from optimise.fill.towns.table import read_table

    mapping = parse_mapping(columns)
    with open_lines(path) as lines:
        return read_table(lines, emptyings=emptyings, time_zone=time_zone, mapping=mapping)


def read_places_file(path: Path) -> dict[str, Place]:
    """Return the rows of a file of places. Raises InputError when it cannot be read."""
    from optimise.fill.towns.table import read_places

    with open_lines(path) as lines:
        return read_places(lines)


def read_weather_file(path: Path) -> list[DayWeather]:
    """Return the days of a file of weather. Raises InputError when it cannot be read, or is wrong in any line."""
    from storage.device_file import MOST_BYTES
    from storage.weather_file import read_weather

    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    days, faults = read_weather(content)
    if faults:
        more = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
        raise InputError(f"{path}, line {faults[0].line}: {faults[0].reason}{more}")
    return days


def check_zone(name: str) -> None:
    """Raise InputError unless there is a time zone of this name."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"there is no time zone {name!r}: name one as Europe/Paris") from error


def say(stage: str) -> None:
    """Say on standard error what comes next."""
    typer.echo(f"{stage} ...", err=True)
