"""Sectors and former rounds as CSV files that a town hall keeps: read whole, with every fault. Decides alone."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from storage.device_cells import unescaped
from storage.device_file import MOST_BYTES, LineError
from storage.errors import InputError

_WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class FormerLine:
    """A sector's round on a weekday (ISO) as a file tells it; None where kilometres and hours are to be computed."""

    sector: str
    weekday: int
    km: float | None = None
    hours: float | None = None
    bins: int | None = None


def read_former(content: bytes, *, complete: bool) -> tuple[list[FormerLine], tuple[LineError, ...]]:
    """Return the rounds of a file with the columns sector, weekday, km, hours, bins, or what is wrong with it.

    Weekdays are 1 (Monday) to 7, or their French names; `complete` asks for km and hours on every line.
    """
    records, errors = _records(
        content, required=("sector", "weekday"), known=("sector", "weekday", "km", "hours", "bins")
    )
    found: list[FormerLine] = []
    seen: dict[tuple[str, int], int] = {}
    for line, cells in records:
        try:
            read = _former(cells, complete=complete)
            before = seen.setdefault((read.sector, read.weekday), line)
            _require(before == line, f"the same sector and weekday as line {before}")
            found.append(read)
        except InputError as error:
            errors.append(LineError(line=line, reason=str(error)))
    return ([], tuple(errors)) if errors else (found, ())


def read_sectors(content: bytes) -> tuple[dict[str, str | None], tuple[LineError, ...]]:
    """Return each bin's sector of a file with the columns place_id and sector (empty: none), or its faults."""
    records, errors = _records(content, required=("place_id", "sector"), known=("place_id", "sector"))
    found: dict[str, str | None] = {}
    for line, cells in records:
        place_id = cells["place_id"]
        try:
            _require(
                bool(place_id) and place_id not in found, f"expected a bin that no other line names, got {place_id!r}"
            )
            found[place_id] = _name(cells["sector"]) if cells["sector"] else None
        except InputError as error:
            errors.append(LineError(line=line, reason=str(error)))
    return ({}, tuple(errors)) if errors else (found, ())


def _former(cells: dict[str, str], *, complete: bool) -> FormerLine:
    told = {name: _number(name, cells[name]) if cells.get(name) else None for name in ("km", "hours", "bins")}
    if complete and (told["km"] is None or told["hours"] is None):
        raise InputError("expected km and hours, got none: --compute measures them on the streets")
    bins = told["bins"]
    if bins is not None and bins != int(bins):
        raise InputError(f"bins: expected a whole number, got {cells['bins']}")
    return FormerLine(
        sector=_name(cells["sector"]),
        weekday=_weekday(cells["weekday"]),
        km=told["km"],
        hours=told["hours"],
        bins=None if bins is None else int(bins),
    )


def _records(
    content: bytes, *, required: Sequence[str], known: Sequence[str]
) -> tuple[list[tuple[int, dict[str, str]]], list[LineError]]:
    """Return the lines of a CSV file with their numbers; separated by comma, semicolon or tab, as the header is."""
    if len(content) > MOST_BYTES:
        return [], [LineError(line=1, reason=f"expected at most {MOST_BYTES} bytes, got {len(content)}")]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], [LineError(line=line, reason="expected UTF-8: save the file as “CSV UTF-8”")]
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    found: list[tuple[int, dict[str, str]]] = []
    errors: list[LineError] = []
    try:
        columns = [name.strip() for name in next(reader, [])]
        wrong = [name for name in required if name not in columns] or [name for name in columns if name not in known]
        if wrong or len(set(columns)) < len(columns):
            told = ", ".join(columns)[:200]
            return [], [LineError(line=1, reason=f"expected the columns {', '.join(known)}, got {told}")]
        for record in reader:
            if not any(cell.strip() for cell in record):
                continue
            if len(record) == len(columns):
                cells = (unescaped(cell.strip()) for cell in record)
                found.append((reader.line_num, dict(zip(columns, cells, strict=True))))
            else:
                reason = f"expected {len(columns)} fields, got {len(record)}"
                errors.append(LineError(line=reader.line_num, reason=reason))
    except csv.Error as error:
        errors.append(LineError(line=reader.line_num, reason=f"not CSV: {error}"))
    return found, errors


def _require(holds: bool, broken_rule: str) -> None:  # noqa: FBT001 - reads as the assertion it is
    if not holds:
        raise InputError(broken_rule)


def _name(text: str) -> str:
    if not text or len(text) > _LONGEST_NAME or not text.isprintable():
        raise InputError(f"sector: expected a name of 1 to {_LONGEST_NAME} characters, got {text[:100]!r}")
    return text


def _weekday(text: str) -> int:
    if text.lower() in _WEEKDAYS:
        return _WEEKDAYS.index(text.lower()) + 1
    if text.isdecimal() and 1 <= int(text) <= len(_WEEKDAYS):
        return int(text)
    raise InputError(f"weekday: expected 1 (Monday) to 7 or a French weekday, got {text[:100]!r}")


def _number(name: str, text: str) -> float:
    try:
        number = float(text.replace(",", "."))
    except ValueError as error:
        raise InputError(f"{name}: expected a number, got {text[:100]!r}") from error
    if not (math.isfinite(number) and number >= 0):
        raise InputError(f"{name}: expected a number >= 0, got {text[:100]}")
    return number
