"""Whether what was promised came: intervals by group, chances of being full, errors by the hours ahead. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.evaluation import POINTS
from optimise.fill.forecast import PROBABILITIES
from optimise.fill.intervals import FULL
from optimise.fill.readings import Floats, HourlyLevels
from optimise.fill.report.tried import Tried
from storage.model import Bin

_FEWEST_ROWS = 60
_FEWEST_BINS = 3
_CLASSES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 1.0)
_NEARLY = 1e-9
_SENSED_FULL = 0.97
"""Sensors hardly see the last centimetres."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """How well intervals held in a group of bins: `theme` and `name` say which; shares are 0..1, errors points."""

    theme: str
    name: str
    bins: int
    n: int
    mae: float
    coverage_80: float
    coverage_90: float
    width_80: float


@dataclass(frozen=True, kw_only=True)
class Point:
    """What was `promised` and what was `observed` over `n` forecasts, shares 0..1."""

    promised: float
    observed: float
    n: int


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """The errors, in points, of the forecast and of the best simple method `hours` ahead."""

    hours: int
    n: int
    mae: float
    simple_mae: float
    coverage_80: float


def below_curve(made: Tried) -> list[Point]:
    """Return for each quantile how often the level was below it, as its interval has it: its ends lie inside.

    So a level at a lower quantile is not below it, one at an upper quantile is, and one at the median is by half.
    """
    points = []
    for index, share in enumerate(PROBABILITIES):
        level = made.quantiles[:, index]
        below = made.actual < level - _NEARLY
        tied = np.abs(made.actual - level) <= _NEARLY
        counts = (np.sign(share - 0.5) + 1) / 2
        points.append(Point(promised=share, observed=float((below + counts * tied).mean()), n=len(made)))
    return points


def full_curve(made: Tried) -> list[Point]:
    """Return for classes of the probability of full its mean, and how often the bin was full."""
    edges = np.array(_CLASSES)
    owner = np.clip(np.searchsorted(edges, made.full, side="right") - 1, 0, len(edges) - 2)
    was_full = made.actual >= _SENSED_FULL * FULL
    points = []
    for name in range(len(edges) - 1):
        mine = owner == name
        if mine.any():
            points.append(
                Point(promised=float(made.full[mine].mean()), observed=float(was_full[mine].mean()), n=int(mine.sum()))
            )
    return points


def by_ahead(made: Tried) -> list[Ahead]:
    """Return the errors by hours ahead, nearest first."""
    found = []
    inside = made.inside(0.8)
    for hours in np.unique(made.ahead_h):
        mine = made.ahead_h == hours
        found.append(
            Ahead(
                hours=int(hours),
                n=int(mine.sum()),
                mae=float(made.error[mine].mean()),
                simple_mae=float(made.simple_error[mine].mean()),
                coverage_80=float(inside[mine].mean()),
            )
        )
    return found


def by_group(made: Tried, themes: dict[str, Sequence[str | None]]) -> list[Group]:
    """Return how intervals held in each group; `themes` name the group of each bin, None leaves a bin out.

    Groups of few forecasts or fewer than three bins are left out: they would say nothing.
    """
    found = []
    for theme, names in themes.items():
        of_row = np.array([name or "" for name in names], dtype=object)[made.bin_row]
        there = sorted({str(one) for one in of_row} - {""})
        if len(there) < 2:  # noqa: PLR2004 - the whole is told elsewhere
            continue
        for name in there:
            mine = of_row == name
            bins = len(np.unique(made.bin_row[mine]))
            if mine.sum() >= _FEWEST_ROWS and bins >= _FEWEST_BINS:
                found.append(group(made, mine, theme=theme, name=name))
    return found


def group(made: Tried, mine: NDArray[np.bool_], *, theme: str, name: str) -> Group:
    """Return how intervals held for the forecasts `mine` (n,), at least one."""
    low, high = PROBABILITIES.index(0.1), PROBABILITIES.index(0.9)
    return Group(
        theme=theme,
        name=name,
        bins=len(np.unique(made.bin_row[mine])),
        n=int(mine.sum()),
        mae=float(made.error[mine].mean()),
        coverage_80=float(made.inside(0.8)[mine].mean()),
        coverage_90=float(made.inside(0.9)[mine].mean()),
        width_80=float((made.quantiles[mine, high] - made.quantiles[mine, low]).mean() * POINTS),
    )


def themes_of(bins: Sequence[Bin], *, hourly: HourlyLevels, rate_per_day: Floats) -> dict[str, Sequence[str | None]]:
    """Return the groups of each bin by theme: its kind, its street's class, how fast it fills."""
    kinds = [item.bin_kind for item in bins]
    streets = [_street_class(item) for item in bins]
    measured = np.isfinite(hourly.level).any(axis=1)
    thirds = np.quantile(rate_per_day[measured], [1 / 3, 2 / 3]) if measured.any() else np.zeros(2)
    paces = [("slow", "middling", "fast")[int(np.searchsorted(thirds, value))] for value in rate_per_day]
    return {"kind": kinds, "street": streets, "pace": paces}


def _street_class(item: Bin) -> str | None:
    for name in ("main", "residential", "foot"):
        if item.surroundings.get(f"street_{name}", 0.0) > 0:
            return name
    return None
