"""Two learners for one question: the median of the free fraction, and the chance of at least one free place. Pure.

The median is that of gradient-boosted trees on the change since the last reading (absolute error, Friedman 2001, as
scikit-learn has it), mixed with the baseline that validation likes best, in the share that it likes best. The chance is
that of boosted trees too, bent by Platt's scaling (Platt 1999) so that it holds on validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression

from optimise.fill.readings import Floats

_PACE, _LEAVES, _LEAST_IN_LEAF, _RIDGE = 0.07, 31, 40, 1.0
_RARE = 25
_EDGE = 1e-4
_SHARES = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """Questions as a learner sees them, (k, ...) each.

    `features` (k, f), NaN where unknown; `base` (k,): the free fraction from which the change is learnt; `baselines`:
    name -> (k,) free fractions; `fraction` (k,): the answer; `any_free` (k,): whether a place was free;
    `capacity` (k,): places.
    """

    features: NDArray[np.float32]
    base: Floats
    baselines: dict[str, Floats]
    fraction: Floats
    any_free: NDArray[np.bool_]
    capacity: Floats

    def where(self, keep: NDArray[np.bool_]) -> Asked:
        """Return some of the questions."""
        return Asked(
            features=self.features[keep],
            base=self.base[keep],
            baselines={name: values[keep] for name, values in self.baselines.items()},
            fraction=self.fraction[keep],
            any_free=self.any_free[keep],
            capacity=self.capacity[keep],
        )


def together(parts: Sequence[Asked]) -> Asked:
    """Return the questions of several parts as one."""

    def joined(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts])

    return Asked(
        features=np.concatenate([part.features for part in parts]),
        base=joined("base"),
        baselines={name: np.concatenate([part.baselines[name] for part in parts]) for name in parts[0].baselines},
        fraction=joined("fraction"),
        any_free=np.concatenate([part.any_free for part in parts]),
        capacity=joined("capacity"),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What was foretold, (k,) each: the `free` places, and the `chance` that at least one is free."""

    free: Floats
    chance: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Raw:
    """What trees say of questions, (k,) each: the free `fraction`, and the `logit` of the chance, not yet weighed."""

    fraction: Floats
    logit: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """Trees for the change of the free fraction and for the chance; None where `odds` alone are known of the chance."""

    change: HistGradientBoostingRegressor
    chance: HistGradientBoostingClassifier | None
    odds: float

    def say(self, asked: Asked) -> Raw:
        """Return what the trees say of questions."""
        fraction = np.clip(asked.base + self.change.predict(asked.features), 0, 1)
        if self.chance is None:
            logit = np.full(len(asked.base), self.odds)
        else:
            logit = _logit(self.chance.predict_proba(asked.features)[:, 1])
        return Raw(fraction=fraction, logit=logit)


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighed:
    """How much trees are believed: their `share` beside the baseline `best`, and `slope`, `shift` of their logits."""

    best: str
    share: float
    slope: float
    shift: float

    def answer(self, asked: Asked, raw: Raw) -> Answer:
        """Return the answers to questions."""
        chance = 1 / (1 + np.exp(-(self.slope * raw.logit + self.shift)))
        fraction = self.share * raw.fraction + (1 - self.share) * asked.baselines[self.best]
        # Of one bay the median is what is likelier.
        fraction = np.where(asked.capacity <= 1, (chance >= 0.5).astype(np.float64), fraction)  # noqa: PLR2004 - as likely as not
        return Answer(free=fraction * asked.capacity, chance=chance)


def fit(learn: Asked, *, rounds: int, seed: int) -> Fitted:
    """Learn from questions in `rounds` of boosting."""
    change = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=rounds,
        learning_rate=_PACE,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=_LEAST_IN_LEAF,
        l2_regularization=_RIDGE,
        early_stopping=False,
        random_state=seed,
    )
    change.fit(learn.features, learn.fraction - learn.base)
    free = int(learn.any_free.sum())
    odds = float(np.log((free + 1) / (len(learn.any_free) - free + 1)))
    if min(free, len(learn.any_free) - free) < _RARE:
        return Fitted(change=change, chance=None, odds=odds)
    chance = HistGradientBoostingClassifier(
        max_iter=max(1, rounds // 2),
        learning_rate=_PACE,
        max_leaf_nodes=_LEAVES // 2,
        min_samples_leaf=_LEAST_IN_LEAF,
        l2_regularization=_RIDGE,
        early_stopping=False,
        random_state=seed,
    )
    chance.fit(learn.features, learn.any_free)
    return Fitted(change=change, chance=chance, odds=odds)


def weigh(validate: Asked, raw: Raw) -> Weighed:
    """Find out on questions that trees did not learn from how much they are to be believed."""
    best = min(validate.baselines, key=lambda name: _error(validate.baselines[name], validate))
    errors = [_error(share * raw.fraction + (1 - share) * validate.baselines[best], validate) for share in _SHARES]
    slope, shift = 1.0, 0.0
    if min(validate.any_free.sum(), (~validate.any_free).sum()) >= _RARE:
        bend = LogisticRegression(C=1e3).fit(raw.logit[:, None], validate.any_free)
        slope, shift = float(bend.coef_[0, 0]), float(bend.intercept_[0])
    return Weighed(best=best, share=float(_SHARES[int(np.argmin(errors))]), slope=slope, shift=shift)


def answer(learn: Asked, validate: Asked, test: Asked, *, rounds: int, seed: int) -> Answer:
    """Learn from some questions in `rounds` of boosting, weigh and calibrate on others, answer the rest."""
    fitted = fit(learn, rounds=rounds, seed=seed)
    return weigh(validate, fitted.say(validate)).answer(test, fitted.say(test))


def _error(fraction: Floats, asked: Asked) -> float:
    return float(np.mean(np.abs(fraction - asked.fraction)))


def _logit(chance: Floats) -> Floats:
    clipped = np.clip(chance, _EDGE, 1 - _EDGE)
    result: Floats = np.log(clipped / (1 - clipped))
    return result
