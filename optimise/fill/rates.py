"""How much waste comes to each bin: one posterior for every bin from sensors, crews, surroundings and neighbours. Pure.

Log rates are a Gaussian process over bins. A sensor observes one almost exactly, crews' looks with much noise, and a
bin that nobody saw is told by its surroundings and neighbours: shrinkage follows from the variances.
Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2 and 5.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Kernel

from optimise.fill.features import positions_km, usual_intervals
from optimise.fill.kernels import bins_kernel
from optimise.fill.pace import Pace
from optimise.fill.readings import HOUR_S, Floats, Ints
from optimise.fill.slots import DAY_H
from optimise.fill.starts import known_emptyings
from optimise.fill.training import TrainingData

_MOST_TO_TUNE = 250
_STEPS = 20
_FEWEST_TO_TUNE = 15
_LEAST_VARIANCE = 0.01**2
_LEAST_INTERVAL_H = 4.0
_BESIDE_FEATURES = 4  # the usual interval, a position and the bin's own number


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """One noisy observation of the log rate (litres an hour) of each bin: `log_rate`, `variance` (bins,); inf: none."""

    log_rate: Floats
    variance: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Rates:
    """The posterior of log rates (litres an hour): `log_rate` and its standard deviation `log_sd`, both (bins,)."""

    log_rate: Floats
    log_sd: Floats


@dataclass(frozen=True, kw_only=True)
class Noise:
    """How amounts of waste scatter: variance = `dispersion_l` x mean + `day_variance` x mean**2, in litres."""

    dispersion_l: float = 2.0
    day_variance: float = 0.05


def sensor_evidence(data: TrainingData, pace: Pace, noise: Noise, *, prior_log_rate: float) -> Evidence:
    """Return what sensors measured: gains over paced hours, with a day of the prior so that the logarithm exists."""
    got, due = _daily(data, pace)
    total, paced = got.sum(axis=1), due.sum(axis=1)
    rate = (np.maximum(total, 0.0) + np.exp(prior_log_rate) * DAY_H / 4) / (paced + DAY_H / 4)
    days = np.maximum((due > 0).sum(axis=1), 1)
    mean = rate * np.maximum(paced, 1e-9)
    variance = noise.dispersion_l / mean + noise.day_variance / days + _LEAST_VARIANCE
    return Evidence(log_rate=np.log(rate), variance=np.where(paced >= DAY_H / 2, variance, np.inf))


def learn_noise(data: TrainingData, pace: Pace) -> Noise:
    """Learn by moments how the amounts of days scatter about each bin's own rate; the default when little was seen."""
    got, due = _daily(data, pace)
    paced = due.sum(axis=1)
    known = paced >= 5 * DAY_H
    if known.sum() == 0:
        return Noise()
    rate = np.maximum(got[known].sum(axis=1) / paced[known], 1e-3)
    mean = rate[:, None] * due[known]
    use = due[known] >= DAY_H / 4
    share = np.clip(1 - due[known] / paced[known, None], 0.1, 1.0)  # the day itself is in its bin's rate
    square = np.minimum((got[known] - mean) ** 2 / share, (6 * mean + 30) ** 2)[use]
    mean = mean[use]
    # Weighted least squares of square on (mean, mean**2), without a negative part.
    weight = 1 / (mean + 1.0)
    table = np.column_stack([mean, mean**2]) * weight[:, None]
    dispersion, day = np.linalg.lstsq(table, square * weight, rcond=None)[0]
    if day < 0:
        dispersion, day = float((square * weight).sum() / (mean * weight).sum()), 0.0
    if dispersion < 0:
        dispersion, day = 0.0, float((square * weight).sum() / (mean**2 * weight).sum())
    return Noise(dispersion_l=float(np.clip(dispersion, 0.2, 20.0)), day_variance=float(np.clip(day, 0.0, 0.5)))


def _daily(data: TrainingData, pace: Pace) -> tuple[Floats, Floats]:
    """Return gains in litres and paced hours, both (bins, days), of the hours in which gains were seen."""
    seen = np.isfinite(data.hourly.gained)
    starts = np.arange(0, max(data.hours, 1), DAY_H)
    if not data.hours:
        return np.zeros((len(data.bins), 1)), np.zeros((len(data.bins), 1))
    got = np.where(seen, data.hourly.gained * data.volume_l[:, None], 0.0)
    due = np.where(seen, np.diff(pace.passed[:, : data.hours + 1], axis=1), 0.0)
    return np.add.reduceat(got, starts, axis=1), np.add.reduceat(due, starts, axis=1)


def tune_kernel(data: TrainingData, features: Floats, evidence: Evidence, *, seed: int) -> Kernel | None:
    """Return the kernel whose variances and lengths fit the evidence best; None when it is too little to tell."""
    known = np.flatnonzero(np.isfinite(evidence.variance))
    return _tuned(_inputs(data, features), evidence.log_rate, evidence.variance, known, seed=seed)


def _tuned(inputs: Floats, log_rate: Floats, variance: Floats, known: Ints, *, seed: int) -> Kernel | None:
    if len(known) < _FEWEST_TO_TUNE:
        return None
    # Bins that were seen well teach most, and 250 say what 1,000 say in a fraction of the time.
    order = np.random.default_rng(seed).permutation(known)
    known = order[np.argsort(np.round(variance[order], 2), kind="stable")][:_MOST_TO_TUNE]
    process = GaussianProcessRegressor(
        kernel=bins_kernel(inputs.shape[1] - _BESIDE_FEATURES),
        alpha=variance[known],
        optimizer=_few_steps,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # A variance at its bound says that the town lacks that effect: no fault.
        warnings.simplefilter("ignore", ConvergenceWarning)
        evidence = Evidence(log_rate=log_rate, variance=variance)
        process.fit(inputs[known], log_rate[known] - _centre(evidence, known))
    return process.kernel_


def infer_rates(
    data: TrainingData, features: Floats, evidence: Evidence, kernel: Kernel | None, *, prior: Rates
) -> Rates:
    """Return the posterior of every bin's rate; `prior` (bins,) alone where there is no evidence at all."""
    known = np.flatnonzero(np.isfinite(evidence.variance))
    if not len(known):
        return prior
    inputs = _inputs(data, features)
    # The prior mean is itself uncertain, the more so the fewer bins speak.
    spread = float(prior.log_sd.mean())
    centre = _centre(evidence, known, prior=float(prior.log_rate.mean()), prior_variance=spread**2)
    process = GaussianProcessRegressor(
        kernel=clone(kernel) if kernel is not None else bins_kernel(features.shape[1]),
        alpha=evidence.variance[known],
        optimizer=None,
    )
    process.fit(inputs[known], evidence.log_rate[known] - centre)
    mean, sd = process.predict(inputs, return_std=True)
    shared = spread**2 / (1 + len(known))
    return Rates(log_rate=np.asarray(mean) + centre, log_sd=np.sqrt(np.asarray(sd) ** 2 + shared))


def posterior_covariance(data: TrainingData, features: Floats, evidence: Evidence, kernel: Kernel | None) -> Floats:
    """Return (bins, bins) the covariance of the bins' log rates, given the evidence; the prior's without any."""
    inputs = _inputs(data, features)
    known = np.flatnonzero(np.isfinite(evidence.variance))
    prior = clone(kernel) if kernel is not None else bins_kernel(features.shape[1])
    if not len(known):
        return np.asarray(prior(inputs))
    process = GaussianProcessRegressor(kernel=prior, alpha=evidence.variance[known], optimizer=None)
    process.fit(inputs[known], evidence.log_rate[known] - _centre(evidence, known))
    return np.asarray(process.predict(inputs, return_cov=True)[1])


def leave_one_out(inputs: Floats, log_rate: Floats, variance: Floats, *, seed: int) -> tuple[Floats, Floats]:
    """Return (bins,) the mean and standard deviation of each bin's log rate as all other bins tell it.

    `inputs` (bins, k + 4) as `bins_kernel` takes them; `log_rate` was seen with `variance` (bins,); inf: not at all.
    Source: Rasmussen and Williams, section 5.4.2.
    """
    known = np.flatnonzero(np.isfinite(variance))
    kernel = _tuned(inputs, log_rate, variance, known, seed=seed)
    kernel = bins_kernel(inputs.shape[1] - _BESIDE_FEATURES) if kernel is None else kernel
    centre = float(np.average(log_rate[known], weights=1 / (variance[known] + 0.3)))
    own = np.asarray(kernel(inputs[known]))
    inverse = np.linalg.inv(own + np.diag(variance[known]))
    weighted = inverse @ (log_rate[known] - centre)
    mean, sd = np.empty(len(inputs)), np.empty(len(inputs))
    others = np.setdiff1d(np.arange(len(inputs)), known)
    across = np.asarray(kernel(inputs[others], inputs[known])) if len(others) else np.zeros((0, len(known)))
    mean[others] = across @ weighted
    sd[others] = np.sqrt(np.maximum(kernel.diag(inputs[others]) - ((across @ inverse) * across).sum(axis=1), 0.0))
    left = 1 / np.diag(inverse)
    mean[known] = log_rate[known] - centre - weighted * left
    # What was observed of the bin itself had an error of its own, which the rate has not.
    sd[known] = np.sqrt(np.maximum(left - variance[known], 0.0))
    shared = float(np.var(log_rate[known])) / max(len(known), 1)
    return mean + centre, np.sqrt(sd**2 + shared)


def _inputs(data: TrainingData, features: Floats) -> Floats:
    known = known_emptyings(data)
    same = np.diff(known.bin_row) == 0
    hours = np.diff(known.at_s)[same] / HOUR_S
    row = known.bin_row[1:][same]
    # An emptying may be known twice, from the crew and from the sensor.
    apart = hours >= _LEAST_INTERVAL_H
    usual = usual_intervals(row[apart], hours[apart], len(data.bins))[:, None]
    number = np.arange(len(data.bins), dtype=np.float64)[:, None]
    return np.hstack([usual, features, positions_km(data.bins), number])


def _few_steps(
    objective: Callable[[Floats], tuple[float, Floats]], initial: Floats, bounds: Floats
) -> tuple[Floats, float]:
    """Descend for some steps: the evidence is flat near its top, and the rates hardly feel the last digits."""
    found = minimize(objective, initial, method="L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": _STEPS})
    return found.x, float(found.fun)


def _centre(
    evidence: Evidence, known: np.typing.NDArray[np.int64], *, prior: float = 0.0, prior_variance: float = np.inf
) -> float:
    # Bins differ by about 0.3 in variance, so even exact observations of few do not settle the town's mean.
    weight = 1 / (evidence.variance[known] + 0.3)
    prior_weight = 1 / prior_variance
    return float((weight @ evidence.log_rate[known] + prior_weight * prior) / (weight.sum() + prior_weight))
