"""A moment of a bin whose own levels are known until then, in numbers; and the simple forecasts from them. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from optimise.fill.readings import HOUR_S, Floats, Ints, ordered_key
from optimise.fill.slots import DAY_H, WEEK_H
from optimise.fill.towns.causal import confirmed_emptying, emptied_since_s
from optimise.fill.towns.clock import week_hour
from optimise.fill.towns.learnt import Learnt
from optimise.fill.towns.moments import Cases
from optimise.fill.towns.simple import Variants
from optimise.fill.towns.town import Town
from optimise.fill.towns.weather import weather_between

_WEEKS = 8
_FORGET = 0.85
_TOLERANCE = 0.25
_MOST_TOLERANCE_H = 3.0
_CELL = 3.0
_MOST_FOR_MEDIANS = 2_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Issues:
    """Forecasts to make, (n,): from the town's reading `now`, for the later reading `then` of the same bin."""

    now: Ints
    then: Ints

    def __len__(self) -> int:
        return len(self.now)

    def where(self, keep: Ints | np.typing.NDArray[np.bool_]) -> Issues:
        """Return the issues that `keep` (n,) marks or lists."""
        return Issues(now=self.now[keep], then=self.then[keep])


def choose_issues(town: Town, horizon_h: float, *, most: int, seed: int, apart_h: float = 5.5) -> Issues:
    """Return at most about `most` pairs of readings about `horizon_h` apart, as many of each bin as may be."""
    tolerance_h = max(min(_TOLERANCE * horizon_h, _MOST_TOLERANCE_H), min(town.gap_h / 2, _TOLERANCE * horizon_h))
    rng = np.random.default_rng(seed)
    share = max(1, most // max(town.bins, 1))
    edges = np.searchsorted(town.bin_row, np.arange(town.bins + 1))
    now: list[Ints] = [np.zeros(0, np.int64)]
    then: list[Ints] = [np.zeros(0, np.int64)]
    for first, end in itertools.pairwise(edges):
        at_s = town.at_s[first:end]
        if not len(at_s):
            continue
        wanted = at_s + int(horizon_h * HOUR_S)
        right = np.minimum(np.searchsorted(at_s, wanted), len(at_s) - 1)
        left = np.maximum(right - 1, 0)
        nearest = np.where(np.abs(at_s[right] - wanted) <= np.abs(at_s[left] - wanted), right, left)
        near = (np.abs(at_s[nearest] - wanted) <= tolerance_h * HOUR_S) & (nearest > np.arange(len(at_s)))
        rows = np.flatnonzero(near)
        rows = rows[_spaced(at_s[rows], apart_h * HOUR_S)]
        if len(rows) > share:
            rows = np.sort(rng.choice(rows, share, replace=False))
        now.append(first + rows)
        then.append(first + nearest[rows])
    return Issues(now=np.concatenate(now), then=np.concatenate(then))


def _spaced(at_s: Ints, apart_s: float) -> Ints:
    kept: list[int] = []
    index = 0
    while index < len(at_s):
        kept.append(index)
        index = int(np.searchsorted(at_s, at_s[index] + apart_s))
    return np.array(kept, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """What readings up to each reading say, (n,): computed once for all horizons.

    `since_s`: last emptied, NaN unknown; `confirmed`: index of the last certain emptying; `found`, `rate_per_h`: the
    level at which the bin is usually emptied and its fill per hour until then, recent ones weighing most, NaN unknown.
    """

    since_s: Floats
    confirmed: Ints
    found: Floats
    rate_per_h: Floats


def history_of(town: Town) -> History:
    """Return what is known at every reading of the town."""
    confirmed = confirmed_emptying(town)
    found, rate = _usual(town)
    known = confirmed >= 0
    at = np.maximum(confirmed, 0)
    none = np.full(len(confirmed), np.nan)
    return History(
        since_s=emptied_since_s(town),
        confirmed=confirmed,
        found=np.where(known, found[at], np.nan) if len(found) else none,
        rate_per_h=np.where(known, rate[at], np.nan) if len(rate) else none,
    )


def _usual(town: Town) -> tuple[Floats, Floats]:
    """Return (m,) the usual level at emptying, and the usual fill per hour, as known after each emptying."""
    row, at_s, level = town.emptied_row, town.emptied_s, np.nan_to_num(town.found)
    found, rate = np.full(len(row), np.nan), np.full(len(row), np.nan)
    total = weight = filled = hours = 0.0
    for index in range(len(row)):
        if index == 0 or row[index] != row[index - 1]:
            total = weight = filled = hours = 0.0
        else:
            filled = filled * _FORGET + level[index]
            hours = hours * _FORGET + max((at_s[index] - at_s[index - 1]) / HOUR_S, 1.0)
        total, weight = total * _FORGET + level[index], weight * _FORGET + 1
        found[index] = total / weight
        rate[index] = filled / hours if hours else np.nan
    return found, rate


def level_at(town: Town, bin_row: Ints, at_s: Ints | Floats, *, no_later_s: Ints) -> Floats:
    """Return (n,) the last level of each bin at `at_s`, NaN when that is after `no_later_s`, unknown or stale."""
    asked = np.asarray(at_s).astype(np.int64)
    key = ordered_key(town.bin_row, town.at_s)
    index = np.searchsorted(key, ordered_key(bin_row, asked), side="right") - 1
    at = np.maximum(index, 0)
    stale_s = max(DAY_H / 2, 1.5 * town.gap_h) * HOUR_S
    fine = (index >= 0) & (town.bin_row[at] == bin_row) & (asked - town.at_s[at] <= stale_s) & (asked <= no_later_s)
    return np.where(fine, town.fill[at], np.nan)


def describe_present(town: Town, learnt: Learnt, history: History, issues: Issues) -> tuple[Floats, int]:
    """Return (n, k) descriptions of the issues by what was known at them, and how many columns are the bin's own."""
    now, then = issues.now, issues.then
    row, at_s, then_s = town.bin_row[now], town.at_s[now], town.at_s[then]
    level, ahead_h = town.fill[now], (then_s - at_s) / HOUR_S
    paced = learnt.pace.at
    ahead = paced(then_s) - paced(at_s)
    since = history.since_s[now]
    age = np.where(np.isfinite(since), paced(at_s) - paced(np.nan_to_num(since)), np.nan)
    confirmed = history.confirmed[now]
    usual = np.where(confirmed >= 0, learnt.habit.usual_h[np.maximum(confirmed, 0)], np.nan)
    rate = np.where(np.isfinite(history.rate_per_h[now]), history.rate_per_h[now], learnt.kind_rate[row])
    found = history.found[now]
    expected = level + rate * ahead
    weekly = _weekly_levels(town, row, at_s, then_s)
    daily = _daily_levels(town, row, at_s, then_s)
    before = {hours: level_at(town, row, at_s - hours * HOUR_S, no_later_s=at_s) for hours in (6, 24, 48)}
    cases = Cases(bin_row=row, at_s=at_s, actual=level, last=confirmed)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = {
            "level": level,
            "age_h": np.log1p(np.maximum(age, 0)),
            "usual_h": np.log(usual),
            "age_of_usual": np.log((np.maximum(age, 0) + ahead + 1) / usual),
            "found": found,
            "rate": np.log(rate),
            "expected": np.minimum(expected, 2.0),
            "expected_of_found": np.minimum(expected / np.maximum(found, 0.1), 3.0),
            "emptied_weekly": _emptied_then(town, history, issues),
            "week_before": weekly[0],
            "weeks_before": _mean(weekly),
            "days_before": _mean(daily),
            "day_before": daily[0],
            "gained_6h": level - before[6],
            "gained_24h": level - before[24],
            "gained_48h": level - before[48],
            "ahead_h": ahead_h,
        }
    week_now, week_then = week_hour(at_s, town.time_zone), week_hour(then_s, town.time_zone)
    one = np.zeros(town.bins, dtype=np.int64)
    other = {
        "hour": week_now % DAY_H,
        "weekday": week_now // DAY_H,
        "hour_then": week_then % DAY_H,
        "weekday_then": week_then // DAY_H,
        "own_rate_ever": np.log(learnt.rates[row]),
        "found_ever": learnt.usual_found[row],
        "town_activity": learnt.activity.around(cases, one),
        "kind_activity": learnt.activity.around(cases, town.kind),
        "near_level": learnt.near_level[row, learnt.activity.grid.slot(at_s)],
    }
    other |= {f"kind={name}": (town.kind[row] == index) * 1.0 for index, name in enumerate(town.kinds)}
    other |= weather_between(town, at_s, then_s)
    return np.column_stack([*own.values(), *other.values()]), len(own)


def _weekly_levels(town: Town, row: Ints, at_s: Ints, then_s: Ints) -> Floats:
    """Return (weeks, n) the levels at the hour of the week in question, one to eight weeks before."""
    weeks = [then_s - week * WEEK_H * HOUR_S for week in range(1, _WEEKS + 1)]
    return np.array([level_at(town, row, moment, no_later_s=at_s) for moment in weeks])


def _daily_levels(town: Town, row: Ints, at_s: Ints, then_s: Ints) -> Floats:
    """Return (days, n) the levels at the hour of the day in question, one to six days before; the future is NaN."""
    days = [then_s - day * DAY_H * HOUR_S for day in range(1, 7)]
    return np.array([level_at(town, row, moment, no_later_s=at_s) for moment in days])


def _mean(values: Floats) -> Floats:
    seen = np.isfinite(values)
    count = seen.sum(axis=0)
    return np.where(count > 0, np.where(seen, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _emptied_then(town: Town, history: History, issues: Issues) -> Floats:
    """Return (n,) in what share of the weeks before the bin was emptied in the same part of the week."""
    now, row = issues.now, town.bin_row[issues.now]
    at_s, then_s = town.at_s[now], town.at_s[issues.then]
    if not len(town.emptied_s):
        return np.zeros(len(now))
    key = ordered_key(town.emptied_row, town.emptied_s)
    last = history.confirmed[now]
    total, weight = np.full(len(now), 0.3), np.full(len(now), 1.0)
    first_s = town.at_s[np.searchsorted(town.bin_row, row)]
    for week in range(1, _WEEKS + 1):
        shift = week * WEEK_H * HOUR_S
        # Only emptyings that were certain by now count.
        until = np.minimum(np.searchsorted(key, ordered_key(row, then_s - shift), side="right"), last + 1)
        since = np.minimum(np.searchsorted(key, ordered_key(row, at_s - shift), side="right"), last + 1)
        known = at_s - shift >= first_s
        share = _FORGET**week
        total += np.where(known, share * np.minimum(np.maximum(until - since, 0), 1), 0.0)
        weight += np.where(known, share, 0.0)
    result: Floats = total / weight
    return result


def own_forecasts(town: Town, issues: Issues, before_s: float) -> dict[str, Variants]:
    """Return persistence, and the bin's own mean of the hour, weekday or hour of the week, from before `before_s`."""
    row, at_s, then_s = town.bin_row[issues.now], town.at_s[issues.now], town.at_s[issues.then]
    level = town.fill[issues.now]
    use = np.flatnonzero(town.at_s < before_s)
    use = use[:: max(1, len(use) // _MOST_FOR_MEDIANS)]
    owner, value = town.bin_row[use], town.fill[use]
    slot = week_hour(town.at_s[use], town.time_zone).astype(np.int64)
    wanted = week_hour(then_s, town.time_zone).astype(np.int64)
    whole = float(value.mean()) if len(value) else 0.3
    seasonal: Variants = {}
    mean, median = _by_cell(owner, value, town.bins, np.full(town.bins, whole), np.full(town.bins, whole))
    parts = {"hour of the week": (slot, wanted, WEEK_H), "hour": (slot % DAY_H, wanted % DAY_H, DAY_H)}
    parts["weekday"] = (slot // DAY_H, wanted // DAY_H, 7)
    seasonal["own mean"], seasonal["own median"] = mean[row], median[row]
    for name, (cell, asked, cells) in parts.items():
        means, medians = _by_cell(
            owner * cells + cell, value, town.bins * cells, np.repeat(mean, cells), np.repeat(median, cells)
        )
        seasonal[f"mean by {name}"] = means[row * cells + asked]
        seasonal[f"median by {name}"] = medians[row * cells + asked]
    lately = _mean(_weekly_levels(town, row, at_s, then_s))
    seasonal["mean of eight weeks"] = np.where(np.isfinite(lately), lately, mean[row])
    return {"persistence": {"last level": level}, "own_seasonal_mean": seasonal}


def _by_cell(cell: Ints, value: Floats, cells: int, mean: Floats, median: Floats) -> tuple[Floats, Floats]:
    """Return means (cells,), shrunk to `mean`, and medians, which are `median` where hardly anything was seen."""
    count = np.bincount(cell, minlength=cells)
    means = (np.bincount(cell, weights=value, minlength=cells) + _CELL * mean) / (count + _CELL)
    order = np.lexsort((value, cell))
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    middle = np.minimum(first + count // 2, max(len(order) - 1, 0))
    medians = np.where(count > _CELL, value[order][middle] if len(order) else 0.0, median)
    return means, medians
