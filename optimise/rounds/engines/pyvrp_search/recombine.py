"""The best solution made of routes that are known: a set-partitioning problem for CP-SAT.

Each client is in one chosen route (or left, at its prize, when it may be), and no type of vehicle drives more routes
than it has vehicles. Good routes that never met in one solution meet here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from optimise.rounds.engines.pyvrp_search.orders import Order, clients_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What is to be partitioned: the prize of each client that may be left (None: it may not), vehicles a type.

    `alike` are groups of clients of which one is served.
    """

    prizes: Sequence[int | None]
    vehicles: Sequence[int]
    alike: Sequence[Sequence[int]] = ()


def recombine(  # noqa: C901 - one model, stated from top to bottom
    pool: Mapping[Order, int],
    incumbent: Sequence[Order],
    *,
    choice: Choice,
    seconds: float | None,
    work: float,
    seed: int,
    threads: int = 1,
) -> list[Order] | None:
    """Return the cheapest routes of `pool`, None when nothing better than the incumbent was found.

    `work` bounds the search in CP-SAT's deterministic time, `seconds` by the clock.
    """
    orders = list(pool)
    covering: list[list[int]] = [[] for _ in choice.prizes]
    for number, (_, visits) in enumerate(orders):
        for visit in visits:
            if visit >= 0:
                covering[visit].append(number)
    in_group = {client: group for group, members in enumerate(choice.alike) for client in members}
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in orders]
    costs: list[int] = list(pool.values())
    terms = list(chosen)
    hints = set(incumbent)
    for variable, order in zip(chosen, orders, strict=True):
        model.add_hint(variable, order in hints)
    served = set(clients_of(incumbent))
    for group in [[client] for client in range(len(choice.prizes)) if client not in in_group] + list(choice.alike):
        literals = [chosen[number] for client in group for number in covering[client]]
        prize = choice.prizes[group[0]]
        if prize is not None:
            left = model.new_bool_var("")
            model.add_hint(left, not any(client in served for client in group))
            literals.append(left)
            terms.append(left)
            costs.append(prize)
        model.add_exactly_one(literals)
    for kind, count in enumerate(choice.vehicles):
        mine = [variable for variable, order in zip(chosen, orders, strict=True) if order[0] == kind]
        if len(mine) > count:
            model.add(sum(mine) <= count)
    model.minimize(cp_model.LinearExpr.weighted_sum(terms, costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = threads
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = work
    solver.parameters.linearization_level = 2
    if seconds is not None:
        solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return None
    return [order for order, variable in zip(orders, chosen, strict=True) if solver.boolean_value(variable)]
