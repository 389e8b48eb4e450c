"""What another plan changes: bins moved, added, dropped, reordered; kilometres, hours, money, expected overflow."""

from __future__ import annotations

from typing import Any

from optimise.rounds.editing.wanted import rounds_of
from storage.model import Plan, StopKind
from storage.turns import out_of_turn

_KM = 1000.0
_HOUR_S = 3600.0


def difference(before: Plan, after: Plan) -> dict[str, Any]:
    """Return what `after` changes of `before`, as the draft keeps it (docs/rounds-editing.md names each figure)."""
    old, new = _bins_of(before), _bins_of(after)
    was = {place_id: vehicle for vehicle, bins in old.items() for place_id in bins}
    now = {place_id: vehicle for vehicle, bins in new.items() for place_id in bins}
    reasons = {left.place_id: left.reason for left in after.left_out}
    dropped = [place_id for place_id in was if place_id not in now]
    return {
        "before": totals_of(before),
        "after": totals_of(after),
        "routes": [_route(vehicle, before, after, old, new, was, now) for vehicle in dict.fromkeys([*old, *new])],
        "moved": sum(1 for place_id in now if place_id in was and was[place_id] != now[place_id]),
        "added": sum(1 for place_id in now if place_id not in was),
        "dropped": [
            {
                "place_id": place_id,
                "code": reasons[place_id].code if place_id in reasons else "unknown",
                "text": reasons[place_id].text if place_id in reasons else "",
            }
            for place_id in dropped
        ],
    }


def totals_of(plan: Plan) -> dict[str, Any]:
    """Return what a plan comes to; null where it does not say.

    `cost_eur` is what driving it costs, `leaving_eur` what leaving the other bins is reckoned to cost, `wishes_eur`
    what no invoice shows. `expected_overflows`: how many of the bins left are expected to be full by the next chance.
    """
    whole, wishes = plan.checker.get("cost_eur"), plan.checker.get("wishes_eur", 0.0)
    left = [item.reason.figures for item in plan.left_out]
    leaving = sum(figures.get("leaving_eur", 0.0) for figures in left)
    return {
        "km": round(plan.distance_m / _KM, 3),
        "hours": round(plan.duration_s / _HOUR_S, 3),
        "cost_eur": None if whole is None else round(whole - wishes - leaving, 2),
        "wishes_eur": wishes,
        "leaving_eur": round(leaving, 2),
        "expected_overflows": round(sum(figures.get("probability_full_next", 0.0) for figures in left), 3),
        "bins": sum(stop.kind is StopKind.BIN for route in plan.routes for stop in route.stops),
        "left_out": len(plan.left_out),
        "vehicles": len(plan.routes),
    }


def _bins_of(plan: Plan) -> dict[str, list[str]]:
    return {
        vehicle: [place_id for kind, place_id in visits if kind is StopKind.BIN]
        for vehicle, visits in rounds_of(plan).items()
    }


def _route(  # noqa: PLR0917 - one caller, above
    vehicle: str,
    before: Plan,
    after: Plan,
    old: dict[str, list[str]],
    new: dict[str, list[str]],
    was: dict[str, str],
    now: dict[str, str],
) -> dict[str, Any]:
    old_bins, new_bins = old.get(vehicle, []), new.get(vehicle, [])
    return {
        "vehicle_id": vehicle,
        "before": _route_totals(before, vehicle),
        "after": _route_totals(after, vehicle),
        "moved_in": [
            {"place_id": place_id, "from": was[place_id]}
            for place_id in new_bins
            if was.get(place_id, vehicle) != vehicle
        ],
        "moved_out": [
            {"place_id": place_id, "to": now[place_id]}
            for place_id in old_bins
            if now.get(place_id, vehicle) != vehicle
        ],
        "added": [place_id for place_id in new_bins if place_id not in was],
        "dropped": [place_id for place_id in old_bins if place_id not in now],
        "reordered": out_of_turn(old_bins, new_bins),
    }


def _route_totals(plan: Plan, vehicle: str) -> dict[str, Any] | None:
    for route in plan.routes:
        if route.vehicle_id == vehicle:
            return {
                "bins": sum(stop.kind is StopKind.BIN for stop in route.stops),
                "km": round(route.distance_m / _KM, 3),
                "hours": round(route.duration_s / _HOUR_S, 3),
                "start_at": route.start_at.isoformat(),
                "end_at": route.end_at.isoformat(),
            }
    return None
