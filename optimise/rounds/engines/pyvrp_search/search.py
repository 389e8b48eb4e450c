"""One search by PyVRP's iterated local search, with the penalties of the one before and a memory of good routes.

PyVRP starts each search with penalties in the middle of its range and takes tens of thousands of iterations to get down
to where a little overload is allowed; here they start where one mean overload costs about one arc, and go on from
search to search.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyvrp
from pyvrp.IteratedLocalSearch import IteratedLocalSearch, IteratedLocalSearchCallbacks, IteratedLocalSearchParams
from pyvrp.PenaltyManager import PenaltyManager, PenaltyParams
from pyvrp.search import OPERATORS, LocalSearch, compute_neighbours

from optimise.rounds.engines.pyvrp_search.orders import Found, Order, cost_of, order_of, route_of

_LOOK_EVERY = 20  # iterations between looks at the current solution's routes
_POOL_AT_MOST = 1500
_PENALTIES = PenaltyParams(solutions_between_updates=100, min_penalty=1e-9, max_penalty=1e12)
_STRICT, _STRICT_OPTIONAL = 100.0, 100_000.0  # how many times the penalties the start has to fear
_SPAN = 1000.0  # penalties that a search hands on stay within this factor of the first


@dataclass(frozen=True, kw_only=True, slots=True)
class Penalties:
    """What a unit too much costs: of load (one a dimension), of time, of distance."""

    load: tuple[float, ...]
    time: float
    distance: float

    def within(self, first: Penalties) -> Penalties:
        """Return these, none farther from the first than a factor."""
        return Penalties(
            load=tuple(_near(a, b) for a, b in zip(self.load, first.load, strict=True)),
            time=_near(self.time, first.time),
            distance=_near(self.distance, first.distance),
        )


def _near(value: float, first: float) -> float:
    return min(max(value, first / _SPAN), first * _SPAN)


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How long to search: seconds of wall time, or iterations, with which a seed reproduces; or both."""

    seconds: float | None
    iterations: int | None


class _Stop:
    """Stops after some effort, or as soon as there is a solution when that is all that is asked."""

    def __init__(self, effort: Effort, *, at_first_feasible: bool) -> None:
        self._until = None if effort.seconds is None else time.monotonic() + effort.seconds
        self._iterations = effort.iterations
        self._at_first = at_first_feasible
        self._count = -1

    def __call__(self, best_cost: float) -> bool:
        self._count += 1
        if self._iterations is not None and self._count >= self._iterations:
            return True
        if self._at_first and best_cost < 2**62:
            return True
        return self._until is not None and time.monotonic() >= self._until


class _Memory(IteratedLocalSearchCallbacks):
    """Keeps the routes of feasible solutions that the search passes."""

    def __init__(self, first_disposal: int) -> None:
        self._first_disposal = first_disposal
        self._count = 0
        self.pool: dict[Order, int] = {}

    def on_iteration(
        self,
        current: pyvrp.Solution,
        candidate: pyvrp.Solution,  # noqa: ARG002 - PyVRP's signature
        best: pyvrp.Solution,  # noqa: ARG002 - same
        cost_evaluator: pyvrp.CostEvaluator,  # noqa: ARG002 - same
    ) -> None:
        self._count += 1
        if self._count % _LOOK_EVERY == 0:
            self._remember(current)

    def on_best(self, best: pyvrp.Solution) -> None:
        self._remember(best)

    def _remember(self, solution: pyvrp.Solution) -> None:
        for route in solution.routes():
            if route.is_feasible() and len(self.pool) < _POOL_AT_MOST:
                self.pool.setdefault(order_of(route, first_disposal=self._first_disposal), cost_of(route))


def search(
    data: pyvrp.ProblemData,
    *,
    start: Sequence[Order] | None,
    first_disposal: int,
    generator: pyvrp.RandomNumberGenerator,
    penalties: Penalties,
    effort: Effort,
    at_first_feasible: bool = False,
) -> tuple[Found, Penalties]:
    """Return the best solution found from `start` (None: from one of its own), and the penalties at the end."""
    local = _local_search(data, generator)
    manager = PenaltyManager((list(penalties.load), penalties.time, penalties.distance), _PENALTIES)
    if start is None:
        first = _first(data, local, generator, penalties)
    else:
        first = pyvrp.Solution(data, [route_of(data, order, first_disposal=first_disposal) for order in start])
    memory = _Memory(first_disposal)
    with warnings.catch_warnings():
        # A penalty at its bound says that there may be no feasible solution: the caller sees that by itself.
        warnings.simplefilter("ignore")
        algorithm = IteratedLocalSearch(data, manager, local, first, IteratedLocalSearchParams(callbacks=memory))
        result = algorithm.run(_Stop(effort, at_first_feasible=at_first_feasible), collect_stats=False, display=False)
    load, late, far = manager.penalties()
    ending = Penalties(load=tuple(float(one) for one in load), time=float(late), distance=float(far))
    return _found(result, memory.pool, first_disposal=first_disposal), ending


def _first(
    data: pyvrp.ProblemData,
    local: LocalSearch,
    generator: pyvrp.RandomNumberGenerator,
    penalties: Penalties,
) -> pyvrp.Solution:
    """Return the better of two starts: a random one put right, and nobody, to whom clients are added one by one.

    The second is feasible and fast, for it never has too much of anything; clients that must be served only take part
    in it as ones that nobody would leave, and it is of use only when none was left.
    """
    clients = data.clients()
    mended = local(pyvrp.Solution.make_random(data, generator), _strict(penalties, _STRICT), exhaustive=True)
    if any(client.group is not None for client in clients):
        return mended
    most = max(int(np.max(data.distance_matrix(0))), int(np.max(data.duration_matrix(0))), 1)
    unit = max(max(kind.unit_distance_cost, kind.unit_duration_cost) for kind in data.vehicle_types())
    fixed = max(kind.fixed_cost for kind in data.vehicle_types())
    wanted = [
        pyvrp.Client(
            location=one.location,
            delivery=one.delivery,
            pickup=one.pickup,
            service_duration=one.service_duration,
            tw_early=one.tw_early,
            tw_late=one.tw_late,
            release_time=one.release_time,
            prize=4 * most * max(1, unit) + fixed if one.required else one.prize,
            required=False,
        )
        for one in clients
    ]
    optional = data.replace(clients=wanted)
    adding = _local_search(optional, generator)
    added = adding(pyvrp.Solution(optional, []), _strict(penalties, _STRICT_OPTIONAL), exhaustive=True)
    grown = pyvrp.Solution(data, [_again(data, one) for one in added.routes()])
    judge = _strict(penalties, 1.0)
    if not grown.is_feasible() or (mended.is_feasible() and judge.cost(mended) <= judge.cost(grown)):
        return mended
    return grown


def _again(data: pyvrp.ProblemData, route: pyvrp.Route) -> pyvrp.Route:
    activities: list[pyvrp.Activity] = [*route]
    return pyvrp.Route(data, activities[1:-1], route.vehicle_type())


def _strict(penalties: Penalties, factor: float) -> pyvrp.CostEvaluator:
    return pyvrp.CostEvaluator(
        [factor * one for one in penalties.load], factor * penalties.time, factor * penalties.distance
    )


def _local_search(data: pyvrp.ProblemData, generator: pyvrp.RandomNumberGenerator) -> LocalSearch:
    local = LocalSearch(data, generator, compute_neighbours(data))
    for operator in OPERATORS:
        if operator.supports(data):
            local.add_operator(operator(data))
    return local


def search_alone(data: pyvrp.ProblemData, *, first_disposal: int, seed: int, effort: Effort) -> Found:
    """Return what PyVRP finds as it comes, with its own start and settings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = pyvrp.solve(
            data, _Stop(effort, at_first_feasible=False), seed=seed, collect_stats=False, display=False
        )
    return _found(result, {}, first_disposal=first_disposal)


def _found(result: pyvrp.Result, pool: dict[Order, int], *, first_disposal: int) -> Found:
    best = result.best
    return Found(
        orders={order_of(route, first_disposal=first_disposal): cost_of(route) for route in best.routes()},
        pool=pool,
        feasible=best.is_feasible(),
        iterations=result.num_iterations,
    )
