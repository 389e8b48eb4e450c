"""Bins whose levels nobody sees: whole bins held out, and later time, in both roles of being unseen. Pure.

For each fold of bins: forests learn from the other bins before the validation time, are weighed and calibrated on bins
that they did not see (each other fold in its turn) at validation time, then learn anew from all but the fold's bins
before the test time, and forecast the fold's bins from then on. Of a held-out bin they are shown its place, its
emptyings and, for few looks, what was found at some of them before the time in question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from optimise.fill.readings import Floats
from optimise.fill.towns.conformal import learn_law
from optimise.fill.towns.describe import Description, Learnt, describe, learn
from optimise.fill.towns.forest import grow, pool_weights
from optimise.fill.towns.looks import looks_before, looks_elsewhere, own_rate_forecasts, with_looks
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.setting import Setting, Tested, best_variant, bin_weights, member_names
from optimise.fill.towns.simple import Variants, by_place, means

MEMBERS: tuple[tuple[str, int], ...] = (("rhythm", 60), ("amount", 30), ("place", 30), ("place", 8))
WITH_LOOKS = (*MEMBERS[:3], ("looks", 30))
_MOST_TAUGHT = 9000
_FEWEST_TAUGHT = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """Some folds hidden: what is learnt of the others before `since_s`, and the hidden bins' moments from then on.

    `sample` of the others' moments and what is `asked` are described without looks; `simple` are the baselines.
    """

    hidden: tuple[int, ...]
    since_s: float
    learnt: Learnt
    sample: Cases
    told: Description
    asked: Cases
    wanted: Description
    simple: dict[str, Variants]


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """Forecasts of held-out cases (n,): each member's distribution (k, n, g), and each baseline's variants."""

    cases: Cases
    members: Floats
    simple: dict[str, Variants]


def scenes(setting: Setting) -> Iterator[Scene]:
    """Yield the scene of each pair of folds at validation time, and of each fold at test time; empty ones left out."""
    folds, cuts = range(setting.folds), setting.cuts
    for pair in combinations(folds, 2):
        yield from _scene(setting, pair, cuts.validation_s, cuts.test_s)
    for fold in folds:
        yield from _scene(setting, (fold,), cuts.test_s, np.inf)


def _scene(setting: Setting, hidden: tuple[int, ...], since_s: float, until_s: float) -> Iterator[Scene]:
    town, cases = setting.town, setting.cases
    out = np.isin(setting.fold, hidden)
    taught = cases.where(~out[cases.bin_row] & (cases.at_s < since_s))
    asked = cases.where(out[cases.bin_row] & (cases.at_s >= since_s) & (cases.at_s < until_s))
    if not len(asked) or len(taught) < _FEWEST_TAUGHT:
        return
    learnt = learn(town, cases, setting.grid, ~out, since_s)
    sample = _thinned(taught, setting.seed)
    yield Scene(
        hidden=hidden,
        since_s=since_s,
        learnt=learnt,
        sample=sample,
        told=describe(town, learnt, sample),
        asked=asked,
        wanted=describe(town, learnt, asked),
        simple=means(town, taught, asked) | by_place(town, learnt, taught, asked),
    )


def run(setting: Setting, staged: list[Scene], *, looks: int = 0) -> list[Tested]:
    """Return the tested cases of every fold, with `looks` at each held-out bin."""
    held = {scene.hidden: _forecast(setting, scene, looks) for scene in staged}
    results = []
    for fold in range(setting.folds):
        # Each other fold was forecast by forests that saw neither it nor this one.
        parts = [
            _of_fold(part, setting, other)
            for pair, part in held.items()
            if len(pair) > 1 and fold in pair
            for other in pair
            if other != fold
        ]
        seen = _joined([part for part in parts if len(part.cases)])
        if seen is not None and (fold,) in held:
            results.append(_tested(setting, seen, held[fold,], WITH_LOOKS if looks else MEMBERS))
    return results


def _tested(setting: Setting, seen: Held, last: Held, used: tuple[tuple[str, int], ...]) -> Tested:
    """Weigh the members, learn the law and tune the baselines on cases `seen` at validation; carry over to `last`."""
    row, actual = seen.cases.bin_row, seen.cases.actual
    shares = pool_weights(seen.members, actual, marks=setting.marks, weight=bin_weights(row))
    law = learn_law(
        np.tensordot(shares, seen.members, axes=1),
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
        reach=lambda share: law.reach(setting.group[last.cases.bin_row], share),
        simple={name: last.simple[name][variant] for name, variant in chosen.items()},
        variants=chosen,
        weights=dict(zip(member_names(used), shares.tolist(), strict=True)),
    )


def _forecast(setting: Setting, scene: Scene, looks: int) -> Held:
    """Grow the members on the scene's sample; forecast what is asked."""
    town, told, wanted, simple = setting.town, scene.told, scene.wanted, scene.simple
    if looks:
        before = looks_before(town, scene.asked, looks, scene.since_s)
        own = own_rate_forecasts(town, scene.learnt, scene.asked, before)
        simple = simple | {"time_since_emptying_x_own_looks": own}
        wanted = with_looks(town, scene.learnt, scene.asked, wanted, before)
        away = looks_elsewhere(town, scene.sample, looks, scene.since_s, setting.seed)
        told = with_looks(town, scene.learnt, scene.sample, told, away)
    used = WITH_LOOKS if looks else MEMBERS
    weight = bin_weights(scene.sample.bin_row)
    members = [
        grow(
            told.table,
            scene.sample.actual,
            marks=setting.marks,
            weight=weight,
            columns=told.views[view],
            least=least,
            seed=setting.seed,
        ).distribution(wanted.table)
        for view, least in used
    ]
    return Held(cases=scene.asked, members=np.array(members), simple=simple)


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
