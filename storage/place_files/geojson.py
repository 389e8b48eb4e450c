"""Places at the kerb as a GeoJSON FeatureCollection (RFC 7946), in the properties of our own CSV. Pure.

A feature's properties are those columns, numbers and texts alike; `rules` may be a list of rules as
`GET …/places` tells them. The geometry is a point, a line (a street face) or a polygon (a zone); its middle is the
place's position. The line of a fault is the feature's number, counted from 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from storage.csv_records import BrokenCsvError, decoded
from storage.errors import InputError
from storage.kerb.rule_sets import rules_from_json
from storage.model.kerb import Rule
from storage.place_files.generic import COLUMNS, REQUIRED, place_line
from storage.place_files.lines import MOST_LINES, Cells, Defaults, PlaceFile, PlaceLine, file_of, json_of, refused
from storage.place_files.shapes import centre_of, checked

_PROPERTIES = tuple(name for name in COLUMNS if name not in REQUIRED[1:])


def read_geojson(content: bytes, defaults: Defaults) -> PlaceFile:
    """Read the whole collection."""
    try:
        document = json_of(decoded(content))
    except (BrokenCsvError, InputError) as error:
        return refused(str(error), line=getattr(error, "line", 1))
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection" or not isinstance(features, list):
        return refused("expected a GeoJSON FeatureCollection")
    if len(features) > MOST_LINES:
        return refused(f"expected at most {MOST_LINES} features: split the file", line=MOST_LINES + 1)
    rows, lines = [], []
    for number, feature in enumerate(features, start=1):
        cells = Cells(line=number, values={})
        rows.append(cells)
        line = _line(cells, feature, defaults)
        if line is not None:
            lines.append(line)
    return file_of(rows, lines)


def _line(cells: Cells, feature: object, defaults: Defaults) -> PlaceLine | None:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(feature, dict) or feature.get("type") != "Feature" or not isinstance(properties, dict):
        cells.fault(None, "expected a Feature with properties")
        return None
    told: dict[str, Any] = {name: value for name, value in properties.items() if value is not None}
    if "place_id" not in told and feature.get("id") is not None:
        told["place_id"] = feature["id"]
    for name, value in told.items():
        if name not in (*_PROPERTIES, "rules"):
            cells.fault(name, f"unknown property {name[:100]!r}: expected some of {', '.join((*_PROPERTIES, 'rules'))}")
        elif name != "rules" and (isinstance(value, bool) or not isinstance(value, str | int | float)):
            cells.fault(name, f"expected a text or a number, got {str(value)[:60]}")
    try:
        geometry = checked(feature.get("geometry"))
        longitude_deg, latitude_deg = centre_of(geometry)
    except InputError as error:
        cells.fault("geometry", str(error))
        return None
    rules = _rules(cells, told.pop("rules", None))
    if cells.errors:
        return None
    cells.values = {name: str(value).strip() for name, value in told.items()}
    cells.values = {**cells.values, "longitude_deg": repr(longitude_deg), "latitude_deg": repr(latitude_deg)}
    cells.required("place_id")
    line = place_line([cells], defaults)
    shape = None if geometry["type"] == "Point" else geometry
    return replace(
        line, place=replace(line.place, geometry=shape, rules=rules + line.place.rules, source="geojson")
    )  # fmt: skip


def _rules(cells: Cells, told: object) -> tuple[Rule, ...]:
    if told is None:
        return ()
    try:
        return rules_from_json(told)
    except (msgspec.ValidationError, ValueError) as error:
        cells.fault("rules", str(error))
        return ()
