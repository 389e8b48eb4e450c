"""The delivery bays of the département des Hauts-de-Seine, as its open data has them. Pure.

One line a bay, `;` between cells. Lengths are metres, and 0 says that nobody measured it; `h_debut` 00:00 with `h_fin`
00:00 is day and night; `geo_point_2d` is latitude, longitude, the other way round than `geo_shape`. The table tells no
limit of a stay.
"""

from __future__ import annotations

from datetime import time

from storage.errors import InputError
from storage.model.kerb import KerbPlace, Rule, RuleUse
from storage.model.kinds import PlaceKind
from storage.place_files.lines import Cells, Defaults, PlaceFile, PlaceLine, file_of, json_of, table_of
from storage.place_files.shapes import checked

_REQUIRED = ("id", "type", "adresse", "commune", "code_insee", "longueur", "h_debut", "h_fin", "geo_point_2d")
_FUNDS = "FONDS"
_USES = {"LIVRAISON": RuleUse.DELIVERY, _FUNDS: RuleUse.RESERVED}
_FAR_DEG = 0.001


def read_hauts_de_seine(content: bytes, defaults: Defaults) -> PlaceFile:
    """Read the whole table."""
    table = table_of(content, required=_REQUIRED)
    if table.refusal is not None:
        return table.refusal
    return file_of(table.rows, [_line(cells, defaults) for cells in table.rows if cells.values])


def _line(cells: Cells, defaults: Defaults) -> PlaceLine:
    place_id = cells.required("id")
    longitude_deg, latitude_deg = _position(cells)
    length_m = cells.number("longueur", least=0, most=200)
    width_m = cells.number("largeur", least=0, most=20)
    told_type = cells.required("type")
    use = _USES.get(told_type.upper())
    if use is None and told_type:
        cells.doubt("type", f"unknown type {told_type!r}, taken as LIVRAISON")
    rules = _rules(cells, use or RuleUse.DELIVERY, defaults)
    attributes = {
        "type": told_type,
        "side": cells.text("loc_num"),
        "width_cm": round(width_m * 100) if width_m else None,
        "speed_limit_kmh": _positive(cells.number("lim_vitesse", least=0, most=130)),
        "traffic": cells.text("sens"),
        "postcode": cells.text("cp"),
    }
    return PlaceLine(
        line=cells.line,
        place=KerbPlace(
            place_id=place_id,
            kind=PlaceKind.DELIVERY_BAY,
            longitude_deg=longitude_deg,
            latitude_deg=latitude_deg,
            street=cells.text("adresse"),
            length_cm=round(length_m * 100) if length_m else None,
            rules=rules,
            source="hauts-de-seine",
            source_id=place_id,
            attributes={name: value for name, value in attributes.items() if value is not None},
        ),
        commune_insee=cells.required("code_insee"),
        commune_name=cells.text("commune"),
    )


def _rules(cells: Cells, use: RuleUse, defaults: Defaults) -> tuple[Rule, ...]:
    starts, ends = (_clock(cells, column) for column in ("h_debut", "h_fin"))
    mass_t = _positive(cells.number("tonnage", least=0, most=100))
    if starts is None or ends is None:
        return ()
    return (
        Rule(
            use=use,
            starts=starts,
            ends=ends,
            max_stay_s=defaults.max_stay_s,
            grace_s=defaults.grace_s,
            max_mass_t=mass_t,
            source=f"{cells.values['h_debut']}-{cells.values['h_fin']}",
        ),
    )


def _clock(cells: Cells, column: str) -> time | None:
    value = cells.required(column)
    if not value:
        return None
    try:
        return time.fromisoformat(f"{value:0>5}"[:5] if len(value) <= 5 else value)  # noqa: PLR2004 - HH:MM
    except ValueError:
        cells.fault(column, f"expected an hour like 08:00, got {value[:100]!r}")
        return None


def _position(cells: Cells) -> tuple[float, float]:
    value = cells.required("geo_point_2d")
    parts = value.split(",")
    try:
        latitude_deg, longitude_deg = (float(part) for part in parts)
    except ValueError:
        if value:
            cells.fault("geo_point_2d", f"expected latitude,longitude, got {value[:100]!r}")
        return 0.0, 0.0
    position = cells.position(("geo_point_2d", longitude_deg), ("geo_point_2d", latitude_deg))
    shape = cells.text("geo_shape", most=10_000)
    if shape is not None:
        try:
            point = checked(json_of(shape))["coordinates"]
        except InputError as error:
            cells.fault("geo_shape", str(error))
        else:
            if abs(point[0] - longitude_deg) > _FAR_DEG or abs(point[1] - latitude_deg) > _FAR_DEG:
                cells.fault("geo_shape", "expected the position of geo_point_2d, got another")
    return position


def _positive(number: float | None) -> float | None:
    return number or None
