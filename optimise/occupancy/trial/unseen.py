"""Free places of a place without any reading, told by the others': what they have now, and what is usual there. Pure.

Whole places are held out. A place is answered for from the places that were learnt from, and these were learnt to
answer for each other, so that learning and testing put the same question.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.occupancy.trial.clock import DAY_S, local_s, weekday_of
from optimise.occupancy.trial.field import Field
from optimise.occupancy.trial.learner import Answer, Asked, Raw, fit, together, weigh
from optimise.occupancy.trial.moments import LEARN, TEST, VALIDATE, Moments

LEAST_PLACES = 4
_NEAR = 3
_MOST_OTHERS = 60
_LEAST_TO_LEARN = 200
# Of fewer places a capacity is a name: what trees would learn by it holds for no other place.
_TELLS_KINDS = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Holding:
    """Which places are held out: `fold` (places,): each is tested once, while each other fold calibrates in turn."""

    fold: Ints
    folds: int


def hold_out(places: int, *, folds: int, seed: int) -> Holding:
    """Split places into folds of nearly equal size."""
    folds = min(folds, places)
    order = np.random.default_rng(seed).permutation(places)
    fold = np.empty(places, dtype=np.int64)
    fold[order] = np.arange(places) % folds
    return Holding(fold=fold, folds=folds)


def answer_unseen(
    field: Field, moments: Moments, holding: Holding, *, most: int, rounds: int, seed: int
) -> tuple[list[Asked], list[Answer]]:
    """Return for each fold the questions about its places in the last part of time, and their answers.

    Places differ more than moments do: what one fold of them would calibrate, the next would not keep. So trees are
    learnt without each pair of folds; those without a fold answer for it, and what those without it and each other one
    say of that other one calibrates them.
    """
    rng = np.random.default_rng(seed)
    fold = holding.fold[moments.place_row]
    rows = {
        (part, each): _some(np.flatnonzero((moments.part == part) & (fold == each)), size, rng)
        for part, size in ((VALIDATE, most // (holding.folds - 1)), (TEST, most))
        for each in range(holding.folds)
    }
    held = [each for each in range(holding.folds) if len(rows[TEST, each])]
    calibrating: dict[int, list[tuple[Asked, Raw]]] = {each: [] for each in held}
    said: dict[int, tuple[Asked, Raw]] = {}
    for pair in combinations(range(holding.folds), 2):
        known = _without(holding, *pair)
        learning = _some(np.flatnonzero((moments.part == LEARN) & np.isin(moments.place_row, known)), most, rng)
        if len(learning) < _LEAST_TO_LEARN:
            continue
        fitted = fit(ask_unseen(field, moments.where(learning), known), rounds=rounds, seed=seed)
        for one, other in (pair, pair[::-1]):
            if one not in calibrating:
                continue
            # Trees of several would be surer together than calibrated: one pair's answer.
            if other == (one + 1) % holding.folds:
                test = ask_unseen(field, moments.where(rows[TEST, one]), known)
                said[one] = (test, fitted.say(test))
            if len(rows[VALIDATE, other]):
                validate = ask_unseen(field, moments.where(rows[VALIDATE, other]), known)
                calibrating[one].append((validate, fitted.say(validate)))
    asked: list[Asked] = []
    answers: list[Answer] = []
    for each in held:
        calibrated = _joined(calibrating[each])
        if each not in said or calibrated is None or len(calibrated[0].base) < _LEAST_TO_LEARN:
            continue
        test, raw = said[each]
        asked.append(test)
        answers.append(weigh(*calibrated).answer(test, raw))
    return asked, answers


def ask_unseen(field: Field, moments: Moments, known: Ints) -> Asked:
    """Return the questions with what `known` (p,) places tell of each; a place never tells of itself."""
    row, asked_s, target_s = moments.place_row, moments.asked_s, moments.target_s
    near = _nearest(field, known)[row]
    now, usual_then, usual_now = (np.empty(near.shape) for _ in range(3))
    for column in range(near.shape[1]):
        other = near[:, column]
        place = np.maximum(other, 0)
        there = (other >= 0) & (other != row)
        now[:, column] = np.where(there, field.at(place, asked_s), np.nan)
        usual_then[:, column] = np.where(there, field.usually(place, target_s), np.nan)
        usual_now[:, column] = np.where(there, field.usually(place, asked_s), np.nan)
    overall = _so_far(field, known, asked_s)
    means = {
        name: _mean(values, overall)
        for name, values in {
            "others_now": now,
            "others_profile": usual_then,
            "nearest_now": now[:, :_NEAR],
            "nearest_profile": usual_then[:, :_NEAR],
        }.items()
    }
    moved = _mean(usual_then, overall) - _mean(usual_now, overall)
    local = local_s(target_s, field.time_zone)
    angle = 2 * np.pi * (local % DAY_S) / DAY_S
    with np.errstate(invalid="ignore"):
        spread = _spread(now)
    columns = [
        *means.values(),
        moved,
        _mean(usual_then[:, :_NEAR], overall) - _mean(usual_now[:, :_NEAR], overall),
        spread,
        np.isfinite(now).sum(axis=1),
        np.sin(angle),
        np.cos(angle),
        weekday_of(local // DAY_S),
        (target_s - asked_s) / HOUR_S,
        np.log(moments.capacity) if len(known) >= _TELLS_KINDS else np.zeros(len(row)),
    ]
    return Asked(
        features=np.column_stack(columns).astype(np.float32),
        base=means["others_profile"],
        baselines={
            **{name: values for name, values in means.items() if not name.startswith("nearest") or _located(field)},
            "others_now_corrected": np.clip(means["others_now"] + moved, 0, 1),
            "global_mean": overall,
        },
        fraction=moments.free / moments.capacity,
        any_free=moments.free >= 1,
        capacity=moments.capacity,
    )


def _joined(parts: list[tuple[Asked, Raw]]) -> tuple[Asked, Raw] | None:
    if not parts:
        return None
    asked, raws = zip(*parts, strict=True)
    return together(asked), Raw(
        fraction=np.concatenate([raw.fraction for raw in raws]), logit=np.concatenate([raw.logit for raw in raws])
    )


def _without(holding: Holding, *folds: int) -> Ints:
    return np.flatnonzero(~np.isin(holding.fold, folds))


def _some(rows: Ints, most: int, rng: np.random.Generator) -> Ints:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _located(field: Field) -> bool:
    return bool(np.mean(np.isfinite(field.lon + field.lat)) > 0.8)  # noqa: PLR2004 - nearly all


def _nearest(field: Field, known: Ints) -> Ints:
    """Return (places, others) the known places, nearest first where positions are told; -1 where there are fewer."""
    places = len(field.names)
    if _located(field):
        shrink = np.cos(np.radians(np.nanmean(field.lat)))
        east = (field.lon[:, None] - field.lon[None, known]) * shrink
        north = field.lat[:, None] - field.lat[None, known]
        distance = np.nan_to_num(np.hypot(east, north), nan=np.inf)
    else:
        distance = np.abs(np.log(_capacity(field)[:, None] / _capacity(field)[None, known]))
    distance = np.where(np.arange(places)[:, None] == known[None, :], np.inf, distance)
    order = np.argsort(distance, axis=1, kind="stable")[:, :_MOST_OTHERS]
    return known[order]


def _capacity(field: Field) -> Floats:
    capacity = np.ones(len(field.names))
    capacity[field.place_row] = field.capacity
    return capacity


def _mean(values: Floats, otherwise: Floats) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), otherwise)


def _spread(values: Floats) -> Floats:
    known: NDArray[np.bool_] = ~np.isnan(values)
    count = np.maximum(known.sum(axis=1), 1)
    filled = np.where(known, values, 0)
    mean = filled.sum(axis=1) / count
    result: Floats = np.sqrt(np.maximum((filled**2).sum(axis=1) / count - mean**2, 0))
    return result


def _so_far(field: Field, known: Ints, asked_s: Ints) -> Floats:
    """Return (k,) the mean of all that known places told before a moment."""
    use = np.isin(field.place_row, known)
    order = np.argsort(field.at_s[use], kind="stable")
    at_s, fraction = field.at_s[use][order], field.fraction[use][order]
    running = np.cumsum(fraction) / np.arange(1, len(fraction) + 1)
    found = np.searchsorted(at_s, asked_s, side="right") - 1
    return np.where(found >= 0, running[np.maximum(found, 0)], 0.5)
