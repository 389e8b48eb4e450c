"""Bins with a sensor, later time: what will be measured some hours ahead, whatever crews do meanwhile. Pure.

Forests learn from what was measured before the validation time, are weighed and calibrated on the validation time,
learn anew from both, and forecast the test time from what was known at each moment. A forecast's moment and the moment
that it speaks about lie in the same part. Intervals are calibrated anew as the test time passes, by errors known by
then.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from optimise.fill.conformal import learn_law
from optimise.fill.forest import grow, pool_weights
from optimise.fill.readings import Floats
from optimise.fill.towns.learnt import Learnt, learn
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.present import History, Issues, choose_issues, describe_present, own_forecasts
from optimise.fill.towns.setting import Setting, Tested, best_variant, bin_weights, member_names
from optimise.fill.towns.simple import Variants, by_place, means

MEMBERS: tuple[tuple[str, int], ...] = (("own", 12), ("all", 12))
_MOST_TAUGHT = 14_000
FEWEST = 100
_PARTS = 12


def learnings(setting: Setting) -> tuple[Learnt, Learnt]:
    """Return what is learnt of all bins before validation, and before the test."""
    everyone = np.ones(setting.town.bins, dtype=bool)
    return tuple(  # type: ignore[return-value]  # two of them
        learn(setting.town, setting.cases, setting.grid, everyone, until_s)
        for until_s in (setting.cuts.validation_s, setting.cuts.test_s)
    )


def run(
    setting: Setting, history: History, learnt: tuple[Learnt, Learnt], horizon_h: float, *, most: int
) -> Tested | None:
    """Return the tested forecasts `horizon_h` ahead, None when too few readings are that far apart."""
    town, cuts = setting.town, setting.cuts
    issues = choose_issues(town, horizon_h, most=most, seed=setting.seed)
    now_s, then_s = town.at_s[issues.now], town.at_s[issues.then]
    taught = issues.where(then_s < cuts.validation_s)
    validated = issues.where((now_s >= cuts.validation_s) & (then_s < cuts.test_s))
    tested = issues.where(now_s >= cuts.test_s)
    if min(len(taught), len(validated), len(tested)) < FEWEST:
        return None
    members, simple = _forecast(setting, history, learnt[0], taught=taught, asked=validated)
    actual, row = town.fill[validated.then], town.bin_row[validated.then]
    weight = bin_weights(row)
    shares = pool_weights(members, actual, marks=setting.marks, weight=weight)
    validated_distribution = np.tensordot(shares, members, axes=1)
    chosen = {name: best_variant(variants, actual) for name, variants in simple.items()}
    both = issues.where(then_s < cuts.test_s)
    members, simple = _forecast(setting, history, learnt[1], taught=both, asked=tested)
    distribution = np.tensordot(shares, members, axes=1)
    row = town.bin_row[tested.now]
    return Tested(
        bin_row=row,
        at_s=town.at_s[tested.then],
        actual=town.fill[tested.then],
        distribution=distribution,
        interval=None,
        reach=_rolling_law(setting, validated_distribution, validated, distribution, tested),
        simple={name: simple[name][variant] for name, variant in chosen.items()},
        variants=chosen,
        weights=dict(zip(member_names(MEMBERS), shares.tolist(), strict=True)),
    )


def _rolling_law(
    setting: Setting, before: Floats, validated: Issues, distribution: Floats, tested: Issues
) -> Callable[[float], Floats]:
    """Return how far intervals of the `tested` reach: what sensors said meanwhile teaches them anew, as in service.

    At the start of each part of the test time, errors known by then count: as many as validation had, the newest.
    """
    town, marks = setting.town, setting.marks
    both = Issues(now=np.concatenate([validated.now, tested.now]), then=np.concatenate([validated.then, tested.then]))
    pooled = np.concatenate([before, distribution])
    now_s, then_s, row = town.at_s[both.now], town.at_s[both.then], town.bin_row[both.now]
    span_s = setting.cuts.test_s - setting.cuts.validation_s
    last_s = int(town.at_s[tested.now].max()) + 1
    edges = np.linspace(setting.cuts.test_s, last_s, _PARTS + 1).astype(np.int64)
    laws, part = [], np.searchsorted(edges[1:-1], town.at_s[tested.now], side="right")
    for edge in edges[:-1]:
        use = np.flatnonzero((then_s < edge) & (now_s >= edge - span_s))
        use = use if len(use) >= FEWEST else np.flatnonzero(then_s < setting.cuts.test_s)
        laws.append(
            learn_law(
                pooled[use],
                town.fill[both.then[use]],
                marks=marks,
                bin_row=row[use],
                group=setting.group[row[use]],
                groups=len(setting.groups),
            )
        )
    group = setting.group[town.bin_row[tested.now]]

    def reach(share: float) -> Floats:
        limits = np.array([law.reach(np.arange(len(setting.groups)), share) for law in laws])
        return np.asarray(limits[part, group])

    return reach


def _forecast(
    setting: Setting, history: History, learnt: Learnt, *, taught: Issues, asked: Issues
) -> tuple[Floats, dict[str, Variants]]:
    town = setting.town
    sample = _thinned(taught, setting.seed)
    told, own = describe_present(town, learnt, history, sample)
    wanted, _ = describe_present(town, learnt, history, asked)
    views = {"own": tuple(range(own)), "all": tuple(range(told.shape[1]))}
    members = np.zeros((len(MEMBERS), len(asked), len(setting.marks)))
    for index, (view, least) in enumerate(MEMBERS):
        members[index] = grow(
            told,
            town.fill[sample.then],
            marks=setting.marks,
            weight=bin_weights(town.bin_row[sample.then]),
            columns=views[view],
            least=least,
            seed=setting.seed,
        ).distribution(wanted)
    return members, _simple(setting, history, learnt, asked)


def _simple(setting: Setting, history: History, learnt: Learnt, asked: Issues) -> dict[str, Variants]:
    town, before_s = setting.town, learnt.until_s
    before = setting.cases.where(setting.cases.at_s < before_s)
    row, now_s, then_s = town.bin_row[asked.now], town.at_s[asked.now], town.at_s[asked.then]
    then = Cases(bin_row=row, at_s=then_s, actual=town.fill[asked.then], last=history.confirmed[asked.now])
    now = Cases(bin_row=row, at_s=now_s, actual=town.fill[asked.now], last=history.confirmed[asked.now])
    since = np.where(np.isfinite(history.since_s[asked.now]), history.since_s[asked.now], now_s)
    age = np.maximum(learnt.pace.at(then_s) - learnt.pace.at(since), 0.0)
    result = means(town, before, then) | by_place(town, learnt, before, now, age_h=age)
    return result | own_forecasts(town, asked, before_s)


def _thinned(issues: Issues, seed: int) -> Issues:
    if len(issues) <= _MOST_TAUGHT:
        return issues
    return issues.where(np.sort(np.random.default_rng(seed).choice(len(issues), _MOST_TAUGHT, replace=False)))
