"""What a process that searches is asked, and how it answers."""

from __future__ import annotations

from dataclasses import dataclass

import pyvrp

from optimise.rounds.engines import Limits
from optimise.rounds.engines.pyvrp_search.cut import cut
from optimise.rounds.engines.pyvrp_search.model import PyvrpModel
from optimise.rounds.engines.pyvrp_search.orders import Found, Order, clients_of, cost_of, renumbered, route_of
from optimise.rounds.engines.pyvrp_search.search import Effort, Penalties, search, search_alone
from optimise.rounds.engines.steps import orders_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What a worker is told first. `model` only serves `Recreate`."""

    data: pyvrp.ProblemData
    first_disposal: int
    penalties: Penalties
    seed: int
    model: PyvrpModel | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A search that is asked for. `start` None: from a random solution of the whole, until one is feasible.

    `clients` and `vehicles` (so many of each type) name a part of the problem, None the whole. `alone`: by PyVRP as it
    comes, with its own settings, for comparison.
    """

    start: tuple[Order, ...] | None
    clients: tuple[int, ...] | None
    vehicles: tuple[int, ...] | None
    effort: Effort
    alone: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Recreate:
    """Routes by ruin and recreate (ortools_engine.py) are asked for: on one-way streets they are far ahead."""

    limits: Limits
    seed: int


class Searcher:
    """Answers jobs one after the other; the generator and the penalties go on from job to job."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._generator = pyvrp.RandomNumberGenerator(seed=setting.seed)
        self._penalties = setting.penalties

    def do(self, job: Job | Recreate) -> Found:
        """Return what the search of a job found, in the numbers of the whole."""
        setting = self._setting
        if isinstance(job, Recreate):
            return self._recreated(job)
        if job.alone:
            return search_alone(
                setting.data, first_disposal=setting.first_disposal, seed=setting.seed, effort=job.effort
            )
        if job.clients is None or job.vehicles is None:
            return self._search(setting.data, job.start, job.effort)
        part = cut(setting.data, clients=job.clients, vehicles=job.vehicles)
        client_of = {client: number for number, client in enumerate(part.clients)}
        kind_of = {kind: number for number, kind in enumerate(part.kinds)}
        start = None
        if job.start is not None:
            start = tuple(renumbered(order, clients=client_of, kinds=kind_of) for order in job.start)
        found = self._search(part.data, start, job.effort)
        return Found(
            orders={renumbered(o, clients=part.clients, kinds=part.kinds): c for o, c in found.orders.items()},
            pool={renumbered(o, clients=part.clients, kinds=part.kinds): c for o, c in found.pool.items()},
            feasible=found.feasible,
            iterations=found.iterations,
        )

    def _recreated(self, job: Recreate) -> Found:
        # It brings OR-Tools, which the other jobs do without.
        from optimise.rounds.engines.ortools_engine import ORToolsEngine  # noqa: PLC0415

        setting, model = self._setting, self._setting.model
        assert model is not None
        solution = ORToolsEngine().solve(model.problem, limits=job.limits, seed=job.seed)
        routes = {}
        for order in model.numbered(orders_of(solution)):
            route = route_of(setting.data, order, first_disposal=setting.first_disposal)
            if route.is_feasible():
                routes[order] = cost_of(route)
        # Whoever has to be served and is in none of these routes makes it no solution.
        served = set(clients_of(routes))
        missing = any(one.required and number not in served for number, one in enumerate(setting.data.clients()))
        return Found(orders=routes, pool=dict(routes), feasible=not missing, iterations=0)

    def _search(self, data: pyvrp.ProblemData, start: tuple[Order, ...] | None, effort: Effort) -> Found:
        found, penalties = search(
            data,
            start=start,
            first_disposal=self._setting.first_disposal,
            generator=self._generator,
            penalties=self._penalties,
            effort=effort,
            at_first_feasible=start is None,
        )
        self._penalties = penalties.within(self._setting.penalties)
        return found
