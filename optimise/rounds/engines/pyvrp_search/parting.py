"""Which part of a solution each worker improves next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.engines.pyvrp_search.ledger import Ledger
from optimise.rounds.engines.pyvrp_search.model import PyvrpModel
from optimise.rounds.engines.pyvrp_search.orders import Order, used_types
from optimise.rounds.engines.pyvrp_search.places import plane
from optimise.rounds.engines.pyvrp_search.split import split
from optimise.rounds.problem import Integers

_SPARE_A_PART = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class PartOfSolution:
    """Some routes, the clients that they serve or might, and the vehicles that they may use, by type."""

    orders: tuple[Order, ...]
    clients: tuple[int, ...]
    vehicles: tuple[int, ...]


class Parting:
    """Cuts solutions of one model in parts of neighbouring routes, another way each time."""

    def __init__(self, model: PyvrpModel, ledger: Ledger, *, seed: int) -> None:
        problem = model.problem
        self._ledger = ledger
        self._types = [len(vehicles) for vehicles in model.type_vehicles]
        self._random = Random(seed)  # noqa: S311 - it draws cuts
        self._rows: Integers = problem.location[np.array(model.client_stop, dtype=np.int64)]
        depots = np.array(sorted({who.depot for who in problem.vehicles}), dtype=np.int64)
        points = plane(problem, np.concatenate([self._rows, depots]))
        self._points: NDArray[np.float64] = points[: len(self._rows)]
        self._around = points[len(self._rows) :].mean(axis=0)
        self._problem = problem

    def parts(self, orders: Sequence[Order], *, count: int, fleet: int) -> list[PartOfSolution]:
        """Return about so many parts; every client is in one. Together they use at most `fleet` vehicles."""
        routes = [order for order in orders if any(visit >= 0 for visit in order[1])]
        served = [np.array([visit for visit in visits if visit >= 0], dtype=np.int64) for _, visits in routes]
        if not routes:
            everyone = tuple(range(len(self._rows)))
            return [PartOfSolution(orders=(), clients=everyone, vehicles=tuple(self._types))]
        centres = np.array([self._points[clients].mean(axis=0) for clients in served])
        groups = split(
            centres,
            [len(clients) for clients in served],
            parts=count,
            around=self._around,
            random=self._random,
        )
        left = self._left_by_group(routes, served, groups)
        spare = [
            total - used for total, used in zip(self._types, used_types(routes, types=len(self._types)), strict=True)
        ]
        more = max(0, fleet - len(routes))
        found = []
        for number in self._random.sample(range(len(groups)), len(groups)):
            mine = tuple(routes[route] for route in groups[number])
            vehicles = used_types(mine, types=len(self._types))
            for kind, count_left in enumerate(spare):
                extra = min(count_left, _SPARE_A_PART, more)
                vehicles[kind] += extra
                more -= extra
                spare[kind] -= extra
            clients = [client for route in groups[number] for client in served[route].tolist()] + left[number]
            found.append(
                PartOfSolution(orders=mine, clients=tuple(self._ledger.whole(clients)), vehicles=tuple(vehicles))
            )
        return found

    def _left_by_group(
        self, routes: Sequence[Order], served: Sequence[Integers], groups: Sequence[Sequence[int]]
    ) -> list[list[int]]:
        """Return for each group the clients left out that are nearest to what it serves."""
        left = np.array(self._ledger.left(routes), dtype=np.int64)
        found: list[list[int]] = [[] for _ in groups]
        if not len(left):
            return found
        clients = np.concatenate([served[route] for group in groups for route in group])
        group_of = np.concatenate(
            [np.full(len(served[route]), number) for number, group in enumerate(groups) for route in group]
        )
        duration = self._problem.duration_s if self._problem.duration_s.any() else self._problem.distance_m
        nearest = duration[np.ix_(self._rows[left], self._rows[clients])].argmin(axis=1)
        # The alike clients of a bin stay together: where its first one lies.
        chosen: dict[int, int] = {}
        for client, near in zip(left.tolist(), nearest.tolist(), strict=True):
            number = chosen.setdefault(self._ledger.bin_of[client], int(group_of[near]))
            found[number].append(client)
        return found
