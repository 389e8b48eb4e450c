"""The best engine: its plans keep every rule, a seed with iterations reproduces, and what it borrows is exact."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from random import Random

import numpy as np
import pytest

from optimise.rounds.check import check
from optimise.rounds.engines import Improvement, Limits
from optimise.rounds.engines.best_engine import BestEngine
from optimise.rounds.engines.ortools_engine import ORToolsEngine
from optimise.rounds.engines.pyvrp_engine import PyvrpEngine
from optimise.rounds.engines.pyvrp_search.expressing import is_exact
from optimise.rounds.engines.pyvrp_search.fleet import GrowingFleet
from optimise.rounds.engines.pyvrp_search.model import build
from optimise.rounds.engines.pyvrp_search.orders import clients_of
from optimise.rounds.engines.pyvrp_search.recombine import Choice, recombine
from optimise.rounds.engines.pyvrp_search.rest_time import RestClock
from optimise.rounds.engines.pyvrp_search.split import split
from optimise.rounds.engines.steps import orders_of
from optimise.rounds.problem import DayDisposal, DayVehicle, Prices, Problem, Window
from optimise.rounds.solution import VisitKind
from tests.unit.rounds_rules import day_with_every_rule

HOUR = 3600


def town(*, bins: int, seed: int, vehicles: int = 4, **changes: object) -> Problem:
    """A plane of bins around a depot, a disposal site, lunch, and a cap on a day's litres."""
    random = np.random.default_rng(seed)
    points = random.integers(0, 10_000, size=(bins + 2, 2))
    metres = np.abs(points[:, None, :] - points[None, :, :]).sum(axis=2).astype(np.int64)
    problem = Problem(
        stop_ids=tuple(f"bin {number}" for number in range(bins)),
        location=np.arange(2, bins + 2, dtype=np.int64),
        demand_l=random.integers(40, 120, size=bins).astype(np.int64),
        service_s=np.full(bins, 120, dtype=np.int64),
        prize=np.zeros(bins, dtype=np.int64),
        must=np.ones(bins, dtype=np.bool_),
        windows=tuple(
            (Window(from_s=6 * HOUR, until_s=10 * HOUR),) if number % 3 == 0 else () for number in range(bins)
        ),
        vehicles=tuple(
            DayVehicle(
                vehicle_id=f"van {number}", capacity_l=600, depot=0, shift_from_s=5 * HOUR, shift_until_s=14 * HOUR,
                break_s=HOUR, break_from_s=11 * HOUR, break_until_s=13 * HOUR, day_l=1500,
            )
            for number in range(vehicles)
        ),
        disposals=(DayDisposal(place_id="tip", location=1, unload_s=600),),
        duration_s=metres // 8,
        distance_m=metres,
        prices=Prices(per_metre=1500, per_second=0, per_vehicle=1_000_000_000),
    )  # fmt: skip
    return replace(problem, **changes) if changes else problem  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", [BestEngine(threads=1), PyvrpEngine(threads=1)], ids=["best", "pyvrp"])
def test_a_day_with_trips_lunch_windows_and_caps_is_accepted(engine: BestEngine) -> None:
    problem = town(bins=40, seed=1)
    told: list[Improvement] = []
    solution = engine.solve(problem, limits=Limits(solve_s=None, iterations=1500), seed=0, improved=told.append)
    verdict = check(problem, solution)
    assert verdict.accepted, [str(one) for one in verdict.violations]
    assert not solution.left_out
    assert told


def test_a_seed_with_iterations_reproduces() -> None:
    problem = town(bins=25, seed=2)
    limits = Limits(solve_s=None, iterations=400)
    first, second = (BestEngine(threads=2).solve(problem, limits=limits, seed=5) for _ in range(2))
    assert first == second


def test_bins_that_nobody_can_serve_are_left_and_the_rest_is_served() -> None:
    problem = town(bins=12, seed=3)
    barred = np.zeros((12, 4), dtype=np.bool_)
    barred[4] = True
    problem = town(bins=12, seed=3, barred=barred)
    solution = BestEngine(threads=1).solve(problem, limits=Limits(solve_s=None, iterations=200), seed=0)
    assert solution.left_out == (4,)
    assert {violation.rule.value for violation in check(problem, solution).violations} == {"must_be_served"}


@pytest.mark.parametrize("seed", [6, 28])
def test_whatever_the_rules_they_are_kept_and_no_plan_is_dearer_than_the_other_engines(seed: int) -> None:
    problem = day_with_every_rule(seed=seed, bins=8, traffic=seed % 3 == 0)
    problem = replace(problem, must=np.zeros(8, dtype=np.bool_))
    limits = Limits(solve_s=None, iterations=120)
    solution = BestEngine(threads=1).solve(problem, limits=limits, seed=0)
    verdict = check(problem, solution)
    assert verdict.accepted, [str(one) for one in verdict.violations]
    other = ORToolsEngine().solve(problem, limits=Limits(solve_s=None, iterations=60), seed=0)
    if not is_exact(problem):
        assert solution.cost <= other.cost


def test_orders_are_numbers_and_numbers_are_orders() -> None:
    problem = town(bins=12, seed=5)
    solution = BestEngine(threads=1).solve(problem, limits=Limits(solve_s=None, iterations=150), seed=0)
    model = build(problem, stops=list(range(12)), must_as_prize=False)
    numbers = model.numbered(orders_of(solution))
    assert [[stop for kind, stop in steps if kind is VisitKind.STOP] for _, steps in model.orders(numbers)] == [
        list(route.stops) for route in solution.routes
    ]


def test_it_can_be_stopped_at_once_and_still_answers() -> None:
    problem = town(bins=20, seed=4)
    solution = BestEngine(threads=1).solve(problem, limits=Limits(solve_s=60.0), seed=0, stopped=lambda: True)
    assert all(violation.rule.value == "must_be_served" for violation in check(problem, solution).violations)


def test_recombining_finds_the_best_of_all_known_routes() -> None:
    random = Random(1)
    for _ in range(10):
        pool = {}
        for _ in range(25):
            visits = tuple(random.sample(range(6), random.randint(1, 3)))
            pool[0, visits] = random.randint(10, 99)
        alone = {(0, (client,)): 80 for client in range(6)}
        pool = alone | pool
        chosen = recombine(
            pool, list(alone), choice=Choice(prizes=[None] * 5 + [30], vehicles=[4]), seconds=None, work=10.0, seed=1
        )
        best = _brute_force(pool, vehicles=4)
        assert chosen is not None
        left = 5 not in clients_of(chosen)
        assert sum(pool[order] for order in chosen) + 30 * left == best


def _brute_force(pool: dict, *, vehicles: int) -> int:
    orders = list(pool)
    best = 10**9

    def take(number: int, served: frozenset, used: int, cost: int) -> None:
        nonlocal best
        if served >= set(range(5)):
            best = min(best, cost + (0 if 5 in served else 30))
        if used == vehicles:
            return
        for at in range(number, len(orders)):
            clients = set(orders[at][1])
            if not clients & served:
                take(at + 1, served | clients, used + 1, cost + pool[orders[at]])

    take(0, frozenset(), 0, 0)
    return best


def test_a_window_kept_in_working_time_is_kept_by_the_clock() -> None:
    clock = RestClock(break_s=10, rest_at_s=50)
    for from_s, length_s, stay_s in product(range(0, 80, 3), (0, 4, 15, 40), (1, 7)):
        real = Window(from_s=from_s, until_s=from_s + length_s)
        working = clock.window(real, stay_s=stay_s)
        if working is None:
            continue
        for moment in (working.from_s, working.until_s):
            # What ends before the break is where it seems; otherwise the break comes first.
            by_clock = moment if moment + stay_s <= clock.rest_at_s else moment + clock.break_s
            after = moment + clock.break_s
            assert real.from_s <= by_clock <= real.until_s or real.from_s <= after <= real.until_s


def test_parts_hold_every_route_once() -> None:
    random = Random(3)
    centres = np.array([(random.random(), random.random()) for _ in range(17)])
    sizes = [random.randint(1, 30) for _ in range(17)]
    for parts in (1, 2, 4, 6):
        found = split(centres, sizes, parts=parts, around=np.array([0.5, 0.5]), random=random)
        assert sorted(route for part in found for route in part) == list(range(17))
        assert len(found) <= parts
        assert all(found)


def test_a_fleet_grows_only_while_bins_are_left_and_stall() -> None:
    fleet = GrowingFleet(size=2, most=4)
    lefts = [30, 20, 19, 18, 0, 0, 0]
    sizes = []
    for left in lefts:
        fleet.look(left=left, bins=100)
        sizes.append(fleet.size)
    assert sizes == [2, 2, 3, 3, 3, 3, 3]


def test_a_tiny_day_is_solved_to_the_optimum() -> None:
    problem = town(bins=5, seed=7, vehicles=1, windows=())
    solution = BestEngine(threads=1).solve(problem, limits=Limits(solve_s=None, iterations=300), seed=0)
    metres = problem.distance_m
    best = min(metres[[0, *order, 1], [*order, 1, 0]].sum() for order in permutations(range(2, 7)))
    assert solution.distance_m == int(best)
