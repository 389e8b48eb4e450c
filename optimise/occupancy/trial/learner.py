"""Two learners for one question: the median of the free fraction, and the chance of at least one free place. Pure.

The median is that of gradient-boosted trees on the change since the last reading (absolute error, Friedman 2001, as
scikit-learn has it), mixed with the baseline that validation likes best, in the share that it likes best. The chance is
that of boosted trees too, bent by Platt's scaling (Platt 1999) so that it holds on validation.
"""

from __future__ import annotations

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What was foretold, (k,) each: the `free` places, and the `chance` that at least one is free."""

    free: Floats
    chance: Floats


def answer(learn: Asked, validate: Asked, test: Asked, *, rounds: int, seed: int) -> Answer:
    """Learn from some questions in `rounds` of boosting, weigh and calibrate on others, answer the rest."""
    chance = _chance(learn, validate, test, rounds=rounds, seed=seed)
    fraction = _median(learn, validate, test, rounds=rounds, seed=seed)
    # Of one bay the median is what is likelier.
    fraction = np.where(test.capacity <= 1, (chance >= 0.5).astype(np.float64), fraction)  # noqa: PLR2004 - as likely as not
    return Answer(free=fraction * test.capacity, chance=chance)


def _median(learn: Asked, validate: Asked, test: Asked, *, rounds: int, seed: int) -> Floats:
    model = HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=rounds,
        learning_rate=_PACE,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=_LEAST_IN_LEAF,
        l2_regularization=_RIDGE,
        early_stopping=False,
        random_state=seed,
    )
    model.fit(learn.features, learn.fraction - learn.base)
    held, asked = (np.clip(each.base + model.predict(each.features), 0, 1) for each in (validate, test))
    best = min(validate.baselines, key=lambda name: _error(validate.baselines[name], validate))
    errors = [_error(share * held + (1 - share) * validate.baselines[best], validate) for share in _SHARES]
    share = float(_SHARES[int(np.argmin(errors))])
    mixed: Floats = share * asked + (1 - share) * test.baselines[best]
    return mixed


def _error(fraction: Floats, asked: Asked) -> float:
    return float(np.mean(np.abs(fraction - asked.fraction)))


def _chance(learn: Asked, validate: Asked, test: Asked, *, rounds: int, seed: int) -> Floats:
    if min(learn.any_free.sum(), (~learn.any_free).sum()) < _RARE:
        known = np.concatenate([learn.any_free, validate.any_free])
        return np.full(len(test.base), (known.sum() + 1) / (len(known) + 2))
    model = HistGradientBoostingClassifier(
        max_iter=max(1, rounds // 2),
        learning_rate=_PACE,
        max_leaf_nodes=_LEAVES // 2,
        min_samples_leaf=_LEAST_IN_LEAF,
        l2_regularization=_RIDGE,
        early_stopping=False,
        random_state=seed,
    )
    model.fit(learn.features, learn.any_free)
    held, asked = (_logit(model.predict_proba(each.features)[:, 1]) for each in (validate, test))
    if min(validate.any_free.sum(), (~validate.any_free).sum()) < _RARE:
        return _chance_of(asked)
    bend = LogisticRegression(C=1e3).fit(held[:, None], validate.any_free)
    bent: Floats = bend.predict_proba(asked[:, None])[:, 1]
    return bent


def _logit(chance: Floats) -> Floats:
    clipped = np.clip(chance, _EDGE, 1 - _EDGE)
    result: Floats = np.log(clipped / (1 - clipped))
    return result


def _chance_of(logit: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-logit))
    return result
