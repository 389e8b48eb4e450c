"""Compare policies over months on the same towns: turn each dial on the warm-up, judge on the days after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import numpy as np

from optimise.rounds.months import figures
from optimise.rounds.months.calibrate import Try, turn
from optimise.rounds.months.contenders import Contender, contenders, dial_value
from optimise.rounds.months.fixed import tuned
from optimise.rounds.months.options import MonthsOptions
from optimise.rounds.months.play import DayRecord, State, old_rounds, play
from optimise.rounds.months.policies import Fixed, Knows, Ours, Policy, Threshold
from optimise.rounds.months.town import Town
from storage.errors import InputError

type Progress = Callable[[str], None]


def evaluate_months(
    towns: Sequence[Town],
    *,
    options: MonthsOptions,
    processes: int,
    progress: Progress,
    only: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return the document's policies with their savings and how each was calibrated.

    `only` names the policies to play; empty for all. Raises InputError for a name that is none of theirs.
    """
    every = contenders(options)
    strangers = only - {contender.name for contender in every}
    if strangers:
        raise InputError(f"expected policies among {', '.join(one.name for one in every)}, got {sorted(strangers)}")
    rows, tried = [], {}
    with _workers(towns, options, processes) as pool:
        for contender in [one for one in every if not only or one.name in only]:
            game = _Game(pool, contender, options, len(towns), progress)
            tried[contender.name] = game.calibrate()
            rows.append((contender, game.judge()))
    return figures.document(rows, tried, options=options, bins=[len(town.bins) for town in towns])


class _Game:
    """One policy on all towns."""

    def __init__(
        self, pool: Executor, contender: Contender, options: MonthsOptions, towns: int, progress: Progress
    ) -> None:
        self._pool, self._contender, self._options, self._towns = pool, contender, options, towns
        self._progress = progress
        self._mornings = self._all([pool.submit(_prepare, number, contender) for number in range(towns)], "learns")
        self._after: dict[float, list[tuple[Policy, State]]] = {}
        self._dial = contender.first

    def calibrate(self) -> tuple[Try, ...]:
        """Turn the dial on the warm-up; every position sees the same days."""
        options = self._options
        judged = options.warmup_days - options.settling_days
        bin_days = judged * sum(len(state.street.base_l) for state in self._mornings)
        done = turn(
            self._overflow_share,
            first=self._contender.first,
            allowed=1 - options.service,
            bin_days=bin_days,
            tries=options.tries,
        )
        self._dial = done[-1].dial
        return done

    def judge(self) -> list[list[DayRecord]]:
        """Play the judged days of each town from where the warm-up with the chosen dial ended."""
        futures = [
            self._pool.submit(_go_on, number, policy, state, self._options.days)
            for number, (policy, state) in enumerate(self._after[self._dial])
        ]
        return [records for records, _, _ in self._all(futures, f"{self._options.days} days")]

    def _overflow_share(self, dial: float) -> float:
        value = dial_value(self._contender, dial, self._options)
        futures = [
            self._pool.submit(_warm_up, number, self._contender, dial, state)
            for number, state in enumerate(self._mornings)
        ]
        found = self._all(futures, f"warm-up at {value:.4g}")
        self._after[dial] = [(policy, state) for _, policy, state in found]
        days = [day for records, _, _ in found for day in records[self._options.settling_days :]]
        bin_days = sum(
            len(state.street.base_l) * (self._options.warmup_days - self._options.settling_days)
            for state in self._mornings
        )
        return float(sum(day.over_bins for day in days)) / bin_days

    def _all(self, futures: list[Future[Any]], what: str) -> list[Any]:
        for count, _ in enumerate(as_completed(futures), start=1):
            self._progress(f"{self._contender.name}: {what}, town {count} of {len(futures)}")
        return [future.result() for future in futures]


_world: tuple[Sequence[Town], MonthsOptions]
"""What every task of a worker process plays on, handed over once."""


class _Here(Executor):
    """One town needs no other process: starting one takes longer than a small evaluation."""

    def submit[**P, T](self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do it now."""
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def _workers(towns: Sequence[Town], options: MonthsOptions, processes: int) -> Iterator[Executor]:
    workers = min(processes, len(towns))
    if workers == 1:
        _settle(towns, options)
        yield _Here()
        return
    pool = ProcessPoolExecutor(
        max_workers=workers,
        mp_context=get_context("spawn"),
        initializer=_settle,
        initargs=(towns, options),
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _settle(towns: Sequence[Town], options: MonthsOptions) -> None:
    global _world  # noqa: PLW0603 - a worker process is one world
    _world = (towns, options)


def _prepare(number: int, contender: Contender) -> State:
    """Live the old rounds of a town, with sensors on the policy's share of bins, up to the warm-up's first morning."""
    towns, options = _world
    town = towns[number]
    days = options.history_days
    calendar = tuned(town.past, service=options.service, sectors=town.sectors, hot=False)
    # A smaller share's bins are among a larger one's: only the number of sensors differs.
    order = np.random.default_rng(town.seed).permutation(len(town.bins))
    sensed = np.sort(order[: round(contender.sensors * len(order))])
    state = old_rounds(town, calendar, sensed, days=days)
    if contender.kind == "ours":
        state.knowledge.learn(days, folds=options.folds)
    return state


def _warm_up(number: int, contender: Contender, dial: float, state: State) -> tuple[list[DayRecord], Policy, State]:
    towns, options = _world
    town = towns[number]
    policy: Policy
    value = dial_value(contender, dial, options)
    match contender.kind:
        case "fixed" | "fixed_hot" as kind:
            hot = kind == "fixed_hot"
            policy = Fixed(town, tuned(town.past, service=value, sectors=town.sectors, hot=hot))
        case "threshold":
            policy = Threshold(town, level=value)
        case kind:
            policy = Ours(town, options, overflow_eur=value, knows=Knows(kind))
    return _go_on(number, policy, state, options.warmup_days)


def _go_on(number: int, policy: Policy, state: State, days: int) -> tuple[list[DayRecord], Policy, State]:
    towns, options = _world
    records, after = play(towns[number], policy, state, days=days, options=options)
    return records, policy, after
