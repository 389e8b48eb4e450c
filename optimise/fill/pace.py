"""When waste comes: a weekly rhythm of the town, each bin's bend of it, and how busy the town really was. Pure.

A bin's *paced hours* between two moments are its rhythm integrated over them; one paced hour is worth an average hour
of that bin. What fills a bin is its rate in litres an hour times its paced hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import RidgeCV

from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.slots import DAY_H, WEEK_H, coarse_slot, day_class, local_slots
from optimise.fill.training import TrainingData

_COARSE = 24
_FEWEST_BINS = 20
_LEAST_SHAPE = 0.05
_WEEKDAYS = 5
_BLOCK_H = 6
_SHAPE_VARIANCE = 0.05
_ACTIVITY_VARIANCE = 0.04
_HALF_WEIGHT_WEEKS = 6.0
_ALPHAS = np.geomspace(3.0, 3e4, 9)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rhythm:
    """`weekly` (bins, 168): each bin's relative pace in the hours of its local week; each row has mean 1."""

    weekly: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Pace:
    """Cumulated paced hours, `passed` (rows, hours + 1), at `start_s` + k hours, for some rows of bins."""

    start_s: int
    passed: Floats

    def at(self, row: Ints, at_s: Floats | Ints) -> Floats:
        """Return the paced hours of `row` since `start_s` at `at_s`; the two broadcast against each other."""
        last = self.passed.shape[1] - 1
        hour = np.clip((np.asarray(at_s, dtype=np.float64) - self.start_s) / HOUR_S, 0.0, last)
        whole = np.minimum(hour.astype(np.int64), last - 1)
        before, after = self.passed[row, whole], self.passed[row, whole + 1]
        result: Floats = before + (hour - whole) * (after - before)
        return result

    def between(self, row: Ints, since_s: Floats | Ints, until_s: Floats | Ints) -> Floats:
        """Return the paced hours from `since_s` to `until_s`, never negative."""
        return np.maximum(self.at(row, until_s) - self.at(row, since_s), 0.0)


def learn_rhythm(data: TrainingData, features: Floats, *, dispersion_l: float) -> Rhythm:
    """Learn the town's rhythm from all sensors, and each bin's bend of it from its own sensor and its surroundings.

    The bend of a bin without a sensor is regressed on `features` (bins, k); that of a bin with one is shrunk towards
    the regression by how little was seen: `dispersion_l` is the variance of an amount of waste per litre of its mean.
    """
    bins = len(data.bins)
    slot = local_slots(data.start_s, data.hours, data.time_zone)
    gained_l = data.hourly.gained * data.volume_l[:, None]
    seen = np.isfinite(gained_l)
    gained_l = np.where(seen, gained_l, 0.0)
    hours_seen = seen.sum(axis=1)
    enough = hours_seen >= WEEK_H
    if not enough.any():
        return Rhythm(weekly=np.ones((bins, WEEK_H)))
    seen, gained_l = seen[enough], gained_l[enough]
    rate = np.maximum(gained_l.sum(axis=1) / hours_seen[enough], 1e-3)
    town = _town_week(slot, gained_l.sum(axis=0), (rate[:, None] * seen).sum(axis=0))
    expected_l = rate[:, None] * seen * town[slot]
    block = np.eye(_COARSE)[coarse_slot(slot)]
    got, due = gained_l @ block, expected_l @ block
    bend = np.ones((bins, _COARSE))
    if enough.sum() >= _FEWEST_BINS and features.shape[1]:
        ratio = np.where(due > 0, got / np.maximum(due, 1e-6), 1.0)
        ridge = RidgeCV(alphas=_ALPHAS).fit(features[enough], ratio, sample_weight=due.sum(axis=1))
        bend = np.asarray(ridge.predict(features))
    bend = np.maximum(bend, _LEAST_SHAPE)
    weight_l = dispersion_l / _SHAPE_VARIANCE
    bend[enough] = np.maximum((got + weight_l * bend[enough]) / (due + weight_l), _LEAST_SHAPE)
    weekly = town[None, :] * bend[:, coarse_slot(np.arange(WEEK_H))]
    return Rhythm(weekly=weekly / weekly.mean(axis=1, keepdims=True))


def _town_week(slot: Ints, got: Floats, due: Floats) -> Floats:
    """Return (168,) the town's rhythm: three kinds of day, and a cautious factor for each working day."""
    every = np.arange(WEEK_H)
    kind = day_class(slot) * DAY_H + slot % DAY_H
    got_kind = np.bincount(kind, weights=got, minlength=3 * DAY_H)
    due_kind = np.bincount(kind, weights=due, minlength=3 * DAY_H)
    level = got.sum() / max(due.sum(), 1e-9)
    # A day's worth of the mean keeps an hour that was hardly seen near it.
    weight = due.sum() / max(len(slot), 1)
    shape = np.maximum((got_kind + weight * level) / (due_kind + weight), 0.0)
    hours = shape[day_class(every) * DAY_H + every % DAY_H]
    by_day_got = np.bincount(slot // DAY_H, weights=got, minlength=7)
    by_day_due = np.bincount(slot // DAY_H, weights=due * hours[slot], minlength=7)
    weeks = len(slot) / WEEK_H
    factor = 1 + (by_day_got / np.maximum(by_day_due, 1e-9) - 1) * weeks / (weeks + _HALF_WEIGHT_WEEKS)
    factor[(by_day_due <= 0) | (np.arange(7) >= _WEEKDAYS)] = 1.0
    week = np.maximum(hours * factor[every // DAY_H], _LEAST_SHAPE * max(level, 1e-9))
    result: Floats = week / week.mean()
    return result


def activity(
    data: TrainingData, rhythm: Rhythm, rate_l_per_h: Floats, *, dispersion_l: float, since_h: int = 0
) -> Floats:
    """Return (hours,) how busy the town was, by the sensors, against its rhythm: rain and fairs, shrunk to 1.

    Before the hour `since_h` nobody asks: it is 1.
    """
    since_h = min(since_h // _BLOCK_H * _BLOCK_H, data.hours)
    gained = data.hourly.gained[:, since_h:]
    rows = np.flatnonzero(np.isfinite(gained).any(axis=1))
    if not len(rows):
        return np.ones(data.hours)
    slot = local_slots(data.start_s, data.hours, data.time_zone)[since_h:]
    seen = np.isfinite(gained[rows])
    got = np.where(seen, gained[rows] * data.volume_l[rows, None], 0.0).sum(axis=0)
    due = (rhythm.weekly[np.ix_(rows, slot)] * seen * rate_l_per_h[rows, None]).sum(axis=0)
    block = np.arange(gained.shape[1]) // _BLOCK_H
    weight_l = dispersion_l / _ACTIVITY_VARIANCE
    ratio = (np.bincount(block, weights=got) + weight_l) / (np.bincount(block, weights=due) + weight_l)
    return np.append(np.ones(since_h), np.maximum(ratio[block], _LEAST_SHAPE))


def pace_of(
    data: TrainingData, rhythm: Rhythm, busy: Floats, *, rows: Ints, ahead_h: int, extra: Floats | None = None
) -> Pace:
    """Return the pace of `rows` from the data's start to `ahead_h` after its end, with the past's own activity.

    `busy` (at most all hours,) is the town's factor of each; `extra` (rows, all hours) are paced hours added to them.
    """
    hours = data.hours + ahead_h
    slot = local_slots(data.start_s, hours, data.time_zone)
    factor = np.ones(hours)
    factor[: len(busy)] = busy
    passed = np.zeros((len(rows), hours + 1))
    hourly = rhythm.weekly[np.ix_(rows, slot)] * factor
    if extra is not None:
        hourly += extra
    np.cumsum(hourly, axis=1, out=passed[:, 1:])
    return Pace(start_s=data.start_s, passed=passed)
