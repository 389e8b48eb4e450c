"""Learning a commune's bays and judging what was learnt on time that it did not see. Pure.

The history is cut in three by time: trees learn from the first part, are bent, and the sums and the hidden bays' habit
calibrated on the second, and all is scored on the third, against persistence and the profile, on the same questions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from optimise.fill.readings import Floats, Ints
from optimise.occupancy.forecast.counts import SHOCKS, count_pmf, interval, median
from optimise.occupancy.forecast.hidden import HiddenCounts, fit_hidden
from optimise.occupancy.forecast.history import History
from optimise.occupancy.forecast.model import Model, simple_chance
from optimise.occupancy.forecast.questions import AHEAD_MIN, AHEAD_S, Bays, Known, features
from optimise.occupancy.forecast.trees import trees_of
from optimise.occupancy.forecast.usual import Usual, filled, group_sums, past_usual
from optimise.occupancy.trial.clock import DAY_S, local_s
from optimise.occupancy.trial.learner import Answer, Asked
from optimise.occupancy.trial.scores import score

LEARN, VALIDATE, TEST = range(3)
PARTS = (0.6, 0.8)
_PACE, _LEAVES, _LEAST_IN_LEAF, _RIDGE = 0.07, 15, 40, 1.0
_LEAST_GROUP = 3
_HIDE = 0.5
_SHORTEST_S = 4 * DAY_S


@dataclass(frozen=True, kw_only=True)
class LearningOptions:
    """How much is learnt: `questions` of each part, `rounds` of boosting, at least `rare` of either answer."""

    questions: int = 40_000
    most_moments: int = 3_000
    rounds: int = 90
    rare: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for name in ("questions", "most_moments", "rounds", "rare"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} >= 1, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Questions:
    """All bays at t moments, each with one moment ahead: what is known, and `free` (t, p) then, NaN unknown.

    `ahead` (t,): the position in `AHEAD_S`.
    """

    known: Known
    free: Floats
    asked_s: Ints
    ahead: Ints

    @property
    def target_s(self) -> Ints:
        """(t,) the moments asked for."""
        return self.asked_s + AHEAD_S[self.ahead]


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """The model, its `scores` on time it did not see, and until when (Unix seconds) it saw."""

    model: Model
    scores: dict[str, Any]
    seen_until_s: int


def learn(history: History, bays: Bays, options: LearningOptions) -> Learnt | str:
    """Learn from a history; where it holds too little to learn from, return in words what is missing."""
    if not len(history.at_s):
        return "no sensor of a bay or space has told anything yet"
    start_s, end_s = int(history.at_s.min()), int(history.at_s.max())
    if end_s - start_s < _SHORTEST_S:
        lasting = (end_s - start_s) / DAY_S
        return f"readings of {lasting:.1f} days are too few: it takes {_SHORTEST_S // DAY_S} to learn from"
    usual = usual_of_past(history)
    rng = np.random.default_rng(options.seed)
    edges = [start_s, *(start_s + share * (end_s - start_s) for share in PARTS), end_s]
    parts = [
        ask(history, bays, usual, since_s=int(edges[part]), until_s=int(edges[part + 1]), rng=rng, options=options)
        for part in (LEARN, VALIDATE, TEST)
    ]
    learning, validating, testing = parts
    enough = [_least(part) >= options.rare for part in parts]
    if not all(enough):
        return (
            f"bays were free and taken {_least(learning)} times at the moments to learn from: it takes {options.rare}"
        )
    zone = history.time_zone
    model = _grown(learning, bays, zone, options)
    model = _bent(model, validating, bays, zone)
    model = replace(model, shock=_shocks(model, validating, bays, zone))
    model = replace(model, hidden=fit_hidden(_hide(validating, bays, rng)))
    return Learnt(
        model=model,
        scores=scores_of(model, testing, bays, zone, np.random.default_rng(options.seed)),
        seen_until_s=int(edges[2]),
    )


def usual_of_past(history: History) -> Usual:
    """Return what was usual on each day of the history."""
    days = local_s(np.array([history.at_s.min(), history.at_s.max()]), history.time_zone) // DAY_S
    return past_usual(history, first_day=int(days[0]), days=int(days[1] - days[0]) + 1)


def ask(
    history: History,
    bays: Bays,
    usual: Usual,
    *,
    since_s: int,
    until_s: int,
    rng: np.random.Generator,
    options: LearningOptions,
) -> Questions:
    """Return questions put and answered within [since, until), at moments of chance."""
    moments = int(np.clip(options.questions // max(1, len(bays)), 200, options.most_moments))
    last_s = max(since_s + 1, until_s - int(AHEAD_S[-1]))
    asked_s = np.sort(rng.integers(since_s, last_s, moments))
    ahead = rng.integers(1, len(AHEAD_S), moments)
    now, held_s = history.at(asked_s)
    free, _ = history.at(asked_s + AHEAD_S[ahead])
    return Questions(
        known=Known(
            now=now,
            held_s=held_s,
            usual_now=filled(usual.at(asked_s), bays.near, bays.alike),
            usual_then=filled(usual.at(asked_s + AHEAD_S[ahead]), bays.near, bays.alike),
        ),
        free=free,
        asked_s=asked_s,
        ahead=ahead,
    )


def _least(part: Questions) -> int:
    there = ~np.isnan(part.free) & ~np.isnan(part.known.now)
    return int(min((part.free[there] == 1).sum(), (part.free[there] == 0).sum()))


def _grown(part: Questions, bays: Bays, zone: str, options: LearningOptions) -> Model:
    there = ~np.isnan(part.free) & ~np.isnan(part.known.now)
    asked = features(part.known, bays, asked_s=part.asked_s, target_s=part.target_s, time_zone=zone)
    forest = HistGradientBoostingClassifier(
        max_iter=options.rounds,
        learning_rate=_PACE,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=_LEAST_IN_LEAF,
        l2_regularization=_RIDGE,
        early_stopping=False,
        random_state=options.seed,
    )
    forest.fit(asked[there], part.free[there] == 1)
    return Model(trees=trees_of(forest))


def _bent(model: Model, part: Questions, bays: Bays, zone: str) -> Model:
    there = ~np.isnan(part.free) & ~np.isnan(part.known.now)
    asked = features(part.known, bays, asked_s=part.asked_s, target_s=part.target_s, time_zone=zone)
    assert model.trees is not None
    bend = LogisticRegression(C=1e3).fit(model.trees.logit(asked[there])[:, None], part.free[there] == 1)
    return replace(model, slope=float(bend.coef_[0, 0]), shift=float(bend.intercept_[0]))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Street:
    """The bays `at` of one street whose present and future are known at the moments `rows` (t,)."""

    at: Ints
    rows: Ints


def _streets(part: Questions, bays: Bays) -> list[_Street]:
    """Return streets of some bays, at the moments when all of those that ever speak do."""
    there = ~np.isnan(part.free) & ~np.isnan(part.known.now)
    found = []
    for street in np.unique(bays.near):
        at = np.flatnonzero((bays.near == street) & there.any(axis=0))
        rows = np.flatnonzero(there[:, at].all(axis=1)) if len(at) else np.zeros(0, np.int64)
        if len(at) >= _LEAST_GROUP and len(rows):
            found.append(_Street(at=at, rows=rows))
    return found


def _shocks(model: Model, part: Questions, bays: Bays, zone: str) -> Floats:
    """Return (ahead,) the most likely common shift of a street's bays, smoothed over what lies beside."""
    chance = model.chance(part.known, bays, asked_s=part.asked_s, target_s=part.target_s, time_zone=zone)
    likely = np.zeros((len(SHOCKS), len(AHEAD_S)))
    for street in _streets(part, bays):
        free = part.free[np.ix_(street.rows, street.at)].sum(axis=1).astype(np.int64)
        chances = chance[np.ix_(street.rows, street.at)]
        for number, shock in enumerate(SHOCKS):
            pmf = count_pmf(chances, np.full(len(street.rows), shock))
            logs = np.log(np.maximum(pmf[np.arange(len(free)), free], 1e-12))
            likely[number] += np.bincount(part.ahead[street.rows], weights=logs, minlength=len(AHEAD_S))
    if not likely.any():
        return Model().shock
    beside = likely.copy()
    beside[:, 1:] += likely[:, :-1]
    beside[:, :-1] += likely[:, 1:]
    return np.array(SHOCKS)[np.argmax(beside, axis=0)]


def _hide(part: Questions, bays: Bays, rng: np.random.Generator) -> HiddenCounts:
    """Hide bays of chance in each street at each moment, and return what the others told and how it came."""
    hidden = rng.random(part.free.shape) < _HIDE
    hidden &= ~np.isnan(part.free)
    spoken = replace(part.known, now=np.where(hidden, np.nan, part.known.now))
    odd_sum, speaking = group_sums(spoken.now - spoken.usual_now, bays.near)
    total, count = group_sums(np.where(hidden, part.free, np.nan), bays.near)
    # A hidden bay has no usual of its own: it is told by those that are not hidden.
    usual_then = filled(np.where(hidden, np.nan, spoken.usual_then), bays.near, bays.alike)
    mean_usual, _ = group_sums(np.where(hidden, usual_then, np.nan), bays.near)
    first = np.zeros(len(bays), dtype=bool)
    first[np.unique(bays.near, return_index=True)[1]] = True
    use = (count > 0) & first[None, :] & np.isfinite(mean_usual)
    rows = np.nonzero(use)[0]
    return HiddenCounts(
        free=total[use],
        hidden=count[use],
        usual_then=np.nan_to_num(mean_usual[use] / count[use], nan=0.5),
        odd_sum=odd_sum[use],
        speaking=speaking[use],
        ahead_s=AHEAD_S[part.ahead[rows]].astype(np.float64),
    )


def scores_of(model: Model, part: Questions, bays: Bays, zone: str, rng: np.random.Generator) -> dict[str, Any]:
    """Return the scores of bays, streets and hidden bays, as `voirie evaluate occupancy` has them."""
    chance = model.chance(part.known, bays, asked_s=part.asked_s, target_s=part.target_s, time_zone=zone)
    there = ~np.isnan(part.free) & ~np.isnan(part.known.now)
    simple = simple_chance(part.known, AHEAD_S[part.ahead][:, None])
    by_minutes = {}
    for number, minutes in enumerate(AHEAD_MIN[1:], start=1):
        rows = (part.ahead == number)[:, None] & there
        if rows.any():
            by_minutes[str(minutes)] = _bay_scores(part, chance, simple, rows)
    return {
        "bays": {"all": _bay_scores(part, chance, simple, there), "by_minutes": by_minutes},
        "streets": _street_scores(model, part, bays, chance),
        "hidden": _hidden_scores(model, _hide(part, bays, rng)),
    }


def _bay_scores(part: Questions, chance: Floats, simple: Floats, rows: NDArray[np.bool_]) -> dict[str, Any]:
    happened, now, usual = part.free[rows], part.known.now[rows], part.known.usual_then[rows]
    usual = np.where(np.isnan(usual), 0.5, usual)
    asked = _asked(happened, np.ones(len(happened)), {"persistence": now, "profile": (usual >= 0.5).astype(np.float64)})  # noqa: PLR2004 - as likely as not
    found = score(asked, Answer(free=(chance[rows] >= 0.5).astype(np.float64), chance=chance[rows]))  # noqa: PLR2004 - see above
    chances = {"persistence": now, "profile": usual, "fading_persistence": simple[rows]}
    return found | {"brier_baselines": {name: float(np.mean((each - happened) ** 2)) for name, each in chances.items()}}


def _street_scores(model: Model, part: Questions, bays: Bays, chance: Floats) -> dict[str, Any]:
    told: list[tuple[Floats, ...]] = []
    for street in _streets(part, bays):
        at = np.ix_(street.rows, street.at)
        pmf = count_pmf(chance[at], model.shock[part.ahead[street.rows]])
        low, high = interval(pmf)
        places = np.full(len(street.rows), float(len(street.at)))
        usual = np.nan_to_num(part.known.usual_then[at], nan=0.5).sum(axis=1)
        told.append(
            (
                part.free[at].sum(axis=1),
                places,
                part.known.now[at].sum(axis=1),
                usual,
                median(pmf),
                1 - pmf[:, 0],
                low,
                high,
            )
        )
    if not told:
        return {"n": 0}
    free, places, now, usual, middle, any_free, low, high = (np.concatenate(each) for each in zip(*told, strict=True))
    asked = _asked(free / places, places, {"persistence": now / places, "profile": usual / places})
    return score(asked, Answer(free=middle, chance=any_free)) | _coverage(free, low, high)


def _hidden_scores(model: Model, counts: HiddenCounts) -> dict[str, Any]:
    if not len(counts.free):
        return {"n": 0}
    share = model.hidden.share(counts.usual_then, counts.odd_sum, counts.speaking, counts.ahead_s)
    low, high, middle, any_free = (np.empty(len(share)) for _ in range(4))
    for number in np.unique(counts.hidden).astype(np.int64):
        rows = counts.hidden == number
        pmf = model.hidden.count_pmf(share[rows], int(number))
        low[rows], high[rows] = interval(pmf)
        middle[rows], any_free[rows] = median(pmf), 1 - pmf[:, 0]
    usual = np.clip(counts.usual_then, 0, 1)
    present = np.clip(usual + counts.odd_sum / np.maximum(counts.speaking, 1), 0, 1)
    asked = _asked(counts.free / counts.hidden, counts.hidden, {"profile": usual, "others_now": present})
    answer = Answer(free=middle, chance=any_free)
    return score(asked, answer) | _coverage(counts.free, low, high)


def _asked(fraction: Floats, capacity: Floats, baselines: dict[str, Floats]) -> Asked:
    return Asked(
        features=np.zeros((len(fraction), 0), dtype=np.float32),
        base=np.zeros(len(fraction)),
        baselines=baselines,
        fraction=fraction,
        any_free=fraction > 0,
        capacity=capacity,
    )


def _coverage(free: Floats, low: Floats, high: Floats) -> dict[str, float]:
    return {
        "coverage_80": float(np.mean((low <= free) & (free <= high))),
        "width_80_places": float(np.mean(high - low)),
    }
