"""A picture of solved rounds: where they go, and how their cost fell over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from optimise.rounds.engines.pyvrp_search.places import plane
from optimise.rounds.formats import Task
from optimise.rounds.solution import Solution, VisitKind


def draw(path: Path, task: Task, solution: Solution, document: dict[str, Any]) -> None:
    """Draw the routes on the left and the cost over time on the right. Raises OSError where it cannot be written."""
    problem = task.problem
    places = len(problem.duration_s)
    points = np.array(task.positions) if task.positions is not None else plane(problem, np.arange(places))
    figure = Figure(figsize=(12, 6), layout="constrained")
    FigureCanvasAgg(figure)
    streets, curve = figure.subplots(1, 2, width_ratios=[3, 2])
    colours = colormaps["tab20"].colors  # type: ignore[attr-defined]  # a listed map
    for number, route in enumerate(solution.routes):
        who = problem.vehicles[route.vehicle]
        rows = [who.depot]
        for visit in route.visits:
            if visit.kind is VisitKind.STOP:
                rows.append(int(problem.location[visit.index]))
            elif visit.kind is VisitKind.DISPOSAL:
                rows.append(problem.disposals[visit.index].location)
        rows.append(who.home)
        streets.plot(*points[rows].T, linewidth=0.9, color=colours[number % len(colours)])
    streets.scatter(*points[problem.location].T, s=4, color="0.3", zorder=3)
    left = problem.location[list(solution.left_out)]
    if len(left):
        streets.scatter(*points[left].T, s=12, marker="x", color="0.6", zorder=3, label="left")
    sites = [site.location for site in problem.disposals]
    if sites:
        streets.scatter(*points[sites].T, s=50, marker="^", color="black", zorder=4, label="disposal")
    depots = sorted({who.depot for who in problem.vehicles})
    streets.scatter(*points[depots].T, s=60, marker="s", color="black", zorder=4, label="depot")
    streets.legend(loc="best", frameon=False)
    streets.set_aspect("equal")
    streets.set_axis_off()
    streets.set_title(f"{document['name']}: {document['vehicles']} vehicles, {len(document['unserved'])} left")
    history = document["history"]
    if history:
        seconds = [one["seconds"] for one in history] + [document["seconds"]]
        costs = [one["cost"] for one in history]
        curve.step(seconds, [*costs, costs[-1]], where="post")
    curve.set_xlabel("seconds")
    curve.set_ylabel(f"cost ({document['unit']})")
    curve.grid(visible=True, linewidth=0.3)
    figure.savefig(path)
