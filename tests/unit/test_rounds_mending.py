"""Rounds mended around locks on days with every rule: what is locked stays, the checker agrees, a seed reproduces."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from optimise.rounds.check import check
from optimise.rounds.editing.changing import Known, changed_in, longest_increasing
from optimise.rounds.editing.ground import Ground, Line, steps_of
from optimise.rounds.editing.mending import Effort, Mending
from optimise.rounds.editing.remaking import Asked, SearchLimits, remake
from optimise.rounds.editing.unloading import overloaded, unloading
from optimise.rounds.engines.schedule import solution_of
from optimise.rounds.locks import Locks
from optimise.rounds.problem import EURO, Problem
from optimise.rounds.solution import VisitKind
from storage.errors import PlanRefusedError
from tests.unit.rounds_rules import day_with_every_rule
from tests.unit.rounds_samples import day


def mended(problem: Problem, asked: Asked, *, seed: int = 0, iterations: int = 40) -> dict[int, Line]:
    ground = Ground(problem, asked.locks, asked.known)
    return Mending(ground, seed=seed).run(asked.lines, hot=asked.hot, effort=Effort(iterations=iterations))


def without_musts(problem: Problem) -> Problem:
    return replace(problem, must=np.zeros(len(problem.stop_ids), dtype=np.bool_))


def first_rounds(problem: Problem) -> dict[int, Line]:
    return mended(problem, Asked(lines={}, locks=Locks(), known=Known()))


@pytest.mark.parametrize("traffic", [False, True], ids=["steady", "traffic"])
def test_whatever_is_locked_the_checker_accepts(traffic: bool):  # noqa: FBT001 - a parameter
    locked = 0
    for seed in range(40):
        problem = without_musts(day_with_every_rule(seed=seed, bins=14, traffic=traffic))
        lines = first_rounds(problem)
        served = {vehicle: [at for at in line if at >= 0] for vehicle, line in lines.items()}
        full = [vehicle for vehicle, stops in served.items() if len(stops) > 1]
        if not full:
            continue
        locked += 1
        dice = random.Random(seed)
        vehicle = dice.choice(full)
        pinned, first = dice.choice(served[vehicle]), served[vehicle][0]
        locks = Locks(
            vehicle={pinned: vehicle, first: vehicle},
            head={vehicle: ((VisitKind.STOP, first),)},
            order={vehicle: tuple(served[vehicle])},
            pinned=frozenset({pinned}),
        )
        known = Known(orders=served, change_cost=dice.choice([0, EURO // 2]))
        asked = Asked(lines=lines, locks=locks, known=known, hot=tuple(served[vehicle]))
        made = remake(problem, asked, seed=seed, limits=SearchLimits(seconds=None, iterations=40))
        assert check(made.problem, made.solution, locks).accepted
        again = remake(problem, asked, seed=seed, limits=SearchLimits(seconds=None, iterations=40))
        assert again.solution == made.solution
    assert locked >= 5


def test_a_search_never_makes_rounds_dearer():
    problem = day(bins=60, fleet=3, seed=3)
    lines = mended(problem, Asked(lines=everything_in_a_row(problem), locks=Locks(), known=Known()), iterations=1)
    costs = []
    for iterations in (0, 60, 300):
        asked = Asked(lines=lines, locks=Locks(), known=Known())
        made = remake(problem, asked, seed=1, limits=SearchLimits(seconds=None, iterations=iterations))
        costs.append(made.solution.cost)
    assert costs[0] >= costs[1] >= costs[2]
    assert costs[2] < 0.9 * costs[0]


def everything_in_a_row(problem: Problem) -> dict[int, Line]:
    thirds = np.array_split(np.arange(len(problem.stop_ids)), len(problem.vehicles))
    return {vehicle: [*stops.tolist(), -1] for vehicle, stops in enumerate(thirds)}


def test_where_changes_cost_more_than_they_gain_nothing_changes():
    problem = day(bins=40, fleet=2, seed=5)
    lines = first_rounds_of(problem)
    served = {vehicle: [at for at in line if at >= 0] for vehicle, line in lines.items()}
    for price, changes in ((1000 * EURO, False), (0, True)):
        shuffled = {vehicle: list(reversed(stops)) for vehicle, stops in served.items()}
        known = Known(orders=shuffled, change_cost=price)
        start = {vehicle: [*stops, -1] for vehicle, stops in shuffled.items()}
        found = mended(problem, Asked(lines=start, locks=Locks(), known=known), iterations=80)
        orders = {vehicle: [at for at in line if at >= 0] for vehicle, line in found.items()}
        assert (orders != shuffled) is changes


def first_rounds_of(problem: Problem) -> dict[int, Line]:
    return mended(problem, Asked(lines=everything_in_a_row(problem), locks=Locks(), known=Known()), iterations=100)


def test_changes_are_counted_by_the_longest_order_that_stays():
    place_of = {stop: (0, turn) for turn, stop in enumerate([10, 11, 12, 13])}
    assert changed_in(0, [10, 11, 12, 13], place_of) == 0
    assert changed_in(0, [13, 10, 11, 12], place_of) == 1
    assert changed_in(0, [10, 99, 12], place_of) == 1
    assert changed_in(1, [10, 11], place_of) == 2
    assert longest_increasing([5, 1, 2, 9, 3]) == 3


def test_unloadings_are_placed_so_that_every_trip_is_carried():
    problem = day(bins=40, fleet=1, seed=2, sites=2)
    ground = Ground(problem, Locks(), Known())
    line = list(range(40))
    assert overloaded(ground, 0, line)
    placed = unloading(ground, 0, line)
    assert placed is not None
    assert [at for at in placed if at >= 0] == line
    assert not overloaded(ground, 0, placed)
    # As few as loads allow, or more where a site is on the way.
    assert sum(at < 0 for at in placed) >= -(-int(problem.demand_l.sum()) // problem.vehicles[0].capacity_l)
    heavy = replace(problem, demand_l=np.full(40, 1001, dtype=np.int64))
    assert unloading(Ground(heavy, Locks(), Known()), 0, line) is None


def test_the_checker_names_the_lock_that_is_broken():
    problem = day(bins=4, fleet=2, seed=1)
    solution = solution_of(problem, [(0, steps_of([0, 1, 2, -1])), (1, steps_of([3, -1]))], engine="by hand")
    cases = {
        "locked_vehicle (BOM-1, COR-0004): the bin is to be served by BOM-1 and is served by BOM-2": Locks(
            vehicle={3: 0}
        ),
        "locked_first (BOM-1, COR-0002): the round is to begin with it (visit 1) and does not": Locks(
            head={0: ((VisitKind.STOP, 1),)}
        ),
        "locked_in_place (BOM-1, COR-0002): the bin is to stay in place and COR-0001 comes before it now": Locks(
            order={0: (1, 0, 2)}, pinned=frozenset({1})
        ),
    }
    for words, locks in cases.items():
        assert words in [str(one) for one in check(problem, solution, locks).violations]
    assert check(problem, solution, Locks(vehicle={3: 1}, order={0: (0, 1, 2)}, pinned=frozenset({1}))).accepted


def test_a_locked_bin_that_no_time_is_left_for_is_refused_by_rule():
    problem = day(bins=6, fleet=1, seed=1)
    late = replace(problem, service_s=np.full(6, 4 * 3600, dtype=np.int64))
    asked = Asked(lines={0: [0, 1, -1]}, locks=Locks(vehicle={0: 0, 1: 0}), known=Known())
    with pytest.raises(PlanRefusedError, match=r"shift_end \(BOM-1\): is back at"):
        remake(late, asked, seed=1, limits=SearchLimits(seconds=None, iterations=10))


def test_a_bin_that_is_imposed_finds_a_place_though_others_have_to_go():
    problem = day(bins=60, fleet=1, seed=4)
    full = replace(problem, service_s=np.full(60, 600, dtype=np.int64))
    lines = mended(full, Asked(lines=everything_in_a_row(full), locks=Locks(), known=Known()), iterations=30)
    served = {at for line in lines.values() for at in line}
    left = [stop for stop in range(60) if stop not in served]
    assert left
    for stop in left:
        asked = Asked(lines=lines, locks=Locks(), known=Known(), served=frozenset({stop}), hot=(stop,))
        made = remake(full, asked, seed=1, limits=SearchLimits(seconds=None, iterations=0))
        assert stop in made.lines[0]
