"""The best engine: PyVRP's search on several processes, recombined by CP-SAT, finished under the full rules.

What PyVRP can express it searches fast (pyvrp_search); what it cannot is put right afterwards (finish.py). See
docs/decisions/0018-best-engine.md for what was tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from optimise.rounds.engines import Improvement, Limits
from optimise.rounds.engines.considered import considered
from optimise.rounds.engines.polish import judged
from optimise.rounds.engines.steps import Orders
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution

_FINISH_SHARE = 0.04  # of the time, for the finishing under the full rules
_FINISH_S = (0.15, 2.0)  # at least and at most
# Where PyVRP cannot express all rules: its share of the time, and below how many seconds more is not worth it.
_OWN_SHARE = 0.5
_LEAST_REFINING_S = 0.2
_PLAIN_S, _PLAIN_SHARE = 0.3, 0.02


class BestEngine:
    """PyVRP's search in parts on `threads` processes. With limits by iterations a seed reproduces."""

    def __init__(self, *, threads: int = 2) -> None:
        self._threads = threads

    @property
    def name(self) -> str:
        """The engine's name and version."""
        return f"best (pyvrp {version('pyvrp')}, or-tools {version('ortools')})"

    def solve(
        self,
        problem: Problem,
        *,
        limits: Limits,
        seed: int,
        improved: Callable[[Improvement], None] | None = None,
        stopped: Callable[[], bool] | None = None,
    ) -> Solution:
        """Return the best solution within `limits`; `stopped` may end the search at any time with what it has."""
        # Loading PyVRP and CP-SAT takes half a second that other engines do not need.
        from optimise.rounds.engines.finish import finished  # noqa: PLC0415
        from optimise.rounds.engines.pyvrp_search.expressing import is_exact  # noqa: PLC0415

        began = time.monotonic()
        stop = stopped or (lambda: False)
        until = None if limits.solve_s is None else began + limits.solve_s
        exact = is_exact(problem)
        own = limits if exact else _part(limits, _OWN_SHARE)
        stops = considered(problem)
        orders: Orders | None = None
        if len(stops) and bool(problem.must[stops].all()):
            orders = self._searched(problem, stops.tolist(), own, seed, began, improved, stop, must_as_prize=False)
        if orders is None and len(stops):
            # There may be no plan that serves every bin that must be: serve what can be.
            orders = self._searched(problem, stops.tolist(), own, seed, began, improved, stop, must_as_prize=True)
        # What must be served is still put on some vehicle when the time was too short for more.
        end = None if until is None or limits.solve_s is None else until + _PLAIN_S + _PLAIN_SHARE * limits.solve_s
        late = stop if end is None else (lambda: stop() or time.monotonic() > end)
        best = finished(problem, orders or [], engine=self.name, stopped=late)
        return best if exact or stop() else self._refined(problem, best, limits, seed, began, improved, stop)

    def _refined(  # noqa: PLR0917 - one caller, above
        self,
        problem: Problem,
        best: Solution,
        limits: Limits,
        seed: int,
        began: float,
        improved: Callable[[Improvement], None] | None,
        stop: Callable[[], bool],
    ) -> Solution:
        """Give the rest of the time to the engine that sees every rule: from nothing, and from the best plan so far."""
        # Loaded where it is used: other engines do without.
        from optimise.rounds.engines.ortools_engine import ORToolsEngine  # noqa: PLC0415

        for start, share in ((None, 0.5), (best, 1.0)):
            left_s = None if limits.solve_s is None else began + limits.solve_s - time.monotonic()
            if stop() or (left_s is not None and left_s < _LEAST_REFINING_S):
                break
            iterations = None if limits.iterations is None else max(1, int(limits.iterations * (1 - _OWN_SHARE)))
            rest = Limits(solve_s=None if left_s is None else left_s * share, iterations=iterations)
            from_best = None if start is None or not best.routes else best
            found = ORToolsEngine().solve(problem, limits=rest, seed=seed, stopped=stop, start=from_best)
            if judged(problem, found) < judged(problem, best):
                best = replace(found, engine=self.name)
                if improved is not None:
                    elapsed_s = time.monotonic() - began
                    improved(Improvement(elapsed_s=elapsed_s, phase="every rule", cost=best.cost))
        return best

    def _searched(  # noqa: PLR0917 - one caller, above
        self,
        problem: Problem,
        stops: list[int],
        limits: Limits,
        seed: int,
        began: float,
        improved: Callable[[Improvement], None] | None,
        stop: Callable[[], bool],
        *,
        must_as_prize: bool,
    ) -> Orders | None:
        # Loaded where it is used: other engines do without.
        from optimise.rounds.engines.pyvrp_search.fleet import GrowingFleet, fewest  # noqa: PLC0415
        from optimise.rounds.engines.pyvrp_search.model import build  # noqa: PLC0415
        from optimise.rounds.engines.pyvrp_search.together import Together  # noqa: PLC0415
        from optimise.rounds.engines.trips import trips_will_do  # noqa: PLC0415

        until = None
        if limits.solve_s is not None:
            finish_s = min(max(_FINISH_S[0], limits.solve_s * _FINISH_SHARE), _FINISH_S[1])
            until = began + limits.solve_s - finish_s
        model = build(problem, stops=stops, must_as_prize=must_as_prize)
        fleet = None
        if model.vehicles_count_first and bool(problem.must[stops].all()):
            fleet = GrowingFleet(size=fewest(problem, stops), most=len(problem.vehicles))
            model = build(problem, stops=stops, must_as_prize=True, free_vehicles=True)
        aside = int(problem.prize.sum()) - int(problem.prize[stops].sum())

        def tell(cost: int, phase: str) -> None:
            if improved is not None:
                total = model.problem_cost(cost) + aside
                improved(Improvement(elapsed_s=time.monotonic() - began, phase=phase, cost=total))

        routes = Together(
            model=model,
            seed=seed,
            threads=self._threads,
            until=until,
            iterations=limits.iterations,
            stopped=stop,
            improved=tell,
            fleet=fleet,
            recreate=fleet is None and bool(problem.disposals) and trips_will_do(problem, np.array(stops)),
        ).run()
        return None if routes is None else model.orders(routes)


def _part(limits: Limits, share: float) -> Limits:
    return Limits(
        solve_s=None if limits.solve_s is None else limits.solve_s * share,
        iterations=None if limits.iterations is None else max(1, int(limits.iterations * share)),
    )
