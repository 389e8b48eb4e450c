"""The search as a whole: several processes improve parts of one solution, and what they found is put together.

A large problem is cut into parts of neighbouring routes, along another line each time, and each process improves its
parts by PyVRP's search; the improved parts are the next solution (route-based decomposition as in Santini, Schneider,
Vidal & Vigo, 2023, doi:10.1287/ijoc.2023.0048). A small one is searched as a whole from several seeds. In between,
CP-SAT makes the best solution of all routes that were seen (recombine.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from optimise.rounds.engines import Limits
from optimise.rounds.engines.pyvrp_search.fleet import GrowingFleet
from optimise.rounds.engines.pyvrp_search.ledger import Ledger, ledger_of
from optimise.rounds.engines.pyvrp_search.model import PyvrpModel
from optimise.rounds.engines.pyvrp_search.orders import Found, Order, clients_of
from optimise.rounds.engines.pyvrp_search.parting import Parting, PartOfSolution
from optimise.rounds.engines.pyvrp_search.pays import Pays
from optimise.rounds.engines.pyvrp_search.recombine import recombine
from optimise.rounds.engines.pyvrp_search.search import Effort
from optimise.rounds.engines.pyvrp_search.searcher import Job, Recreate, Setting
from optimise.rounds.engines.pyvrp_search.team import Team

_FOREVER_S = 1e9
_ANY_NUMBER = 10**9
_LOOK_AFTER = 0.25  # iterations a client before the fleet may grow
_LOOK_SHARE = 0.04  # of the time, after which it may in any case
_ASIDE_SHARE, _ASIDE_S = 0.2, 0.03  # of the time, and for a bin
_LARGE = 400  # clients
_ROUTES_A_PART = 3  # at least: with fewer there is little to exchange
_ROUTES_TO_PART = 6  # in a part: with fewer, the whole may be the better search
_NEAR_BEST = 1.002  # who is farther from the best than this goes on from the best
_GRACE_S = 0.3  # for an answer that is on its way when the time is up
_FIRST_PACE = 1500.0  # iterations a second of one worker, before any was measured


@dataclass(frozen=True, kw_only=True, slots=True)
class Tuning:
    """How the work is cut. None of it is tuned to an instance; docs/decisions/0016 says what was tried.

    `part`: clients of a part. `iterations_a_client`: how long a part is searched at a time; by the clock that is told
    from the pace so far, up to `round_share` of the whole time for a round. `whole_share`: how long a problem in one
    part is searched at a time, of the whole time. `recombine_every` rounds, with at most `recombine_share` of the time
    that passed since, or `recombine_work` (CP-SAT's deterministic time) when iterations count. `start_share`: the most
    that a first solution takes. Ruin and recreate takes `recreate_share`; by the clock all but `after_recreate_share`,
    and no less than `after_recreate_s`, where that is more: the longer it takes, the less is left to find. `pool`:
    routes that are remembered.
    """

    part: int = 180
    iterations_a_client: int = 8
    round_share: float = 0.06
    whole_share: float = 0.12
    recombine_every: int = 4
    recombine_share: float = 0.10
    recombine_work: float = 2.0
    start_share: float = 0.35
    recreate_share: float = 0.6
    after_recreate_share: float = 0.08
    after_recreate_s: float = 3.0
    pool: int = 9_000


@dataclass(kw_only=True)
class Together:
    """One search by a team. `until` is by time.monotonic; `iterations` are each worker's.

    `fleet` None: all vehicles may be used from the start. `recreate`: begin with ruin and recreate over trips.
    """

    model: PyvrpModel
    seed: int
    threads: int
    until: float | None
    iterations: int | None
    stopped: Callable[[], bool]
    improved: Callable[[int, str], None]
    fleet: GrowingFleet | None = None
    recreate: bool = False
    tuning: Tuning = field(default_factory=Tuning)

    def __post_init__(self) -> None:
        self._ledger: Ledger = ledger_of(self.model)
        self._parting = Parting(self.model, self._ledger, seed=self.seed)
        self._pool: dict[Order, int] = {}
        self._best: dict[Order, int] | None = None
        self._best_cost = 0
        self._left_iterations = _FOREVER_S if self.iterations is None else float(self.iterations)
        self._began = time.monotonic()
        self._pace = _FIRST_PACE
        self._worked, self._looked = 0, self._began
        self._starts: list[dict[Order, int]] = []
        self._current: list[dict[Order, int]] = []
        self._pays = Pays()

    def run(self, start: Sequence[Order] | None = None) -> dict[Order, int] | None:
        """Return the best routes and their costs, None when no solution keeps the rules that PyVRP knows."""
        settings = [
            Setting(
                data=self.model.data,
                first_disposal=self.model.first_disposal,
                penalties=self.model.penalties,
                seed=self.seed * 1000 + number,
                model=self.model if self.recreate else None,
            )
            for number in range(self.threads)
        ]
        if not self.model.client_stop:
            return {}
        with Team(settings) as team:
            begun = self._recreated(team) if self.recreate else self._first(team, start)
            if not begun or self._best is None:
                return self._best
            self._go_on(team)
        return self._best

    # --- time ---

    def _left_s(self) -> float:
        if self.until is None:
            return _FOREVER_S
        # Bins that a fleet that is still too small leaves take time to be put on more vehicles afterwards.
        left = 0 if self.fleet is None or self._best is None else len(self._ledger.left(self._best))
        aside_s = min(_ASIDE_SHARE * (self.until - self._began), _ASIDE_S * left)
        return self.until - aside_s - time.monotonic()

    def _spent(self) -> float:
        """Return the effort so far, seconds or, where they are counted, iterations: then a seed reproduces."""
        return time.monotonic() - self._began if self.iterations is None else -self._left_iterations

    def _goes_on(self) -> bool:
        return self._left_s() > 0.05 and self._left_iterations > 0 and not self.stopped()  # noqa: PLR2004 - not worth a job

    def _effort(self, *, clients: int, share_s: float) -> Effort:
        """Return how long to search a part of so many clients, by the clock or by iterations."""
        if self.iterations is not None:
            wanted = max(50, self.tuning.iterations_a_client * clients)
            return Effort(seconds=None if self.until is None else self._left_s(), iterations=int(wanted))
        return Effort(seconds=share_s, iterations=None)

    def _spend(self, jobs: Sequence[Sequence[Job]]) -> list[list[Job]]:
        """Take the jobs' iterations from what each worker has left; the last job gets what there is."""
        if self.iterations is None:
            return [list(mine) for mine in jobs]
        kept: list[list[Job]] = []
        most = 0.0
        for mine in jobs:
            left, given = self._left_iterations, []
            for job in mine:
                wanted = job.effort.iterations or 0
                if left <= 0:
                    break
                take = int(min(wanted, left))
                left -= take
                effort = Effort(seconds=job.effort.seconds, iterations=take)
                given.append(Job(start=job.start, clients=job.clients, vehicles=job.vehicles, effort=effort))
            most = max(most, self._left_iterations - left)
            kept.append(given)
        self._left_iterations -= most
        return kept

    def _seconds_a_client(self, clients: int) -> float:
        """Return for how long a client's part is searched: so many iterations at the pace so far."""
        if self.until is None:
            return _FOREVER_S
        most_s = (self.until - self._began) * self.tuning.round_share / max(1, clients)
        return min(most_s, self.tuning.iterations_a_client / self._pace)

    # --- steps ---

    def _first(self, team: Team, start: Sequence[Order] | None) -> bool:
        clients = len(self.model.client_stop)
        seconds = None if self.until is None else self._left_s() * self.tuning.start_share
        found: dict[int, Found] = {}
        job = Job(
            start=None,
            clients=self._everyone(),
            vehicles=self._whole_fleet(),
            effort=Effort(seconds=seconds, iterations=max(2000, 2 * clients)),
        )
        if start is not None:
            self._take(dict.fromkeys(start, 0), "given")
            return True
        if not self._run(team, [[job] for _ in range(self.threads)], lambda w, _, f: found.update({w: f})):
            return False
        for worker in sorted(found):
            if found[worker].feasible:
                self._take(found[worker].orders, "first")
        return True

    def _recreated(self, team: Team) -> bool:
        """Begin with ruin and recreate from a seed for each worker."""
        share = self.tuning.recreate_share
        if self.until is not None:
            left_s = max(self._left_s(), 1e-3)
            after_s = max(self.tuning.after_recreate_share * left_s, self.tuning.after_recreate_s)
            share = max(share, 1 - after_s / left_s)
        limits = Limits(
            solve_s=None if self.until is None else max(0.05, self._left_s() * share),
            iterations=None if self.iterations is None else max(1, int(self.iterations * share)),
        )
        jobs = [[Recreate(limits=limits, seed=self.seed * self.threads + number)] for number in range(self.threads)]
        found: dict[int, Found] = {}
        grace = None if self.until is None else self.until + _GRACE_S
        whole = team.run(
            jobs, stopped=self.stopped, until=grace, arrived=lambda worker, _, one: found.update({worker: one})
        )
        self._left_iterations -= limits.iterations or 0
        for worker in sorted(found):
            if found[worker].feasible:
                self._starts.append(found[worker].orders)
                self._remember(found[worker])
                self._take(found[worker].orders, "recreated")
        return whole if self._best is not None or not whole else self._first(team, None)

    def _parts(self) -> int:
        clients = len(self.model.client_stop)
        count = round(clients / self.tuning.part)
        if self._best is not None:
            most = len(self._best) // _ROUTES_A_PART
            # A whole of many bins is so slow that two parts of two routes are better.
            count = min(count, max(most, min(self.threads, len(self._best) // 2)) if clients > _LARGE else most)
        return count if count < self.threads else count // self.threads * self.threads

    def _go_on(self, team: Team) -> None:
        """Improve in parts, or as a whole where there are too few routes to part, until the time is up."""
        turn, since = 0, time.monotonic()
        while self._goes_on():
            assert self._best is not None
            turn += 1
            count = self._parts()
            routes = len([order for order in self._best if clients_of([order])])
            in_doubt = count > 1 and routes < _ROUTES_TO_PART * count
            as_a_whole = count < 2 or (in_doubt and self._pays.whole(turn))  # noqa: PLR2004 - one part is the whole
            before, spent = self._best_cost, self._spent()
            if as_a_whole:
                whole = self._improve_whole(team, short=in_doubt)
            else:
                size = _ANY_NUMBER if self.fleet is None else self.fleet.size
                parts = self._parting.parts(list(self._best), count=count, fleet=size)
                whole = self._improve(team, [parts[number :: self.threads] for number in range(self.threads)])
            if not whole:
                return
            self._pays.told(whole=as_a_whole, gain=before - self._best_cost, effort=self._spent() - spent)
            if self.fleet is not None and self._is_time_to_look():
                self._worked, self._looked = 0, time.monotonic()
                self.fleet.look(left=len(self._ledger.left(self._best)), bins=len(self._ledger.prize))
            if as_a_whole or turn % self.tuning.recombine_every == 0:
                self._recombine((time.monotonic() - since) * self.tuning.recombine_share, seed=turn)
                since = time.monotonic()

    def _is_time_to_look(self) -> bool:
        """Whether enough was tried since the last look at the fleet, or time runs."""
        if self._worked >= _LOOK_AFTER * len(self.model.client_stop):
            return True
        return self.until is not None and time.monotonic() - self._looked > _LOOK_SHARE * (self.until - self._began)

    def _improve(self, team: Team, shares: list[list[PartOfSolution]]) -> bool:
        longest = max(sum(len(part.clients) for part in mine) for mine in shares)
        # All workers end together, and none after the time is up.
        per_client = min(self._seconds_a_client(longest), self._left_s() / max(1, longest))
        jobs, asked = [], []
        for mine in shares:
            total = max(1, sum(len(part.clients) for part in mine))
            whole_s = per_client * longest
            jobs.append(
                [
                    Job(
                        start=part.orders,
                        clients=part.clients,
                        vehicles=part.vehicles,
                        effort=self._effort(clients=len(part.clients), share_s=whole_s * len(part.clients) / total),
                    )
                    for part in mine
                ]
            )
            asked.append(mine)
        found: dict[tuple[int, int], Found] = {}
        began = time.monotonic()
        whole = self._run(team, jobs, lambda worker, job, one: found.update({(worker, job): one}))
        taken_s = time.monotonic() - began
        if whole and taken_s > 0:
            pace = sum(one.iterations for one in found.values()) / len(shares) / taken_s
            self._pace = max(20.0, 0.5 * self._pace + 0.5 * pace)
        assert self._best is not None
        routes = dict(self._best)
        for worker, number in sorted(found):
            part, one = asked[worker][number], found[worker, number]
            before = {order: routes[order] for order in part.orders}
            if one.feasible and self._ledger.cost({**one.orders}) < self._ledger.cost(before):
                for order in part.orders:
                    del routes[order]
                routes.update(one.orders)
            self._remember(one)
        self._take(routes, "parts")
        return whole

    def _improve_whole(self, team: Team, *, short: bool) -> bool:
        """Let each worker go on with a solution of its own; the first with the best, the others while they keep up."""
        assert self._best is not None
        if not self._current:
            near = [one for one in self._starts if self._ledger.cost(one) <= _NEAR_BEST * self._best_cost]
            near = sorted(near, key=self._ledger.cost)[: self.threads]
            self._current = [*near, *[self._best] * (self.threads - len(near))]
        for worker in range(self.threads):
            if worker == 0 or self._ledger.cost(self._current[worker]) > _NEAR_BEST * self._best_cost:
                self._current[worker] = self._best
        clients = len(self.model.client_stop)
        growing = self.fleet is not None and bool(self._ledger.left(self._best))
        total_s = 0.0 if self.until is None else self.until - self._began
        share = self.tuning.round_share if growing or short else self.tuning.whole_share
        effort = self._effort(
            clients=clients if short else 4 * clients, share_s=min(self._left_s(), max(0.5, total_s * share))
        )
        jobs = [
            [Job(start=tuple(mine), clients=self._everyone(), vehicles=self._whole_fleet(), effort=effort)]
            for mine in self._current
        ]
        found: dict[int, Found] = {}
        whole = self._run(team, jobs, lambda worker, _, one: found.update({worker: one}))
        for worker in sorted(found):
            one = found[worker]
            if one.feasible and self._ledger.cost(one.orders) <= self._ledger.cost(self._current[worker]):
                self._current[worker] = one.orders
            self._remember(one)
            self._take(self._current[worker], "whole")
        return whole

    def _everyone(self) -> tuple[int, ...] | None:
        """Return all clients where the fleet is cut to size, None where all vehicles may be used."""
        return None if self._whole_fleet() is None else tuple(range(len(self.model.client_stop)))

    def _whole_fleet(self) -> tuple[int, ...] | None:
        if self.fleet is None or len(self.model.type_vehicles) > 1:
            return None
        return (self.fleet.size,)

    def _run(self, team: Team, jobs: Sequence[Sequence[Job]], arrived: Callable[[int, int, Found], None]) -> bool:
        grace = None if self.until is None else self.until + _GRACE_S
        return team.run(self._spend(jobs), stopped=self.stopped, until=grace, arrived=arrived)

    def _recombine(self, seconds: float, *, seed: int) -> None:
        if self._best is None or len(self._pool) <= len(self._best) or not self._goes_on():
            return
        timed = self.iterations is None
        chosen = recombine(
            {**self._pool, **self._best},
            list(self._best),
            choice=replace(self._ledger.choice, vehicles=self._whole_fleet() or self._ledger.choice.vehicles),
            seconds=min(seconds, self._left_s()) if timed or self.until is not None else None,
            work=_FOREVER_S if timed else self.tuning.recombine_work,
            seed=seed,
            threads=self.threads if timed else 1,
        )
        if chosen is not None:
            known = {**self._pool, **self._best}
            self._take({order: known[order] for order in chosen}, "recombined")

    def _remember(self, found: Found) -> None:
        self._worked += found.iterations
        for order, cost in found.pool.items():
            self._pool.pop(order, None)
            self._pool[order] = cost
        for order in list(self._pool)[: max(0, len(self._pool) - self.tuning.pool)]:
            del self._pool[order]

    def _take(self, routes: dict[Order, int], phase: str) -> None:
        routes = {order: cost for order, cost in routes.items() if clients_of([order])}
        cost = self._ledger.cost(routes)
        if self._best is None or cost < self._best_cost:
            self._best, self._best_cost = routes, cost
            self.improved(cost, phase)
