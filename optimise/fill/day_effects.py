"""What holidays, markets and events do to a town's bins, learnt from what sensors measured on such days. Pure.

Holidays change the pace of the whole town by a factor; a market brings litres to the bins around it, whatever else
comes there. Both are shrunk to nothing by how seldom they were seen: days by a normal prior of their logarithm, with
the noise that days have anyhow; markets by how many days and bins tell of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from optimise.fill.calendar import (
    DAY_NAMES,
    WEATHER_NAMES,
    Occasion,
    day_features,
    day_weather,
    hours_of_days,
    occasions,
)
from optimise.fill.pace import Rhythm
from optimise.fill.readings import Floats, Ints
from optimise.fill.slots import DAY_H, local_slots
from optimise.fill.training import TrainingData

_PRIOR_VARIANCE = 0.3**2
_LEAST_NOISE = 0.05**2
_DAY_VARIANCE = 0.04
_FEWEST_DAYS = 7
_DOUBT = 3.0
_MOST_EXTRA = 20.0
_WEATHER_LASTS = 3.0
_MOST_UNUSUAL = 3.0


@dataclass(frozen=True, kw_only=True, eq=False)
class DayEffects:
    """`log_factor` (2,): of the town's pace on days of each of `DAY_NAMES`; `litres_per_h` by kind of event.

    `log_weather` (2,): of the pace, for each unit by which `WEATHER_NAMES` of a day differ from `usual_weather` (2,).
    """

    log_factor: Floats = field(default_factory=lambda: np.zeros(len(DAY_NAMES)))
    litres_per_h: dict[str, float] = field(default_factory=dict)
    log_weather: Floats = field(default_factory=lambda: np.zeros(len(WEATHER_NAMES)))
    usual_weather: Floats = field(default_factory=lambda: np.zeros(len(WEATHER_NAMES)))

    def factors(self, data: TrainingData, *, ahead_h: int) -> Floats:
        """Return (ahead_h,) the factor of the town's pace in each hour after `data`."""
        if not self.log_factor.any() and not self.log_weather.any():
            return np.ones(ahead_h)
        days, of_hour = hours_of_days(data.start_s, data.hours + ahead_h, data.time_zone)
        unusual = _unusual(day_weather(days, data.calendar), self.usual_weather)
        factor = np.exp(day_features(days, data.calendar) @ self.log_factor + unusual @ self.log_weather)
        result: Floats = factor[of_hour[data.hours :]]
        return result

    def added(self, data: TrainingData, rows: Ints, rate_l_per_h: Floats, *, ahead_h: int) -> Floats | None:
        """Return (rows, hours + ahead_h) paced hours that events add to bins of these rates (rows,); None: to none."""
        known = {kind: litres for kind, litres in self.litres_per_h.items() if litres > 0}
        if not known:
            return None
        hours = data.hours + ahead_h
        litres = np.zeros((len(rows), hours))
        for one in _occasions(data, hours):
            reached = one.bins[rows]
            litres[reached] = np.maximum(litres[reached], known.get(one.kind, 0.0) * one.hours)
        return np.minimum(litres / rate_l_per_h[:, None], _MOST_EXTRA)


def learn_day_effects(data: TrainingData, rhythm: Rhythm, rate_l_per_h: Floats, *, dispersion_l: float) -> DayEffects:
    """Learn what such days did to bins of these rates (bins,), from the hours in which gains were seen."""
    seen = np.isfinite(data.hourly.gained)
    if not seen.any():
        return DayEffects()
    rows = np.flatnonzero(seen.any(axis=1))
    slot = local_slots(data.start_s, data.hours, data.time_zone)
    got = np.where(seen[rows], data.hourly.gained[rows] * data.volume_l[rows, None], 0.0)
    due = rhythm.weekly[np.ix_(rows, slot)] * seen[rows] * rate_l_per_h[rows, None]
    on = _occasions(data, data.hours)
    litres = {kind: _litres_per_h([one for one in on if one.kind == kind], rows, seen, got, due) for kind in _kinds(on)}
    quiet = np.ones(got.shape, dtype=bool)
    for one in on:
        quiet[np.ix_(one.bins[rows], one.hours > 0)] = False
    days, of_hour = hours_of_days(data.start_s, data.hours, data.time_zone)
    got_day = np.bincount(of_hour, weights=(got * quiet).sum(axis=0), minlength=len(days))
    due_day = np.bincount(of_hour, weights=(due * quiet).sum(axis=0), minlength=len(days))
    weather = day_weather(days, data.calendar)
    told = np.isfinite(weather)
    usual = np.where(told, weather, 0.0).sum(axis=0) / np.maximum(told.sum(axis=0), 1)
    special = day_features(days, data.calendar)
    learnt = _log_factors(special, _unusual(weather, usual), got_day, due_day, weight_l=dispersion_l / _DAY_VARIANCE)
    return DayEffects(
        log_factor=learnt[: special.shape[1]],
        litres_per_h=litres,
        log_weather=learnt[special.shape[1] :],
        usual_weather=usual,
    )


def _unusual(weather: Floats, usual: Floats) -> Floats:
    """Return (days, 2) how far the weather is from the usual; not at all where nobody told it."""
    result: Floats = np.nan_to_num(np.clip(weather - usual, -_MOST_UNUSUAL, _MOST_UNUSUAL))
    return result


def _log_factors(
    special: np.typing.NDArray[np.bool_], weather: Floats, got: Floats, due: Floats, *, weight_l: float
) -> Floats:
    """Return (4,) the days' and the weather's effects by ridge regression.

    `special` and `weather` are (days, 2) each, `got` and `due` (days,) litres.
    """
    known = due > weight_l
    use = np.column_stack([special[known].astype(np.float64), weather[known]])
    # A kind of day that was always there, or never, tells of no difference.
    if known.sum() < _FEWEST_DAYS or not use.std(axis=0).any():
        return np.zeros(use.shape[1])
    log_ratio = np.log((np.maximum(got[known], 0.0) + weight_l) / (due[known] + weight_l))
    centred, x = log_ratio - log_ratio.mean(), use - use.mean(axis=0)
    noise = max(float(np.median(np.abs(centred)) * 1.4826) ** 2, _LEAST_NOISE)
    # Holidays come in blocks, and a block has its own weather: days of one week count as one.
    week = np.flatnonzero(known) // 7
    blocks = np.array([max(len(np.unique(week[column > 0])), 1) for column in special[known].T])
    lasts = np.append(special[known].sum(axis=0) / blocks, np.full(weather.shape[1], _WEATHER_LASTS))
    penalty = noise / _PRIOR_VARIANCE * np.maximum(lasts, 1.0)
    result: Floats = np.linalg.solve(x.T @ x + np.diag(penalty), x.T @ centred)
    return result


def _litres_per_h(on: list[Occasion], rows: Ints, seen: np.typing.NDArray[np.bool_], got: Floats, due: Floats) -> float:
    """Return what events of one kind bring to a bin in an hour, in litres; 0 where no sensor saw any."""
    brought = lasted = 0.0
    bins: set[int] = set()
    days: set[int] = set()
    for one in on:
        near = np.flatnonzero(one.bins[rows])
        cells = seen[rows[near]] * one.hours
        brought += float(((got[near] - due[near]) * (cells > 0)).sum())
        lasted += float(cells.sum())
        bins |= set(rows[near].tolist())
        days |= set((np.flatnonzero(cells.any(axis=0)) // DAY_H).tolist())
    if lasted < 1:
        return 0.0
    tells = min(len(bins), len(days))
    return max(brought / lasted, 0.0) * tells / (tells + _DOUBT)


def _kinds(on: list[Occasion]) -> list[str]:
    return sorted({one.kind for one in on})


def _occasions(data: TrainingData, hours: int) -> list[Occasion]:
    if not data.calendar.events:
        return []
    return occasions(data.bins, data.calendar, start_s=data.start_s, hours=hours, time_zone=data.time_zone)
