"""The advice as a whole: propose, choose together, play the weeks before and after, show what holds. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from optimise.occupancy.advice.choose import choose
from optimise.occupancy.advice.demand import Demand, demand_of
from optimise.occupancy.advice.measures import Layout, Measure, layout
from optimise.occupancy.advice.options import AdviceOptions
from optimise.occupancy.advice.play import Arrivals, Dwells, Played, arrivals_of_week, play
from optimise.occupancy.advice.propose import proposals
from optimise.occupancy.advice.scene import Scene, distances_m, week_sum

_FITTED_ROUNDS = 3
_FITTED_WEEKS = 4
_FITTED_WITHIN = (0.5, 2.0)
_CONFIDENCE = 0.95
_MOST_ROUNDS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A mean over played weeks, with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Advised:
    """A measure and what it does in played weeks, beside all others that are advised.

    `avoided`: refused deliveries less in a week; `eur_per_week` what it is worth with that, its cost paid off.
    `holds`: it is worth something, and what it saves is told apart from chance (or it gives places back and is worth
    it at its worst).
    """

    measure: Measure
    avoided: Interval
    eur_per_week: float
    holds: bool


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Advice:
    """What is advised, and what was weighed and did not hold when it was played.

    `refused_before`, `refused_after` and `avoided` are deliveries a week; `unmeasured_before` of them are of shops
    whose demand no sensor measures. `fit` is how many stays the played weeks have for each that sensors saw. `shops`
    and, of them, `shops_served_before` and `…_after`: with a bay within reach.
    """

    scene: Scene
    advised: tuple[Advised, ...]
    dropped: tuple[Advised, ...]
    weighed: int
    proven: bool
    wanted: float
    refused_before: Interval
    refused_after: Interval
    avoided: Interval
    unmeasured_before: float
    gives_back_h: float
    cost_eur: float
    fit: float | None
    shops: int
    shops_served_before: int
    shops_served_after: int
    weeks: int


def advise(
    scene: Scene,
    options: AdviceOptions,
    *,
    serve_all: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> Advice:
    """Return the advice on a town's delivery areas. InputError when its constraints cannot be kept."""
    say = progress or (lambda _stage, _share: None)
    dwells = Dwells([area.dwell_counts for area in scene.areas], delivery_max_s=options.delivery_max_s)
    say("fit", 0.0)
    demand, fit = _fitted(scene, dwells, options)
    weeks = [arrivals_of_week(demand, dwells, seed=options.seed, week=week) for week in range(options.weeks)]
    before = play(demand, layout(scene), weeks, options)
    refused = before.refused_of / options.weeks
    say("choose", 0.0)
    measures = proposals(scene, demand, refused, options)
    choice = choose(scene, measures, refused, options, origins=demand.origins, serve_all=serve_all)
    chosen = [measures[number] for number in choice.chosen]
    advised: list[Advised] = []
    dropped: list[Advised] = []
    for round_number in range(_MOST_ROUNDS):
        say("play", round_number / _MOST_ROUNDS)
        told = _played_one_by_one(scene, demand, weeks, chosen, options=options)
        advised = [one for one in told if one.holds]
        fallen = [one for one in told if not one.holds]
        dropped += fallen
        if not fallen:
            break
        chosen = _still_serving(scene, [one.measure for one in advised], options)
        advised = [one for one in advised if one.measure in chosen]
    final = [one.measure for one in advised]
    after_layout = layout(scene, final)
    after = play(demand, after_layout, weeks, options)
    say("play", 1.0)
    order = sorted(advised, key=lambda one: -one.eur_per_week)
    return Advice(
        scene=scene,
        advised=tuple(order),
        dropped=tuple(dropped),
        weighed=len(measures),
        proven=choice.proven,
        wanted=float(before.wanted.mean()),
        refused_before=interval(before.refused),
        refused_after=interval(after.refused),
        avoided=interval(before.refused - after.refused),
        unmeasured_before=float(before.unmeasured.mean()),
        gives_back_h=sum(one.gives_back_h for one in final),
        cost_eur=sum(one.cost_eur for one in final),
        fit=fit,
        shops=sum(one.shops for one in scene.origins),
        shops_served_before=_shops_served(scene, layout(scene), options.within_m),
        shops_served_after=_shops_served(scene, after_layout, options.within_m),
        weeks=options.weeks,
    )


def interval(values: NDArray[np.float64]) -> Interval:
    """Return the mean of (w,) weeks with its interval by Student's law."""
    mean = float(values.mean())
    if len(values) < 2:  # noqa: PLR2004 - one week has no spread
        return Interval(mean=mean, low=-math.inf, high=math.inf)
    spread = float(student.ppf((1 + _CONFIDENCE) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    return Interval(mean=mean, low=mean - spread, high=mean + spread)


def _fitted(scene: Scene, dwells: Dwells, options: AdviceOptions) -> tuple[Demand, float | None]:
    """Return the demand with which played weeks have the stays that sensors saw, area by area, and how well.

    What spills over from a full area is seen at its neighbours, and would be counted twice otherwise.
    """
    demand = demand_of(scene, within_m=options.within_m)
    seen = np.array([np.nan if area.seen is None else week_sum(area.seen) for area in scene.areas])
    known = np.isfinite(seen) & (seen > 0)
    if not known.any():
        return demand, None
    as_is = layout(scene)
    fit = None
    for number in range(_FITTED_ROUNDS + 1):
        weeks = [
            arrivals_of_week(demand, dwells, seed=options.seed + 1_000_003, week=week) for week in range(_FITTED_WEEKS)
        ]
        found = play(demand, as_is, weeks, options).found / _FITTED_WEEKS
        fit = float(found[known].sum() / seen[known].sum())
        if number == _FITTED_ROUNDS:
            break
        factors = np.ones(len(seen))
        factors[known] = np.clip(seen[known] / np.maximum(found[known], 1e-9), *_FITTED_WITHIN)
        demand = demand.scaled(factors)
    return demand, fit


def _played_one_by_one(
    scene: Scene,
    demand: Demand,
    weeks: Sequence[Arrivals],
    chosen: Sequence[Measure],
    *,
    options: AdviceOptions,
) -> list[Advised]:
    """Return each measure with what the town would miss without it, all others being done."""
    together = play(demand, layout(scene, chosen), weeks, options)
    told = []
    for one in chosen:
        others = [other for other in chosen if other is not one]
        without = play(demand, layout(scene, others), weeks, options)
        told.append(_judged(one, without, together, options))
    return told


def _judged(measure: Measure, without: Played, together: Played, options: AdviceOptions) -> Advised:
    avoided = interval(without.refused - together.refused)
    worth = (
        avoided.mean * options.refused_eur
        + measure.gives_back_h * options.place_hour_eur
        - measure.cost_eur / options.paid_off_weeks
    )
    # A measure for deliveries must save some for certain; one that gives places back must be worth it at its worst.
    if measure.gives_back_h > 0:
        worst = worth + (avoided.low - avoided.mean) * options.refused_eur
        holds = worst > 0
    else:
        holds = avoided.low > 0 and worth > 0
    return Advised(measure=measure, avoided=avoided, eur_per_week=worth, holds=holds)


def _still_serving(scene: Scene, chosen: list[Measure], options: AdviceOptions) -> list[Measure]:
    """Return the measures without those that would leave a shop unserved now that others have fallen away."""
    kept = list(chosen)
    served = _shops_within(scene, layout(scene), options.within_m)
    for one in [measure for measure in chosen if measure.area is not None]:
        after = _shops_within(scene, layout(scene, kept), options.within_m)
        if (after | ~served).all():
            break
        kept = [other for other in kept if other is not one]
    return kept


def _shops_within(scene: Scene, setting: Layout, within_m: float) -> NDArray[np.bool_]:
    shops = [one.at for one in scene.origins if one.shops]
    standing = [area.at for area, places in zip(setting.areas, setting.places, strict=True) if places]
    if not shops or not standing:
        return np.zeros(len(shops), dtype=np.bool_)
    found: NDArray[np.bool_] = (distances_m(shops, standing) <= within_m).any(axis=1)
    return found


def _shops_served(scene: Scene, setting: Layout, within_m: float) -> int:
    counts = np.array([one.shops for one in scene.origins if one.shops], dtype=np.int64)
    return int(counts[_shops_within(scene, setting, within_m)].sum())
