"""The day as an OR-Tools routing model: every rule that the problem knows, and nothing that it does not.

Reloading follows OR-Tools' own way: a disposal site is a set of optional nodes, one per possible unloading of a
vehicle, whose transit empties the load dimension; its slack takes what was not full.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ortools.constraint_solver import pywrapcp

from optimise.rounds.engines.schedule import Step, departure_s
from optimise.rounds.engines.trips import MUST_PRIZE
from optimise.rounds.problem import Integers, Problem
from optimise.rounds.solution import VisitKind


class RoutingDay:
    """One OR-Tools model. Nodes: the bins considered, each vehicle's unloadings at each site, each vehicle's depot."""

    def __init__(self, problem: Problem, stops: Integers, *, unloadings: int) -> None:
        self._problem = problem
        self._stops = stops.tolist()
        self._unloading_node: dict[tuple[int, int, int], int] = {}
        self._steps: list[Step | None] = [(VisitKind.STOP, stop) for stop in self._stops]
        rows = problem.location[stops].tolist()
        stays = problem.service_s[stops].tolist()
        loads = problem.demand_l[stops].tolist()
        for vehicle, who in enumerate(problem.vehicles):
            for index, site in enumerate(problem.disposals):
                for turn in range(unloadings):
                    self._unloading_node[vehicle, index, turn] = len(rows)
                    self._steps.append((VisitKind.DISPOSAL, index))
                    rows.append(site.location)
                    stays.append(site.unload_s)
                    loads.append(-who.capacity_l)
        depots = list(range(len(rows), len(rows) + len(problem.vehicles)))
        rows += [who.depot for who in problem.vehicles]
        stays += [0] * len(problem.vehicles)
        loads += [0] * len(problem.vehicles)
        self._steps += [None] * len(problem.vehicles)

        self.manager = pywrapcp.RoutingIndexManager(len(rows), len(problem.vehicles), depots, depots)
        self.routing = pywrapcp.RoutingModel(self.manager)
        time_s = problem.duration_s[np.ix_(rows, rows)] + np.array(stays)[:, None]
        cost = problem.distance_m[np.ix_(rows, rows)] * problem.prices.per_metre + time_s * problem.prices.per_second
        self.routing.SetArcCostEvaluatorOfAllVehicles(self.routing.RegisterTransitMatrix(cost.tolist()))
        self.routing.SetFixedCostOfAllVehicles(problem.prices.per_vehicle)
        self._add_load(loads)
        self._add_time(time_s, stays)
        self._add_choices()

    def _add_load(self, loads: list[int]) -> None:
        problem, routing = self._problem, self.routing
        capacities = [who.capacity_l for who in problem.vehicles]
        evaluator = routing.RegisterUnaryTransitVector(loads)
        routing.AddDimensionWithVehicleCapacity(evaluator, max(capacities), capacities, True, "load")
        load = routing.GetDimensionOrDie("load")
        for node, step in enumerate(self._steps):
            if step is not None and step[0] is VisitKind.STOP:
                load.SlackVar(self.manager.NodeToIndex(node)).SetValue(0)
        for vehicle in range(len(problem.vehicles)):
            load.SlackVar(routing.Start(vehicle)).SetValue(0)
            load.CumulVar(routing.End(vehicle)).SetValue(0)  # it unloads before it goes home

    def _add_time(self, time_s: Integers, stays: list[int]) -> None:
        problem, routing = self._problem, self.routing
        evaluator = routing.RegisterTransitMatrix(time_s.tolist())
        longest_break_s = max(who.break_s for who in problem.vehicles)
        ends = [who.shift_until_s for who in problem.vehicles]
        routing.AddDimensionWithVehicleCapacity(evaluator, longest_break_s, ends, False, "time")
        time = routing.GetDimensionOrDie("time")
        stay_of_index = [0] * (routing.Size() + len(problem.vehicles))
        for node, stay in enumerate(stays[: -len(problem.vehicles)]):
            stay_of_index[self.manager.NodeToIndex(node)] = stay
        for vehicle, who in enumerate(problem.vehicles):
            time.CumulVar(routing.Start(vehicle)).SetValue(departure_s(who))
            if who.break_s:
                rest = routing.solver().FixedDurationIntervalVar(
                    who.break_from_s, who.break_until_s - who.break_s, who.break_s, False, f"break {vehicle}"
                )
                time.SetBreakIntervalsOfVehicle([rest], vehicle, stay_of_index)

    def _add_choices(self) -> None:
        problem, routing = self._problem, self.routing
        for node, stop in enumerate(self._stops):
            penalty = MUST_PRIZE if problem.must[stop] else int(problem.prize[stop])
            routing.AddDisjunction([self.manager.NodeToIndex(node)], penalty)
        for (vehicle, _, _), node in self._unloading_node.items():
            index = self.manager.NodeToIndex(node)
            routing.AddDisjunction([index], 0)
            routing.VehicleVar(index).SetValues([-1, vehicle])

    def assignment(self, orders: Sequence[tuple[int, Sequence[Step]]]) -> pywrapcp.Assignment | None:
        """Return `orders` as a first solution (after the model is closed), None when OR-Tools finds them infeasible."""
        node_of_stop = {stop: node for node, stop in enumerate(self._stops)}
        routes: list[list[int]] = [[] for _ in self._problem.vehicles]
        for vehicle, steps in orders:
            turns: dict[int, int] = {}
            for kind, index in steps:
                if kind is VisitKind.STOP:
                    node = node_of_stop[index]
                else:
                    node = self._unloading_node[vehicle, index, turns.get(index, 0)]
                    turns[index] = turns.get(index, 0) + 1
                routes[vehicle].append(self.manager.NodeToIndex(node))
        return self.routing.ReadAssignmentFromRoutes(routes, True)

    def orders(self, solution: pywrapcp.Assignment) -> list[tuple[int, list[Step]]]:
        """Return the order of visits of each vehicle in OR-Tools' solution."""
        found = []
        for vehicle in range(len(self._problem.vehicles)):
            steps: list[Step] = []
            index = solution.Value(self.routing.NextVar(self.routing.Start(vehicle)))
            while not self.routing.IsEnd(index):
                step = self._steps[self.manager.IndexToNode(index)]
                assert step is not None
                steps.append(step)
                index = solution.Value(self.routing.NextVar(index))
            found.append((vehicle, steps))
        return found
