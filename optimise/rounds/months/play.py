"""Drive days: want, state the problem, solve, check, empty, account; and tell the product what it would have heard."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from optimise.rounds.check import check
from optimise.rounds.day import DayOptions, day_problem
from optimise.rounds.engines import Engine, Limits
from optimise.rounds.months.arrays import HOUR_S, Floats, Indices
from optimise.rounds.months.fixed import FixedCalendar
from optimise.rounds.months.knowledge import Knowledge, in_quarters
from optimise.rounds.months.options import MonthsOptions
from optimise.rounds.months.policies import Policy, Wanted
from optimise.rounds.months.sketch import Sketch, detours
from optimise.rounds.months.street import Street
from optimise.rounds.months.town import Town
from optimise.rounds.policy import Price
from optimise.rounds.problem import EURO, Problem
from optimise.rounds.solution import Solution, VisitKind
from storage.errors import PlanRefusedError

_TURN_S = 3 * HOUR_S
_SPREAD_S = 5400.0
_FILL_STEP = 0.1
FILL_STEPS = 14


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayRecord:
    """What a day came to. `fills` (FILL_STEPS,): how many bins were found in each tenth of fill."""

    km: float
    hours: float
    vehicles: int
    stops: int
    fill_sum: float
    found_full: int
    over_bins: int
    over_l: float
    thrown_l: float
    cost_eur: float
    fills: Indices


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class State:
    """A town on a morning: what is in its bins, and what is known of it."""

    day: int
    street: Street
    knowledge: Knowledge

    def copy(self) -> State:
        """Return the same morning, to go on otherwise."""
        return State(day=self.day, street=self.street.copy(), knowledge=self.knowledge.copy())


def old_rounds(town: Town, calendar: FixedCalendar, sensed: Indices, *, days: int) -> State:
    """Live the first days under the calendar, noted on paper: some emptyings are forgotten, few say how full."""
    street, knowledge = Street(town), Knowledge(town, sensed)
    for day in range(days):
        due = np.flatnonzero(calendar.due(day))
        begin_s = street.morning_s(day)
        # The order of a round is the same every day; the bins' numbers follow the streets.
        turn_s = _TURN_S - _SPREAD_S / 2 + _SPREAD_S * due / max(1, len(town.bins))
        at_s = (begin_s + turn_s).astype(np.int64)
        fills = _live(street, knowledge, day, due, at_s)[0]
        noted = ~town.mute[due, day]
        said = np.where(town.says[due, day], in_quarters(fills + town.eye[due, day]), np.nan)
        knowledge.declare(due[noted], at_s[noted], said[noted])
    return State(day=days, street=street, knowledge=knowledge)


def play(
    town: Town, policy: Policy, state: State, *, days: int, options: MonthsOptions
) -> tuple[list[DayRecord], State]:
    """Live `days` days from a morning on; return what each came to, and the morning after. The first state stays."""
    now, engine = state.copy(), Sketch()
    records = [
        _day(town, policy, now, day=day, engine=engine, options=options) for day in range(state.day, state.day + days)
    ]
    return records, replace(now, day=state.day + days)


def _day(town: Town, policy: Policy, now: State, *, day: int, engine: Engine, options: MonthsOptions) -> DayRecord:
    wanted = policy.want(day, now.street, now.knowledge)
    chosen = np.flatnonzero(wanted.worth_eur > 0)
    problem = _problem(town, chosen, wanted, day, options)
    solution = engine.solve(
        problem, limits=Limits(solve_s=None, iterations=options.iterations), seed=town.seed * 10_007 + day
    )
    verdict = check(problem, solution)
    if not verdict.accepted:
        raise PlanRefusedError(f"day {day}: " + "; ".join(str(violation) for violation in verdict.violations[:3]))
    served, detour_eur = detours(problem, solution)
    policy.learn(chosen[served], detour_eur)
    bins, at_s = _emptied(town, solution, chosen, day)
    fills, over_l = _live(now.street, now.knowledge, day, bins, at_s)
    # With a tablet every stop is declared, and one tap says how full the bin was.
    now.knowledge.declare(bins, at_s, in_quarters(fills + town.eye[bins, day]))
    driven = sum(int(problem.prize[stop]) for stop in solution.left_out)
    return DayRecord(
        km=verdict.distance_m / 1000,
        hours=verdict.duration_s / HOUR_S,
        vehicles=len(solution.routes),
        stops=len(bins),
        fill_sum=float(fills.sum()),
        found_full=int((fills >= 1.0).sum()),
        over_bins=int((over_l > 0).sum()),
        over_l=float(over_l.sum()),
        thrown_l=float(town.deposits_l[:, 24 * day : 24 * day + 24].sum()),
        cost_eur=(verdict.cost - driven) / EURO,
        fills=np.bincount(np.minimum((fills / _FILL_STEP).astype(np.int64), FILL_STEPS - 1), minlength=FILL_STEPS),
    )


def _problem(town: Town, chosen: Indices, wanted: Wanted, day: int, options: MonthsOptions) -> Problem:
    anchors = len(town.fleet.anchors)
    rows = [*range(anchors), *(anchors + chosen).tolist()]
    capacity_l = min(math.floor(vehicle.capacity_l) for vehicle in town.fleet.vehicles)
    return day_problem(
        bins=[town.bins[index] for index in chosen],
        decisions=[
            Price(
                demand_l=int(min(max(1, round(wanted.demand_l[index])), capacity_l)),
                prize=round(EURO * float(wanted.worth_eur[index])),
                must=False,
            )
            for index in chosen
        ],
        fleet=town.fleet,
        matrices=[town.matrices.of(rows)],
        calendar=town.calendar(day),
        options=DayOptions(prices=options.prices),
    )


def _emptied(town: Town, solution: Solution, chosen: Indices, day: int) -> tuple[Indices, Indices]:
    origin_s = int(town.calendar(day).origin.timestamp())
    visits = [visit for route in solution.routes for visit in route.visits if visit.kind is VisitKind.STOP]
    bins = chosen[np.array([visit.index for visit in visits], dtype=np.int64)]
    return bins, origin_s + np.array([visit.depart_s for visit in visits], dtype=np.int64)


def _live(street: Street, knowledge: Knowledge, day: int, bins: Indices, at_s: Indices) -> tuple[Floats, Floats]:
    before = street.hourly_fills(day)
    fills, over_l = street.live(day, bins, at_s)
    after = street.hourly_fills(day)
    hours_s = street.morning_s(day) + HOUR_S * np.arange(24)
    emptied_s = np.full(len(before), np.iinfo(np.int64).max)
    emptied_s[bins] = at_s
    knowledge.hear(day, np.where(hours_s[None, :] >= emptied_s[:, None], after, before))
    return fills, over_l
