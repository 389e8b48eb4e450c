"""What not knowing a bin's rate costs: the error to expect of its level between two emptyings. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from optimise.fill.evaluation import POINTS
from optimise.fill.intervals import FULL, Spread
from optimise.fill.model import TERMS, FillModel
from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.report.surprise import surprise
from optimise.fill.slots import DAY_H
from optimise.fill.starts import known_emptyings
from optimise.fill.training import TrainingData

_MOMENTS = np.array([0.25, 0.5, 0.75, 1.0])
_AHEAD_H = 24.0
_FEWEST_INTERVALS = 3
_SAME_VISIT_S = 2 * HOUR_S
_LEAST_VARIANCE = 0.01**2
_TO_SD = np.sqrt(np.pi / 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Exposure:
    """What errors come from, at m moments of each bin's usual interval; arrays are (bins, m) unless said.

    `gain`: fill gained by then; `rest`: variance of the error that a known rate would leave, for a bin without a
    sensor; `sensed_sd`: the standard deviation of the error of a bin with one; `sensor_variance` (bins,): of the log
    rate that a sensor would have told after some weeks; `factor` (bins,): how many times as wrong as the law says the
    bin was, where crews looked.
    """

    gain: Floats
    rest: Floats
    sensed_sd: Floats
    sensor_variance: Floats
    factor: Floats

    def unsensed_error(self, rate_variance: Floats) -> Floats:
        """Return the error (...,) in points of fill of bins whose log rate has `rate_variance` (..., bins)."""
        sd = np.sqrt(self.gain**2 * rate_variance[..., None] + self.rest)
        result: Floats = _absolute_error(self.gain, sd).mean(axis=-1) * self.factor * POINTS
        return result

    def sensed_error(self) -> Floats:
        """Return the error (bins,) in points of fill of bins that have a sensor."""
        result: Floats = _absolute_error(self.gain, self.sensed_sd).mean(axis=-1) * self.factor * POINTS
        return result


def exposure_of(
    data: TrainingData, model: FillModel, *, unmeasured: Spread, measured: Spread, sensor_days: float
) -> Exposure:
    """Return what the model's errors come from, by the laws of its errors on bins `unmeasured` and `measured`."""
    rate, volume_l, noise = np.exp(model.rates.log_rate), data.volume_l, model.noise
    hours = usual_interval_h(data, model.options.prior_interval_h)[:, None] * _MOMENTS
    gain = rate[:, None] * hours / volume_l[:, None]
    variance = (np.abs(unmeasured.errors).mean() * _TO_SD) ** 2 * (
        _terms(gain, hours, volume_l, model.rates.log_sd) @ unmeasured.factors
    )
    # The process says itself how uncertain rates are; what the calibrated law says beyond that is the rest.
    rest = np.maximum(variance - (gain * model.rates.log_sd[:, None]) ** 2, 0.25 * variance)
    # Who has a sensor forecasts from its last level: what came since is all that can be wrong.
    since_h = np.minimum(hours, _AHEAD_H / 2)
    since = rate[:, None] * since_h / volume_l[:, None]
    mean_l = np.maximum(rate * DAY_H * sensor_days, 1e-6)
    told = noise.dispersion_l / mean_l + noise.day_variance / sensor_days + _LEAST_VARIANCE
    sensed = np.abs(measured.errors).mean() * _TO_SD * measured.scale(_terms(since, since_h, volume_l, np.sqrt(told)))
    return Exposure(gain=gain, rest=rest, sensed_sd=sensed, sensor_variance=told, factor=surprise(data, model))


def usual_interval_h(data: TrainingData, otherwise_h: float) -> Floats:
    """Return (bins,) the median hours between known emptyings of each bin; of the town where few are known."""
    known = known_emptyings(data)
    same = known.bin_row[1:] == known.bin_row[:-1]
    gap_s, owner = np.diff(known.at_s)[same], known.bin_row[1:][same]
    apart = gap_s > _SAME_VISIT_S  # declared and seen are one emptying
    gap_h, owner = gap_s[apart] / HOUR_S, owner[apart]
    result = np.full(len(data.bins), float(np.median(gap_h)) if len(gap_h) else otherwise_h)
    count = np.bincount(owner, minlength=len(data.bins))
    order: Ints = np.lexsort((gap_h, owner))
    first = np.searchsorted(owner[order], np.arange(len(data.bins)))
    enough = count >= _FEWEST_INTERVALS
    result[enough] = gap_h[order][(first + count // 2)[enough]]
    return result


def _terms(gain: Floats, hours: Floats, volume_l: Floats, log_sd: Floats) -> Floats:
    """Return (bins, m, 6) the variance terms of `model.TERMS` for gains since a known start."""
    of_name = {
        "rate": (gain * log_sd[:, None]) ** 2,
        "lumps": gain / volume_l[:, None],
        "days": gain**2 / np.maximum(hours / DAY_H, 1.0),
        "share": gain**2,
        "unknown_start": np.zeros_like(gain),
        "floor": np.ones_like(gain),
    }
    return np.stack([of_name[name] for name in TERMS], axis=-1)


def _absolute_error(level: Floats, sd: Floats) -> Floats:
    """Return E |min(X, 1) - min(level, 1)| of a normal X around `level` with `sd`: above full, no error costs more."""
    sd = np.maximum(sd, 1e-9)
    z = (FULL - level) / sd
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    beyond = sd * density - (FULL - level) * ndtr(-z)  # E (X - 1)+
    under = beyond + (FULL - level)  # E (1 - X)+
    result: Floats = np.where(level < FULL, sd * np.sqrt(2 / np.pi) - beyond, under)
    return result
