"""Schedules: the break lies where the window lets it, and the checker agrees with every one of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimise.rounds.check import Rule, check
from optimise.rounds.engines.schedule import Step, schedule, solution_of
from optimise.rounds.engines.trips import work_budget_s
from optimise.rounds.problem import DayVehicle, Problem
from optimise.rounds.solution import VisitKind
from tests.unit.rounds_samples import HOUR, day, vehicle

LEG_S, STAY_S, UNLOAD_S = 1000, 500, 600


def long_line(who: DayVehicle) -> Problem:
    """Six bins, each 1000 s from the next place: long legs, long stays."""
    legs = np.where(np.eye(8, dtype=np.bool_), 0, LEG_S).astype(np.int64)
    return day(bins=6, vehicles=(who,), duration_s=legs, distance_m=legs, service_s=np.full(6, STAY_S, dtype=np.int64))


ORDER: list[Step] = [*((VisitKind.STOP, stop) for stop in range(6)), (VisitKind.DISPOSAL, 0)]
BEGIN = 6 * HOUR
WORK_S = 8 * LEG_S + 6 * STAY_S + UNLOAD_S


@pytest.mark.parametrize(
    ("from_s", "until_s", "at_s", "waited_s"),
    [
        (1400, 9000, 1500, 0),  # after the first bin
        (2000, 9000, 3000, 0),  # the second leg is under way when it opens, the second bin ends within it
        (1600, 3500, 1600, 0),  # opens and closes within one leg: on the way
        (2600, 4450, 2600, 0),  # opens and closes within one stay: the crew leaves late, so as to rest before it begins
        (0, 1900, 0, 0),  # before anything is served: on leaving
        (19_000, 21_600, None, 0),  # the crew is back before: it rests at the depot
        (-3600, -1800, None, 0),  # it rested before it left
        (-1200, 700, None, 0),  # it can only rest before it leaves, and leaves later
    ],
    ids=[
        "after a bin",
        "after the next bin",
        "on the way",
        "before a stay",
        "on leaving",
        "once back",
        "before",
        "leaving later",
    ],
)
def test_the_break_lies_in_its_window(from_s: int, until_s: int, at_s: int | None, waited_s: int):
    problem = long_line(vehicle(break_from_s=BEGIN + from_s, break_until_s=BEGIN + until_s))
    route = schedule(problem, 0, ORDER)
    assert route is not None
    rests = [visit for visit in route.visits if visit.kind is VisitKind.BREAK]
    assert [rest.arrive_s - BEGIN for rest in rests] == ([] if at_s is None else [at_s])
    assert route.end_s - route.start_s == WORK_S + (0 if at_s is None else 1800) + waited_s
    solution = solution_of(problem, [(0, ORDER)], engine="by hand")
    assert check(problem, solution).accepted
    assert route.end_s - route.start_s <= work_budget_s(problem.vehicles[0], longest_stay_s=STAY_S) + 1800


def test_a_day_that_does_not_fit_has_no_schedule():
    fits = vehicle(shift_until_s=BEGIN + WORK_S + 1800, break_until_s=BEGIN + 12_000)
    assert schedule(long_line(fits), 0, ORDER) is not None
    assert schedule(long_line(replace(fits, shift_until_s=fits.shift_until_s - 1)), 0, ORDER) is None


def test_no_break_is_taken_where_none_is_due():
    route = schedule(long_line(vehicle(break_s=0)), 0, ORDER)
    assert route is not None
    assert not [visit for visit in route.visits if visit.kind is VisitKind.BREAK]


def test_without_its_break_the_same_route_is_refused():
    problem = long_line(vehicle(break_until_s=BEGIN + 12_000))
    solution = solution_of(problem, [(0, ORDER)], engine="by hand")
    kept = tuple(visit for visit in solution.routes[0].visits if visit.kind is not VisitKind.BREAK)
    without = replace(solution, routes=(replace(solution.routes[0], visits=kept),))
    assert Rule.BREAK_TAKEN in {violation.rule for violation in check(problem, without).violations}
