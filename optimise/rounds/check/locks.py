"""See that what may not change did not: who serves a bin, what comes first, what stays in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimise.rounds.check.rules import Rule, Violation
from optimise.rounds.locks import Locks
from optimise.rounds.problem import Problem
from optimise.rounds.solution import Solution, Visit, VisitKind


def broken_locks(problem: Problem, solution: Solution, locks: Locks) -> Iterator[Violation]:
    """Yield the locks that a solution does not keep."""
    visits = {
        route.vehicle: [visit for visit in route.visits if visit.kind is not VisitKind.BREAK]
        for route in solution.routes
    }
    served_by = {stop: route.vehicle for route in solution.routes for stop in route.stops}
    names = [who.vehicle_id for who in problem.vehicles]
    for stop, vehicle in locks.vehicle.items():
        if served_by.get(stop) != vehicle:
            instead = "left out" if stop not in served_by else f"served by {names[served_by[stop]]}"
            detail = f"the bin is to be served by {names[vehicle]} and is {instead}"
            yield _broken(Rule.LOCKED_VEHICLE, problem, vehicle, stop, detail)
    for vehicle, head in locks.head.items():
        begins = [(visit.kind, visit.index) for visit in visits.get(vehicle, ())[: len(head)]]
        for number, step in enumerate(head):
            if begins[number : number + 1] != [step]:
                where = step[1] if step[0] is VisitKind.STOP else None
                detail = f"the round is to begin with it (visit {number + 1}) and does not"
                yield _broken(Rule.LOCKED_FIRST, problem, vehicle, where, detail)
                break
    for vehicle, order in locks.order.items():
        yield from _out_of_order(problem, vehicle, order, locks, visits.get(vehicle, ()))


def _out_of_order(
    problem: Problem, vehicle: int, order: Sequence[int], locks: Locks, visits: Sequence[Visit]
) -> Iterator[Violation]:
    rank = {stop: number for number, stop in enumerate(order)}
    known = [visit.index for visit in visits if visit.kind is VisitKind.STOP and visit.index in rank]
    for number, stop in enumerate(known):
        if stop not in locks.pinned:
            continue
        early = [other for other in known[:number] if rank[other] > rank[stop]]
        late = [other for other in known[number + 1 :] if rank[other] < rank[stop]]
        for others, where in ((early, "before"), (late, "after")):
            if others:
                detail = f"the bin is to stay in place and {problem.stop_ids[others[0]]} comes {where} it now"
                yield _broken(Rule.LOCKED_IN_PLACE, problem, vehicle, stop, detail)
                break


def _broken(rule: Rule, problem: Problem, vehicle: int, stop: int | None, detail: str) -> Violation:
    return Violation(
        rule=rule,
        vehicle_id=problem.vehicles[vehicle].vehicle_id,
        place_id=None if stop is None else problem.stop_ids[stop],
        detail=detail,
    )
