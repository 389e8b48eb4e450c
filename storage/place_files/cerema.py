"""The national schema of delivery areas, CEREMA schema-aire-livraison v1.0.0 (8 January 2026). Pure.

Its traps are met here: WKT with single parentheses as in its own example, values written with capitals as in its
examples, postcodes 20xxx, `times_of_day` within TEMPORALITE_CDS (which the Curb Data Specification does not know), and
tables of version 0.1, which have other columns.
"""

from __future__ import annotations

import re
from typing import Any

from storage.errors import InputError
from storage.kerb.opening_hours import parse_opening_hours
from storage.kerb.spans import Span, rules_of
from storage.model.kerb import KerbPlace, Rule, RuleUse, VehicleClass
from storage.model.kinds import PlaceKind
from storage.place_files.cds_hours import parse_cds_hours
from storage.place_files.lines import Cells, Defaults, PlaceFile, PlaceLine, file_of, refused, table_of
from storage.place_files.shapes import polygon_of_wkt

_REQUIRED = ("ID", "LONGITUDE", "LATITUDE")
_OLD_COLUMNS = {"COLL_INSEE", "EMPRISE_DESIGNATION", "INTERV_JH", "GEOM_XY"}
_MISSING = {"na", "nan", "n/a"}
_PERMANENT, _PERIODIC, _GOODS_ZONE = "aire permanente", "aire périodique", "zone marchandises"
_CHOICES = {
    "DISPOSITION": ("bataille", "épi", "parallèle"),
    "PARITE_TROTTOIR": ("impair", "pair", "inconnu"),
    "LOCALISATION": ("chaussée", "encoche", "terre-plein", "aire piétonne", "parking"),
    "MARQUAGE_ETAT": ("bon état", "dégradé", "absent"),
    "PANNEAU_ETAT": ("bon état", "dégradé"),
    "DUREE_CONTROLE": ("caméra", "capteur", "disque horodateur", "autre"),
}
_FLAGS = ("ARR_PRESENT", "MARQUAGE_CONFORMITE", "PANNEAU_PRESENT", "ABAISSEMENT_TROTTOIR")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_POSTCODE = re.compile(r"(\d{2}|2[AB])\d{3}")


def read_cerema(content: bytes, defaults: Defaults) -> PlaceFile:
    """Read a whole table of version 1.0.0."""
    table = table_of(content, required=_REQUIRED)
    if table.refusal is not None:
        error = table.refusal.errors[0]
        if set(re.findall(r"\w+", error.reason)) & _OLD_COLUMNS:
            return refused("these are the columns of version 0.1 of the schema; version 1.0.0 is read", line=error.line)
        return table.refusal
    return file_of(table.rows, [_line(_known(cells), defaults) for cells in table.rows if cells.values])


def _known(cells: Cells) -> Cells:
    """Empty the cells that the schema says are missing."""
    cells.values = {name: "" if value.lower() in _MISSING else value for name, value in cells.values.items()}
    return cells


def _line(cells: Cells, defaults: Defaults) -> PlaceLine:
    place_id = cells.required("ID")
    longitude_deg, latitude_deg = cells.position(
        ("LONGITUDE", cells.number("LONGITUDE", least=-180, most=180)),
        ("LATITUDE", cells.number("LATITUDE", least=-90, most=90)),
    )
    length_cm = cells.number("LONGUEUR", least=100, most=10_000)
    active = cells.flag("ACTIVE")
    told_at = cells.day("DATE_MAJ")
    if active is False and told_at is None:
        cells.fault("ACTIVE", "non: expected DATE_MAJ, the day since when it is known")
    return PlaceLine(
        line=cells.line,
        place=KerbPlace(
            place_id=place_id,
            kind=PlaceKind.DELIVERY_BAY,
            longitude_deg=longitude_deg,
            latitude_deg=latitude_deg,
            street=cells.text("ADRESSE"),
            name=cells.text("NOM"),
            geometry=_shape(cells),
            length_cm=None if length_cm is None else round(length_cm),
            valid_until=told_at if active is False else None,
            rules=_rules(cells, defaults),
            source="cerema-1.0.0",
            source_id=_uuid(cells) or place_id,
            attributes=_attributes(cells),
        ),
        commune_name=cells.text("COMMUNE"),
    )


def _shape(cells: Cells) -> dict[str, Any] | None:
    text = cells.text("GEOM_WKT", most=100_000)
    if text is None:
        return None
    try:
        shape, as_wkt = polygon_of_wkt(text)
    except InputError as error:
        cells.fault("GEOM_WKT", str(error))
        return None
    if not as_wkt:
        cells.doubt("GEOM_WKT", "POLYGON(…) has single parentheses; taken as POLYGON((…))")
    return shape


def _uuid(cells: Cells) -> str | None:
    text = cells.text("UUID")
    if text is not None and not _UUID.fullmatch(text):
        cells.fault("UUID", f"expected a UUID, got {text[:100]!r}")
    return text


def _rules(cells: Cells, defaults: Defaults) -> tuple[Rule, ...]:
    kind = cells.choice("TYPE", (_PERIODIC, _PERMANENT, _GOODS_ZONE))
    minutes = cells.number("DUREE_MAX", least=1, most=44_640)
    template = Rule(
        use=RuleUse.DELIVERY,
        max_stay_s=defaults.max_stay_s if minutes is None else round(minutes * 60),
        grace_s=defaults.grace_s,
        vehicle_classes=(VehicleClass.GOODS,),
        by_law=cells.text("ARR_URL"),
        source=cells.text("TEMPORALITE_OSM") or cells.text("TEMPORALITE_CDS", most=5000),
    )
    spans = _spans(cells)
    if spans is None and kind == _PERIODIC:
        cells.doubt("TEMPORALITE_OSM", f"an {_PERIODIC} without hours: no rule is known")
        return ()
    if spans is None and kind is None:
        return ()
    return rules_of((Span(),) if spans is None else spans, template)


def _spans(cells: Cells) -> tuple[Span, ...] | None:
    """Return the hours of both columns, which should agree; None when neither says any."""
    told: dict[str, tuple[Span, ...]] = {}
    for column, parse in (("TEMPORALITE_OSM", parse_opening_hours), ("TEMPORALITE_CDS", parse_cds_hours)):
        text = cells.text(column, most=5000)
        if text is None:
            continue
        try:
            told[column] = parse(text)
        except InputError as error:
            cells.fault(column, str(error))
    # Both columns tell hours, and not the same ones.
    if len(told) == 2 and set(_plain(told["TEMPORALITE_OSM"])) != set(_plain(told["TEMPORALITE_CDS"])):  # noqa: PLR2004
        cells.doubt("TEMPORALITE_CDS", "says other hours than TEMPORALITE_OSM, which is taken")
    return told.get("TEMPORALITE_OSM", told.get("TEMPORALITE_CDS"))


def _plain(spans: tuple[Span, ...]) -> list[tuple[int, object, object]]:
    return [(day, span.starts, span.ends) for span in spans for day in span.days]


def _attributes(cells: Cells) -> dict[str, Any] | None:
    found: dict[str, Any] = {name.lower(): cells.choice(name, choices) for name, choices in _CHOICES.items()}
    found |= {name.lower(): cells.flag(name) for name in _FLAGS}
    width_cm = cells.number("LARGEUR", least=100, most=1000)
    power_kw = cells.number("IRVE_PUISSANCE", least=1, most=4500)
    postcode = cells.text("CODE_POSTAL")
    if postcode is not None and not _POSTCODE.fullmatch(postcode):
        cells.fault("CODE_POSTAL", f"expected a postcode of five digits, got {postcode[:100]!r}")
    equipment = cells.text("EQUIPEMENTS")
    found |= {
        "type": cells.text("TYPE"),
        "width_cm": width_cm,
        "irve_power_kw": power_kw,
        "postcode": postcode,
        "commune": cells.text("COMMUNE"),
        "equipment": [part.strip() for part in equipment.split(",")] if equipment else None,
        "comment": cells.text("COMMENTAIRE"),
    }
    return {name: value for name, value in found.items() if value is not None} or None
