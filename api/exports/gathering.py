"""What an exported file tells, read from storage."""

from __future__ import annotations

from uuid import UUID

from api.exports.contents import RoundsFile
from storage import bins, communes, places, plans, round_rules
from storage.database import Connection
from storage.errors import NotFoundError
from storage.model import Bin, DisposalSite


def rounds_file(
    connection: Connection, commune_insee: str, plan_id: UUID, *, route_index: int | None = None
) -> RoundsFile:
    """Return what a file of a plan's rounds tells; NotFoundError when there is no such plan or round."""
    plan = plans.one(connection, commune_insee, plan_id)
    routes = tuple(route for route in plan.routes if route_index in {None, route.route_index})
    if route_index is not None and not routes:
        raise NotFoundError(f"plan {plan_id} has no round {route_index}")
    everywhere: list[Bin | DisposalSite] = [
        *bins.every(connection, commune_insee),
        *places.disposal_sites(connection, commune_insee),
    ]
    rules = round_rules.every(connection, commune_insee)
    return RoundsFile(
        commune=communes.one(connection, commune_insee),
        plan=plan,
        routes=routes,
        vehicle_names={item.vehicle_id: item.name for item in places.vehicles(connection, commune_insee)},
        vehicle_rules={rule.vehicle_id: rule for rule in rules.vehicles},
        streets={place.place_id: place.street for place in everywhere if place.street},
        bin_rules={rule.place_id: rule for rule in rules.bins},
    )
