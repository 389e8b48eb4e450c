"""The moments that are asked for, and into which part of time each falls. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats, Ints
from optimise.occupancy.trial.field import Field

LEARN, VALIDATE, TEST = 0, 1, 2
_SHARES = (0.6, 0.75)
_GRID_S = 600
_MOST_ON_GRID = 2_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """Questions, (k,) each: how many places are free at `place_row` at `target_s`, asked at `asked_s`.

    `last` (k,): the index of the place's last reading at `asked_s`, -1 where there is none that is fresh; `free`,
    `capacity` (k,): what was measured, and the capacity then; `part` (k,): LEARN, VALIDATE or TEST.
    """

    place_row: Ints
    asked_s: Ints
    target_s: Ints
    last: Ints
    free: Floats
    capacity: Floats
    part: Ints

    def where(self, keep: NDArray[np.bool_] | Ints) -> Moments:
        """Return some of the questions."""
        return Moments(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})


def ends_of_parts(field: Field) -> tuple[float, float]:
    """Return when learning and when validation ends (Unix seconds): shares of the readings lie before."""
    learnt, validated = np.quantile(field.at_s, _SHARES)
    return float(learnt), float(validated)


def ask(field: Field, *, ahead_s: int, most: int, seed: int) -> Moments:
    """Return at most `most` questions of each part, spread evenly over places.

    Where readings come at an even pace, one is asked for at its own moment. Where they come when something changes,
    their moments would be those of changes alone: there the moments lie on a grid, and what was told last holds.
    """
    rng = np.random.default_rng(seed)
    targets = _readings(field) if field.even else _grid(field)
    place_row, target_s, index = targets
    asked_s = target_s - ahead_s
    learnt_s, validated_s = ends_of_parts(field)
    part = np.where(target_s < learnt_s, LEARN, np.where(target_s < validated_s, VALIDATE, TEST))
    # A question put in one part of time and answered in the next belongs to neither.
    asked_in = np.where(asked_s < learnt_s, LEARN, np.where(asked_s < validated_s, VALIDATE, TEST))
    use = np.flatnonzero(part == asked_in)
    chosen = np.concatenate([_spread(use[part[use] == each], place_row, most, rng) for each in (LEARN, VALIDATE, TEST)])
    place_row, asked_s, index = place_row[chosen], asked_s[chosen], index[chosen]
    last = field.before(place_row, asked_s)
    last = np.where((last >= 0) & (asked_s - field.at_s[last] <= field.fresh_s[place_row]), last, -1)
    return Moments(
        place_row=place_row,
        asked_s=asked_s,
        target_s=target_s[chosen],
        last=last,
        free=field.free[index],
        capacity=field.capacity[index],
        part=part[chosen],
    )


def _readings(field: Field) -> tuple[Ints, Ints, Ints]:
    return field.place_row, field.at_s, np.arange(len(field.at_s))


def _grid(field: Field) -> tuple[Ints, Ints, Ints]:
    """Return place, moment and index of the reading that holds then, every ten minutes or as often as there is room."""
    edges = np.searchsorted(field.place_row, np.arange(len(field.names) + 1))
    spans_s = sum(int(field.at_s[end - 1] - field.at_s[start]) for start, end in pairwise(edges) if end > start)
    step_s = max(_GRID_S, spans_s // _MOST_ON_GRID)
    rows, moments = [], []
    for place, (start, end) in enumerate(pairwise(edges)):
        if end > start:
            moment = np.arange(-(-field.at_s[start] // step_s) * step_s, field.at_s[end - 1] + 1, step_s)
            moments.append(moment)
            rows.append(np.full(len(moment), place, dtype=np.int64))
    row, at_s = np.concatenate(rows), np.concatenate(moments)
    index = field.before(row, at_s)
    fresh = (index >= 0) & (at_s - field.at_s[index] <= field.fresh_s[row])
    return row[fresh], at_s[fresh], index[fresh]


def _spread(use: Ints, place_row: Ints, most: int, rng: np.random.Generator) -> Ints:
    """Return at most `most` of `use`, as many of each place as may be."""
    if len(use) <= most:
        return use
    shuffled = rng.permutation(use)
    order = np.argsort(place_row[shuffled], kind="stable")
    rows = place_row[shuffled][order]
    first = np.searchsorted(rows, rows, side="left")
    turn = np.empty(len(rows), dtype=np.int64)
    turn[order] = np.arange(len(rows)) - first
    return np.sort(shuffled[np.argsort(turn, kind="stable")[:most]])
