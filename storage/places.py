"""Places that are not bins (delivery bays, parking spaces, depots, disposal sites), and vehicles, which start there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from storage.database import Connection, fetch, statement
from storage.kerb_places import save_rules
from storage.model import DeliveryBay, DisposalSite, ParkingSpace, Place, PlaceKind, Rule, Vehicle


def save_places(connection: Connection, places: Iterable[Place]) -> None:
    """Insert or update bare places (depots, for instance)."""
    with connection.cursor() as cursor:
        cursor.executemany(statement("places", "upsert_place"), [asdict(place) for place in places])


def save_delivery_bays(connection: Connection, bays: Iterable[DeliveryBay]) -> None:
    """Insert or update delivery bays, each with its one rule."""
    given = list(bays)
    _save(connection, "upsert_delivery_bay", [asdict(bay) | {"kind": PlaceKind.DELIVERY_BAY} for bay in given])
    save_rules(connection, [(bay.commune_insee, bay.place_id, (_rule_of(bay),)) for bay in given])


def _rule_of(bay: DeliveryBay) -> Rule:
    return Rule(
        days=tuple(sorted(set(bay.enforced_days))),
        starts=bay.enforced_from,
        ends=bay.enforced_until,
        max_stay_s=bay.max_stay_s,
        grace_s=bay.grace_s,
    )


def save_parking_spaces(connection: Connection, spaces: Iterable[ParkingSpace]) -> None:
    """Insert or update parking spaces."""
    _save(connection, "upsert_parking_space", [asdict(space) | {"kind": PlaceKind.PARKING_SPACE} for space in spaces])


def save_disposal_sites(connection: Connection, sites: Iterable[DisposalSite]) -> None:
    """Insert or update disposal sites."""
    _save(connection, "upsert_disposal_site", [asdict(site) | {"kind": PlaceKind.DISPOSAL_SITE} for site in sites])


def _save(connection: Connection, query: str, rows: list[dict[str, object]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(statement("places", "upsert_place"), rows)
        cursor.executemany(statement("places", query), rows)


def save_vehicles(connection: Connection, vehicles: Iterable[Vehicle]) -> None:
    """Insert or update vehicles; their depots must exist."""
    with connection.cursor() as cursor:
        cursor.executemany(statement("places", "upsert_vehicle"), [asdict(vehicle) for vehicle in vehicles])


def of_kind(connection: Connection, commune_insee: str, kind: PlaceKind) -> list[Place]:
    """Return the commune's places of one kind by id."""
    return fetch(connection, Place, statement("places", "of_kind"), {"commune_insee": commune_insee, "kind": kind})


def streets_of(connection: Connection, commune_insee: str, place_ids: Iterable[str]) -> dict[str, str]:
    """Return by its id the street of each of these places, where it is known."""
    parameters = {"commune_insee": commune_insee, "place_ids": list(place_ids)}
    return dict(connection.execute(statement("places", "streets_of"), parameters).fetchall())


def disposal_sites(connection: Connection, commune_insee: str) -> list[DisposalSite]:
    """Return the commune's disposal sites by id."""
    return fetch(connection, DisposalSite, statement("places", "disposal_sites"), {"commune_insee": commune_insee})


def vehicles(connection: Connection, commune_insee: str) -> list[Vehicle]:
    """Return the commune's vehicles by id."""
    return fetch(connection, Vehicle, statement("places", "vehicles"), {"commune_insee": commune_insee})


def kinds(
    connection: Connection, commune_insee: str, *, place_ids: Iterable[str] | None = None
) -> dict[str, PlaceKind]:
    """Return the kind of each of these places, or of all; those that the commune does not have are absent."""
    parameters = {"commune_insee": commune_insee, "place_ids": None if place_ids is None else list(place_ids)}
    rows = connection.execute(statement("places", "kinds"), parameters)
    return {place_id: PlaceKind(kind) for place_id, kind in rows}


def counts_by_kind(connection: Connection, commune_insee: str) -> dict[PlaceKind, int]:
    """Return how many places of each kind the commune has; kinds without a place are absent."""
    rows = connection.execute(statement("places", "counts_by_kind"), {"commune_insee": commune_insee})
    return {PlaceKind(kind): number for kind, number in rows}


def extent(connection: Connection, commune_insee: str) -> tuple[float, float, float, float] | None:
    """Return (west, south, east, north) of the commune's places in degrees, None when it has none."""
    row = connection.execute(statement("places", "extent"), {"commune_insee": commune_insee}).fetchone()
    if row is None or row[0] is None:
        return None
    west, south, east, north = row
    return west, south, east, north


def streets(connection: Connection, commune_insee: str) -> list[tuple[str, float, float]]:
    """Return each street that places stand in, with the middle of these: (name, longitude, latitude), by name."""
    rows = connection.execute(statement("places", "streets"), {"commune_insee": commune_insee})
    return [(name, float(longitude_deg), float(latitude_deg)) for name, longitude_deg, latitude_deg in rows]
