"""Bins whose levels nobody sees: whole bins held out, and later time, in both roles of being unseen. Pure.

For each fold of bins: forests learn from the other bins before the validation time, are weighed and calibrated on bins
that they did not see (each other fold in its turn) at validation time, then learn anew from all but the fold's bins
before the test time, and forecast the fold's bins from then on. Of a held-out bin they are shown its place, its
emptyings and, for few looks, what was found at some of them before the time in question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from optimise.fill.conformal import learn_law
from optimise.fill.forest import ERRORS, Forest, grow, pool_weights
from optimise.fill.readings import Floats
from optimise.fill.towns.describe import Description, describe
from optimise.fill.towns.learnt import learn
from optimise.fill.towns.looks import looks_before, looks_elsewhere, own_rate_forecasts
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.setting import Setting, Tested, best_variant, bin_weights, member_names
from optimise.fill.towns.simple import Variants, by_place, means

MEMBERS: tuple[tuple[str, int], ...] = (("rhythm", 60), ("amount", 30), ("place", 30))
RATE_LAW = ("rhythm", 60)
NAMES = (*member_names(MEMBERS), "rate with a law of its errors")
LOOKS = (0, 1, 3, 10)
_MOST_TAUGHT = 10_000
_FEWEST_TAUGHT = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """Forecasts of held-out cases (n,): each member's distribution (k, n, g), and each baseline's variants."""

    cases: Cases
    members: Floats
    simple: dict[str, Variants]


type Scenes = dict[tuple[int, ...], dict[int, Held]]
"""By the folds hidden: what was forecast of them, by the number of looks."""


def forecast_scenes(setting: Setting, progress: Callable[[float], None] | None = None) -> Scenes:
    """Forecast each pair of folds at validation time, and each fold at test time; empty ones are left out."""
    folds, cuts = range(setting.folds), setting.cuts
    wanted: list[tuple[tuple[int, ...], int, float]] = [
        (pair, cuts.validation_s, cuts.test_s) for pair in combinations(folds, 2)
    ]
    wanted += [((fold,), cuts.test_s, np.inf) for fold in folds]
    found: Scenes = {}
    for done, (hidden, since_s, until_s) in enumerate(wanted):
        held = _scene(setting, hidden, since_s, until_s)
        if held is not None:
            found[hidden] = held
        if progress:
            progress((done + 1) / len(wanted))
    return found


def _scene(setting: Setting, hidden: tuple[int, ...], since_s: float, until_s: float) -> dict[int, Held] | None:
    """Learn of what is not hidden before `since_s`; forecast the hidden bins from then on, for each count of looks."""
    town, cases = setting.town, setting.cases
    out = np.isin(setting.fold, hidden)
    taught = cases.where(~out[cases.bin_row] & (cases.at_s < since_s))
    asked = cases.where(out[cases.bin_row] & (cases.at_s >= since_s) & (cases.at_s < until_s))
    if not len(asked) or len(taught) < _FEWEST_TAUGHT:
        return None
    learnt = learn(town, cases, setting.grid, ~out, since_s)
    sample = _thinned(taught, setting.seed)
    # One model for any number of looks: what a service has, and none of them is learnt from few cases.
    away = looks_elsewhere(town, sample, LOOKS, until_s=since_s, apart_s=setting.cuts.apart_s, seed=setting.seed)
    pool = _Pool.grown(setting, describe(town, learnt, sample, away), sample)
    simple = means(town, taught, asked) | by_place(town, learnt, taught, asked)
    found = {}
    for count in LOOKS:
        before = looks_before(town, asked, count, since_s)
        own = {"time_since_emptying_x_own_looks": own_rate_forecasts(town, learnt, asked, before)} if count else {}
        members = pool.members(describe(town, learnt, asked, before))
        found[count] = Held(cases=asked, members=members, simple=simple | own)
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pool:
    """Forests of levels, and one of the rate's errors; `marks` (g,) as in `forest.level_marks`."""

    forests: tuple[Forest, ...]
    law: Forest
    marks: Floats
    used: tuple[tuple[str, int], ...] = MEMBERS

    @staticmethod
    def grown(setting: Setting, told: Description, sample: Cases) -> _Pool:
        weight = bin_weights(sample.bin_row)

        def forest(actual: Floats, marks: Floats, view: str, least: int) -> Forest:
            columns = told.views[view]
            return grow(told.table, actual, marks=marks, weight=weight, columns=columns, least=least, seed=setting.seed)

        return _Pool(
            forests=tuple(forest(sample.actual, setting.marks, view, least) for view, least in MEMBERS),
            law=forest(told.expected.errors(sample.actual), ERRORS, *RATE_LAW),
            marks=setting.marks,
        )

    def members(self, wanted: Description) -> Floats:
        """Return each member's distributions (k, n, g)."""
        by_level = [forest.distribution(wanted.table) for forest in self.forests]
        law = self.law.distribution(wanted.table)
        return np.array([*by_level, wanted.expected.distribution(law, self.marks)])


def run(setting: Setting, held: Scenes, *, looks: int = 0) -> list[Tested]:
    """Return the tested cases of every fold, with `looks` at each held-out bin."""
    results = []
    for fold in range(setting.folds):
        # Each other fold was forecast by forests that saw neither it nor this one.
        parts = [
            _of_fold(part[looks], setting, other)
            for pair, part in held.items()
            if len(pair) > 1 and fold in pair
            for other in pair
            if other != fold
        ]
        seen = _joined([part for part in parts if len(part.cases)])
        if seen is not None and (fold,) in held:
            results.append(_tested(setting, seen, held[fold,][looks]))
    return results


def _tested(setting: Setting, seen: Held, last: Held) -> Tested:
    """Weigh the members, learn the law and tune the baselines on cases `seen` at validation; carry over to `last`."""
    row, actual = seen.cases.bin_row, seen.cases.actual
    shares = pool_weights(seen.members, actual, marks=setting.marks, weight=bin_weights(row))
    law = learn_law(
        _pooled_apart(setting, seen),
        actual,
        marks=setting.marks,
        bin_row=row,
        group=setting.group[row],
        groups=len(setting.groups),
    )
    chosen = {name: best_variant(variants, actual) for name, variants in seen.simple.items()}
    return Tested(
        bin_row=last.cases.bin_row,
        at_s=last.cases.at_s,
        actual=last.cases.actual,
        distribution=np.tensordot(shares, last.members, axes=1),
        interval=last.cases.last,
        reach=lambda share: law.reach(setting.group[last.cases.bin_row], share),
        simple={name: last.simple[name][variant] for name, variant in chosen.items()},
        variants=chosen,
        weights=dict(zip(NAMES, shares.tolist(), strict=True)),
    )


def _pooled_apart(setting: Setting, seen: Held) -> Floats:
    """Return (n, g) the pool's distributions, each fold's by weights that the other folds taught.

    A law of errors learnt from cases that the weights were fitted to would promise too much.
    """
    row = seen.cases.bin_row
    fold, pooled = setting.fold[row], np.zeros(seen.members.shape[1:])
    for name in np.unique(fold):
        mine = fold == name
        others = ~mine if not mine.all() else mine
        weight = bin_weights(row[others])
        shares = pool_weights(seen.members[:, others], seen.cases.actual[others], marks=setting.marks, weight=weight)
        pooled[mine] = np.tensordot(shares, seen.members[:, mine], axes=1)
    return pooled


def _thinned(cases: Cases, seed: int) -> Cases:
    if len(cases) <= _MOST_TAUGHT:
        return cases
    chosen = np.random.default_rng(seed).choice(len(cases), _MOST_TAUGHT, replace=False)
    return cases.where(np.sort(chosen))


def _of_fold(held: Held, setting: Setting, wanted: int) -> Held:
    keep = np.flatnonzero(setting.fold[held.cases.bin_row] == wanted)
    return Held(
        cases=held.cases.where(keep),
        members=held.members[:, keep],
        simple={name: {v: f[keep] for v, f in variants.items()} for name, variants in held.simple.items()},
    )


def _joined(parts: list[Held]) -> Held | None:
    if not parts:
        return None
    return Held(
        cases=Cases.joined([part.cases for part in parts]),
        members=np.concatenate([part.members for part in parts], axis=1),
        simple={
            name: {v: np.concatenate([part.simple[name][v] for part in parts]) for v in variants}
            for name, variants in parts[0].simple.items()
        },
    )
