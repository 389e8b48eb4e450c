"""A bound on the cost: no plan is below it, whoever made it, and on plain instances it is near."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations, product
from pathlib import Path

import numpy as np
import pytest

from optimise.rounds.bound import cost_bound
from optimise.rounds.check import check
from optimise.rounds.engines import Limits
from optimise.rounds.engines.ortools_engine import ORToolsEngine
from optimise.rounds.formats import read_task
from optimise.rounds.problem import EURO, Prices, Problem
from tests.unit.rounds_samples import day, vehicle


def small(seed: int, *, stops: int = 5, must: bool = False) -> Problem:
    """A day without a disposal site and without a break, whose best plan can be found by looking at all."""
    fleet = tuple(vehicle(f"BOM-{number}", capacity_l=150, break_s=0) for number in range(1, stops + 1))
    return day(
        bins=stops, seed=seed, sites=0, vehicles=fleet, must=np.full(stops, must),
        prices=Prices(per_metre=1500, per_second=12_500, per_vehicle=3 * EURO),
    )  # fmt: skip


def cheapest(problem: Problem) -> int:
    """The cost of the best plan, by trying each way to put stops on trips."""
    stops = range(len(problem.stop_ids))
    prices = problem.prices

    def trip(chosen: tuple[int, ...]) -> float:
        if sum(problem.demand_l[stop] for stop in chosen) > 150:
            return np.inf
        rows = [[0, *(problem.location[stop] for stop in order), 0] for order in permutations(chosen)]
        driven = min(
            sum(
                problem.distance_m[a, b] * prices.per_metre + problem.duration_s[a, b] * prices.per_second
                for a, b in pairwise(row)
            )
            for row in rows
        )
        return float(driven + prices.per_vehicle + sum(problem.service_s[stop] for stop in chosen) * prices.per_second)

    trips = {chosen: trip(chosen) for size in range(1, len(stops) + 1) for chosen in combinations(stops, size)}
    best = np.inf
    for labels in product(range(-1, len(stops)), repeat=len(stops)):
        if any(label > max([-1, *labels[:place]]) + 1 for place, label in enumerate(labels)):
            continue  # the same trips under other names
        if any(label < 0 and problem.must[stop] for stop, label in enumerate(labels)):
            continue
        cost = float(sum(problem.prize[stop] for stop, label in enumerate(labels) if label < 0))
        for name in set(labels) - {-1}:
            cost += trips[tuple(stop for stop, label in enumerate(labels) if label == name)]
        best = min(best, cost)
    return int(best)


@pytest.mark.parametrize("must", [True, False])
def test_no_plan_of_a_small_day_is_below_and_the_best_is_near(*, must: bool):
    shares = []
    for seed in range(6):
        problem = small(seed, must=must)
        best = cheapest(problem)
        bound = cost_bound(problem, best=best, seconds=0.1)
        assert bound is not None
        assert bound <= best
        shares.append(bound / best)
    # Going west takes longer here, and the bound takes each drive the better way round.
    assert np.mean(shares) > 0.8


def test_no_plan_of_a_day_with_everything_is_below():
    for seed in range(2):
        problem = day(bins=25, seed=seed, sites=2)
        found = ORToolsEngine().solve(problem, limits=Limits(solve_s=None, iterations=30), seed=seed)
        verdict = check(problem, found)
        assert verdict.accepted
        bound = cost_bound(problem, best=verdict.cost, seconds=0.3)
        assert bound is not None
        assert 0 < bound <= verdict.cost
        assert bound == cost_bound(problem, best=verdict.cost, seconds=0.3)


def test_stops_without_a_demand_or_too_many_for_the_time_have_none():
    problem = small(0)
    assert cost_bound(problem, best=1, seconds=1e-6) is None
    demand = problem.demand_l.copy()
    demand[0] = 0
    without = day(bins=5, seed=0, sites=0, demand_l=demand)
    assert cost_bound(without, best=1, seconds=1) is None
    assert cost_bound(problem, best=1, seconds=1, of_distance=True) is None  # who leaves stops drives less


@pytest.mark.parametrize(
    ("name", "least"),
    [("cvrp/X-n101-k25", 0.95), ("cvrp/X-n200-k36", 0.94), ("mtvrptwr/RC207R0.25", 0.85), ("mtvrptwr/C203R0.5", 0.85)],
)
def test_published_plans_are_not_below_and_not_far_above(reference_data: Path, name: str, least: float):
    file = reference_data / "vrp" / f"{name}.vrp"
    task = read_task(file.read_text(encoding="utf-8"), file.name)
    (published,) = (
        float(line.split()[-1])
        for line in file.with_suffix(".sol").read_text(encoding="utf-8").splitlines()
        if line.lower().startswith("cost")
    )
    bound = cost_bound(task.problem, best=round(published * task.unit.divisor), seconds=0.9)
    assert bound is not None
    assert least * published <= task.unit.told(bound) <= published
