"""What the protocols share: the town with its moments, folds, times and groups; and what a test yields. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimise.fill.forest import level_marks
from optimise.fill.readings import Floats, Ints
from optimise.fill.towns.around import LevelGrid, level_grid
from optimise.fill.towns.folds import Cuts, bin_folds, cut_times
from optimise.fill.towns.moments import Cases, choose_cases
from optimise.fill.towns.simple import Variants
from optimise.fill.towns.town import Town

_THIRDS = ("emptied rarely", "emptied at times", "emptied often")
_FEWEST_OF_KIND = 4
_OTHER = "other kinds"


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What protocols run on: all moments that may be asked for, and `fold` and `group` of each bin (bins,).

    `groups` names the groups, in which intervals have to hold one by one; `marks` (g,) as in `forest.level_marks`.
    """

    town: Town
    cases: Cases
    grid: LevelGrid
    folds: int
    fold: Ints
    cuts: Cuts
    group: Ints
    groups: tuple[str, ...]
    marks: Floats
    seed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Tested:
    """Test cases (n,): what happened, the forecast `distribution` (n, g), and the tuned baselines.

    `interval` (n,) names the time between two emptyings in which each case lies, None where cases are not of one.
    `reach(share)` is (n,), how far from the middle an interval of that share goes, as in `conformal.interval`.
    """

    bin_row: Ints
    at_s: Ints
    actual: Floats
    distribution: Floats
    interval: Ints | None
    reach: Callable[[float], Floats]
    simple: dict[str, Floats]
    variants: dict[str, str]
    weights: dict[str, float]


def set_up(town: Town, *, folds: int, seed: int, most: int) -> Setting:
    """Return the setting of a town with at least one moment to ask for; at most about `most` are taken."""
    cases = choose_cases(town, most=most, seed=seed)
    cuts = cut_times(cases.at_s)
    group, groups = _groups(town, cuts)
    folds = min(folds, town.bins)
    return Setting(
        town=town,
        cases=cases,
        grid=level_grid(town),
        folds=folds,
        fold=bin_folds(town, folds, seed),
        cuts=cuts,
        group=group,
        groups=groups,
        marks=level_marks(town.fill),
        seed=seed,
    )


def _groups(town: Town, cuts: Cuts) -> tuple[Ints, tuple[str, ...]]:
    """Return (bins,) groups: kinds where there are several, the rare ones together; else how often emptied."""
    often = [name for name, count in zip(town.kinds, np.bincount(town.kind), strict=True) if count >= _FEWEST_OF_KIND]
    names = (*often, _OTHER) if len(often) < len(town.kinds) else tuple(often)
    if len(names) > 1:
        place = [often.index(name) if name in often else len(often) for name in town.kinds]
        return np.array(place, dtype=np.int64)[town.kind], names
    count = np.bincount(town.emptied_row[town.emptied_s < cuts.test_s], minlength=town.bins)
    rank = np.empty(town.bins, dtype=np.int64)
    rank[np.argsort(count, kind="stable")] = np.arange(town.bins)
    return rank * len(_THIRDS) // max(town.bins, 1), _THIRDS


def bin_weights(bin_row: Ints) -> Floats:
    """Return (n,) weights under which every bin counts the same, 1 on the whole."""
    _, owner, count = np.unique(bin_row, return_inverse=True, return_counts=True)
    return np.asarray(len(bin_row) / len(count) / count[owner])


def best_variant(variants: Variants, actual: Floats) -> str:
    """Return the name of the variant with the least absolute error."""
    return min(variants, key=lambda name: float(np.abs(variants[name] - actual).mean()))


def member_names(members: tuple[tuple[str, int], ...]) -> list[str]:
    """Return how a pool's members are called."""
    return [f"{view}, {least} in a leaf" for view, least in members]
