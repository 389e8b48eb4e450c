"""Devices as a CSV file, as a town exchanges them with its installers: read whole, with every fault.

Decides alone. What the columns mean is told in docs/devices.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from storage.csv_records import BrokenCsvError, decoded, records
from storage.device_cells import unescaped
from storage.errors import InputError
from storage.local_time import parse_time
from storage.model import BinShape, DeviceStatus, Geometry, Orientation

MOST_BYTES = 8 * 1024 * 1024
MOST_LINES = 20_000
_LONGEST = {"eui": 64, "model": 100, "place_id": 100, "comment": 1000}

REQUIRED = ("eui", "model")
GEOMETRY = (
    "empty_distance_mm",
    "full_distance_mm",
    "mounting_height_mm",
    "full_height_mm",
    "orientation",
    "bin_shape",
    "bottom_ratio",
)
COLUMNS = (*REQUIRED, "status", "place_id", "mounted_at", "unmounted_at", *GEOMETRY, "comment")
TOLD_BY_US = ("place_kind", "last_seen_at", "battery_percent", "battery_v")
"""What an export tells besides; an import passes over it."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True, slots=True)
class LineError:
    """What is wrong on a line of a file (the first is 1, the header); `column` None: with the line as a whole."""

    line: int
    reason: str
    column: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceLine:
    """What a line tells of a device. None: it tells nothing of that, and what is known stays."""

    line: int
    eui: str
    model: str
    status: DeviceStatus | None = None
    place_id: str | None = None
    mounted_at: datetime | None = None
    unmounted_at: datetime | None = None
    geometry: Geometry | None = None
    comment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceFile:
    """A file as it was read: the lines that can be understood, and what is wrong with the others."""

    lines: tuple[DeviceLine, ...]
    errors: tuple[LineError, ...]


def read_devices(content: bytes, *, zone: ZoneInfo) -> DeviceFile:
    """Read a file of devices; times without an offset are local times of `zone`. Never raises: errors are listed.

    UTF-8, with or without a byte-order mark; the separator is a comma, a semicolon or a tab, whichever the header has.
    """
    if len(content) > MOST_BYTES:
        return _refused(f"expected at most {MOST_BYTES} bytes, got {len(content)}: split the file")
    try:
        found = list(records(decoded(content)))
    except BrokenCsvError as error:
        return _refused(str(error), line=error.line)
    if not found:
        return _refused(f"expected a header with {' and '.join(REQUIRED)}, got nothing")
    (header_line, header), *body = found
    columns = [name.strip().lower() for name in header]
    errors = [LineError(line=header_line, column=column, reason=reason) for column, reason in _header_faults(columns)]
    if len(body) > MOST_LINES:
        errors.append(
            LineError(line=body[MOST_LINES][0], reason=f"expected at most {MOST_LINES} devices: split the file")
        )
    if errors:
        return DeviceFile(lines=(), errors=tuple(errors))
    lines: list[DeviceLine] = []
    for number, values in body:
        if len(values) != len(columns):
            errors.append(LineError(line=number, reason=f"expected {len(columns)} fields, got {len(values)}"))
            continue
        fields = {name: unescaped(value.strip()) for name, value in zip(columns, values, strict=True)}
        reader = _Reader(number, fields, zone)
        told = reader.read()
        errors += reader.errors
        if told is not None:
            lines.append(told)
    return DeviceFile(lines=tuple(lines), errors=tuple(errors))


def _refused(reason: str, *, line: int = 1) -> DeviceFile:
    return DeviceFile(lines=(), errors=(LineError(line=line, reason=reason),))


def _header_faults(columns: Sequence[str]) -> Iterator[tuple[str | None, str]]:
    for name in REQUIRED:
        if name not in columns:
            yield name, f"expected a column {name}, got {', '.join(columns)[:200]}"
    seen: set[str] = set()
    for name in columns:
        if name not in COLUMNS and name not in TOLD_BY_US:
            yield name, f"unknown column {name[:100]!r}: expected some of {', '.join(COLUMNS)}"
        elif name in seen:
            yield name, f"the column {name} is there twice"
        seen.add(name)


class _Reader:
    """Reads the fields of one line, and remembers every fault."""

    def __init__(self, line: int, fields: dict[str, str], zone: ZoneInfo) -> None:
        self._line = line
        self._fields = fields
        self._zone = zone
        self.errors: list[LineError] = []

    def read(self) -> DeviceLine | None:
        """Return the line, None when something is wrong with it."""
        self._check_texts()
        status = self._choice("status", DeviceStatus)
        place_id = self._text("place_id")
        mounted_at, unmounted_at = self._time("mounted_at"), self._time("unmounted_at")
        geometry = self._geometry()
        if place_id is None:
            told = {"with status mounted": status is DeviceStatus.MOUNTED, "with a mounted_at": mounted_at is not None}
            for what in (name for name, there in (told | {"with a geometry": geometry is not None}).items() if there):
                self._fault("place_id", f"expected the place of a device {what}, got none")
        elif status in {DeviceStatus.IN_STOCK, DeviceStatus.RETIRED}:
            self._fault("status", f"expected no place_id with status {status}, got {place_id!r}")
        if unmounted_at is not None and status not in {DeviceStatus.IN_STOCK, DeviceStatus.RETIRED}:
            self._fault("unmounted_at", "expected status in_stock or retired beside it")
        if self.errors:
            return None
        return DeviceLine(
            line=self._line,
            eui=self._fields["eui"],
            model=self._fields["model"],
            status=status,
            place_id=place_id,
            mounted_at=mounted_at,
            unmounted_at=unmounted_at,
            geometry=geometry,
            comment=self._text("comment"),
        )

    def _check_texts(self) -> None:
        for name, value in self._fields.items():
            if _CONTROL.search(value):
                self._fault(name, "expected text, got a control character")
            elif name in _LONGEST and len(value) > _LONGEST[name]:
                self._fault(name, f"expected at most {_LONGEST[name]} characters, got {len(value)}")
        for name in REQUIRED:
            if not self._text(name):
                self._fault(name, f"expected a value for {name}, got none")

    def _text(self, name: str) -> str | None:
        return self._fields.get(name) or None

    def _fault(self, column: str, reason: str) -> None:
        self.errors.append(LineError(line=self._line, column=column, reason=reason))

    def _choice[T: (DeviceStatus, Orientation, BinShape)](self, name: str, kind: type[T]) -> T | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            return kind(text.lower())
        except ValueError:
            self._fault(name, f"expected one of {', '.join(kind)}, got {text[:100]!r}")
            return None

    def _number(self, name: str) -> float | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            return float(text.replace(",", "."))
        except ValueError:
            self._fault(name, f"expected a number, got {text[:100]!r}")
            return None

    def _millimetres(self, name: str) -> int | None:
        number = self._number(name)
        if number is None:
            return None
        if not number.is_integer():  # nor is what is infinite or not a number
            self._fault(name, f"expected whole millimetres, got {self._fields[name][:100]!r}")
            return None
        return int(number)

    def _geometry(self) -> Geometry | None:
        """Return the geometry, None when the line tells nothing of it."""
        orientation = self._choice("orientation", Orientation)
        shape = self._choice("bin_shape", BinShape)
        geometry = Geometry(
            empty_distance_mm=self._millimetres("empty_distance_mm"),
            full_distance_mm=self._millimetres("full_distance_mm"),
            mounting_height_mm=self._millimetres("mounting_height_mm"),
            full_height_mm=self._millimetres("full_height_mm"),
            orientation=orientation or Orientation.DOWN,
            bin_shape=shape or BinShape.STRAIGHT,
            bottom_ratio=self._number("bottom_ratio"),
        )
        return None if geometry == Geometry() else geometry

    def _time(self, name: str) -> datetime | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            return parse_time(text, zone=self._zone)
        except InputError as error:
            self._fault(name, str(error))
            return None
