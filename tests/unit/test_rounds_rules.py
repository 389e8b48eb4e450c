"""Every rule of a day: the checker can be made to name it, the schedule keeps it, and the engine never breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, permutations, product
from typing import Any

import numpy as np
import pytest

from optimise.rounds.barriers import Barrier
from optimise.rounds.check import Rule, check
from optimise.rounds.engines import Limits
from optimise.rounds.engines.clock import Clock
from optimise.rounds.engines.feasible import fits
from optimise.rounds.engines.ortools_engine import ORToolsEngine
from optimise.rounds.engines.schedule import solution_of, timed
from optimise.rounds.engines.steps import Step
from optimise.rounds.problem import EURO, DayDisposal, Prices, Problem, Traffic, TravelProfile, Window, Wishes
from optimise.rounds.solution import Route, Solution, VisitKind
from storage import round_rules
from storage.errors import InputError
from tests.tools import REPOSITORY
from tests.unit.rounds_rules import day_with_every_rule
from tests.unit.rounds_samples import HOUR, day, vehicle

BEGIN = 6 * HOUR
FAR_S, NEAR_S = 1000, 100


def line(**changes: Any) -> Problem:
    """A depot, a site and four bins on a line, 100 s and 1000 m apart; one vehicle without a break."""
    gaps = np.abs(np.arange(6)[:, None] - np.arange(6)[None, :])
    values: dict[str, Any] = {
        "vehicles": (vehicle(break_s=0),),
        "duration_s": gaps * NEAR_S,
        "distance_m": gaps * 1000,
        "demand_kg": np.full(4, 10, dtype=np.int64),
    }
    return day(bins=4, **(values | changes))


def driven(problem: Problem, *stops: int, unload: bool = True) -> Solution:
    steps: list[Step] = [(VisitKind.STOP, stop) for stop in stops]
    return solution_of(problem, [(0, [*steps, (VisitKind.DISPOSAL, 0)] if unload else steps)], engine="by hand")


def judged(problem: Problem, solution: Solution) -> set[tuple[Rule, str | None]]:
    """Judge a solution made for another problem: the totals differ, and are not what is looked at."""
    found = check(problem, solution).violations
    return {(violation.rule, violation.place_id) for violation in found if violation.rule is not Rule.TOTALS}


def whole(value: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.full(4, value, dtype=np.int64)


EARLY = (Window(from_s=0, until_s=BEGIN),)


@pytest.mark.parametrize(
    ("changes", "rule", "place"),
    [
        ({"windows": (EARLY, (), (), ())}, Rule.WINDOW, "COR-0001"),
        ({"release_s": np.array([0, BEGIN + 1, 0, 0])}, Rule.RELEASE, "COR-0002"),
        ({"must_not": np.array([False, True, False, False])}, Rule.MUST_NOT_BE_SERVED, "COR-0002"),
        ({"max_width_cm": np.array([0, 200, 0, 0]), "vehicles": (vehicle(break_s=0, width_cm=250),)},
         Rule.ACCESS_WIDTH, "COR-0002"),
        ({"crew": np.array([1, 2, 1, 1])}, Rule.ACCESS_CREW, "COR-0002"),
        ({"kinds": (frozenset({"small"}), frozenset(), frozenset(), frozenset())}, Rule.ACCESS_KIND, "COR-0001"),
        ({"barred": np.array([[True], [False], [False], [False]])}, Rule.ACCESS_BARRED, "COR-0001"),
        ({"vehicles": (vehicle(break_s=0, capacity_kg=19),)}, Rule.CAPACITY_KG, "COR-0002"),
        ({"disposals": (DayDisposal(place_id="EXUTOIRE-1", location=1, unload_s=600, windows=EARLY),)},
         Rule.UNLOAD_WINDOW, "EXUTOIRE-1"),
        ({"vehicles": (vehicle(break_s=0, unloadings_at_most=0),)}, Rule.UNLOADINGS, None),
        ({"vehicles": (vehicle(break_s=0, day_stops=1),)}, Rule.DAY_STOPS, None),
        ({"vehicles": (vehicle(break_s=0, day_l=1),)}, Rule.DAY_LITRES, None),
        ({"vehicles": (vehicle(break_s=0, range_m=5_999),)}, Rule.RANGE, None),
        ({"vehicles": (vehicle(break_s=0, shift_until_s=BEGIN + 600, overtime_until_s=BEGIN + 700),)},
         Rule.SHIFT_END, None),
        ({"vehicles": (vehicle(break_s=0, end_depot=5),)}, Rule.TRAVEL_TIME, None),
        ({"profiles": (TravelProfile(duration_s=np.where(np.eye(6) > 0, 0, FAR_S), distance_m=np.zeros((6, 6), int)),),
          "vehicles": (vehicle(break_s=0, profile=1),)}, Rule.TRAVEL_TIME, "COR-0001"),
        ({"traffic": Traffic(from_s=(BEGIN,), percent=(101,))}, Rule.TRAVEL_TIME, "COR-0001"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value),
)  # fmt: skip
def test_each_rule_can_be_broken_and_is_named_with_its_place(changes: dict[str, Any], rule: Rule, place: str | None):
    solution = driven(line(), 0, 1)
    assert judged(line(), solution) == set()
    assert (rule, place) in judged(line(**changes), solution)


def test_home_need_not_be_empty_where_nobody_says_so_or_nothing_can_be_unloaded():
    full = driven(line(), 0, 1, unload=False)
    assert judged(line(), full) == {(Rule.UNLOADED_BEFORE_HOME, None)}
    assert judged(line(vehicles=(vehicle(break_s=0, home_empty=False),)), full) == set()
    assert judged(line(disposals=()), full) == set()


def test_time_is_paid_with_its_waiting_and_overtime_and_wishes_are_added():
    late = vehicle(break_s=0, shift_until_s=BEGIN + 500, overtime_until_s=BEGIN + 5000, sectors=frozenset({7}))
    problem = line(
        vehicles=(late,),
        windows=(
            (Window(from_s=BEGIN, until_s=BEGIN + 200),),
            (Window(from_s=BEGIN + 900, until_s=BEGIN + 900),),
            (),
            (),
        ),
        prices=Prices(per_metre=0, per_second=1, per_vehicle=0, per_overtime_second=1000),
        prize=whole(0),
        sector=np.array([7, 3, -1, -1]),
        wishes=Wishes(per_longest_second=10**6, per_split=10**10, per_unfamiliar_stop=10**10),
    )
    verdict = check(problem, driven(problem, 0, 1))
    # It leaves as late as the first window lets it: at 0, waits 560 s for the second bin, is home 1840 s after.
    assert verdict.accepted, verdict.violations
    assert (verdict.paid_s, verdict.work_s, verdict.overtime_s) == (1840, 1280, 1340)
    assert verdict.cost == 1840 + 1340 * 1000 + 1280 * 10**6 + 10**10
    assert verdict.wishes_cost == 1280 * 10**6 + 10**10


def test_traffic_slows_a_drive_by_the_hours_that_it_meets():
    clock = Clock(Traffic(from_s=(100, 200), percent=(150, 300)))
    assert clock.arrival_s(0, clock.units(100)) == 100
    assert clock.arrival_s(50, clock.units(100)) == 175  # 50 s at full pace, 50 s at 150 % = 75 s
    assert clock.arrival_s(100, clock.units(70)) == 210  # 100 s drive 66.7 s of it, 3.3 s at 300 % take 10 s
    for arrive_s in range(0, 400, 7):
        leave_s = clock.latest_leave_s(arrive_s, 40)
        assert clock.arrival_s(leave_s, clock.units(40)) <= arrive_s < clock.arrival_s(leave_s + 1, clock.units(40))


@pytest.mark.parametrize("seed", range(40))
def test_a_schedule_is_as_cheap_as_trying_every_second(seed: int):
    """On days of a minute: every departure, every leg for the break and every second for it to begin."""
    rng = np.random.default_rng(seed)
    gaps = rng.integers(1, 6, (6, 6)).astype(np.int64)
    np.fill_diagonal(gaps, 0)
    opens = int(rng.integers(0, 25))
    who = vehicle(
        shift_from_s=0, shift_until_s=45, break_s=int(rng.integers(0, 6)), break_from_s=opens, break_until_s=opens + 12
    )
    windows = tuple(
        (Window(from_s=int(a), until_s=int(a + rng.integers(0, 15))),) if rng.random() < 0.6 else ()
        for a in rng.integers(0, 25, 4)
    )
    problem = line(vehicles=(who,), duration_s=gaps, distance_m=gaps * 0, windows=windows, service_s=whole(2),
                   disposals=(DayDisposal(place_id="E", location=1, unload_s=2),), prize=whole(0))  # fmt: skip
    found = driven(problem, 0, 1, 2)
    best = min((end_s - start_s for start_s, end_s in _every_day(problem, (0, 1, 2))), default=None)
    if best is None:
        assert not found.routes
        return
    assert check(problem, found).accepted, check(problem, found).violations
    assert check(problem, found).paid_s == best


def _every_day(problem: Problem, stops: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield (start, end less the break) of every way to drive the stops and the site in this order."""
    who = problem.vehicles[0]
    rows = [0, *(int(problem.location[stop]) for stop in stops), 1, 0]
    for start_s, rest_leg in product(range(46), (None, 0, 1, 2, 3, 4)):
        for rest_s in range(46) if rest_leg is not None else (0,):
            now_s = start_s
            for leg in range(len(rows) - 1):
                drive_s = int(problem.duration_s[rows[leg], rows[leg + 1]])
                if leg == rest_leg:
                    if rest_s < now_s or not who.break_from_s <= rest_s <= who.break_until_s - who.break_s:
                        break
                    now_s = max(now_s + drive_s, rest_s) + who.break_s
                else:
                    now_s += drive_s
                if leg < len(stops):
                    window = problem.windows[stops[leg]]
                    if window and now_s > window[0].until_s:
                        break
                    now_s = max(now_s, window[0].from_s if window else 0)
                now_s += 2 if leg < len(rows) - 2 else 0
            else:
                rested = (
                    rest_leg is not None
                    or not who.break_s
                    or start_s >= who.break_from_s + who.break_s
                    or now_s + who.break_s <= who.break_until_s
                )
                if rested and now_s <= who.shift_until_s:
                    yield start_s + (who.break_s if rest_leg is not None else 0), now_s


@pytest.mark.parametrize("seed", range(1, 15))
def test_whatever_the_rules_the_engine_keeps_them(seed: int):
    problem = day_with_every_rule(seed=seed, bins=8, traffic=seed % 4 == 3)
    problem = replace(problem, must=np.zeros(8, dtype=np.bool_))
    found = ORToolsEngine().solve(problem, limits=Limits(solve_s=None, iterations=40), seed=0)
    verdict = check(problem, found)
    assert verdict.accepted, verdict.violations


def test_on_tiny_days_the_engine_finds_what_trying_everything_finds():
    """Without a time limit the search is a descent: it may end beside the best day, but seldom."""
    ratios = []
    for seed in range(12):
        problem = day_with_every_rule(seed=seed, bins=3, fleet=2)
        problem = replace(problem, must=np.zeros(3, dtype=np.bool_), prize=problem.prize * 4)
        best = min(_every_solution(problem), key=lambda solution: solution.cost)
        assert check(problem, best).accepted, check(problem, best).violations
        found = ORToolsEngine().solve(problem, limits=Limits(solve_s=None, iterations=60), seed=0)
        assert check(problem, found).accepted
        assert found.cost >= best.cost
        ratios.append(found.cost / best.cost)
    assert np.mean(ratios) < 1.05, ratios
    assert np.mean(np.array(ratios) == 1.0) >= 0.75, ratios


def _every_solution(problem: Problem) -> Iterator[Solution]:
    count, fleet = len(problem.stop_ids), len(problem.vehicles)
    for owners in product(range(-1, fleet), repeat=count):
        options = [
            list(_every_order(problem, vehicle, [stop for stop in range(count) if owners[stop] == vehicle]))
            for vehicle in range(fleet)
        ]
        for orders in product(*options):
            yield solution_of(problem, list(enumerate(orders)), engine="everything")


def _every_order(problem: Problem, vehicle: int, stops: list[int]) -> Iterator[list[Step]]:
    if not stops:
        yield []
        return
    ends = range(1, len(stops) + 1)
    for order in permutations(stops):
        for cuts in (cut for size in range(len(stops) + 1) for cut in combinations(ends, size)):
            for sites in product(range(len(problem.disposals)), repeat=len(cuts)):
                steps: list[Step] = []
                for number, stop in enumerate(order, start=1):
                    steps.append((VisitKind.STOP, stop))
                    steps += [
                        (VisitKind.DISPOSAL, site) for cut, site in zip(cuts, sites, strict=True) if cut == number
                    ]
                if fits(problem, vehicle, steps) and timed(problem, vehicle, steps) is not None:
                    yield steps


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda: Window(from_s=2, until_s=1), "expected from_s <= until_s, got 2 and 1"),
        (lambda: line(windows=((Window(from_s=0, until_s=5), Window(from_s=5, until_s=9)), (), (), ())),
         "stop COR-0001: expected windows in order and apart"),
        (lambda: line(must=np.ones(4, bool), must_not=np.ones(4, bool)), "COR-0001: expected must or must_not"),
        (lambda: line(windows=((),)), "expected windows for 4 bins, got 1"),
        (lambda: line(vehicles=(vehicle(profile=1),)), "expected profile in 0..0, got 1"),
        (lambda: vehicle(overtime_until_s=0), "expected overtime_until_s >= shift_until_s"),
        (lambda: vehicle(capacity_kg=-1), "expected capacity_kg >= 0 or none, got -1"),
        (lambda: vehicle(crew=0), "expected crew >= 1, got 0"),
        (lambda: Traffic(from_s=(0, 0), percent=(100, 100)), "expected from_s to grow"),
        (lambda: Traffic(from_s=(0,), percent=(0,)), "expected percent > 0, got 0"),
        (lambda: Wishes(per_split=-1), "expected per_split >= 0, got -1"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_rule(change: Callable[[], object], rule: str):
    with pytest.raises(InputError, match=rule):
        change()


def test_a_plain_problem_is_plain_to_state():
    """A capacitated VRP: no clock, no weights, no sites."""
    gaps = np.abs(np.arange(4)[:, None] - np.arange(4)[None, :]).astype(np.int64)
    plain = replace(
        Problem(
            stop_ids=("a", "b", "c"), location=np.arange(1, 4), demand_l=np.full(3, 5), service_s=np.zeros(3, int),
            prize=np.full(3, 100), vehicles=(vehicle(break_s=0, capacity_l=10), vehicle("2", break_s=0, capacity_l=10)),
            duration_s=gaps * 0, distance_m=gaps, prices=Prices(per_metre=1, per_second=0, per_vehicle=0),
        )
    )  # fmt: skip
    found = ORToolsEngine().solve(plain, limits=Limits(solve_s=None, iterations=50), seed=0)
    assert check(plain, found).accepted
    assert (found.cost, len(found.routes)) == (8, 2)


def test_a_route_by_a_vehicle_that_rests_at_the_site_sets_out_after_its_rest():
    who = vehicle(break_from_s=BEGIN + 1000, break_until_s=BEGIN + 2 * HOUR)
    early = (Window(from_s=BEGIN, until_s=BEGIN + 300),)
    problem = line(vehicles=(who,), release_s=np.array([0, BEGIN + 2 * HOUR, 0, 0]), windows=(early, (), (), ()))
    steps: list[Step] = [(VisitKind.STOP, 0), (VisitKind.DISPOSAL, 0), (VisitKind.STOP, 1), (VisitKind.DISPOSAL, 0)]
    found = solution_of(problem, [(0, steps)], engine="by hand")
    assert check(problem, found).accepted, check(problem, found).violations
    route: Route = found.routes[0]
    assert [visit.kind for visit in route.visits][1:3] == [VisitKind.DISPOSAL, VisitKind.BREAK]
    hurried = replace(
        route, visits=tuple(replace(v, depart_s=v.depart_s - (v.kind is VisitKind.BREAK)) for v in route.visits)
    )
    assert Rule.RELEASE in {v.rule for v in check(problem, replace(found, routes=(hurried,))).violations}


def test_prices_are_in_millionths_of_a_euro():
    assert line().drive_cost(1000, 60) == round(1.5 * EURO) + 60 * 12_500


def test_the_page_on_rounds_names_every_rule_and_its_document_is_read():
    page = (REPOSITORY / "docs" / "rounds.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z_]+)`", page))
    of_accounts = {Rule.KNOWN_VEHICLE, Rule.ONE_ROUTE_A_VEHICLE, Rule.KNOWN_PLACE, Rule.ACCOUNTED_FOR, Rule.TIME_ORDER}
    of_accounts |= {Rule.LOAD_FIGURES, Rule.TOTALS}
    assert {rule.value for rule in Rule} - {rule.value for rule in of_accounts} <= told
    assert {barrier.value for barrier in Barrier} <= told
    (document,) = re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)
    assert len(round_rules.decode(document.encode()).bins) == 2
