"""Places at the kerb in our own columns, as CSV: the form that any table can be brought into. Pure.

One line a rule: the first line of a `place_id` tells the place, and further lines of it add rules. docs/kerb.md tells
the columns.
"""

from __future__ import annotations

from storage.kerb.spans import rules_of
from storage.model.kerb import KERB_KINDS, KerbPlace, Rule, RuleUse, VehicleClass
from storage.model.kinds import PlaceKind
from storage.place_files.lines import Cells, Defaults, PlaceFile, PlaceLine, file_of, table_of

REQUIRED = ("place_id", "longitude_deg", "latitude_deg")
OF_PLACE = (
    *REQUIRED, "kind", "name", "street", "part_of", "capacity", "length_cm", "space_kind", "valid_from", "valid_until",
    "commune_insee",
)  # fmt: skip
OF_RULE = (
    "use", "hours", "max_stay_min", "grace_min", "priority", "vehicle_classes", "max_mass_t", "rule_from", "rule_until",
    "by_law",
)  # fmt: skip
COLUMNS = (*OF_PLACE, *OF_RULE)
SPACE_KINDS = ("standard", "pmr", "short_stay")


def read_csv(content: bytes, defaults: Defaults) -> PlaceFile:
    """Read the whole table."""
    table = table_of(content, required=REQUIRED[:1], lower=True)
    if table.refusal is not None:
        return table.refusal
    unknown = [name for name in table.columns if name not in COLUMNS]
    of_place: dict[str, list[Cells]] = {}
    for cells in table.rows:
        if cells.values:
            of_place.setdefault(cells.required("place_id"), []).append(cells)
    lines = [place_line(rows, defaults) for rows in of_place.values()]
    if unknown and table.rows:
        table.rows[0].fault(unknown[0], f"unknown column {unknown[0][:100]!r}: expected some of {', '.join(COLUMNS)}")
    return file_of(table.rows, lines)


def place_line(rows: list[Cells], defaults: Defaults) -> PlaceLine:
    """Return a place from its lines' cells, in the columns of this form."""
    first = rows[0]
    kind = PlaceKind(first.choice("kind", [kind.value for kind in KERB_KINDS]) or PlaceKind.DELIVERY_BAY)
    for cells in rows[1:]:
        for column in OF_PLACE[1:]:
            if cells.values.get(column) and cells.values[column] != first.values.get(column):
                cells.fault(column, f"differs from that on line {first.line}, where the place is told")
    longitude_deg, latitude_deg = first.position(
        ("longitude_deg", first.number("longitude_deg", least=-180, most=180)),
        ("latitude_deg", first.number("latitude_deg", least=-90, most=90)),
    )
    capacity = first.number("capacity", least=1, most=100_000)
    length_cm = first.number("length_cm", least=50, most=100_000)
    if kind is not PlaceKind.DELIVERY_BAY and length_cm is not None:
        first.fault("length_cm", f"expected none: only delivery bays have a length, and this is a {kind}")
    space_kind = first.choice("space_kind", SPACE_KINDS)
    if kind is not PlaceKind.PARKING_SPACE and space_kind is not None:
        first.fault("space_kind", f"expected none: only parking spaces have one, and this is a {kind}")
    valid_from, valid_until = first.day("valid_from"), first.day("valid_until")
    if valid_from is not None and valid_until is not None and valid_until < valid_from:
        first.fault("valid_until", "expected a day not before valid_from")
    return PlaceLine(
        line=first.line,
        place=KerbPlace(
            place_id=first.values.get("place_id", ""),
            kind=kind,
            longitude_deg=longitude_deg,
            latitude_deg=latitude_deg,
            street=first.text("street"),
            name=first.text("name"),
            part_of=first.text("part_of", most=100),
            capacity=None if capacity is None else round(capacity),
            length_cm=None if length_cm is None else round(length_cm),
            space_kind=(space_kind or "standard") if kind is PlaceKind.PARKING_SPACE else None,
            valid_from=valid_from,
            valid_until=valid_until,
            rules=tuple(rule for cells in rows for rule in _rules(cells, defaults)),
            source="csv",
        ),
        commune_insee=first.text("commune_insee", most=5),
    )


def _rules(cells: Cells, defaults: Defaults) -> tuple[Rule, ...]:
    """Return the rules of a line; none when it says nothing of any."""
    if not any(cells.values.get(column) for column in OF_RULE):
        return ()
    use = RuleUse(cells.choice("use", list(RuleUse)) or RuleUse.DELIVERY)
    minutes = cells.number("max_stay_min", least=0, most=44_640)
    grace_min = cells.number("grace_min", least=0, most=1440)
    priority = cells.number("priority", least=-900, most=900)
    classes = []
    for name in (cells.text("vehicle_classes") or "").replace(",", " ").split():
        if name.lower() in list(VehicleClass):
            classes.append(VehicleClass(name.lower()))
        else:
            cells.fault("vehicle_classes", f"expected some of {', '.join(VehicleClass)}, got {name[:100]!r}")
    max_stay_s = round(minutes * 60) if minutes is not None else defaults.max_stay_s
    if use is RuleUse.NO_STOPPING:
        max_stay_s = 0
    elif use is RuleUse.UNRESTRICTED:
        max_stay_s = None
    hours = cells.text("hours")
    rule_from, rule_until = cells.day("rule_from"), cells.day("rule_until")
    mass_t = cells.number("max_mass_t", least=0.1, most=100)
    if cells.errors:
        return ()
    try:
        template = Rule(
            use=use,
            max_stay_s=max_stay_s,
            grace_s=defaults.grace_s if grace_min is None else round(grace_min * 60),
            priority=0 if priority is None else round(priority),
            vehicle_classes=tuple(classes),
            max_mass_t=mass_t,
            valid_from=rule_from,
            valid_until=rule_until,
            by_law=cells.text("by_law"),
            source=hours,
        )
        return (template,) if hours is None else rules_of(cells.hours("hours", hours), template)
    except ValueError as error:
        cells.fault("use", str(error))
        return ()
