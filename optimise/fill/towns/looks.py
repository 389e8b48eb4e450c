"""A few looks at a bin whose levels nobody sees: how full crews found it at some emptyings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import Floats, Ints, ordered_key
from optimise.fill.towns.around import paced_age
from optimise.fill.towns.learnt import Learnt
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.prior import usable_looks
from optimise.fill.towns.town import Town

_LENT_LOOKS = (0.0, 0.5, 1.0, 3.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """Which emptyings were looked at, for n cases: indices of the town's emptyings (n, k), -1 where there is none."""

    emptying: Ints


def looks_before(town: Town, cases: Cases, count: int, before_s: float) -> Looks:
    """Return for each case the last `count` looks at its bin before `before_s`."""
    usable = np.flatnonzero(usable_looks(town) & (town.emptied_s < before_s))
    first = np.searchsorted(town.emptied_row[usable], np.arange(town.bins))
    end = np.searchsorted(town.emptied_row[usable], np.arange(town.bins), side="right")
    place = end[:, None] - 1 - np.arange(max(count, 1))[None, :]
    there = (place >= first[:, None]) & (count > 0)
    of_bin = np.where(there, usable[np.maximum(place, 0)], -1) if len(usable) else np.full(place.shape, -1)
    return Looks(emptying=of_bin[cases.bin_row])


def looks_elsewhere(
    town: Town, cases: Cases, counts: Sequence[int], *, until_s: float, apart_s: float, seed: int
) -> Looks:
    """Return for each case one of `counts` looks in a row at its bin, the newest up to `apart_s` before the case.

    So learns the model what looks tell that are not of the moment asked for.
    """
    most = max(counts)
    usable = np.flatnonzero(usable_looks(town) & (town.emptied_s < until_s))
    if not len(usable) or not most:
        return Looks(emptying=np.full((len(cases), 1), -1))
    row = cases.bin_row
    first = np.searchsorted(town.emptied_row[usable], row)
    rng = np.random.default_rng(seed)
    newest_s = cases.at_s - (rng.random(len(row)) * apart_s).astype(np.int64)
    key = ordered_key(town.emptied_row[usable], town.emptied_s[usable])
    newest = np.searchsorted(key, ordered_key(row, newest_s), side="right") - 1
    place = newest[:, None] - np.arange(most)[None, :]
    many = rng.choice(np.asarray(counts), len(row))
    there = (place >= first[:, None]) & (np.arange(most)[None, :] < many[:, None])
    return Looks(emptying=np.where(there, usable[np.maximum(place, 0)], -1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What looks tell, (n, k) each: the fill `found`, the paced `hours` since the emptying before, whether `seen`."""

    found: Floats
    hours: Floats
    seen: NDArray[np.bool_]

    def weights(self, forget: float) -> Floats:
        """Return (n, k) what each look counts for, the newest first, older ones less by `forget`.

        Together they count as many as equal looks that would scatter as little.
        """
        weight = self.seen * forget ** np.arange(self.seen.shape[1])
        total = weight.sum(axis=1, keepdims=True)
        return np.asarray(weight * total / np.maximum((weight**2).sum(axis=1, keepdims=True), 1e-9))


def own_rate_forecasts(town: Town, learnt: Learnt, cases: Cases, looks: Looks) -> dict[str, Floats]:
    """Return the baseline that knows the looks: age times the rate they tell, with some looks' worth of the kind's."""
    by = told(town, learnt.hours_to, looks)
    found, age_h, seen = by.found, by.hours, by.seen
    age = paced_age(town, cases, learnt.pace)
    kind_rate = np.nan_to_num(learnt.kind_rate[cases.bin_row])
    mean_age = np.where(seen.any(axis=1), age_h.sum(axis=1) / np.maximum(seen.sum(axis=1), 1), 1.0)
    variants = {}
    for lent in _LENT_LOOKS:
        hours = age_h.sum(axis=1) + lent * mean_age
        seen_rate = (found.sum(axis=1) + lent * mean_age * kind_rate) / np.maximum(hours, 1e-9)
        rate = np.where(hours > 0, seen_rate, kind_rate)
        variants[f"{lent:g} looks of the kind"] = np.minimum(rate * age, 1.0)
    return variants


def told(town: Town, hours_to: Floats, looks: Looks) -> Told:
    """Return what each look found, after how many of the paced hours `hours_to` (m,)."""
    seen = looks.emptying >= 0
    if not len(town.emptied_s):
        nothing = np.zeros(looks.emptying.shape)
        return Told(found=nothing, hours=nothing, seen=seen)
    at = np.maximum(looks.emptying, 0)
    found = np.where(seen, np.nan_to_num(town.found[at]), 0.0)
    return Told(found=found, hours=np.where(seen, np.nan_to_num(hours_to[at], nan=1.0), 0.0), seen=seen)
