"""The checker accepts a good plan and names the rule that any change to it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from optimise.rounds.check import Rule, check
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Route, Solution, Visit, VisitKind
from tests.unit.rounds_samples import HOUR, day, vehicle

# A depot, a site and three bins on a line, 100 s and 1000 m apart; bin 2 is left out.
STEP_S, STEP_M, SERVICE_S, UNLOAD_S = 100, 1000, 40, 600
START = 8 * HOUR


def line() -> Problem:
    gaps = np.abs(np.arange(5)[:, None] - np.arange(5)[None, :])
    return day(
        bins=3,
        demand_l=np.array([600, 300, 50], dtype=np.int64),
        must=np.array([True, False, False]),
        vehicles=(vehicle("BOM-1", shift_from_s=START), vehicle("BOM-2")),
        duration_s=gaps * STEP_S,
        distance_m=gaps * STEP_M,
    )


def visit(kind: VisitKind, index: int, arrive_s: int, stay_s: int, load_l: int) -> Visit:
    return Visit(kind=kind, index=index, arrive_s=START + arrive_s, depart_s=START + arrive_s + stay_s, load_l=load_l)


def good() -> Solution:
    """Bins 0 and 1, a break, the site, home: rows 2, 3, 1, 0. It is back too late to rest at the depot."""
    visits = (
        visit(VisitKind.STOP, 0, 200, SERVICE_S, 600),
        visit(VisitKind.STOP, 1, 340, 4900, 900),
        visit(VisitKind.BREAK, 0, 5240, 1800, 900),
        visit(VisitKind.DISPOSAL, 0, 7240, UNLOAD_S, 0),
    )
    problem = line()
    # Paid from leaving to coming back, without the break.
    cost = problem.drive_cost(6 * STEP_M, 7940 - 1800) + problem.prices.per_vehicle + int(problem.prize[2])
    return Solution(
        engine="by hand",
        routes=(Route(vehicle=0, start_s=START, end_s=START + 7940, visits=visits),),
        left_out=(2,),
        distance_m=6 * STEP_M,
        duration_s=7940,
        cost=cost,
    )


def with_visit(position: int, **changes: object) -> Solution:
    solution = good()
    visits = list(solution.routes[0].visits)
    visits[position] = replace(visits[position], **changes)  # type: ignore[arg-type]  # any field of a visit
    return with_route(visits=tuple(visits))


def with_route(**changes: object) -> Solution:
    solution = good()
    return replace(solution, routes=(replace(solution.routes[0], **changes),))  # type: ignore[arg-type]  # any field


def without(position: int) -> Solution:
    visits = good().routes[0].visits
    return with_route(visits=visits[:position] + visits[position + 1 :])


def rules(solution: Solution) -> set[Rule]:
    return {violation.rule for violation in check(line(), solution).violations}


def test_the_good_plan_is_accepted_with_its_totals():
    verdict = check(line(), good())
    assert verdict.accepted, verdict.violations
    assert (verdict.distance_m, verdict.duration_s) == (6000, 7940)
    assert verdict.as_json()["accepted"] is True


@pytest.mark.parametrize(
    ("mutate", "broken"),
    [
        (lambda: with_route(vehicle=7), Rule.KNOWN_VEHICLE),
        (lambda: replace(good(), routes=good().routes * 2), Rule.ONE_ROUTE_A_VEHICLE),
        (lambda: with_visit(0, index=9), Rule.KNOWN_PLACE),
        (lambda: with_visit(3, index=1), Rule.KNOWN_PLACE),
        (lambda: with_visit(1, index=0), Rule.SERVED_ONCE),
        (lambda: replace(good(), left_out=()), Rule.ACCOUNTED_FOR),
        (lambda: replace(good(), left_out=(1, 2)), Rule.ACCOUNTED_FOR),
        (lambda: replace(without(0), left_out=(0, 2)), Rule.MUST_BE_SERVED),
        (lambda: with_route(start_s=START - 1), Rule.SHIFT_START),
        (lambda: with_route(end_s=12 * HOUR + 1), Rule.SHIFT_END),
        (lambda: with_visit(1, arrive_s=START + 6000), Rule.TIME_ORDER),
        (lambda: with_visit(0, arrive_s=START + 199), Rule.TRAVEL_TIME),
        (lambda: with_route(end_s=START + 7939), Rule.TRAVEL_TIME),
        (lambda: with_visit(0, depart_s=START + 239), Rule.SERVICE_TIME),
        (lambda: with_visit(3, depart_s=START + 7240 + UNLOAD_S - 1), Rule.UNLOAD_TIME),
        (lambda: with_visit(0, load_l=599), Rule.LOAD_FIGURES),
        (lambda: without(3), Rule.UNLOADED_BEFORE_HOME),
        (lambda: without(2), Rule.BREAK_TAKEN),
        (lambda: with_visit(2, depart_s=START + 5240 + 1799), Rule.BREAK_LENGTH),
        (lambda: with_visit(2, arrive_s=START + 5500, depart_s=START + 7300), Rule.BREAK_WINDOW),
        (lambda: replace(good(), distance_m=5999), Rule.TOTALS),
        (lambda: replace(good(), duration_s=7941), Rule.TOTALS),
        (lambda: replace(good(), cost=0), Rule.TOTALS),
    ],
    ids=[
        "a vehicle of nobody", "two routes of one vehicle", "a bin of nobody", "a site of nobody", "a bin twice",
        "a bin forgotten", "a bin served and left", "an imposed bin left", "leaves before the shift",
        "back after the shift", "arrives after it left", "faster than the streets", "faster home than the streets",
        "too short at a bin", "too short at the site", "wrong load", "home with waste", "no break", "a short break",
        "a break out of its window", "fewer metres", "more seconds", "another cost",
    ],
)  # fmt: skip
def test_each_broken_rule_is_named(mutate: Callable[[], Solution], broken: Rule):
    assert broken in rules(mutate())


def test_a_load_above_the_capacity_is_named_with_the_bin_and_the_vehicle():
    problem = replace(line(), demand_l=np.array([600, 500, 50], dtype=np.int64))
    found = [violation for violation in check(problem, good()).violations if violation.rule is Rule.CAPACITY]
    assert [(violation.vehicle_id, violation.place_id) for violation in found] == [("BOM-1", "COR-0002")]


def test_a_break_on_the_way_does_not_count_as_driving():
    # The drive to the site takes 200 s: 100 s before the break and 100 s after it are enough, 99 s are not.
    on_the_way = with_visit(2, arrive_s=START + 5340, depart_s=START + 7140)
    assert rules(on_the_way) == set()
    assert rules(with_visit(2, arrive_s=START + 5340, depart_s=START + 7141)) == {Rule.TRAVEL_TIME}


def test_a_crew_back_early_rests_at_the_depot():
    visits = (visit(VisitKind.STOP, 0, 200, SERVICE_S, 600), visit(VisitKind.DISPOSAL, 0, 340, UNLOAD_S, 0))
    early = replace(
        good(), routes=(Route(vehicle=0, start_s=START, end_s=START + 1040, visits=visits),), left_out=(1, 2)
    )
    assert Rule.BREAK_TAKEN not in rules(early)
