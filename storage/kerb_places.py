"""Places at the kerb with their lives and their rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from psycopg.types.json import Jsonb

from storage.database import Connection, statement
from storage.kerb.rule_sets import rule_set_id, rules_as_json, rules_from_json
from storage.model.kerb import KERB_KINDS, KerbPlace, Rule
from storage.model.kinds import PlaceKind

_ALL = 1_000_000


def save_rules(connection: Connection, told: Iterable[tuple[str, str, Sequence[Rule]]]) -> None:
    """Give places, (commune_insee, place_id, rules) each, their rules in the place of those that they have."""
    rows = [
        {"commune_insee": insee, "place_id": place_id, "rule_set_id": rule_set_id(rules), "rules": rules}
        for insee, place_id, rules in told
    ]
    _save_sets(connection, rows)
    with connection.cursor() as cursor:
        cursor.executemany(statement("kerb", "set_rules"), rows)


def _save_sets(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    sets = {
        (row["commune_insee"], row["rule_set_id"]): row["rules"] for row in rows if row["rule_set_id"] is not None
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("kerb", "take_rule_set"),
            [
                {"commune_insee": insee, "rule_set_id": name, "rules": Jsonb(rules_as_json(rules))}
                for (insee, name), rules in sets.items()
            ],
        )


def save(connection: Connection, commune_insee: str, places: Sequence[KerbPlace]) -> None:
    """Insert or update places with all that is told of them; what they are part of must exist or be among them."""
    rows = [
        {
            "commune_insee": commune_insee,
            "place_id": place.place_id,
            "kind": place.kind,
            "longitude_deg": place.longitude_deg,
            "latitude_deg": place.latitude_deg,
            "street": place.street,
            "name": place.name,
            "part_of": place.part_of,
            "geometry": None if place.geometry is None else Jsonb(place.geometry),
            "capacity": place.capacity,
            "length_cm": place.length_cm,
            "space_kind": place.space_kind or "standard",
            "valid_from": place.valid_from,
            "valid_until": place.valid_until,
            "rule_set_id": rule_set_id(place.rules) if place.rules else None,
            "rules": place.rules,
            "source": place.source,
            "source_id": place.source_id,
            "attributes": Jsonb(place.attributes or {}),
        }
        for place in places
    ]
    _save_sets(connection, rows)
    with connection.cursor() as cursor:
        cursor.executemany(statement("places", "upsert_place"), rows)
        for kind, query in (
            (PlaceKind.DELIVERY_BAY, "upsert_delivery_bay"),
            (PlaceKind.PARKING_SPACE, "upsert_parking_space"),
        ):
            of_kind = [row for row in rows if row["kind"] is kind]
            if of_kind:
                cursor.executemany(statement("places", query), of_kind)
        stripped = [{name: value for name, value in row.items() if name != "rules"} for row in rows]
        cursor.executemany(statement("kerb", "upsert_place"), stripped)
    connection.execute(statement("kerb", "forget_unused_rule_sets"), {"commune_insee": commune_insee})


def rule_sets(connection: Connection, commune_insee: str) -> dict[str, tuple[Rule, ...]]:
    """Return the commune's lists of rules by name."""
    rows = connection.execute(statement("kerb", "rule_sets"), {"commune_insee": commune_insee})
    return {name: rules_from_json(rules) for name, rules in rows}


def of_commune(
    connection: Connection,
    commune_insee: str,
    *,
    kinds: Collection[PlaceKind] = KERB_KINDS,
    place_ids: Collection[str] | None = None,
    day: date | None = None,
    after: str | None = None,
    limit: int = _ALL,
) -> list[KerbPlace]:
    """Return places at the kerb by id, only those that live on a local `day` if given; `after` and `limit`: a page."""
    known = rule_sets(connection, commune_insee)
    parameters = {
        "commune_insee": commune_insee,
        "kinds": [kind.value for kind in kinds],
        "place_ids": None if place_ids is None else list(place_ids),
        "day": day,
        "after": after,
        "limit": limit,
    }
    return [_place(row, known) for row in connection.execute(statement("kerb", "places"), parameters)]


def _place(row: tuple[Any, ...], known: Mapping[str, tuple[Rule, ...]]) -> KerbPlace:
    (
        place_id, kind, longitude_deg, latitude_deg, street, name, part_of, geometry, capacity, length_cm, space_kind,
        valid_from, valid_until, rules, source, source_id, attributes,
    ) = row  # fmt: skip
    return KerbPlace(
        place_id=place_id,
        kind=PlaceKind(kind),
        longitude_deg=longitude_deg,
        latitude_deg=latitude_deg,
        street=street,
        name=name,
        part_of=part_of,
        geometry=geometry,
        capacity=capacity,
        length_cm=length_cm,
        space_kind=space_kind,
        valid_from=valid_from,
        valid_until=valid_until,
        rules=known.get(rules, ()),
        source=source,
        source_id=source_id,
        attributes=attributes or None,
    )
