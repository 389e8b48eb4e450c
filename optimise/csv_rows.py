"""The rows of a file that somebody else wrote: separators, numbers and times as towns write them. Pure."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from storage.errors import InputError

if TYPE_CHECKING:
    from _csv import Reader

_SEPARATORS = (";", "\t", "|", ",")
_FORMATS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y%m%d%H%M%S")
MOST_COLUMNS = 1000
_LONGEST_QUOTE = 40
_MOST_LISTED = 1000


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A row that was not taken: its `line` in the file (the header is line 1) and the `reason`."""

    line: int
    reason: str


class Refusals:
    """Counts the rows that are not taken, and lists the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self._listed: list[Refusal] = []

    def refuse(self, line: int, reason: str) -> None:
        """Refuse the row in this line."""
        self.count += 1
        if len(self._listed) < _MOST_LISTED:
            self._listed.append(Refusal(line=line, reason=reason))

    def admits(self, line: int, row: list[str], *, last: int) -> bool:
        """Refuse a row without the cell number `last`; blank lines are not taken either, but are nobody's fault."""
        if not any(row):
            if row:
                self.refuse(line, "all its cells are empty")
            return False
        if len(row) <= last:
            self.refuse(line, f"has {len(row)} cells, the header names more")
            return False
        return True

    def listed(self) -> tuple[Refusal, ...]:
        """Return the first refusals, by line."""
        return tuple(sorted(self._listed, key=lambda refusal: refusal.line))


def as_number(text: str) -> float:
    """Return the number that a cell says, with a decimal point or comma and maybe a percent sign; NaN otherwise."""
    cleaned = text.strip().removesuffix("%").strip()
    try:
        return float(cleaned)
    except ValueError:
        try:
            return float(cleaned.replace(",", "."))
        except ValueError:
            return math.nan


def as_seconds(text: str, zone: ZoneInfo) -> float:
    """Return the Unix seconds of a date and time, in `zone` where it names none; NaN when it cannot be read."""
    return as_moments(text, zone)[0]


def as_moments(text: str, zone: ZoneInfo) -> tuple[float, float]:
    """Return the Unix seconds of a date and time twice: where clocks were put back it may be either, first or second.

    In `zone` where the text names none; NaN when it cannot be read.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        found = _other_format(text)
        if found is None:
            return math.nan, math.nan
        moment = found
    try:
        if moment.tzinfo is not None:
            return (moment.timestamp(),) * 2
        first = moment.replace(tzinfo=zone).timestamp()
        # In the hour that clocks leap over, fold=1 is the earlier of two guesses.
        return first, max(first, moment.replace(tzinfo=zone, fold=1).timestamp())
    except (OverflowError, ValueError):
        return math.nan, math.nan


def _other_format(text: str) -> datetime | None:
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is given by the caller
        except ValueError:
            continue
    return None


def numbered_rows(lines: Iterable[str]) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """Return the rows after the header with their line's number, and the header.

    Raises InputError when there is no header.
    """
    source = iter(lines)
    first = next(source, "").lstrip("\ufeff")
    if not first.strip():
        raise InputError("the file is empty: its first line names the columns")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(chain([first], source), delimiter=separator)
    rows = _readable(reader)
    _, header = next(rows)
    if len(header) > MOST_COLUMNS:
        raise InputError(f"line 1: expected at most {MOST_COLUMNS} columns, got {len(header)}")
    return rows, header


def _readable(reader: Reader) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with their line's number. Raises InputError where no reader of CSV goes on: a quote without an end."""
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: not CSV: {error}") from error


def quoted(text: str) -> str:
    """Return the text of a cell as a refusal quotes it."""
    return repr(text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}...")
