"""The nodes of the OR-Tools model: bins, each vehicle's possible unloadings, each vehicle's start and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimise.rounds.engines.steps import Step
from optimise.rounds.engines.trips import within
from optimise.rounds.parts import Window
from optimise.rounds.problem import Integers, Problem
from optimise.rounds.solution import VisitKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Nodes:
    """N nodes: `step` (none at depots), `row` of the matrices, `stay_s`, litres and kilograms taken on (N,).

    An unloading takes its vehicle's whole capacity off. `unloading` finds it by vehicle, site and turn. `start` and
    `end` are the vehicles' nodes.
    """

    step: list[Step | None]
    row: list[int]
    stay_s: list[int]
    litres: list[int]
    kilograms: list[int]
    windows: list[tuple[Window, ...]]
    unloading: dict[tuple[int, int, int], int]
    start: list[int]
    end: list[int]


def nodes_of(problem: Problem, stops: Integers, *, unloadings: int, kilograms_at_most: Sequence[int]) -> Nodes:
    """Return the nodes for these bins and up to so many unloadings of each vehicle at each site."""
    chosen = stops.tolist()
    nodes = Nodes(
        step=[(VisitKind.STOP, stop) for stop in chosen],
        row=problem.location[stops].tolist(),
        stay_s=problem.service_s[stops].tolist(),
        litres=problem.demand_l[stops].tolist(),
        kilograms=problem.demand_kg[stops].tolist(),
        windows=[problem.windows[stop] for stop in chosen],
        unloading={},
        start=[],
        end=[],
    )

    def add(step: Step | None, row: int, stay_s: int, taken: tuple[int, int], windows: tuple[Window, ...]) -> int:
        nodes.step.append(step)
        nodes.row.append(row)
        nodes.stay_s.append(stay_s)
        nodes.litres.append(taken[0])
        nodes.kilograms.append(taken[1])
        nodes.windows.append(windows)
        return len(nodes.row) - 1

    for vehicle, who in enumerate(problem.vehicles):
        turns = unloadings if who.unloadings_at_most is None else min(unloadings, who.unloadings_at_most)
        off = (-who.capacity_l, -kilograms_at_most[vehicle])
        for index, site in enumerate(problem.disposals):
            if not within(site.windows, who.shift_from_s, who.latest_end_s):
                continue
            for turn in range(turns):
                node = add((VisitKind.DISPOSAL, index), site.location, site.unload_s, off, site.windows)
                nodes.unloading[vehicle, index, turn] = node
    for who in problem.vehicles:
        nodes.start.append(add(None, who.depot, 0, (0, 0), ()))
        # A node of its own where the day ends elsewhere; OR-Tools lets start and end share one.
        nodes.end.append(nodes.start[-1] if who.home == who.depot else add(None, who.home, 0, (0, 0), ()))
    return nodes
