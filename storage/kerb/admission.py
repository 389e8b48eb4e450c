"""Whose bays and spaces they are, and whether a rule lets those stand there. Pure."""

from __future__ import annotations

from storage.model import BayUse, KerbNow, PlaceKind, Rule, RuleUse, VehicleClass

_CLASSES = {
    BayUse.DELIVERY: frozenset({VehicleClass.GOODS, VehicleClass.CARGO_BIKE}),
    BayUse.CAR: frozenset({VehicleClass.CAR}),
    BayUse.DISABLED: frozenset({VehicleClass.DISABLED, VehicleClass.CAR}),
}


def use_of(place: KerbNow) -> BayUse:
    """Return whose bay or space it is."""
    if place.kind == PlaceKind.DELIVERY_BAY:
        return BayUse.DELIVERY
    return BayUse.DISABLED if place.space_kind == "pmr" else BayUse.CAR


def admits(rule: Rule | None, use: BayUse) -> bool:
    """Return whether vehicles of `use` may stand at a bay of their own while `rule` holds (None: nothing is ruled)."""
    if rule is None or rule.use is RuleUse.UNRESTRICTED:
        return True
    if rule.use is RuleUse.NO_STOPPING:
        return False
    if rule.vehicle_classes:
        return not _CLASSES[use].isdisjoint(rule.vehicle_classes)
    if rule.use is RuleUse.RESERVED:
        # For whom is not told: nobody is sent there but who has a bay of their own.
        return use is BayUse.DISABLED
    return rule.use is not RuleUse.DELIVERY or use is BayUse.DELIVERY
