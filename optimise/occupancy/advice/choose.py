"""Choose measures together: CP-SAT weighs them under the budget and the service that shops must keep. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from optimise.occupancy.advice.measures import Measure, MeasureKind
from optimise.occupancy.advice.options import AdviceOptions
from optimise.occupancy.advice.scene import Origin, Scene, distances_m
from storage.errors import InputError

_PARTS = 100
"""Deliveries and euros are counted in hundredths."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The measures chosen, by index, what they are guessed to be worth in a week, and whether that is proven best."""

    chosen: tuple[int, ...]
    eur_per_week: float
    proven: bool


def worth_eur(measure: Measure, options: AdviceOptions) -> float:
    """Return what a measure is worth in a week beside what it saves: place-hours, deliveries lost, its cost."""
    return (
        measure.gives_back_h * options.place_hour_eur
        - measure.loses * options.refused_eur
        - measure.cost_eur / options.paid_off_weeks
    )


def choose(
    scene: Scene,
    measures: Sequence[Measure],
    refused: NDArray[np.float64],
    options: AdviceOptions,
    *,
    origins: Sequence[Origin],
    serve_all: bool = False,
) -> Choice:
    """Return the measures that are worth most together.

    One measure at an area or spot; their cost within the budget; no shop that is served within `within_m` loses its
    service. Bays share the `refused` (o,) deliveries of the `origins` that they reach. With `serve_all` every shop that
    a spot could serve must be served; InputError when the budget does not reach.
    """
    model = cp_model.CpModel()
    does = [model.new_bool_var(f"does {number}") for number in range(len(measures))]
    for key in ("area", "spot"):
        by: dict[int, list[cp_model.IntVar]] = {}
        for one, var in zip(measures, does, strict=True):
            if (index := getattr(one, key)) is not None:
                by.setdefault(index, []).append(var)
        for rivals in by.values():
            model.add_at_most_one(rivals)
    cost = cp_model.LinearExpr.weighted_sum(does, [round(_PARTS * one.cost_eur) for one in measures])
    if options.budget_eur is not None:
        model.add(cost <= int(_PARTS * options.budget_eur))
    model.add(cp_model.LinearExpr.sum(does) <= options.most)
    _keep_service(model, scene, measures, does, within_m=options.within_m, serve_all=serve_all)
    taken = _share_refused(model, measures, does, refused, origins=len(origins))
    model.maximize(
        cp_model.LinearExpr.weighted_sum(taken, [round(_PARTS * options.refused_eur)] * len(taken))
        + cp_model.LinearExpr.weighted_sum(does, [round(_PARTS * _PARTS * _alone(one, options)) for one in measures])
    )
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = options.workers
    solver.parameters.random_seed = options.seed
    solver.parameters.max_time_in_seconds = options.solve_s
    status = solver.solve(model)
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        within = "" if options.budget_eur is None else f" of {options.budget_eur:g} EUR together"
        raise InputError(
            f"expected measures that serve every shop within {options.within_m:g} m, found none with at most "
            f"{options.most}{within}"
        )
    return Choice(
        chosen=tuple(number for number, var in enumerate(does) if solver.boolean_value(var)),
        eur_per_week=solver.objective_value / _PARTS / _PARTS,
        proven=status == cp_model.OPTIMAL,
    )


def _alone(measure: Measure, options: AdviceOptions) -> float:
    """Return what a measure is worth but for refused deliveries that it shares with others."""
    saves = 0.0 if measure.reaches else measure.saves * options.refused_eur
    return worth_eur(measure, options) + saves


def _share_refused(
    model: cp_model.CpModel,
    measures: Sequence[Measure],
    does: Sequence[cp_model.IntVar],
    refused: NDArray[np.float64],
    *,
    origins: int,
) -> list[cp_model.IntVar]:
    """Return how many hundredths of a delivery each bay takes of each origin, together no more than there are."""
    taken: list[cp_model.IntVar] = []
    of_origin: list[list[cp_model.IntVar]] = [[] for _ in range(origins)]
    for number, (one, var) in enumerate(zip(measures, does, strict=True)):
        if not one.reaches:
            continue
        mine = []
        for origin in one.reaches:
            most = int(_PARTS * refused[origin])
            if most > 0:
                part = model.new_int_var(0, most, f"takes {number} {origin}")
                of_origin[origin].append(part)
                mine.append(part)
        model.add(cp_model.LinearExpr.sum(mine) <= round(_PARTS * one.saves) * var)
        taken += mine
    for origin, parts in enumerate(of_origin):
        if len(parts) > 1:
            model.add(cp_model.LinearExpr.sum(parts) <= int(_PARTS * refused[origin]))
    return taken


def _keep_service(
    model: cp_model.CpModel,
    scene: Scene,
    measures: Sequence[Measure],
    does: Sequence[cp_model.IntVar],
    *,
    within_m: float,
    serve_all: bool,
) -> None:
    shops = [one for one in scene.origins if one.shops]
    served_by = distances_m([one.at for one in shops], [area.at for area in scene.areas]) <= within_m
    spots = distances_m([one.at for one in shops], [spot.at for spot in scene.spots]) <= within_m
    gone = {
        area: [var for one, var in zip(measures, does, strict=True) if one.area == area and _gives_up(one)]
        for area in range(len(scene.areas))
        if scene.areas[area].places == 1
    }
    come: dict[int, list[cp_model.IntVar]] = {}
    for one, var in zip(measures, does, strict=True):
        if one.spot is not None:
            come.setdefault(one.spot, []).append(var)
    for row in range(len(shops)):
        now = np.flatnonzero(served_by[row]).tolist()
        leaving = [var for area in now for var in gone.get(area, [])]
        coming = [var for spot in np.flatnonzero(spots[row]).tolist() for var in come.get(spot, [])]
        if (now and leaving) or (not now and serve_all and coming):
            model.add(len(now) + cp_model.LinearExpr.sum(coming) - cp_model.LinearExpr.sum(leaving) >= 1)


def _gives_up(measure: Measure) -> bool:
    return measure.kind in {MeasureKind.REMOVE, MeasureKind.MOVE}
