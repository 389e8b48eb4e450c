"""Devices written as CSV, with cells that no spreadsheet takes for a formula. `device_file` reads them back."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from storage.model import DeviceNow, Geometry

# What a spreadsheet would run as a formula, behind any number of the quotes that keep it from doing so.
_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


def escaped(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula; `unescaped` gives the text back."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def unescaped(cell: str) -> str:
    """Return the text of a cell that `escaped` may have made."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def write_devices(devices: Iterable[DeviceNow], columns: Sequence[str]) -> str:
    """Return these columns of the devices as a file: comma, times in UTC, cells safe for spreadsheets."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for device in devices:
        writer.writerow([escaped(_cell(_value(device, name))) for name in columns])
    return out.getvalue()


def _value(device: DeviceNow, name: str) -> Any:
    if hasattr(device.geometry, name):
        # A bay's sensor has none, and what a line does not tell stays as it is.
        return None if device.geometry == Geometry() else getattr(device.geometry, name)
    return getattr(device, name, None)  # what a list of the present has not, such as the end of a mounting


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)
