"""Some bins' last days as they were forecast and as they went, from the worst-known to the best. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimise.fill.forecast import PROBABILITIES
from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.report.by_bin import BinError
from optimise.fill.report.tried import Tried
from optimise.fill.slots import WEEK_H
from optimise.fill.training import TrainingData

_LOW, _MIDDLE, _HIGH = (PROBABILITIES.index(share) for share in (0.1, 0.5, 0.9))


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """One forecast: `at_s` (k,), and p10, p50 and p90 then (k, 3), up to the bin's next emptying."""

    at_s: Ints
    levels: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """A bin's week: what its sensor measured, `level` (h,) at `at_s` (h,), NaN unmeasured, and forecasts without it."""

    row: int
    mae: float
    at_s: Ints
    level: Floats
    bands: tuple[Band, ...]


def examples(data: TrainingData, made: Tried, errors: Sequence[BinError], *, count: int = 4) -> list[Example]:
    """Return the last week of `count` bins spread evenly over the order of their errors, the ends left out."""
    if not errors:
        return []
    shares = (np.arange(count) + 0.5) / count
    chosen = sorted({int(share * len(errors)) for share in shares})
    return [_example(data, made, errors[index]) for index in chosen]


def _example(data: TrainingData, made: Tried, error: BinError) -> Example:
    hours = min(WEEK_H, data.hours)
    first = data.hours - hours
    at_s = data.start_s + (first + np.arange(hours + 1)) * HOUR_S
    mine = (made.bin_row == error.row) & (made.at_s >= at_s[0])
    issued_s = made.at_s - made.ahead_h * HOUR_S
    starts = np.unique(issued_s[mine])
    bands = []
    for position, start in enumerate(starts):
        until_s = starts[position + 1] if position + 1 < len(starts) else np.inf
        part = np.flatnonzero(mine & (issued_s == start) & (made.at_s < until_s))
        part = part[np.argsort(made.at_s[part])]
        if len(part):
            bands.append(Band(at_s=made.at_s[part], levels=made.quantiles[part][:, [_LOW, _MIDDLE, _HIGH]]))
    return Example(
        row=error.row,
        mae=error.mae,
        at_s=at_s,
        level=np.minimum(data.hourly.level[error.row, first:].astype(np.float64), 1.0),
        bands=tuple(bands),
    )
