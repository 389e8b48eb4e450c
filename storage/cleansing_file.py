"""What the cleansing of a town works with, as CSV files: bins with depots and disposal sites, and vehicles.

Read whole, with every fault. Decides alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Any

from storage.csv_records import BrokenCsvError, decoded, records
from storage.device_cells import unescaped
from storage.device_file import MOST_BYTES, LineError
from storage.errors import InputError
from storage.model import Bin, DisposalSite, Place, PlaceKind, Vehicle

_MOST_LINES = 20_000
_LONGEST = 200
_KINDS = (PlaceKind.BIN, PlaceKind.DEPOT, PlaceKind.DISPOSAL_SITE)

type Cell = Callable[[str], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column: how its cells are read, and what an empty one is (required when there is no such default)."""

    read: Cell
    default: Any = None
    required: bool = False


def _text(cell: str) -> str:
    """Return a cell of text. Raises InputError."""
    if len(cell) > _LONGEST or not cell.isprintable():
        raise InputError(f"expected 1 to {_LONGEST} printable characters, got {cell[:100]!r}")
    return cell


def _number(low: float, high: float) -> Cell:
    def read(cell: str) -> float:
        try:
            number = float(cell.replace(",", "."))
        except ValueError as error:
            raise InputError(f"expected a number, got {cell[:100]!r}") from error
        if not low <= number <= high:
            raise InputError(f"expected {low:g} to {high:g}, got {cell[:100]}")
        return number

    return read


def _hour(cell: str) -> time:
    try:
        return time.fromisoformat(cell)
    except ValueError as error:
        raise InputError(f"expected a time of day like 05:30, got {cell[:100]!r}") from error


def _kind(cell: str) -> PlaceKind:
    if cell not in _KINDS:
        raise InputError(f"expected one of {', '.join(_KINDS)}, got {cell[:100]!r}")
    return PlaceKind(cell)


PLACE_COLUMNS = {
    "place_id": Column(read=_text, required=True),
    "longitude_deg": Column(read=_number(-180, 180), required=True),
    "latitude_deg": Column(read=_number(-90, 90), required=True),
    "kind": Column(read=_kind, default=PlaceKind.BIN),
    "street": Column(read=_text),
    "bin_kind": Column(read=_text, default="corbeille"),
    "volume_l": Column(read=_number(1, 20_000), default=80.0),
    "service_s": Column(read=_number(1, 3_600), default=40.0),
    "sector": Column(read=_text),
    "unload_s": Column(read=_number(0, 7_200), default=900.0),
}
VEHICLE_COLUMNS = {
    "vehicle_id": Column(read=_text, required=True),
    "depot_id": Column(read=_text, required=True),
    "capacity_l": Column(read=_number(1, 100_000), required=True),
    "name": Column(read=_text),
    "shift_from": Column(read=_hour, default=time(5, 30)),
    "shift_until": Column(read=_hour, default=time(12, 30)),
    "break_s": Column(read=_number(0, 7_200), default=1200.0),
    "break_from": Column(read=_hour, default=time(8)),
    "break_until": Column(read=_hour, default=time(10)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleansing:
    """The places of a file."""

    bins: tuple[Bin, ...] = ()
    depots: tuple[Place, ...] = ()
    sites: tuple[DisposalSite, ...] = ()


def read_places(content: bytes, commune_insee: str) -> tuple[Cleansing, tuple[LineError, ...]]:
    """Return the places of a file, or what is wrong with it by line. Never raises."""
    rows, errors = _rows(content, PLACE_COLUMNS, key="place_id")
    if errors:
        return Cleansing(), errors
    bins, depots, sites = [], [], []
    for _, row in rows:
        common = {name: row[name] for name in ("place_id", "longitude_deg", "latitude_deg", "street")}
        common["commune_insee"] = commune_insee
        if row["kind"] is PlaceKind.DEPOT:
            depots.append(Place(**common, kind=PlaceKind.DEPOT))
        elif row["kind"] is PlaceKind.DISPOSAL_SITE:
            sites.append(DisposalSite(**common, unload_s=row["unload_s"]))
        else:
            own = {name: row[name] for name in ("bin_kind", "volume_l", "service_s", "sector")}
            bins.append(Bin(**common, **own))
    return Cleansing(bins=tuple(bins), depots=tuple(depots), sites=tuple(sites)), ()


def read_vehicles(
    content: bytes, commune_insee: str, *, depots: frozenset[str]
) -> tuple[tuple[Vehicle, ...], tuple[LineError, ...]]:
    """Return the vehicles of a file, or what is wrong with it by line; `depots` are those that are known."""
    rows, errors = _rows(content, VEHICLE_COLUMNS, key="vehicle_id")
    if errors:
        return (), errors
    faults = [fault for line, row in rows for fault in _vehicle_faults(line, row, depots)]
    if faults:
        return (), tuple(faults)
    return tuple(
        Vehicle(commune_insee=commune_insee, **row | {"name": row["name"] or row["vehicle_id"]}) for _, row in rows
    ), ()


def _vehicle_faults(line: int, row: dict[str, Any], depots: frozenset[str]) -> list[LineError]:
    faults = []
    if row["depot_id"] not in depots:
        known = ", ".join(sorted(depots)[:5]) or "none yet: import the depots with `voirie bins import`"
        faults.append(
            LineError(line=line, column="depot_id", reason=f"no depot {row['depot_id']!r}; there are {known}")
        )
    for first, last in (("shift_from", "shift_until"), ("break_from", "break_until")):
        if row[first] >= row[last]:
            faults.append(LineError(line=line, column=last, reason=f"expected a time after {first}"))
    return faults


def _rows(
    content: bytes, columns: dict[str, Column], *, key: str
) -> tuple[list[tuple[int, dict[str, Any]]], tuple[LineError, ...]]:
    if len(content) > MOST_BYTES:
        return [], (LineError(line=1, reason=f"expected at most {MOST_BYTES} bytes, got {len(content)}"),)
    found: list[tuple[int, dict[str, Any]]] = []
    errors: list[LineError] = []
    seen: dict[str, int] = {}
    try:
        lines = records(decoded(content))
        _, names = next(lines, (1, []))
        header = [name.strip() for name in names]
        errors += _header_faults(header, columns)
        if errors:
            return [], tuple(errors)
        for line, record in lines:
            if len(found) >= _MOST_LINES:
                errors.append(LineError(line=line, reason=f"expected at most {_MOST_LINES} lines: split the file"))
                break
            if len(record) != len(header):
                errors.append(LineError(line=line, reason=f"expected {len(header)} fields, got {len(record)}"))
                continue
            row = _row(line, dict(zip(header, record, strict=True)), columns, errors)
            first = seen.setdefault(row.get(key, ""), line)
            if first != line:
                errors.append(LineError(line=line, column=key, reason=f"the same {key} as line {first}"))
            found.append((line, row))
    except BrokenCsvError as error:
        errors.append(LineError(line=error.line, reason=str(error)))
    return ([], tuple(errors)) if errors else (found, ())


def _header_faults(header: list[str], columns: dict[str, Column]) -> list[LineError]:
    faults = [
        LineError(line=1, column=name, reason=f"expected a column {name}, got {', '.join(header)[:200]}")
        for name, column in columns.items()
        if column.required and name not in header
    ]
    for name in header:
        if name not in columns:
            reason = f"unknown column {name[:100]!r}: expected some of {', '.join(columns)}"
            faults.append(LineError(line=1, column=name, reason=reason))
        elif header.count(name) > 1:
            faults.append(LineError(line=1, column=name, reason=f"the column {name} is there twice"))
    return faults


def _row(line: int, cells: dict[str, str], columns: dict[str, Column], errors: list[LineError]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, column in columns.items():
        cell = unescaped(cells.get(name, "").strip())
        if not cell:
            row[name] = column.default
            if column.required:
                errors.append(LineError(line=line, column=name, reason="expected a value, got an empty cell"))
            continue
        try:
            row[name] = column.read(cell)
        except InputError as error:
            row[name] = cell
            errors.append(LineError(line=line, column=name, reason=str(error)))
    return row
