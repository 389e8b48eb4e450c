"""Rounds made anew as somebody wants them: searched around the locks, checked, each lock with its price. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from optimise.rounds.check import Verdict, check
from optimise.rounds.editing.changing import Known
from optimise.rounds.editing.forcing import forced_violations
from optimise.rounds.editing.ground import Ground, Line, steps_of
from optimise.rounds.editing.mending import Effort, Mending, UnkeepableError
from optimise.rounds.editing.wanted import Wanted
from optimise.rounds.engines.schedule import solution_of
from optimise.rounds.locks import Locks
from optimise.rounds.problem import EURO, Problem
from optimise.rounds.solution import Solution, VisitKind
from storage.errors import PlanRefusedError
from storage.model import Reason, StopKind

ENGINE = "mend 1"
LOCKS_SHARE = 0.25
"""How much longer than the rounds themselves the prices of locks are searched for."""
_LOCKS_PRICED = 12
_FEW = 12
_TOLD = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchLimits:
    """How long to search: seconds, or iterations, with which a seed reproduces."""

    seconds: float | None = 2.5
    iterations: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Remade:
    """Rounds that the checker accepted, with the problem and the locks that they answer."""

    problem: Problem
    locks: Locks
    lines: Mapping[int, Line]
    solution: Solution
    verdict: Verdict
    iterations: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is asked of one problem, by indices: the rounds to begin from, the locks, imposed and left bins."""

    lines: dict[int, Line]
    locks: Locks
    known: Known
    served: frozenset[int] = frozenset()
    left: frozenset[int] = frozenset()
    hot: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """The indices of a problem's bins, vehicles and disposal sites by their ids."""

    stops: dict[str, int] = field(default_factory=dict)
    vehicles: dict[str, int] = field(default_factory=dict)
    sites: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem) -> Names:
        """Return those of a problem."""
        return cls(
            stops={name: index for index, name in enumerate(problem.stop_ids)},
            vehicles={who.vehicle_id: index for index, who in enumerate(problem.vehicles)},
            sites={site.place_id: index for index, site in enumerate(problem.disposals)},
        )


def asked_of(problem: Problem, wanted: Wanted, kept_out: Mapping[str, Reason], *, change_cost: int) -> Asked:
    """Return what is wanted in the problem's indices. Raises PlanRefusedError for imposed bins that are kept out."""
    names = Names.of(problem)
    imposed = [*wanted.round_of, *wanted.served]
    lost = [place_id for place_id in dict.fromkeys(imposed) if place_id not in names.stops]
    if lost:
        told = "; ".join(
            f"must_be_served ({place_id}): {kept_out[place_id].text if place_id in kept_out else 'no such bin'}"
            for place_id in lost[:_TOLD]
        )
        raise PlanRefusedError(f"the checker refused the edits: {told}")
    lines: dict[int, Line] = {}
    for vehicle_id, visits in wanted.rounds.items():
        if vehicle_id in names.vehicles:
            lines[names.vehicles[vehicle_id]] = [
                names.stops[place_id] if kind is StopKind.BIN else -names.sites[place_id] - 1
                for kind, place_id in visits
                if place_id in (names.stops if kind is StopKind.BIN else names.sites)
            ]
    orders = {vehicle: tuple(at for at in line if at >= 0) for vehicle, line in lines.items()}
    locks = Locks(
        vehicle={names.stops[place_id]: names.vehicles[round_] for place_id, round_ in wanted.round_of.items()},
        head={
            names.vehicles[vehicle_id]: ((VisitKind.STOP, names.stops[place_id]),)
            for vehicle_id, place_id in wanted.first.items()
        },
        order=orders,
        pinned=frozenset(names.stops[place_id] for place_id in wanted.pinned),
    )
    return Asked(
        lines=lines,
        locks=locks,
        known=Known(orders=orders, change_cost=change_cost),
        served=frozenset(names.stops[place_id] for place_id in wanted.served),
        left=frozenset(names.stops[place_id] for place_id in wanted.left if place_id in names.stops),
        hot=tuple(names.stops[place_id] for place_id in wanted.touched if place_id in names.stops),
    )


def told(problem: Problem, asked: Asked) -> Problem:
    """Return the problem with the bins imposed and left that are asked for."""
    must, must_not = problem.must.copy(), problem.must_not.copy()
    must[list(asked.left)] = False
    must_not[list(asked.left)] = True
    imposed = [*asked.served, *asked.locks.vehicle]
    must[imposed], must_not[imposed] = True, False
    return replace(problem, must=must, must_not=must_not)


def remake(
    problem: Problem,
    asked: Asked,
    *,
    seed: int,
    limits: SearchLimits,
    stopped: Callable[[], bool] = lambda: False,
    ground: Ground | None = None,
) -> Remade:
    """Search rounds around the locks. Raises PlanRefusedError naming the bin and the rule that stand in the way."""
    problem = told(problem, asked)
    _refuse_what_cannot_be(problem, asked)
    until = None if limits.seconds is None else time.monotonic() + limits.seconds
    ground = Ground(problem, asked.locks, asked.known, like=ground)
    search = Mending(ground, seed=seed)
    try:
        lines = search.run(
            asked.lines, hot=asked.hot, effort=Effort(until=until, iterations=limits.iterations, stopped=stopped)
        )
    except UnkeepableError as error:
        found = forced_violations(problem, error.vehicle, error.line)
        who = problem.vehicles[error.vehicle].vehicle_id
        raise PlanRefusedError(
            f"the checker refused the edits: {_in_words(found) or f'the locked bins of {who} fit no round'}"
        ) from error
    solution = solution_of(problem, [(vehicle, steps_of(line)) for vehicle, line in lines.items()], engine=ENGINE)
    verdict = check(problem, solution, asked.locks)
    if not verdict.accepted:
        raise PlanRefusedError(f"the checker refused the edits: {_why(problem, asked, lines, verdict)}")
    return Remade(
        problem=problem,
        locks=asked.locks,
        lines=lines,
        solution=solution,
        verdict=verdict,
        iterations=search.iterations,
    )


def _refuse_what_cannot_be(problem: Problem, asked: Asked) -> None:
    """Refuse locks that break a rule whatever else the rounds hold."""
    found = []
    for vehicle in sorted({*asked.locks.vehicle.values()}):
        held = [stop for stop, round_ in asked.locks.vehicle.items() if round_ == vehicle]
        turn = {at: number for number, at in enumerate(asked.lines.get(vehicle, ()))}
        held.sort(key=lambda stop: turn.get(stop, len(turn)))
        # One by one, what no order can mend; in any order their times might be kept.
        for stop in held:
            found += forced_violations(problem, vehicle, [stop])
    if found:
        raise PlanRefusedError(f"the checker refused the edits: {_in_words(found)}")


def _why(problem: Problem, asked: Asked, lines: Mapping[int, Line], verdict: Verdict) -> str:
    """Return the verdict's words, and what stands in the way of the bins that had to be served."""
    words = [str(violation) for violation in verdict.violations]
    served = {at for line in lines.values() for at in line if at >= 0}
    for stop in np.flatnonzero(problem.must).tolist()[:_TOLD]:
        if stop in served:
            continue
        vehicle = asked.locks.vehicle.get(stop)
        if vehicle is not None:
            words += [str(one) for one in forced_violations(problem, vehicle, [*lines.get(vehicle, []), stop])]
            continue
        alone = [forced_violations(problem, other, [stop]) for other in range(len(problem.vehicles))]
        if all(alone):
            words += [str(one) for one in min(alone, key=len)]
    return "; ".join(list(dict.fromkeys(words))[:_TOLD])


def _in_words(violations: Sequence[object]) -> str:
    return "; ".join(list(dict.fromkeys(str(violation) for violation in violations))[:_TOLD])


def lock_prices(
    problem: Problem,
    remade: Remade,
    without: Mapping[int, Asked | None],
    *,
    seed: int,
    limits: SearchLimits,
) -> dict[int, float | None]:
    """Return what each edit costs in euros: how much cheaper the same rounds become when it is taken back.

    `problem` is as the plan had it; `without` gives for each edit, by number, what is asked without it (None: others
    need it). Each is searched for a short while from the rounds as they are, so a price is at least what is told.
    None where it was not tried.
    """
    tried = [number for number, asked in without.items() if asked is not None][:_LOCKS_PRICED]
    each_s = None if limits.seconds is None else limits.seconds * LOCKS_SHARE / max(1, len(tried))
    found: dict[int, float | None] = dict.fromkeys(without)
    ground = Ground(remade.problem, remade.locks, Known())
    for number in tried:
        asked = without[number]
        assert asked is not None
        freed = replace(asked, lines=dict(remade.lines), known=replace(asked.known, change_cost=0))
        iterations = limits.iterations if each_s is None else None
        try:
            other = remake(
                problem,
                freed,
                seed=seed,
                limits=SearchLimits(seconds=each_s, iterations=iterations and max(_FEW, iterations // 4)),
                ground=ground,
            )
        except PlanRefusedError:
            continue
        found[number] = max(0.0, (remade.solution.cost - other.solution.cost) / EURO)
    return found
