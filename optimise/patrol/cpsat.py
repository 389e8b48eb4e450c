"""The orienteering problem with OR-Tools' CP-SAT: a circuit with optional places, a clock, gains that fall with time.

CP-SAT rather than OR-Tools' routing library: it gives Python's interpreter away while it searches, so that a web server
goes on answering, and it stops after a deterministic amount of work. Gains by the minute become a line over each site's
first and last useful minute; what it finds is judged again by the exact gains (`walks.Course`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from optimise.patrol.walks import Course, Order
from storage.kerb.patrol import MINUTE_S, PatrolSite

_GAIN_UNITS = 1000
_FINE = 1000
"""Lines are reckoned in thousandths of a unit, so that a slope of little a second is not lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchLimits:
    """When CP-SAT stops: after `seconds` (None: never), or after so much deterministic `work`, by its own measure."""

    seconds: float | None = 0.8
    work: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if self.work <= 0 or (self.seconds is not None and self.seconds <= 0):
            raise ValueError(f"expected seconds > 0 and work > 0, got {self.seconds} and {self.work}")


def searched(course: Course, hint: Order, *, limits: SearchLimits) -> Order | None:
    """Return the best order that CP-SAT finds from `hint` on, None when it finds none."""
    model = _Model(course)
    model.hint(hint)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = limits.seed
    solver.parameters.max_deterministic_time = limits.work
    if limits.seconds is not None:
        solver.parameters.max_time_in_seconds = limits.seconds
    status = solver.solve(model.model)
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return None
    return model.order(solver)


class _Model:
    def __init__(self, course: Course) -> None:
        self._course = course
        self.model = cp_model.CpModel()
        task = course.task
        nodes = range(len(task.sites) + 1)
        self._arcs: dict[tuple[int, int], cp_model.IntVar] = {}
        self._gains: dict[int, tuple[cp_model.IntVar, int, int, int]] = {}
        self._visited = [self.model.new_bool_var(f"visit {node}") for node in nodes]
        self._begins = [self.model.new_int_var(0, task.within_s, f"begin {node}") for node in nodes]
        self.model.add(self._visited[0] == 1)
        self.model.add(self._begins[0] == 0)
        self._anything = self._some(nodes)
        circuit: list[tuple[int, int, cp_model.LiteralT]] = [(0, 0, ~self._anything)]
        for node in nodes[1:]:
            circuit.append((node, node, ~self._visited[node]))
            opens_s = course.opens_s[node - 1]
            if opens_s > task.within_s:
                self.model.add(self._visited[node] == 0)
                continue
            self.model.add(self._begins[node] >= opens_s).only_enforce_if(self._visited[node])
        circuit += [
            (here, there, self._arcs[here, there])
            for here in nodes
            for there in nodes
            if here != there and self._add_arc(here, there)
        ]
        self.model.add_circuit(circuit)
        gains = [self._gain(node) for node in nodes[1:]]
        walked = sum(course.walk_s(*pair) * arc for pair, arc in self._arcs.items() if pair[1] or task.back)
        # Seconds only choose between equal gains.
        self.model.maximize(sum(gains) * (task.within_s + 1) - walked)

    def _some(self, nodes: range) -> cp_model.IntVar:
        some = self.model.new_bool_var("anything")
        self.model.add_max_equality(some, [self._visited[node] for node in nodes[1:]])
        return some

    def _add_arc(self, here: int, there: int) -> bool:
        course, task = self._course, self._course.task
        walk_s = course.walk_s(here, there) if there or task.back else 0
        leaves_s = task.check_s if here else 0
        least_s = (course.opens_s[here - 1] if here else 0) + leaves_s + walk_s
        if least_s + (task.check_s if there else 0) > task.within_s:
            return False
        arc = self._arcs[here, there] = self.model.new_bool_var(f"{here} to {there}")
        if there:
            arrives = self._begins[here] + leaves_s + walk_s
            self.model.add(self._begins[there] >= arrives).only_enforce_if(arc)
            if course.opens_s[there - 1] > 0:
                early = course.opens_s[there - 1] - arrives
                self.model.add(early <= task.wait_s).only_enforce_if(arc)
            self.model.add(self._begins[there] + task.check_s <= task.within_s).only_enforce_if(arc)
        else:
            self.model.add(self._begins[here] + leaves_s + walk_s <= task.within_s).only_enforce_if(arc)
        return True

    def _gain(self, node: int) -> cp_model.IntVar:
        site = self._course.task.sites[node - 1]
        at_once, a_second = _line(site, within_s=self._course.task.within_s)
        most = max(0, round(max(site.gains) * _GAIN_UNITS))
        gain = self.model.new_int_var(0, most, f"gain {node}")
        self.model.add(gain <= most * self._visited[node])
        first, fall = round(at_once * _GAIN_UNITS * _FINE), round(a_second * _GAIN_UNITS * _FINE)
        self.model.add(_FINE * gain <= first - fall * self._begins[node]).only_enforce_if(self._visited[node])
        self._gains[node] = (gain, most, first, fall)
        return gain

    def hint(self, order: Order) -> None:
        """Begin the search from a whole solution: one that CP-SAT has to complete costs it a second to find."""
        course, task = self._course, self._course.task
        begins_s, now_s, here = {0: 0}, 0, 0
        for site in order:
            begins_s[site + 1] = course.begins_s(now_s + course.walk_s(here, site + 1), site)
            now_s, here = begins_s[site + 1] + task.check_s, site + 1
        nodes = [0, *(site + 1 for site in order)]
        steps = set(zip(nodes, [*nodes[1:], 0], strict=True))
        self.model.add_hint(self._anything, bool(order))
        for pair, arc in self._arcs.items():
            self.model.add_hint(arc, pair in steps)
        for node, visited in enumerate(self._visited):
            self.model.add_hint(visited, node in begins_s)
            self.model.add_hint(self._begins[node], begins_s.get(node, course.opens_s[node - 1] if node else 0))
        for node, (gain, most, at_once, fall) in self._gains.items():
            begun = max(0, min(most, (at_once - fall * begins_s[node]) // _FINE)) if node in begins_s else 0
            self.model.add_hint(gain, begun)

    def order(self, solver: cp_model.CpSolver) -> Order:
        then = {here: there for (here, there), arc in self._arcs.items() if solver.boolean_value(arc)}
        order, node = [], then.get(0, 0)
        while node:
            order.append(node - 1)
            node = then[node]
        return tuple(order)


def _line(site: PatrolSite, *, within_s: int) -> tuple[float, float]:
    """Return the line (gain at the start, fall a second) closest to a site's gains over its useful minutes."""
    gains = np.array(site.gains[: within_s // MINUTE_S + 1], dtype=np.float64)
    useful = np.flatnonzero(gains > 0)
    if len(useful) < 2:  # noqa: PLR2004 - a line needs two points
        return float(gains.max(initial=0.0)), 0.0
    slope, at_once = np.polyfit(useful * float(MINUTE_S), gains[useful], 1)
    return (float(at_once), -float(slope)) if slope < 0 else (float(gains[useful].mean()), 0.0)
