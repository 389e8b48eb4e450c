"""What every table of places is read into, and how its cells are read. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from storage.csv_records import BrokenCsvError, decoded, records
from storage.device_cells import unescaped
from storage.device_file import LineError
from storage.errors import InputError
from storage.json_depth import MOST_LEVELS, is_too_deep
from storage.kerb.french_hours import parse_french_hours
from storage.kerb.opening_hours import parse_opening_hours
from storage.kerb.spans import Span
from storage.model.kerb import KerbPlace

MOST_BYTES = 16 * 1024 * 1024
MOST_LINES = 50_000
_LONGEST = 1000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FRENCH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_OSM_DAY = re.compile(r"\b(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)\b|\boff\b|^24/7$")


class PlaceForm(StrEnum):
    """The forms of tables that can be taken in."""

    CEREMA = "cerema"
    HAUTS_DE_SEINE = "hauts-de-seine"
    ANTIBES = "antibes"
    CSV = "csv"
    GEOJSON = "geojson"


@dataclass(frozen=True, kw_only=True, slots=True)
class Defaults:
    """What holds for rules whose line does not say it: the limit (None: none) and the tolerance."""

    max_stay_s: int | None = None
    grace_s: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceLine:
    """A place as a file tells it, from `line` on; `commune_insee` None: the file does not say."""

    line: int
    place: KerbPlace
    commune_insee: str | None = None
    commune_name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceFile:
    """A file as it was read: what can be understood, what is wrong, and what was understood with a doubt."""

    lines: tuple[PlaceLine, ...] = ()
    errors: tuple[LineError, ...] = ()
    warnings: tuple[LineError, ...] = ()


def refused(reason: str, *, line: int = 1, column: str | None = None) -> PlaceFile:
    """Return a file that is wrong as a whole."""
    return PlaceFile(errors=(LineError(line=line, reason=reason, column=column),))


@dataclass(slots=True, kw_only=True)
class Cells:
    """The cells of one line by column, read one by one; faults and doubts are remembered."""

    line: int
    values: Mapping[str, str]
    errors: list[LineError] = field(default_factory=list)
    warnings: list[LineError] = field(default_factory=list)

    def fault(self, column: str | None, reason: str) -> None:
        """Remember what is wrong with a cell."""
        self.errors.append(LineError(line=self.line, reason=reason, column=column))

    def doubt(self, column: str | None, reason: str) -> None:
        """Remember what was taken with a doubt."""
        self.warnings.append(LineError(line=self.line, reason=reason, column=column))

    def text(self, column: str, *, most: int = _LONGEST) -> str | None:
        """Return a cell's text, None when it is empty."""
        value = self.values.get(column, "")
        if not value:
            return None
        if _CONTROL.search(value):
            self.fault(column, "expected text, got a control character")
        elif len(value) > most:
            self.fault(column, f"expected at most {most} characters, got {len(value)}")
        return value

    def required(self, column: str, *, most: int = 100) -> str:
        """Return a cell's text; a fault when it is empty."""
        value = self.text(column, most=most)
        if value is None:
            self.fault(column, "expected a value, got none")
        return value or ""

    def number(self, column: str, *, least: float, most: float) -> float | None:
        """Return a cell's number; the decimal mark is a point or a comma."""
        value = self.text(column)
        if value is None:
            return None
        try:
            number = float(value.replace(",", ".").replace("\u202f", "").replace("\xa0", ""))
        except ValueError:
            self.fault(column, f"expected a number, got {value[:100]!r}")
            return None
        if not least <= number <= most:
            self.fault(column, f"expected {least:g} to {most:g}, got {value[:100]}")
            return None
        return number

    def flag(self, column: str) -> bool | None:
        """Return a cell's oui or non."""
        value = self.text(column)
        if value is None:
            return None
        if value.lower() in {"oui", "true", "vrai", "1"}:
            return True
        if value.lower() in {"non", "false", "faux", "0"}:
            return False
        self.fault(column, f"expected oui or non, got {value[:100]!r}")
        return None

    def choice(self, column: str, choices: Sequence[str]) -> str | None:
        """Return one of `choices`, whatever its case."""
        value = self.text(column)
        if value is None:
            return None
        if value.lower() not in choices:
            self.fault(column, f"expected one of {', '.join(choices)}, got {value[:100]!r}")
            return None
        return value.lower()

    def day(self, column: str) -> date | None:
        """Return a cell's day, YYYY-MM-DD or DD/MM/YYYY; of a time, its day."""
        value = self.text(column)
        if value is None:
            return None
        french = _FRENCH_DATE.fullmatch(value)
        iso = f"{french[3]}-{french[2]:0>2}-{french[1]:0>2}" if french else value[:10]
        try:
            return date.fromisoformat(iso)
        except ValueError:
            self.fault(column, f"expected a day like 2026-03-01 or 01/03/2026, got {value[:100]!r}")
            return None

    def position(self, longitude: tuple[str, float | None], latitude: tuple[str, float | None]) -> tuple[float, float]:
        """Return (longitude, latitude) of two cells' numbers; a fault when they are no place on Earth that is meant."""
        (lon_column, lon), (lat_column, lat) = longitude, latitude
        for column, value in (longitude, latitude):
            if value is None and not any(error.column == column for error in self.errors):
                self.fault(column, "expected degrees, got none")
        if lon is None or lat is None:
            return 0.0, 0.0
        for reason in wrong_position(lon, lat):
            self.fault(lat_column if lat_column != lon_column else lon_column, reason)
        return lon, lat

    def hours(self, column: str, value: str) -> tuple[Span, ...]:
        """Return the hours of a text in French or in OpenStreetMap's form; a fault when they cannot be read."""
        try:
            return hours_of(value)
        except InputError as error:
            self.fault(column, str(error))
            return ()


def hours_of(text: str) -> tuple[Span, ...]:
    """Return the hours of a text in French or in OpenStreetMap's form. Raises InputError."""
    return parse_opening_hours(text) if _OSM_DAY.search(text) else parse_french_hours(text)


def wrong_position(longitude_deg: float, latitude_deg: float) -> Iterator[str]:
    """Yield what is wrong with a position: off the globe, a placeholder, or the two swapped."""
    if not -180 <= longitude_deg <= 180 or not -90 <= latitude_deg <= 90:  # noqa: PLR2004 - degrees
        yield f"expected degrees of WGS 84, got {longitude_deg:g}, {latitude_deg:g}: are they metres?"
    elif longitude_deg == latitude_deg:
        yield f"{longitude_deg:g}, {latitude_deg:g} is a placeholder, no position"
    elif 41 <= longitude_deg <= 51.5 and -5.5 <= latitude_deg <= 10:  # noqa: PLR2004 - France, turned round
        yield f"longitude {longitude_deg:g} and latitude {latitude_deg:g} are swapped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A CSV file's cells, line by line, or what is wrong with it as a whole."""

    rows: tuple[Cells, ...] = ()
    columns: tuple[str, ...] = ()
    refusal: PlaceFile | None = None


def table_of(content: bytes, *, required: Sequence[str], lower: bool = False) -> Table:
    """Return the lines of a CSV file whose header has the `required` columns; `lower`: names in lower case."""
    try:
        found = list(records(decoded(content)))
    except BrokenCsvError as error:
        return Table(refusal=refused(str(error), line=error.line))
    if not found:
        return Table(refusal=refused(f"expected a header with {', '.join(required)}, got nothing"))
    (header_line, header), *body = found
    columns = tuple(name.strip().lower() if lower else name.strip() for name in header)
    missing = [name for name in required if name not in columns]
    if missing:
        got = ", ".join(columns)[:200]
        return Table(
            refusal=refused(
                f"expected the columns {', '.join(missing)}, got {got}", line=header_line, column=missing[0]
            )
        )
    if len(set(columns)) != len(columns):
        return Table(refusal=refused("a column is there twice", line=header_line))
    if len(body) > MOST_LINES:
        return Table(refusal=refused(f"expected at most {MOST_LINES} lines: split the file", line=body[MOST_LINES][0]))
    rows = []
    for number, values in body:
        cells = Cells(line=number, values={})
        if len(values) != len(columns):
            cells.fault(None, f"expected {len(columns)} fields, got {len(values)}")
        else:
            cells.values = {name: unescaped(value.strip()) for name, value in zip(columns, values, strict=True)}
        rows.append(cells)
    return Table(rows=tuple(rows), columns=columns)


def file_of(rows: Sequence[Cells], lines: Sequence[PlaceLine]) -> PlaceFile:
    """Return what was read; an id that is there twice is a fault of the later line."""
    errors = [error for cells in rows for error in cells.errors]
    first: dict[tuple[str | None, str], int] = {}
    for line in lines:
        before = first.setdefault((line.commune_insee, line.place.place_id), line.line)
        if before != line.line:
            errors.append(LineError(line=line.line, reason=f"{line.place.place_id} is on line {before} already"))
    warnings = [warning for cells in rows for warning in cells.warnings]
    return PlaceFile(
        lines=tuple(lines),
        errors=tuple(sorted(errors, key=lambda error: (error.line, error.column or ""))),
        warnings=tuple(sorted(warnings, key=lambda error: (error.line, error.column or ""))),
    )


def json_of(text: str) -> object:
    """Return a JSON document. Raises InputError."""
    if is_too_deep(text.encode()):
        raise InputError(f"expected JSON of at most {MOST_LEVELS} levels")
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"not JSON: {str(error)[:200]}") from error
