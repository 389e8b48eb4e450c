"""The forecast's middle: a rate times paced hours, integrated since the last level or emptying. Pure.

Levels never fall between emptyings, so the expected fill of a bin only grows until somebody empties it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from sklearn.gaussian_process.kernels import Kernel

from optimise.fill.crews import Looks, calibrate_eye, rate_evidence
from optimise.fill.day_effects import DayEffects, learn_day_effects
from optimise.fill.describe import describe, fuller_than_thought
from optimise.fill.features import place_features
from optimise.fill.habits import habits_of
from optimise.fill.options import FillOptions
from optimise.fill.pace import Pace, Rhythm, activity, learn_rhythm, pace_of
from optimise.fill.rates import Evidence, Noise, Rates, infer_rates, learn_noise, sensor_evidence, tune_kernel
from optimise.fill.readings import HOUR_S, Floats, Ints, ordered_key
from optimise.fill.seldom import joined, level_evidence, speaks_seldom
from optimise.fill.slots import DAY_H
from optimise.fill.starts import Starts, known_emptyings, previous, starts_of
from optimise.fill.training import TrainingData

TERMS = ("rate", "lumps", "days", "share", "unknown_start", "floor")
_LEAST_LOOK_H = 2.0
_LOOK_FRESH_S = 3 * HOUR_S


@dataclass(frozen=True, kw_only=True, eq=False)
class Outlook:
    """What to expect of `rows` of bins at moments; arrays are (rows, moments).

    `expected`: fill; `terms` (rows, moments, 6): what could make it wrong, each a variance up to a factor that
    `intervals` learns: an uncertain rate, lumpy deposits, days that differ, anything proportional, an unknown start, a
    floor. `table` (rows, moments, 7) describes the moments (`describe`). `measured` (rows,): a sensor spoke lately;
    `silence` (rows,): how long ago, as in `starts.Starts`.
    """

    expected: Floats
    terms: Floats
    table: Floats
    measured: np.typing.NDArray[np.bool_]
    silence: Floats

    def of(self, rows: np.typing.NDArray[np.bool_]) -> Outlook:
        """Return the outlook of the rows that `rows` (rows,) marks."""
        return Outlook(
            expected=self.expected[rows],
            terms=self.terms[rows],
            table=self.table[rows],
            measured=self.measured[rows],
            silence=self.silence[rows],
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class FillModel:
    """What was learnt of a town up to one moment; it may forecast from any later knowledge of the same bins."""

    options: FillOptions
    rhythm: Rhythm
    rates: Rates
    noise: Noise
    kernel: Kernel | None
    evidence: Evidence
    days: DayEffects = field(default_factory=DayEffects)

    def outlook(self, data: TrainingData, rows: Ints, valid_s: Ints) -> Outlook:
        """Return what to expect of `rows` at `valid_s` (moments,), Unix seconds, if nobody empties from now on."""
        starts = starts_of(data, self.options)
        oldest_s = starts.at_s[rows].min(initial=data.as_of_s)
        busy = activity(
            data,
            self.rhythm,
            np.exp(self.rates.log_rate),
            dispersion_l=self.noise.dispersion_l,
            since_h=max(0, int(oldest_s - data.start_s) // HOUR_S),
        )
        ahead_h = max(1, -(-(int(valid_s.max(initial=data.as_of_s)) - data.start_s) // HOUR_S) - data.hours)
        rate_l_per_h = np.exp(self.rates.log_rate)
        extra = self.days.added(data, rows, rate_l_per_h[rows], ahead_h=ahead_h)
        busy = np.append(busy, self.days.factors(data, ahead_h=ahead_h))
        pace = pace_of(data, self.rhythm, busy, rows=rows, ahead_h=ahead_h, extra=extra)
        return self._outlook(data, starts, pace, rows=rows, valid_s=valid_s)

    def fuller_than_thought(self, data: TrainingData, starts: Starts) -> Floats:
        """Return (bins,) how much fuller the other bins with a sensor are now than their rates say."""
        return fuller_than_thought(starts, np.exp(self.rates.log_rate) / data.volume_l)

    def _outlook(self, data: TrainingData, starts: Starts, pace: Pace, *, rows: Ints, valid_s: Ints) -> Outlook:
        moments = np.asarray(valid_s, dtype=np.float64)[None, :]
        local = np.arange(len(rows))[:, None]
        at_s = starts.at_s[rows, None]
        paced_h, paced_now_h = (
            pace.between(local, at_s, moments),
            pace.between(local, at_s, np.full((1, 1), float(data.as_of_s))),
        )
        volume, level = data.volume_l[rows, None], starts.level[rows, None]
        per_h = np.exp(self.rates.log_rate[rows, None]) / volume
        gain, log_sd = per_h * paced_h, self.rates.log_sd[rows, None]
        habits = habits_of(known_emptyings(data), len(data.bins))
        last = habits.before(rows, np.full(len(rows), data.as_of_s))[:, None]
        return Outlook(
            expected=level + gain,
            terms=variance_terms(gain, paced_h, log_sd=log_sd, volume_l=volume, unknown=~starts.known[rows, None]),
            table=describe(
                habits=habits,
                last=last,
                age_h=(data.as_of_s - starts.emptied_s[rows, None]) / HOUR_S,
                log_sd=log_sd,
                expected_now=level + per_h * paced_now_h,
                expected_then=level + gain,
                town_now=self.fuller_than_thought(data, starts)[rows, None],
            ),
            measured=starts.measured[rows],
            silence=starts.silence[rows],
        )


def variance_terms(
    gain: Floats, paced_h: Floats, *, log_sd: Floats, volume_l: Floats, unknown: np.typing.NDArray[np.bool_]
) -> Floats:
    """Return (..., 6), the `TERMS` of having gained `gain` (...) in `paced_h` hours; the arguments broadcast."""
    days = np.maximum(paced_h / DAY_H, 1.0)
    parts = [
        (gain * log_sd) ** 2,
        gain / volume_l,
        gain**2 / days,
        gain**2,
        np.where(unknown, 0.3**2 + (gain / 2) ** 2, 0.0),
        np.ones_like(gain),
    ]
    return np.stack(np.broadcast_arrays(*parts), axis=-1)


def fit_model(
    data: TrainingData, *, seed: int, options: FillOptions | None = None, kernel: Kernel | None = None
) -> FillModel:
    """Learn rhythm, rates and noise from `data`; `kernel` (tuned on the same town) saves tuning it again."""
    options = options or FillOptions()
    features = place_features(data.bins)
    everyone = np.arange(len(data.bins))
    prior = Rates(
        log_rate=np.full(len(data.bins), np.log(options.prior_rate_l_per_h)),
        log_sd=np.full(len(data.bins), options.prior_log_sd),
    )
    noise, busy, days = Noise(), np.ones(data.hours), DayEffects()
    rhythm = learn_rhythm(data, features, dispersion_l=noise.dispersion_l)
    pace = pace_of(data, rhythm, busy, rows=everyone, ahead_h=1)
    for _ in range(2):  # how busy the town was depends on rates, and rates on how busy it was; twice settles both
        sensed = sensor_evidence(data, pace, noise, prior_log_rate=float(np.log(options.prior_rate_l_per_h)))
        busy = activity(data, rhythm, np.exp(sensed.log_rate), dispersion_l=noise.dispersion_l)
        rate_l_per_h = np.exp(sensed.log_rate)
        days = learn_day_effects(data, rhythm, rate_l_per_h, dispersion_l=noise.dispersion_l)
        extra = days.added(data, everyone, rate_l_per_h, ahead_h=1)
        pace = pace_of(data, rhythm, busy, rows=everyone, ahead_h=1, extra=extra)
        noise = learn_noise(data, pace)
    sensed = sensor_evidence(data, pace, noise, prior_log_rate=float(np.log(options.prior_rate_l_per_h)))
    seldom = speaks_seldom(data, options.readings.max_gap_s)
    if seldom.any():
        sensed = joined(sensed, level_evidence(data, pace, seldom), seldom)
    evidence = _with_crews(data, pace, noise, sensed, prior)
    if kernel is None:
        kernel = tune_kernel(data, features, evidence, seed=seed)
    rates = infer_rates(data, features, evidence, kernel, prior=prior)
    return FillModel(
        options=options, rhythm=rhythm, rates=rates, noise=noise, kernel=kernel, evidence=evidence, days=days
    )


def _with_crews(data: TrainingData, pace: Pace, noise: Noise, sensed: Evidence, prior: Rates) -> Evidence:
    """Return the sensors' evidence joined with the crews'."""
    declared = data.declared
    said = np.isfinite(declared.found)
    row, at_s, found = declared.bin_row[said], declared.at_s[said], declared.found[said]
    before_s = previous(known_emptyings(data), row, at_s)
    paced_h = pace.between(row, np.nan_to_num(before_s, nan=data.start_s), at_s)
    usable = np.isfinite(before_s) & (paced_h >= _LEAST_LOOK_H)
    if not usable.any():
        return sensed
    eye = calibrate_eye(_level_before(data, row, at_s), found)
    looks = Looks(bin_row=row[usable], found=found[usable], paced_h=paced_h[usable])
    volume_l = data.volume_l
    known = np.isfinite(sensed.variance)
    rough = np.log(np.clip(looks.found, 0.1, 1.0) * volume_l[looks.bin_row] / looks.paced_h)
    centre = float(np.median(sensed.log_rate[known])) if known.any() else float(np.median(rough))
    log_rate, variance = rate_evidence(
        looks,
        eye=eye,
        centre=np.full_like(prior.log_rate, centre),
        volume_l=volume_l,
        dispersion_l=noise.dispersion_l,
        day_variance=noise.day_variance,
    )
    precision, crew_precision = 1 / sensed.variance, 1 / variance
    total = precision + crew_precision
    joined = (precision * sensed.log_rate + crew_precision * log_rate) / np.maximum(total, 1e-12)
    with np.errstate(divide="ignore"):
        return Evidence(log_rate=np.where(total > 0, joined, prior.log_rate), variance=1 / total)


def _level_before(data: TrainingData, row: Ints, at_s: Ints) -> Floats:
    """Return (n,) the last level measured within three hours before each look, NaN without one."""
    readings = data.readings
    if not len(readings):
        return np.full(len(row), np.nan)
    index = np.searchsorted(ordered_key(readings.bin_row, readings.at_s), ordered_key(row, at_s), side="left") - 1
    at = np.maximum(index, 0)
    near = (index >= 0) & (readings.bin_row[at] == row) & (at_s - readings.at_s[at] <= _LOOK_FRESH_S)
    return np.where(near, readings.fill[at], np.nan)
