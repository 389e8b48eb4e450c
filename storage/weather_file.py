"""The weather of days as a CSV file: read whole, with every fault. Decides alone."""

from __future__ import annotations

import csv
import io
from datetime import date

from storage.device_file import MOST_BYTES, LineError
from storage.errors import InputError
from storage.model import DayWeather

COLUMNS = ("day", "temperature_c", "rain_mm")


def read_weather(content: bytes) -> tuple[list[DayWeather], tuple[LineError, ...]]:
    """Return the days of a file, or what is wrong with it by line. Never raises.

    UTF-8; the separator is a comma, a semicolon or a tab, whichever the header has.
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
    days: dict[date, int] = {}
    found: list[DayWeather] = []
    errors: list[LineError] = []
    try:
        columns = [name.strip() for name in next(reader, [])]
        errors += _header_faults(columns)
        for record in reader if not errors else ():
            line = reader.line_num
            if not any(cell.strip() for cell in record):
                continue
            try:
                weather = _day(columns, record)
            except (InputError, ValueError) as error:
                errors.append(LineError(line=line, reason=str(error)))
                continue
            first = days.setdefault(weather.day, line)
            if first != line:
                errors.append(LineError(line=line, reason=f"the same day as line {first}", column="day"))
            found.append(weather)
    except csv.Error as error:
        errors.append(LineError(line=reader.line_num, reason=f"not CSV: {error}"))
    return ([], tuple(errors)) if errors else (found, ())


def _header_faults(columns: list[str]) -> list[LineError]:
    got = ", ".join(columns)[:200]
    if "day" not in columns:
        return [LineError(line=1, column="day", reason=f"expected a column day, got {got}")]
    if len(columns) != len(set(columns)) or not set(columns) <= set(COLUMNS) or len(columns) < 2:  # noqa: PLR2004 - a day alone tells of no weather
        return [LineError(line=1, reason=f"expected the columns day and temperature_c, rain_mm or both, got {got}")]
    return []


def _day(columns: list[str], record: list[str]) -> DayWeather:
    """Return what a line says. Raises InputError or ValueError with the rule that it breaks."""
    if len(record) != len(columns):
        raise InputError(f"expected {len(columns)} fields, got {len(record)}")
    cells = {name: cell.strip() for name, cell in zip(columns, record, strict=True)}
    try:
        day = date.fromisoformat(cells["day"])
    except ValueError as error:
        raise InputError(f"expected a day like 2026-12-31, got {cells['day'][:100]!r}") from error
    return DayWeather(
        day=day, temperature_c=_number(cells.get("temperature_c", "")), rain_mm=_number(cells.get("rain_mm", ""))
    )


def _number(cell: str) -> float | None:
    if not cell:
        return None
    try:
        return float(cell.replace(",", "."))
    except ValueError as error:
        raise InputError(f"expected a number, got {cell[:100]!r}") from error
