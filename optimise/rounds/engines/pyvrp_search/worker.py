"""A process of its own that searches parts of the problem on request: pickled requests in, pickled answers out.

PyVRP holds Python's lock while it searches, so a second core takes a second process. It is started as a program, not
forked: whoever asks may have threads. It ends when its standard input does.
"""

from __future__ import annotations

import pickle
import signal
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyvrp

from optimise.rounds.engines.pyvrp_search.cut import cut
from optimise.rounds.engines.pyvrp_search.orders import Found, Order, renumbered
from optimise.rounds.engines.pyvrp_search.search import Effort, Penalties, search, search_alone


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What a worker is told first."""

    data: pyvrp.ProblemData
    first_disposal: int
    penalties: Penalties
    seed: int


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


class Searcher:
    """Answers jobs one after the other; the generator and the penalties go on from job to job."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._generator = pyvrp.RandomNumberGenerator(seed=setting.seed)
        self._penalties = setting.penalties

    def do(self, job: Job) -> Found:
        """Return what the search of a job found, in the numbers of the whole."""
        setting = self._setting
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


def main() -> None:
    """Serve requests until there are no more."""
    # Who presses Ctrl-C wants the plan, and the parent has it: it ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    setting = _next(given)
    if setting is None:
        return
    searcher = Searcher(setting)
    while (job := _next(given)) is not None:
        pickle.dump(searcher.do(job), answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _next(given: BinaryIO) -> Any:
    try:
        return pickle.load(given)  # noqa: S301 - it comes from the process that started this one
    except EOFError:
        return None


if __name__ == "__main__":
    main()
