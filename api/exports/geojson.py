"""Rounds as GeoJSON (RFC 7946): a line a round, a point a stop, with what the plan says of them."""

from __future__ import annotations

from typing import Any

import msgspec

from api.exports.contents import RoundsFile, expected_fill
from storage.model import PlannedRoute, PlannedStop


def geojson(content: RoundsFile) -> bytes:
    """Return the rounds as a FeatureCollection, UTF-8. Without a place a break has no geometry (null)."""
    features = []
    for route in content.routes:
        features.append(_line(content, route))
        features += [_point(content, route, stop) for stop in route.stops]
    return msgspec.json.encode(
        {
            "type": "FeatureCollection",
            "plan_id": str(content.plan.plan_id),
            "service_date": content.plan.service_date.isoformat(),
            "travel_source": content.plan.travel_source,
            "features": features,
        }
    )


def _line(content: RoundsFile, route: PlannedRoute) -> dict[str, Any]:
    drawn = len(route.geometry) > 1
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": route.geometry} if drawn else None,
        "properties": {
            "kind": "round",
            "route_index": route.route_index,
            "vehicle_id": route.vehicle_id,
            "vehicle_name": content.vehicle(route),
            "start_at": route.start_at,
            "end_at": route.end_at,
            "distance_m": route.distance_m,
            "duration_s": route.duration_s,
            "on_streets": content.on_streets,
        },
    }


def _point(content: RoundsFile, route: PlannedRoute, stop: PlannedStop) -> dict[str, Any]:
    somewhere = stop.longitude_deg is not None
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": (stop.longitude_deg, stop.latitude_deg)} if somewhere else None,
        "properties": {
            "kind": stop.kind,
            "route_index": route.route_index,
            "stop_index": stop.stop_index,
            "place_id": stop.place_id,
            "street": content.street(stop),
            "arrive_at": stop.arrive_at,
            "depart_at": stop.depart_at,
            "distance_m": stop.distance_m,
            "load_l": stop.load_l,
            "load_kg": stop.load_kg,
            "expected_fill_fraction": expected_fill(stop),
            "reason": None if stop.reason is None else stop.reason.text,
        },
    }
