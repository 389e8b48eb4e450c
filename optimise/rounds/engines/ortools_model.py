"""The day as an OR-Tools routing model: every rule that the problem knows, and nothing that it does not.

Reloading follows OR-Tools' own way: a disposal site is a set of optional nodes, one per possible unloading of a
vehicle, whose transit empties the load dimensions; their slack takes what was not full. Dimensions are only made for
rules that the problem has. Traffic is met with the mean factor over the shifts; `schedule.py` then computes the times.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from ortools.constraint_solver import pywrapcp

from optimise.rounds.engines.clock import typical_percent
from optimise.rounds.engines.ortools_nodes import nodes_of
from optimise.rounds.engines.schedule import departure_s
from optimise.rounds.engines.steps import Step
from optimise.rounds.engines.trips import MUST_PRIZE
from optimise.rounds.parts import Window
from optimise.rounds.problem import Integers, Problem
from optimise.rounds.solution import VisitKind


class RoutingDay:
    """One OR-Tools model. Nodes: the bins considered, each vehicle's unloadings at each site, each vehicle's depots."""

    def __init__(self, problem: Problem, stops: Integers, *, unloadings: int) -> None:
        self._problem = problem
        self._stops = stops.tolist()
        all_kg = int(problem.demand_kg.sum())
        self._kg_at_most = [all_kg if who.capacity_kg is None else who.capacity_kg for who in problem.vehicles]
        self._nodes = nodes_of(problem, stops, unloadings=unloadings, kilograms_at_most=self._kg_at_most)
        nodes, fleet = self._nodes, len(problem.vehicles)
        self.manager = pywrapcp.RoutingIndexManager(len(nodes.row), fleet, nodes.start, nodes.end)
        self.routing = pywrapcp.RoutingModel(self.manager)
        # Where nobody can be made to wait, leaving first thing is best and arcs can carry the price of time.
        self.waiting = any(nodes.windows) or bool((problem.release_s[stops] > 0).any())
        self._add_costs()
        self._add_load("load", nodes.litres, [who.capacity_l for who in problem.vehicles])
        if any(nodes.kilograms) and any(who.capacity_kg is not None for who in problem.vehicles):
            self._add_load("load_kg", nodes.kilograms, self._kg_at_most)
        self._add_time()
        self._add_daily_limits()
        if (problem.release_s[stops] > 0).any():
            self._add_releases()
        self._add_choices()
        self._add_wishes()

    def _travel_s(self, profile: int) -> Integers:
        """Return the seconds from node to node (N, N), the stay at the first included."""
        problem, rows = self._problem, self._nodes.row
        travel = problem.profiles[profile - 1] if profile else problem
        seconds = travel.duration_s[np.ix_(rows, rows)]
        if problem.traffic is not None:
            begin_s = min(who.shift_from_s for who in problem.vehicles)
            end_s = max(who.latest_end_s for who in problem.vehicles)
            percent = typical_percent(problem.traffic, begin_s, end_s)
            seconds = -(-seconds * percent // 100)
        return np.asarray(seconds + np.array(self._nodes.stay_s)[:, None], dtype=np.int64)

    def _travel_m(self, profile: int) -> Integers:
        problem, rows = self._problem, self._nodes.row
        travel = problem.profiles[profile - 1] if profile else problem
        return np.asarray(travel.distance_m[np.ix_(rows, rows)], dtype=np.int64)

    def _add_costs(self) -> None:
        """Price the arcs, by vehicle: metres, seconds unless the time dimension prices them, bins nobody knows."""
        problem = self._problem
        known: dict[object, int] = {}
        for vehicle, who in enumerate(problem.vehicles):
            prices, wish = problem.prices_of(vehicle), problem.wishes.per_unfamiliar_stop
            key = (who.profile, prices, who.sectors if wish else frozenset())
            if key not in known:
                cost = self._travel_m(who.profile) * prices.per_metre
                if not self.waiting:
                    cost = cost + self._travel_s(who.profile) * prices.per_second
                if wish and who.sectors:
                    sector = problem.sector[self._stops]
                    strange = (sector >= 0) & ~np.isin(sector, list(who.sectors))
                    cost[:, : len(self._stops)] += np.where(strange, wish, 0)[None, :]
                known[key] = self.routing.RegisterTransitMatrix(cost.tolist())
            self.routing.SetArcCostEvaluatorOfVehicle(known[key], vehicle)
            self.routing.SetFixedCostOfVehicle(prices.per_vehicle, vehicle)

    def _add_load(self, name: str, taken: list[int], capacities: list[int]) -> None:
        problem, routing = self._problem, self.routing
        evaluator = routing.RegisterUnaryTransitVector(taken)
        routing.AddDimensionWithVehicleCapacity(evaluator, max(capacities), capacities, True, name)
        load = routing.GetDimensionOrDie(name)
        for node in range(len(self._stops)):
            load.SlackVar(self.manager.NodeToIndex(node)).SetValue(0)
        for vehicle in range(len(problem.vehicles)):
            load.SlackVar(routing.Start(vehicle)).SetValue(0)
            if problem.unloads_before_home(vehicle):
                load.CumulVar(routing.End(vehicle)).SetValue(0)

    def _add_time(self) -> None:
        problem, routing, nodes = self._problem, self.routing, self._nodes
        # OR-Tools wants times from 0 on.
        base_s = self._base_s = min(0, *(who.shift_from_s for who in problem.vehicles))
        evaluators = {
            profile: routing.RegisterTransitMatrix(self._travel_s(profile).tolist())
            for profile in {who.profile for who in problem.vehicles}
        }
        ends = [who.latest_end_s - base_s for who in problem.vehicles]
        slack_s = max(ends) if self.waiting else max(who.break_s for who in problem.vehicles)
        routing.AddDimensionWithVehicleTransitAndCapacity(
            [evaluators[who.profile] for who in problem.vehicles], slack_s, ends, False, "time"
        )
        time = routing.GetDimensionOrDie("time")
        stay_of_index = [0] * (routing.Size() + len(problem.vehicles))
        for node, step in enumerate(nodes.step):
            if step is not None:
                index = self.manager.NodeToIndex(node)
                stay_of_index[index] = nodes.stay_s[node]
                _restrict(time.CumulVar(index), nodes.windows[node], base_s=base_s)
        for vehicle, who in enumerate(problem.vehicles):
            prices = problem.prices_of(vehicle)
            start = time.CumulVar(routing.Start(vehicle))
            if self.waiting:
                start.SetRange(departure_s(who) - base_s, who.latest_end_s - base_s)
                if prices.per_second:
                    time.SetSpanCostCoefficientForVehicle(prices.per_second, vehicle)
                routing.AddVariableMinimizedByFinalizer(time.CumulVar(routing.End(vehicle)))
                routing.AddVariableMaximizedByFinalizer(start)
            else:
                start.SetValue(departure_s(who) - base_s)
            if who.overtime_until_s is not None and prices.per_overtime_second:
                shift_s = who.shift_until_s - base_s
                time.SetCumulVarSoftUpperBound(routing.End(vehicle), shift_s, prices.per_overtime_second)
            latest_s = who.break_until_s - who.break_s - base_s
            if who.break_s and latest_s >= 0:
                rest = routing.solver().FixedDurationIntervalVar(
                    max(0, who.break_from_s - base_s), latest_s, who.break_s, False, f"break {vehicle}"
                )
                time.SetBreakIntervalsOfVehicle([rest], vehicle, stay_of_index)

    def _add_daily_limits(self) -> None:
        """Add range, litres, bins and unloadings of a day, each where a vehicle has such a limit."""
        vehicles, nodes, routing = self._problem.vehicles, self._nodes, self.routing
        kinds = [None if step is None else step[0] for step in nodes.step]
        counted = {
            "day_l": [max(0, litres) for litres in nodes.litres],
            "day_stops": [int(kind is VisitKind.STOP) for kind in kinds],
            "unloadings_at_most": [int(kind is VisitKind.DISPOSAL) for kind in kinds],
        }
        for name, counts in counted.items():
            limits = [getattr(who, name) for who in vehicles]
            if any(limit is not None for limit in limits):
                most = [sum(counts) if limit is None else limit for limit in limits]
                evaluator = routing.RegisterUnaryTransitVector(counts)
                routing.AddDimensionWithVehicleCapacity(evaluator, 0, most, True, name)
        if any(who.range_m is not None for who in vehicles):
            evaluators = {
                profile: routing.RegisterTransitMatrix(self._travel_m(profile).tolist())
                for profile in {who.profile for who in vehicles}
            }
            ranges = [10**12 if who.range_m is None else who.range_m for who in vehicles]
            routing.AddDimensionWithVehicleTransitAndCapacity(
                [evaluators[who.profile] for who in vehicles], 0, ranges, True, "range"
            )

    def _add_releases(self) -> None:
        """Let no vehicle be at a bin before it can have come from anywhere that its trip sets out from.

        That is less than the rule, which wants the whole trip to set out after its last release: told to OR-Tools
        as constraints of every trip, it made the search a thousand times slower. `schedule.py` keeps the rule whole.
        """
        problem, time = self._problem, self.routing.GetDimensionOrDie("time")
        begins = [who.depot for who in problem.vehicles] + [site.location for site in problem.disposals]
        for node, stop in enumerate(self._stops):
            if problem.release_s[stop] > 0:
                way_s = int(problem.duration_s[begins, problem.location[stop]].min())
                earliest_s = int(problem.release_s[stop]) + way_s - self._base_s
                cumul = time.CumulVar(self.manager.NodeToIndex(node))
                cumul.SetMin(min(earliest_s, cumul.Max()))

    def _add_choices(self) -> None:
        problem, routing = self._problem, self.routing
        everybody = len(problem.vehicles)
        for node, stop in enumerate(self._stops):
            index = self.manager.NodeToIndex(node)
            routing.AddDisjunction([index], MUST_PRIZE if problem.must[stop] else int(problem.prize[stop]))
            allowed = np.flatnonzero(problem.allowed[stop]).tolist()
            if len(allowed) < everybody:
                routing.VehicleVar(index).SetValues([-1, *allowed])
        for (vehicle, _, _), node in self._nodes.unloading.items():
            index = self.manager.NodeToIndex(node)
            routing.AddDisjunction([index], 0)
            routing.VehicleVar(index).SetValues([-1, vehicle])

    def _add_wishes(self) -> None:
        problem, routing = self._problem, self.routing
        wishes = problem.wishes
        if wishes.per_split:
            sector = problem.sector[self._stops]
            for number in sorted({int(value) for value in sector if value >= 0}):
                members = np.flatnonzero(sector == number).tolist()
                if len(members) > 1:
                    indices = [self.manager.NodeToIndex(node) for node in members]
                    routing.AddSoftSameVehicleConstraint(indices, wishes.per_split)
        if wishes.per_longest_second:
            evaluators = {
                profile: routing.RegisterTransitMatrix(self._travel_s(profile).tolist())
                for profile in {who.profile for who in problem.vehicles}
            }
            most = max(who.latest_end_s - who.shift_from_s for who in problem.vehicles)
            routing.AddDimensionWithVehicleTransitAndCapacity(
                [evaluators[who.profile] for who in problem.vehicles], 0, [most] * len(problem.vehicles), True, "work"
            )
            routing.GetDimensionOrDie("work").SetGlobalSpanCostCoefficient(wishes.per_longest_second)

    def assignment(self, orders: Sequence[tuple[int, Sequence[Step]]]) -> pywrapcp.Assignment | None:
        """Return `orders` as a first solution (after the model is closed), None when OR-Tools finds them infeasible."""
        node_of_stop = {stop: node for node, stop in enumerate(self._stops)}
        routes: list[list[int]] = [[] for _ in self._problem.vehicles]
        for vehicle, steps in orders:
            turns: dict[int, int] = {}
            for kind, index in steps:
                if kind is VisitKind.STOP:
                    node = node_of_stop.get(index)
                else:
                    node = self._nodes.unloading.get((vehicle, index, turns.get(index, 0)))
                    turns[index] = turns.get(index, 0) + 1
                if node is None:
                    return None
                routes[vehicle].append(self.manager.NodeToIndex(node))
        return self.routing.ReadAssignmentFromRoutes(routes, True)

    def orders(self, solution: pywrapcp.Assignment) -> list[tuple[int, list[Step]]]:
        """Return the order of visits of each vehicle in OR-Tools' solution."""
        found = []
        for vehicle in range(len(self._problem.vehicles)):
            steps: list[Step] = []
            index = solution.Value(self.routing.NextVar(self.routing.Start(vehicle)))
            while not self.routing.IsEnd(index):
                step = self._nodes.step[self.manager.IndexToNode(index)]
                assert step is not None
                steps.append(step)
                index = solution.Value(self.routing.NextVar(index))
            found.append((vehicle, steps))
        return found


def _restrict(cumul: pywrapcp.IntVar, windows: tuple[Window, ...], *, base_s: int) -> None:
    """Let a service begin within its windows only."""
    if not windows:
        return
    cumul.SetRange(max(0, windows[0].from_s - base_s), windows[-1].until_s - base_s)
    for earlier, later in pairwise(windows):
        if earlier.until_s + 1 <= later.from_s - 1:
            cumul.RemoveInterval(earlier.until_s + 1 - base_s, later.from_s - 1 - base_s)
