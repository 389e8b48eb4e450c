"""Free places of a place whose own readings are known up to the moment of asking. Pure."""

from __future__ import annotations

import numpy as np

from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.occupancy.trial.clock import DAY_S, local_s, week_hour_of, weekday_of
from optimise.occupancy.trial.field import SLOT_S, Field
from optimise.occupancy.trial.learner import Asked
from optimise.occupancy.trial.moments import Moments, ends_of_parts

_LAGS_S = (15 * 60, 30 * 60, HOUR_S, 2 * HOUR_S, 4 * HOUR_S)
_WEEK_S, _WEEK_H = 7 * DAY_S, 168
_SHRUNK = 2.0
_FEW = 12
# More places than these are told apart by what they do, not by their number.
_MOST_TOLD_APART = 40


def ask_seen(field: Field, moments: Moments) -> Asked:
    """Return the questions with what is known of each; every one must have a last reading."""
    row, asked_s, target_s, last = moments.place_row, moments.asked_s, moments.target_s, moments.last
    now = field.fraction[last]
    usual_then = _or(field.usually(row, target_s), now)
    usual_now = _or(field.usually(row, field.at_s[last]), now)
    fixed_then, fixed_now, overall = _fixed_profile(field, row, target_s, field.at_s[last])
    local = local_s(target_s, field.time_zone)
    angle = 2 * np.pi * (local % DAY_S) / DAY_S
    capacity = field.capacity[last]
    strange_town, moved_town = _town(field, row, asked_s)
    columns = [
        now,
        usual_then,
        usual_now,
        usual_then - usual_now,
        now - usual_now,
        *(now - field.at(row, asked_s - lag_s) for lag_s in _LAGS_S),
        *(field.at(row, target_s - ago_s) for ago_s in (DAY_S, _WEEK_S)),
        *(field.at(row, target_s - ago_s) - field.at(row, asked_s - ago_s) for ago_s in (DAY_S, _WEEK_S)),
        asked_s - field.at_s[last],
        target_s - asked_s,
        _held_s(field, last, asked_s),
        np.sin(angle),
        np.cos(angle),
        weekday_of(local // DAY_S),
        np.minimum(now * capacity, _FEW),
        np.log(capacity),
        row if len(field.names) <= _MOST_TOLD_APART else np.zeros(len(row)),
        strange_town,
        moved_town,
    ]
    free_usually = np.clip(now + usual_then - usual_now, 0, 1)
    return Asked(
        features=np.column_stack(columns).astype(np.float32),
        base=now,
        baselines={
            "persistence": now,
            "profile": fixed_then,
            "recent_profile": usual_then,
            "profile_corrected_persistence": np.clip(now + fixed_then - fixed_now, 0, 1),
            "recent_profile_corrected_persistence": free_usually,
            "global_mean": overall,
        },
        fraction=moments.free / moments.capacity,
        any_free=moments.free >= 1,
        capacity=moments.capacity,
    )


def _or(values: Floats, otherwise: Floats) -> Floats:
    return np.where(np.isnan(values), otherwise, values)


def _held_s(field: Field, last: Ints, asked_s: Ints) -> Floats:
    """Return (k,) for how long the last reading's value has held: how long a bay has been taken."""
    fresh = np.ones(len(field.at_s), dtype=bool)
    fresh[1:] = (np.diff(field.place_row) != 0) | (np.diff(field.free) != 0)
    start = np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))
    held: Floats = (asked_s - field.at_s[start[last]]).astype(np.float64)
    return held


def _fixed_profile(field: Field, row: Ints, *at_s: Ints) -> tuple[Floats, ...]:
    """Return the mean of each place's weekday and hour in the time before the test, at moments; and the mean of all."""
    _, validated_s = ends_of_parts(field)
    known = field.at_s < validated_s
    places = len(field.names)
    place, fraction = field.place_row[known], field.fraction[known]
    overall = fraction.mean()
    mean = (np.bincount(place, weights=fraction, minlength=places) + overall) / (
        np.bincount(place, minlength=places) + 1
    )
    hour = week_hour_of(local_s(field.at_s[known], field.time_zone))

    def means(slot: Ints, slots: int, prior: Floats) -> Floats:
        flat = place * slots + slot
        total = np.bincount(flat, weights=fraction, minlength=places * slots).reshape(places, slots)
        count = np.bincount(flat, minlength=places * slots).reshape(places, slots)
        result: Floats = (total + _SHRUNK * prior) / (count + _SHRUNK)
        return result

    daily = means(hour % 24, 24, np.repeat(mean[:, None], 24, axis=1))
    weekly = means(hour, _WEEK_H, np.tile(daily, (1, 7)))
    at = [weekly[row, week_hour_of(local_s(each, field.time_zone))] for each in at_s]
    return (*at, np.full(len(row), overall))


def _town(field: Field, row: Ints, asked_s: Ints) -> tuple[Floats, Floats]:
    """Return (k,) how far other places are from usual in the last whole half hour, and how that moved in an hour."""
    odd = field.slot_mean - field.usual
    known = ~np.isnan(odd)
    total, count = np.where(known, odd, 0).sum(axis=0, dtype=np.float64), known.sum(axis=0)
    slot = (local_s(asked_s, field.time_zone) - field.first_day * DAY_S) // SLOT_S - 1

    def others(at: Ints) -> Floats:
        inside = np.maximum(at, 0)
        own = np.where(known[row, inside], odd[row, inside], 0)
        rest = count[inside] - known[row, inside]
        return np.where((rest > 0) & (at >= 0), (total[inside] - own) / np.maximum(rest, 1), np.nan)

    now = others(slot)
    return now, now - others(slot - 2)
