"""The rest of a day as a problem: vehicles where they are, with what they carry, and a day that has begun. Pure.

What is on board is a bin of its own ("@BOM-1") that its vehicle has just emptied where it stands: so loads, sites and
the checker need know nothing of days that have begun.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from optimise.rounds.day import Calendar
from optimise.rounds.editing.changing import Known
from optimise.rounds.editing.ground import Ground, Line, line_of
from optimise.rounds.editing.remaking import Asked, Names
from optimise.rounds.editing.unloading import unloading
from optimise.rounds.engines.schedule import schedule
from optimise.rounds.engines.steps import Step, location
from optimise.rounds.locks import Locks
from optimise.rounds.parts import NO_END_S, DayVehicle
from optimise.rounds.problem import EURO, Flags, Integers, Problem
from optimise.rounds.repair.progress import Progress
from optimise.rounds.solution import VisitKind
from storage.model import PlannedStop, StopKind

_IMPOSED_EUR = 10_000
"""What leaving an imposed bin costs once there is no time for all of them."""
_PATIENCE_S = 1800
"""How much later than now a break may begin whose window is nearly over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """The problem of what is left to do, what is asked of it, and which of its stops are loads on board."""

    problem: Problem
    asked: Asked
    on_board: frozenset[int]

    def with_imposed_as_dear(self) -> Rest:
        """Return the rest in which imposed bins are not imposed any more, but left last of all."""
        problem = self.problem
        loads = np.isin(np.arange(len(problem.stop_ids)), list(self.on_board))
        dear = np.where(problem.must & ~loads, _IMPOSED_EUR * EURO, problem.prize)
        return replace(self, problem=replace(problem, must=problem.must & loads, prize=dear))

    def with_edits(self, edits: Asked) -> Asked:
        """Return what is asked of the rest when somebody edits it: `edits` are of the same bins, all still ahead.

        Everybody's next stop stays; a bin that is to be the first of its round comes right behind it.
        """
        heads = dict(self.asked.locks.head)
        for index, first in edits.locks.head.items():
            held = heads.get(index, ())
            heads[index] = (*held, *(step for step in first if step not in held))
        lines: dict[int, Line] = {}
        for index in dict.fromkeys([*self.asked.lines, *edits.lines]):
            head = line_of(heads.get(index, ()))
            ahead = [at for at in edits.lines.get(index, ()) if at < 0 or not self.problem.must_not[at]]
            # The site that a vehicle heads for is the first one ahead.
            if any(at < 0 for at in head) and any(at < 0 for at in ahead):
                ahead.remove(next(at for at in ahead if at < 0))
            lines[index] = [*head, *(at for at in ahead if at < 0 or at not in head)]
        orders = {index: tuple(at for at in line if at >= 0) for index, line in lines.items()}
        return replace(
            edits,
            lines=lines,
            locks=Locks(
                vehicle={**edits.locks.vehicle, **self.asked.locks.vehicle},
                head=heads,
                order=orders,
                pinned=edits.locks.pinned,
            ),
            known=replace(edits.known, orders=orders),
            hot=tuple(dict.fromkeys([*edits.hot, *self.asked.hot])),
        )


def rest_of(
    problem: Problem,
    progress: Mapping[str, Progress],
    *,
    calendar: Calendar,
    now: datetime,
    starts: Mapping[str, int],
    done: frozenset[str],
    blocked: frozenset[str],
    urgent: frozenset[str],
    homebound: frozenset[str],
    change_cost: int,
) -> Rest:
    """Return the rest of `problem`, a whole day's with the vehicles that are in service.

    `starts`: the row of the matrices where each vehicle that has begun stands. Bins that are `done` or `blocked` are
    left, `urgent` ones are looked at first. Vehicles that are `homebound` do what they head for and no more. Each
    change costs `change_cost` (problem.EURO).
    """
    now_s = math.ceil((now - calendar.origin).total_seconds())
    names = Names.of(problem)
    begun = {names.vehicles[name]: one for name, one in progress.items() if name in names.vehicles and name in starts}
    vehicles = tuple(
        _on_the_road(
            problem,
            index,
            begun[index],
            calendar=calendar,
            now_s=now_s,
            start=starts[who.vehicle_id],
            heading=_row(problem, begun[index].next_stop, names),
        )
        if index in begun
        else _at_the_depot(who, now_s)
        for index, who in enumerate(problem.vehicles)
    )
    loads = {
        index: (math.floor(one.load_l), math.floor(one.load_kg))
        for index, one in begun.items()
        if one.load_l >= 1 or one.load_kg >= 1
    }
    whole = _with_loads(problem, vehicles, loads, gone=done | blocked)
    boards = {index: len(problem.stop_ids) + number for number, index in enumerate(loads)}
    heads: dict[int, tuple[Step, ...]] = {}
    for index, one in begun.items():
        head: list[Step] = [(VisitKind.STOP, boards[index])] if index in boards else []
        step = None if one.next_stop is None else _step(one.next_stop, names)
        # A bin that somebody declared meanwhile is not headed for any more.
        if step is not None and not (step[0] is VisitKind.STOP and bool(whole.must_not[step[1]])):
            head.append(step)
        if head:
            heads[index] = tuple(head)
    leaving = {names.vehicles[name] for name in homebound if name in names.vehicles}
    whole = _with_nothing_more(whole, leaving, heads)
    lines: dict[int, Line] = {}
    for name, one in progress.items():
        if name in names.vehicles:
            index = names.vehicles[name]
            head_of = heads.get(index, ())
            lines[index] = line_of(head_of) if index in leaving else _line(one, names, head_of, whole.must_not)
    held = {step[1]: index for index, head in heads.items() for step in head if step[0] is VisitKind.STOP}
    locks = Locks(vehicle=held, head=heads)
    known = Known(
        orders={index: [at for at in line if at >= 0] for index, line in lines.items()}, change_cost=change_cost
    )
    given_up = homebound | (progress.keys() - names.vehicles.keys())
    orphans = [name for key, one in progress.items() if key in given_up for name in one.bins_ahead]
    hot = [*orphans, *sorted(urgent)]
    asked = Asked(
        lines=lines,
        locks=locks,
        known=known,
        hot=tuple(dict.fromkeys(names.stops[name] for name in hot if name in names.stops and name not in done)),
    )
    return Rest(problem=_with_time_for_heads(whole, asked), asked=asked, on_board=frozenset(boards.values()))


def _with_nothing_more(problem: Problem, vehicles: set[int], heads: Mapping[int, tuple[Step, ...]]) -> Problem:
    """Return the problem in which `vehicles` serve nothing but what their rounds begin with."""
    if not vehicles:
        return problem
    barred = problem.barred.copy()
    for index in vehicles:
        barred[:, index] = True
        barred[[at for kind, at in heads.get(index, ()) if kind is VisitKind.STOP], index] = False
    return replace(problem, barred=barred)


def _step(stop: PlannedStop, names: Names) -> Step | None:
    if stop.kind is StopKind.DISPOSAL and stop.place_id in names.sites:
        return (VisitKind.DISPOSAL, names.sites[stop.place_id])
    if stop.kind is StopKind.BIN and stop.place_id in names.stops:
        return (VisitKind.STOP, names.stops[stop.place_id])
    return None


def _row(problem: Problem, stop: PlannedStop | None, names: Names) -> int | None:
    step = None if stop is None else _step(stop, names)
    return None if step is None else location(problem, step)


def _line(one: Progress, names: Names, head: tuple[Step, ...], gone: Flags) -> Line:
    line = line_of(head)
    for stop in one.ahead:
        step = _step(stop, names)
        if step is None or step in head or (step[0] is VisitKind.STOP and gone[step[1]]):
            continue
        line += line_of([step])
    return line


def _at_the_depot(who: DayVehicle, now_s: int) -> DayVehicle:
    """Return a vehicle that has not left: it may leave from now on, as long as its shift lasts."""
    begin_s = max(who.shift_from_s, now_s)
    if begin_s >= who.latest_end_s:
        # Its shift is over: it stays where it is.
        return replace(who, day_stops=0)
    return replace(
        who, shift_from_s=begin_s, shift_until_s=max(who.shift_until_s, begin_s + 1), overtime_until_s=who.latest_end_s
    )


def _on_the_road(
    problem: Problem, index: int, one: Progress, *, calendar: Calendar, now_s: int, start: int, heading: int | None
) -> DayVehicle:
    who = problem.vehicles[index]
    left_s = min(now_s, math.floor((one.left_at - calendar.origin).total_seconds()))
    prices = replace(problem.prices_of(index), per_vehicle=0)
    driven_m = math.ceil(sum(stop.distance_m for stop in one.behind))
    unloaded = sum(stop.kind is StopKind.DISPOSAL for stop in one.behind)
    begin_s = now_s
    if one.resting_until is None and one.position is None and heading is not None:
        # It is on its way since it left; a crew that is slower than planned is not there in the past.
        travel_s = int(problem.travel(index).duration_s[start, heading])
        begin_s = min(now_s, max(left_s, now_s - travel_s))
    changed = replace(
        who,
        depot=start,
        end_depot=who.home,
        shift_from_s=min(begin_s, now_s),
        shift_until_s=max(who.shift_until_s, now_s + 1),
        overtime_until_s=max(who.latest_end_s, now_s + 1),
        prices=prices,
        range_m=None if who.range_m is None else max(0, who.range_m - driven_m),
        unloadings_at_most=None if who.unloadings_at_most is None else max(0, who.unloadings_at_most - unloaded),
    )
    if one.resting_until is not None:
        # What is left of the break that the crew is in, from now on.
        until_s = max(now_s + 1, math.ceil((one.resting_until - calendar.origin).total_seconds()))
        return replace(changed, break_s=until_s - now_s, break_from_s=now_s, break_until_s=until_s)
    return _with_break(changed, rested=_rested(who, one, calendar), begin_s=begin_s, now_s=now_s)


def _rested(who: DayVehicle, one: Progress, calendar: Calendar) -> bool:
    if any(stop.kind is StopKind.BREAK for stop in one.behind):
        return True
    start_s = (one.route.start_at - calendar.origin).total_seconds()
    return start_s >= who.break_from_s + who.break_s


def _with_break(who: DayVehicle, *, rested: bool, begin_s: int, now_s: int) -> DayVehicle:
    """Return the vehicle with what is left of its break: nothing, or a whole one from now on, late if need be."""
    if rested or not who.break_s:
        return replace(who, break_s=0, break_from_s=0, break_until_s=0)
    from_s = max(who.break_from_s, begin_s, now_s)
    until_s = max(who.break_until_s, from_s + who.break_s)
    if from_s > who.break_from_s:
        until_s = max(until_s, from_s + who.break_s + _PATIENCE_S)
    return replace(who, break_from_s=from_s, break_until_s=until_s)


def _with_loads(
    problem: Problem, vehicles: tuple[DayVehicle, ...], loads: Mapping[int, tuple[int, int]], *, gone: frozenset[str]
) -> Problem:
    """Return the problem with the loads on board as stops, and without the bins that are gone."""
    count, more = len(problem.stop_ids), len(loads)
    away = np.array([name in gone for name in problem.stop_ids], dtype=np.bool_)

    def longer(values: Integers, added: list[int]) -> Integers:
        return np.concatenate([values, np.array(added, dtype=np.int64)])

    barred = np.zeros((count + more, len(vehicles)), dtype=np.bool_)
    barred[:count] = problem.barred
    for number, index in enumerate(loads):
        barred[count + number] = True
        barred[count + number, index] = False
    nothing = [0] * more
    return replace(
        problem,
        stop_ids=(*problem.stop_ids, *(f"@{vehicles[index].vehicle_id}" for index in loads)),
        location=longer(problem.location, [vehicles[index].depot for index in loads]),
        demand_l=longer(problem.demand_l, [litres for litres, _ in loads.values()]),
        demand_kg=longer(problem.demand_kg, [kilograms for _, kilograms in loads.values()]),
        service_s=longer(problem.service_s, nothing),
        # What is done costs nothing to leave.
        prize=longer(np.where(away, 0, problem.prize), nothing),
        must=np.concatenate([problem.must & ~away, np.ones(more, dtype=np.bool_)]),
        must_not=np.concatenate([problem.must_not | away, np.zeros(more, dtype=np.bool_)]),
        windows=(*problem.windows, *(() for _ in loads)),
        release_s=longer(problem.release_s, nothing),
        max_width_cm=longer(problem.max_width_cm, nothing),
        crew=longer(problem.crew, [1] * more),
        kinds=(*problem.kinds, *(frozenset[str]() for _ in loads)),
        sector=longer(problem.sector, [-1] * more),
        barred=barred,
        vehicles=vehicles,
    )


def _with_time_for_heads(problem: Problem, asked: Asked) -> Problem:
    """Give a crew that is late the overtime that finishing what it is at, unloading and coming home takes."""
    ground = Ground(problem, asked.locks, Known())
    vehicles = list(problem.vehicles)
    for index, head in asked.locks.head.items():
        line = unloading(ground, index, line_of(head))
        if line is None:
            continue
        who = vehicles[index]
        patient = replace(who, shift_until_s=NO_END_S, overtime_until_s=None)
        free = replace(problem, vehicles=tuple(patient if k == index else v for k, v in enumerate(vehicles)))
        steps: list[Step] = [(VisitKind.STOP, at) if at >= 0 else (VisitKind.DISPOSAL, -at - 1) for at in line]
        route = schedule(free, index, steps)
        if route is not None and route.end_s > who.latest_end_s:
            vehicles[index] = replace(who, overtime_until_s=route.end_s)
    return replace(problem, vehicles=tuple(vehicles))
