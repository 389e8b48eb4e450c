"""Delivery areas as the city of Antibes publishes them (after the early drafts of the national schema). Pure.

One line a rule: lines of one address are one place, with a rule for each. The published file has `1,1` for every
position, which is refused: fill GEOM_XY (longitude,latitude) or GEOM_WKT before importing.
"""

from __future__ import annotations

from storage.errors import InputError
from storage.kerb.spans import rules_of
from storage.model.kerb import KerbPlace, Rule
from storage.model.kinds import PlaceKind
from storage.place_files.lines import Cells, Defaults, PlaceFile, PlaceLine, file_of, table_of
from storage.place_files.shapes import centre_of, polygon_of_wkt

_REQUIRED = ("ID", "COLL_INSEE", "VEH_TONNAGE", "INTERV_JH", "EMPRISE_DESIGNATION", "GEOM_XY")


def read_antibes(content: bytes, defaults: Defaults) -> PlaceFile:
    """Read the whole table."""
    table = table_of(content, required=_REQUIRED)
    if table.refusal is not None:
        return table.refusal
    of_address: dict[tuple[str, str], list[Cells]] = {}
    for cells in table.rows:
        if cells.values:
            of_address.setdefault((cells.values["COLL_INSEE"], cells.required("EMPRISE_DESIGNATION")), []).append(cells)
    return file_of(table.rows, [_place(rows, defaults) for rows in of_address.values()])


def _place(rows: list[Cells], defaults: Defaults) -> PlaceLine:
    first = rows[0]
    rules = tuple(rule for cells in rows for rule in _rules(cells, defaults))
    longitude_deg, latitude_deg = _position(first)
    length_m = first.number("EMPRISE_LONGUEUR", least=1, most=200)
    place_id = first.required("ID")
    side = first.text("EMPRISE_COTE")
    return PlaceLine(
        line=first.line,
        place=KerbPlace(
            place_id=place_id,
            kind=PlaceKind.DELIVERY_BAY,
            longitude_deg=longitude_deg,
            latitude_deg=latitude_deg,
            street=first.text("EMPRISE_DESIGNATION"),
            length_cm=round(length_m * 100) if length_m else None,
            rules=rules,
            source="antibes",
            source_id=place_id,
            attributes={"side": side} if side else None,
        ),
        commune_insee=first.required("COLL_INSEE"),
        commune_name=first.text("COLL_NOM"),
    )


def _rules(cells: Cells, defaults: Defaults) -> tuple[Rule, ...]:
    text = cells.required("INTERV_JH", most=1000)
    minutes = cells.number("INTERV_DUREE", least=1, most=1440)
    mass_t = cells.number("VEH_TONNAGE", least=0.1, most=100)
    if not text:
        return ()
    template = Rule(
        max_stay_s=defaults.max_stay_s if minutes is None else round(minutes * 60),
        grace_s=defaults.grace_s,
        max_mass_t=mass_t,
        by_law=cells.text("ARR_REF"),
        source=text,
    )
    return rules_of(cells.hours("INTERV_JH", text), template)


def _position(cells: Cells) -> tuple[float, float]:
    shape = cells.text("GEOM_WKT", most=100_000)
    if shape is not None:
        try:
            return centre_of(polygon_of_wkt(shape)[0])
        except InputError as error:
            cells.fault("GEOM_WKT", str(error))
            return 0.0, 0.0
    value = cells.required("GEOM_XY")
    try:
        longitude_deg, latitude_deg = (float(part) for part in value.split(","))
    except ValueError:
        if value:
            cells.fault("GEOM_XY", f"expected longitude,latitude, got {value[:100]!r}")
        return 0.0, 0.0
    return cells.position(("GEOM_XY", longitude_deg), ("GEOM_XY", latitude_deg))
