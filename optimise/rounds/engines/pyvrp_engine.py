"""PyVRP alone, as it comes, from a seed for each process: the yardstick of the best engine.

It sees what the model expresses (pyvrp_search/model.py); the rest is put right afterwards, as for the best engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version

from optimise.rounds.engines import Improvement, Limits
from optimise.rounds.engines.considered import considered
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution

_FINISH_S = 0.5


class PyvrpEngine:
    """PyVRP's own search on `threads` processes that know nothing of each other; the best solution counts."""

    def __init__(self, *, threads: int = 2) -> None:
        self._threads = threads

    @property
    def name(self) -> str:
        """The engine's name and version."""
        return f"pyvrp {version('pyvrp')}"

    def solve(
        self,
        problem: Problem,
        *,
        limits: Limits,
        seed: int,
        improved: Callable[[Improvement], None] | None = None,
        stopped: Callable[[], bool] | None = None,
    ) -> Solution:
        """Return the best of the processes' solutions; `stopped` ends the search with nothing but what pays alone."""
        from optimise.rounds.engines.finish import finished  # noqa: PLC0415 - loads PyVRP
        from optimise.rounds.engines.pyvrp_search.ledger import ledger_of  # noqa: PLC0415 - same
        from optimise.rounds.engines.pyvrp_search.model import build  # noqa: PLC0415 - same
        from optimise.rounds.engines.pyvrp_search.orders import Found  # noqa: PLC0415 - same
        from optimise.rounds.engines.pyvrp_search.search import Effort  # noqa: PLC0415 - same
        from optimise.rounds.engines.pyvrp_search.searcher import Job, Setting  # noqa: PLC0415 - same
        from optimise.rounds.engines.pyvrp_search.team import Team  # noqa: PLC0415 - same

        began = time.monotonic()
        stop = stopped or (lambda: False)
        until = None if limits.solve_s is None else began + limits.solve_s
        stops = considered(problem)
        everything = bool(len(stops)) and bool(problem.must[stops].all())
        model = build(problem, stops=stops.tolist(), must_as_prize=not everything)
        ledger = ledger_of(model)
        settings = [
            Setting(
                data=model.data,
                first_disposal=model.first_disposal,
                penalties=model.penalties,
                seed=seed + number,
            )
            for number in range(self._threads)
        ]
        found: list[Found] = []
        if model.client_stop:
            with Team(settings) as team:
                seconds = None if until is None else max(0.1, until - time.monotonic() - _FINISH_S)
                effort = Effort(seconds=seconds, iterations=limits.iterations)
                job = Job(start=None, clients=None, vehicles=None, effort=effort, alone=True)
                team.run(
                    [[job]] * self._threads, stopped=stop, until=until, arrived=lambda _w, _j, one: found.append(one)
                )
        feasible = [one.orders for one in found if one.feasible]
        if not feasible:
            return finished(problem, [], engine=self.name, stopped=stop)
        best = min(feasible, key=ledger.cost)
        if improved is not None:
            cost = model.problem_cost(ledger.cost(best))
            improved(Improvement(elapsed_s=time.monotonic() - began, phase="pyvrp", cost=cost))
        return finished(problem, model.orders(best), engine=self.name, stopped=stop)
