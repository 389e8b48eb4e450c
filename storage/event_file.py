"""Markets and events as a CSV file that a town hall keeps: read whole, with every fault. Decides alone."""

from __future__ import annotations

import csv
import io
from datetime import date
from uuid import uuid4
from zoneinfo import ZoneInfo

from storage.device_cells import unescaped
from storage.device_file import MOST_BYTES, LineError
from storage.errors import InputError
from storage.local_time import parse_time
from storage.model import TownEvent, TownEventKind

REQUIRED = ("kind", "name", "starts_at", "ends_at")
COLUMNS = (*REQUIRED, "weekly_until", "longitude_deg", "latitude_deg", "radius_m")
_MOST_LINES = 5000
_LONGEST_NAME = 200


def read_events(content: bytes, *, zone: ZoneInfo) -> tuple[list[TownEvent], tuple[LineError, ...]]:
    """Return the events of a file, or what is wrong with it by line; times without an offset are local to `zone`.

    UTF-8; the separator is a comma, a semicolon or a tab, whichever the header has. Never raises.
    """
    if len(content) > MOST_BYTES:
        return [], (LineError(line=1, reason=f"expected at most {MOST_BYTES} bytes, got {len(content)}"),)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], (LineError(line=line, reason="expected UTF-8: save the file as “CSV UTF-8”"),)
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    events: list[TownEvent] = []
    errors: list[LineError] = []
    seen: dict[tuple[str, object], int] = {}
    try:
        columns = [name.strip() for name in next(reader, [])]
        errors += _header_faults(columns)
        if errors:
            return [], tuple(errors)
        for record in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in record):
                continue
            if line > _MOST_LINES:
                errors.append(LineError(line=line, reason=f"expected at most {_MOST_LINES} lines: split the file"))
                break
            event = _event(line, columns, record, zone=zone, errors=errors)
            if event is None:
                continue
            first = seen.setdefault((event.name, event.starts_at), line)
            if first != line:
                errors.append(LineError(line=line, reason=f"the same name and start as line {first}", column="name"))
            events.append(event)
    except csv.Error as error:
        errors.append(LineError(line=reader.line_num, reason=f"not CSV: {error}"))
    return ([], tuple(errors)) if errors else (events, ())


def _header_faults(columns: list[str]) -> list[LineError]:
    faults = [
        LineError(line=1, column=name, reason=f"expected a column {name}, got {', '.join(columns)[:200]}")
        for name in REQUIRED
        if name not in columns
    ]
    for name in columns:
        if name not in COLUMNS:
            reason = f"unknown column {name[:100]!r}: expected some of {', '.join(COLUMNS)}"
            faults.append(LineError(line=1, column=name, reason=reason))
        elif columns.count(name) > 1:
            faults.append(LineError(line=1, column=name, reason=f"the column {name} is there twice"))
    return faults


def _event(
    line: int, columns: list[str], record: list[str], *, zone: ZoneInfo, errors: list[LineError]
) -> TownEvent | None:
    if len(record) != len(columns):
        errors.append(LineError(line=line, reason=f"expected {len(columns)} fields, got {len(record)}"))
        return None
    cells = {name: unescaped(cell.strip()) for name, cell in zip(columns, record, strict=True)}
    read: dict[str, object] = {}
    before = len(errors)
    for name in COLUMNS:
        cell = cells.get(name, "")
        if not cell and name not in REQUIRED:
            continue
        try:
            read[name] = _cell(name, cell, zone=zone)
        except InputError as error:
            errors.append(LineError(line=line, column=name, reason=str(error)))
    if len(errors) > before:
        return None
    try:
        return TownEvent(event_id=uuid4(), **read)  # type: ignore[arg-type]  # each was read as its column's type
    except ValueError as error:
        errors.append(LineError(line=line, reason=str(error)))
        return None


def _cell(name: str, cell: str, *, zone: ZoneInfo) -> object:
    """Return what a cell says. Raises InputError with the rule that it breaks."""
    if name in {"starts_at", "ends_at"}:
        return parse_time(cell, zone=zone)
    if name == "kind":
        if cell not in set(TownEventKind):
            raise InputError(f"expected one of {', '.join(TownEventKind)}, got {cell[:100]!r}")
        return TownEventKind(cell)
    if name == "name":
        if not cell or len(cell) > _LONGEST_NAME or not cell.isprintable():
            raise InputError(f"expected a name of 1 to {_LONGEST_NAME} characters, got {cell[:100]!r}")
        return cell
    if name == "weekly_until":
        try:
            return date.fromisoformat(cell)
        except ValueError as error:
            raise InputError(f"expected a day like 2026-12-31, got {cell[:100]!r}") from error
    return _number(name, cell)


def _number(name: str, cell: str) -> float:
    low, high = {"longitude_deg": (-180.0, 180.0), "latitude_deg": (-90.0, 90.0)}.get(name, (1.0, 20_000.0))
    try:
        number = float(cell.replace(",", "."))
    except ValueError as error:
        raise InputError(f"expected a number, got {cell[:100]!r}") from error
    if not low <= number <= high:
        raise InputError(f"expected {low:g} to {high:g}, got {cell[:100]}")
    return number
