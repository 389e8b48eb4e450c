"""A few looks at a bin whose levels nobody sees: how full crews found it at some emptyings. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimise.fill.readings import Floats, Ints
from optimise.fill.towns.around import paced_age
from optimise.fill.towns.describe import Description, Learnt
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.town import Town

_LENT_LOOKS = (0.0, 0.5, 1.0, 3.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """Which emptyings were looked at, for n cases: indices of the town's emptyings (n, k), -1 where there is none."""

    emptying: Ints


def usable_looks(town: Town) -> np.typing.NDArray[np.bool_]:
    """Return (m,) which emptyings can be looked at: their level is known, and when the bin was emptied before."""
    before = np.append(False, np.diff(town.emptied_row) == 0) if len(town.emptied_row) else np.zeros(0, dtype=bool)
    return before & np.isfinite(town.found)


def looks_before(town: Town, cases: Cases, count: int, before_s: float) -> Looks:
    """Return for each case the last `count` looks at its bin before `before_s`."""
    usable = np.flatnonzero(usable_looks(town) & (town.emptied_s < before_s))
    first = np.searchsorted(town.emptied_row[usable], np.arange(town.bins))
    end = np.searchsorted(town.emptied_row[usable], np.arange(town.bins), side="right")
    place = end[:, None] - 1 - np.arange(count)[None, :]
    there = place >= first[:, None]
    of_bin = np.where(there, usable[np.maximum(place, 0)], -1) if len(usable) else np.full(place.shape, -1)
    return Looks(emptying=of_bin[cases.bin_row])


def looks_elsewhere(town: Town, cases: Cases, count: int, until_s: float, seed: int) -> Looks:
    """Return for each case `count` looks in a row at its bin, at any time before `until_s` but in its own interval.

    So learns the model what looks tell that are not of the moment asked for, but weeks or months away from it.
    """
    usable = np.flatnonzero(usable_looks(town) & (town.emptied_s < until_s))
    if not len(usable):
        return Looks(emptying=np.full((len(cases), count), -1))
    row = cases.bin_row
    first = np.searchsorted(town.emptied_row[usable], row)
    end = np.searchsorted(town.emptied_row[usable], row, side="right")
    rng = np.random.default_rng(seed)
    newest = first + (rng.random(len(row)) * (end - first)).astype(np.int64)
    place = newest[:, None] - np.arange(count)[None, :]
    # A row of looks that begins too early goes on at the other end.
    span = np.maximum(end - first, 1)[:, None]
    place = first[:, None] + (place - first[:, None]) % span
    there = (end > first)[:, None] & (np.arange(count)[None, :] < span)
    emptying = usable[np.minimum(place, len(usable) - 1)]
    # The emptying that ends the case's interval tells just what is asked.
    own = emptying == cases.last[:, None] + 1
    return Looks(emptying=np.where(there & ~own, emptying, -1))


def with_looks(town: Town, learnt: Learnt, cases: Cases, described: Description, looks: Looks) -> Description:
    """Return the description joined with what the looks tell, in every view of it."""
    found, age_h, seen = _told(town, learnt, looks)
    count = seen.sum(axis=1)
    age = paced_age(town, cases, learnt.pace)
    with np.errstate(invalid="ignore", divide="ignore"):
        kind_rate = learnt.kind_rate[cases.bin_row]
        lent = np.where(count > 0, age_h.sum(axis=1) / np.maximum(count, 1), 24.0)
        rate = (found.sum(axis=1) + kind_rate * lent) / (age_h.sum(axis=1) + lent)
        mean_found = (found.sum(axis=1) + learnt.usual_found[cases.bin_row]) / (count + 1)
        own = np.where(count > 0, found.sum(axis=1) / np.maximum(age_h.sum(axis=1), 1e-9), np.nan)
    told = np.column_stack(
        [
            np.minimum(rate * age, 1.5),
            np.minimum(np.nan_to_num(own, nan=-1.0) * age, 1.5),
            mean_found,
            np.minimum(mean_found * age / learnt.habit.usual_h[cases.last], 1.5),
            np.where(count > 0, found.max(axis=1, initial=0.0), np.nan),
            np.log(rate),
        ]
    )
    width = described.table.shape[1]
    extra = tuple(range(width, width + told.shape[1]))
    views = {name: columns + extra for name, columns in described.views.items()}
    # Few numbers carry over to a new bin best: the interval's progress and what the looks say of it.
    views["looks"] = described.views["rhythm"][:1] + extra
    return Description(table=np.hstack([described.table, told]), views=views)


def own_rate_forecasts(town: Town, learnt: Learnt, cases: Cases, looks: Looks) -> dict[str, Floats]:
    """Return the baseline that knows the looks: age times the rate they tell, with some looks' worth of the kind's."""
    found, age_h, seen = _told(town, learnt, looks)
    age = paced_age(town, cases, learnt.pace)
    kind_rate = np.nan_to_num(learnt.kind_rate[cases.bin_row])
    mean_age = np.where(seen.any(axis=1), age_h.sum(axis=1) / np.maximum(seen.sum(axis=1), 1), 1.0)
    variants = {}
    for lent in _LENT_LOOKS:
        hours = age_h.sum(axis=1) + lent * mean_age
        told = (found.sum(axis=1) + lent * mean_age * kind_rate) / np.maximum(hours, 1e-9)
        rate = np.where(hours > 0, told, kind_rate)
        variants[f"{lent:g} looks of the kind"] = np.minimum(rate * age, 1.0)
    return variants


def _told(town: Town, learnt: Learnt, looks: Looks) -> tuple[Floats, Floats, np.typing.NDArray[np.bool_]]:
    """Return (n, k) what each look found, the paced hours since the emptying before it, and whether it is one."""
    seen = looks.emptying >= 0
    if not len(town.emptied_s):
        nothing = np.zeros(looks.emptying.shape)
        return nothing, nothing, seen
    at = np.maximum(looks.emptying, 0)
    paced = learnt.pace.at(town.emptied_s)
    age_h = np.maximum(paced[at] - paced[np.maximum(at - 1, 0)], 1.0)
    return np.where(seen, np.nan_to_num(town.found[at]), 0.0), np.where(seen, age_h, 0.0), seen
