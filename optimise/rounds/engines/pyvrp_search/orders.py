"""Routes as plain numbers, which any process understands and any set can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyvrp

type Order = tuple[int, tuple[int, ...]]
"""A route: its vehicle type, and what it visits, clients as 0, 1... and unloadings at disposal site d as -1 - d."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Routes that a search found, with the cost of each; `pool` are good routes that it passed on the way."""

    orders: dict[Order, int]
    pool: dict[Order, int]
    feasible: bool
    iterations: int


def order_of(route: pyvrp.Route, *, first_disposal: int) -> Order:
    """Return a route of PyVRP as numbers."""
    visits = tuple(
        activity.idx if activity.is_client() else first_disposal - 1 - activity.idx for activity in list(route)[1:-1]
    )
    return route.vehicle_type(), visits


def route_of(data: pyvrp.ProblemData, order: Order, *, first_disposal: int) -> pyvrp.Route:
    """Return numbers as a route of PyVRP."""
    kind, visits = order
    activities = [
        pyvrp.Activity(pyvrp.ActivityType.CLIENT, visit)
        if visit >= 0
        else pyvrp.Activity(pyvrp.ActivityType.DEPOT, first_disposal - 1 - visit)
        for visit in visits
    ]
    return pyvrp.Route(data, activities, kind)


def cost_of(route: pyvrp.Route) -> int:
    """Return what a route costs in PyVRP's terms."""
    return int(route.distance_cost() + route.duration_cost() + route.fixed_vehicle_cost())


def clients_of(orders: Iterable[Order]) -> list[int]:
    """Return the clients that routes serve."""
    return [visit for _, visits in orders for visit in visits if visit >= 0]


def used_types(orders: Iterable[Order], *, types: int) -> list[int]:
    """Return how many vehicles of each type routes use."""
    used = [0] * types
    for kind, _ in orders:
        used[kind] += 1
    return used


def renumbered(
    order: Order, *, clients: Sequence[int] | dict[int, int], kinds: Sequence[int] | dict[int, int]
) -> Order:
    """Return a route in another numbering of clients and types."""
    kind, visits = order
    return kinds[kind], tuple(clients[visit] if visit >= 0 else visit for visit in visits)
