"""Bins with a sensor, later time: what will be measured some hours ahead, whatever crews do meanwhile. Pure.

Forests learn from what was measured before the validation time, are weighed and calibrated on the validation time,
learn anew from both, and forecast the test time from what was known at each moment. A forecast's moment and the moment
that it speaks about lie in the same part.
"""

from __future__ import annotations

import numpy as np

from optimise.fill.readings import Floats
from optimise.fill.towns.conformal import learn_law
from optimise.fill.towns.describe import Learnt, learn
from optimise.fill.towns.forest import grow, pool_weights
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.present import History, Issues, choose_issues, describe_present, own_forecasts
from optimise.fill.towns.setting import Setting, Tested, best_variant, bin_weights, member_names
from optimise.fill.towns.simple import Variants, by_place, means

MEMBERS: tuple[tuple[str, int], ...] = (("own", 8), ("own", 30), ("all", 8), ("all", 25))
_MOST_TAUGHT = 14_000
FEWEST = 100


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
    law = learn_law(
        np.tensordot(shares, members, axes=1),
        actual,
        marks=setting.marks,
        bin_row=row,
        group=setting.group[row],
        groups=len(setting.groups),
    )
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
        reach=lambda share: law.reach(setting.group[row], share),
        simple={name: simple[name][variant] for name, variant in chosen.items()},
        variants=chosen,
        weights=dict(zip(member_names(MEMBERS), shares.tolist(), strict=True)),
    )


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
