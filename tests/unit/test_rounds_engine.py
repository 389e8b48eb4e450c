"""The engine: whatever the day, its plan is accepted; it is good, it is the same for a seed, and it can be stopped."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from optimise.rounds.check import check
from optimise.rounds.engines import Improvement, Limits
from optimise.rounds.engines.ortools_engine import ORToolsEngine
from optimise.rounds.engines.ruin_recreate import RuinAndRecreate
from optimise.rounds.engines.schedule import Step, solution_of
from optimise.rounds.engines.trips import MUST_PRIZE, trip_model
from optimise.rounds.insertion import gaps, insertions
from optimise.rounds.problem import EURO, Problem
from optimise.rounds.solution import Solution, VisitKind
from storage.errors import InputError
from tests.unit.rounds_samples import HOUR, day, vehicle


def solve(problem: Problem, *, seed: int = 0, iterations: int = 300) -> Solution:
    return ORToolsEngine().solve(problem, limits=Limits(solve_s=None, iterations=iterations), seed=seed)


def nearest_neighbour(problem: Problem) -> Solution:
    """What a careful person does: the nearest worthwhile bin next, unloading when full, as long as the shift lasts."""
    left = {stop for stop in range(len(problem.stop_ids)) if problem.prize[stop] > 3 * EURO}
    orders: list[tuple[int, list[Step]]] = []
    for number, who in enumerate(problem.vehicles):
        steps: list[Step] = []
        at, load_l = who.depot, 0
        while left:
            stop = min(left, key=lambda stop: int(problem.duration_s[at, problem.location[stop]]))
            full = load_l + int(problem.demand_l[stop]) > who.capacity_l
            tried: list[Step] = [*steps, *([(VisitKind.DISPOSAL, 0)] if full else []), (VisitKind.STOP, stop)]
            if not solution_of(problem, [(number, [*tried, (VisitKind.DISPOSAL, 0)])], engine="").routes:
                break
            steps, at = tried, int(problem.location[stop])
            load_l = int(problem.demand_l[stop]) + (0 if full else load_l)
            left.remove(stop)
        orders.append((number, [*steps, (VisitKind.DISPOSAL, 0)] if steps else []))
    return solution_of(problem, orders, engine="nearest neighbour")


@pytest.mark.parametrize("seed", range(3))
def test_it_beats_a_careful_person(seed: int):
    problem = day(bins=60, seed=seed)
    found, plain = solve(problem), nearest_neighbour(problem)
    assert check(problem, found).accepted
    assert check(problem, plain).accepted
    assert found.cost < 0.9 * plain.cost


def test_a_seed_reproduces_the_plan():
    problem = day(bins=40)
    assert solve(problem, seed=3) == solve(problem, seed=3)


def test_full_vehicles_unload_and_go_on():
    problem = day(bins=40, fleet=1, demand_l=np.full(40, 90, dtype=np.int64))
    found = solve(problem)
    assert check(problem, found).accepted
    unloadings = [visit for route in found.routes for visit in route.visits if visit.kind is VisitKind.DISPOSAL]
    served = sum(len(route.stops) for route in found.routes)
    # 11 bins of 90 l fill 1000 l.
    assert served > 11
    assert len(unloadings) >= np.ceil(served / 11)


@pytest.mark.parametrize("seed", range(4))
def test_the_search_keeps_its_books(seed: int):
    """A search updates cost, loads and times as it goes: after hundreds of rounds they are what its trips add up to."""
    small = vehicle(capacity_l=250, shift_until_s=20 * HOUR)
    fleet = (small, replace(small, vehicle_id="BOM-2"))
    problem = replace(day(bins=40, seed=seed), vehicles=fleet, prize=np.full(40, 25 * EURO))
    model = trip_model(problem, slots_per_vehicle=6)
    search = RuinAndRecreate(model, seed=seed)
    trips = search.run(progress=lambda iteration, _: iteration / 400)
    cost = float(model.prize.sum())
    spent_s = [0] * len(problem.vehicles)
    for slot, trip in enumerate(trips):
        assert model.demand_l[trip].sum() <= model.slot_capacity_l[slot]
        if trip:
            ring = [model.stop_count + slot, *trip, model.stop_count + slot]
            cost += sum(model.cost[a, b] for a, b in pairwise(ring)) + model.slot_opening[slot]
            cost -= model.prize[trip].sum()
            spent_s[model.slot_vehicle[slot]] += sum(int(model.time_s[a, b]) for a, b in pairwise(ring))
            spent_s[model.slot_vehicle[slot]] += model.slot_opening_s[slot]
    assert search.best_cost == pytest.approx(cost, rel=1e-9)
    assert all(spent <= budget for spent, budget in zip(spent_s, model.vehicle_budget_s, strict=True))
    assert sum(1 for trip in trips if trip) > 3
    # Leaving the depot and coming home belong to the first slot, so it is in use whenever another one is.
    for slots in model.vehicle_slots:
        assert trips[slots[0]] or not any(trips[slot] for slot in slots)


def test_several_disposal_sites_and_depots_are_used_by_the_rules():
    fleet = (vehicle("BOM-1"), vehicle("BOM-2", depot=2, capacity_l=400))
    problem = replace(day(bins=40, sites=2), vehicles=fleet)
    found = solve(problem)
    assert check(problem, found).accepted
    assert found.routes


def test_imposed_bins_are_served_even_when_they_cost_more_than_they_are_worth():
    problem = day(bins=20, prize=np.zeros(20, dtype=np.int64), must=np.arange(20) % 7 == 0)
    found = solve(problem)
    assert check(problem, found).accepted
    assert {stop for route in found.routes for stop in route.stops} == {0, 7, 14}


def test_a_bin_that_cannot_pay_its_own_service_is_left_before_solving():
    prize = np.where(np.arange(20) < 5, 40 * 12_500, 15 * EURO).astype(np.int64)
    problem = day(bins=20, prize=prize)
    assert set(trip_model(problem, slots_per_vehicle=2).stops.tolist()) == set(range(5, 20))
    assert set(range(5)) <= set(solve(problem).left_out)


def test_a_day_with_nothing_worth_it_sends_nobody_out():
    problem = day(bins=10, prize=np.zeros(10, dtype=np.int64))
    found = solve(problem)
    assert found.routes == ()
    assert check(problem, found).accepted


def test_no_bin_is_left_that_would_pay_its_insertion():
    problem = day(bins=50, seed=5)
    found = solve(problem, iterations=60)
    left = np.array(found.left_out)
    options = insertions(problem, gaps(problem, found), left)
    assert not (options.fits & (options.cost < problem.prize[left][:, None])).any()


def test_it_stops_when_told_and_still_answers_a_plan_that_is_accepted():
    problem = day(bins=40)
    told: list[Improvement] = []
    found = ORToolsEngine().solve(
        problem, limits=Limits(solve_s=600), seed=0, improved=told.append, stopped=lambda: len(told) >= 3
    )
    assert check(problem, found).accepted
    assert 3 <= len(told) < 20


def test_progress_only_ever_gets_better_and_ends_at_the_plan():
    problem = day(bins=40)
    told: list[Improvement] = []
    found = ORToolsEngine().solve(problem, limits=Limits(solve_s=None, iterations=200), seed=0, improved=told.append)
    costs = [step.cost for step in told]
    assert costs == sorted(costs, reverse=True)
    assert found.cost <= costs[-1]


def test_limits_refuse_nonsense():
    with pytest.raises(InputError, match="got neither"):
        Limits(solve_s=None)
    with pytest.raises(InputError, match="expected solve_s > 0, got 0"):
        Limits(solve_s=0)


def test_nothing_is_worth_more_than_an_imposed_bin():
    assert int(day(bins=100).prize.sum()) < MUST_PRIZE


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=some.integers(0, 10_000),
    bins=some.integers(0, 25),
    sites=some.integers(1, 2),
    capacity_l=some.integers(60, 1500),
    shift_s=some.integers(900, 6 * HOUR),
    break_s=some.integers(0, 2400),
    window=some.tuples(some.integers(-2 * HOUR, 8 * HOUR), some.integers(0, 2 * HOUR)),
)
def test_whatever_the_day_the_plan_is_accepted(
    *, seed: int, bins: int, sites: int, capacity_l: int, shift_s: int, break_s: int, window: tuple[int, int]
):
    opens_s, slack_s = window
    who = vehicle(
        capacity_l=capacity_l,
        shift_until_s=6 * HOUR + shift_s,
        break_s=break_s,
        break_from_s=6 * HOUR + opens_s,
        break_until_s=6 * HOUR + opens_s + break_s + slack_s,
    )
    problem = replace(day(bins=bins, seed=seed, sites=sites), vehicles=(who, replace(who, vehicle_id="BOM-2")))
    verdict = check(problem, solve(problem, seed=seed, iterations=40))
    assert verdict.accepted, verdict.violations
