"""What crews said: how full a bin looked when it was emptied, in coarse steps, is evidence of its rate. Pure.

Each declared class is an interval of what the crew saw; what it saw is the level, bent by habit (crews round up) and
blurred. The likelihood of a bin's rate is laid out on a grid and summed up as one noisy observation of its logarithm,
so that it can be weighed against sensors, surroundings and neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from optimise.fill.likelihood import summed
from optimise.fill.readings import Floats, Ints

_HALF_STEP = 0.125
_STEP_VARIANCE = (2 * _HALF_STEP) ** 2 / 12
_FEWEST_PAIRS = 40
_GRID = np.linspace(-4.0, 4.0, 97)
_VAGUE = 1.5**2
_WRONG = 0.06
_FULL = 0.875


@dataclass(frozen=True, kw_only=True)
class CrewEye:
    """How crews see: seen = `offset` + `slope` x level, with a standard deviation of `blur` (fractions of fill)."""

    offset: float = 0.03
    slope: float = 1.0
    blur: float = 0.12


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """Looks of crews, in columns of one length n.

    `bin_row`; `found`: the fill they declared; `paced_h`: paced hours since the bin had been emptied before.
    """

    bin_row: Ints
    found: Floats
    paced_h: Floats


def calibrate_eye(level: Floats, found: Floats) -> CrewEye:
    """Learn how crews see from looks (n,) at bins whose `level` a sensor knew; a default eye when there are few."""
    usable = np.isfinite(level) & np.isfinite(found) & (found < _FULL) & (level < 1.0)
    if usable.sum() < _FEWEST_PAIRS or np.std(level[usable]) < _HALF_STEP / 2:
        return CrewEye()
    x, y = level[usable], found[usable]
    # Leaving "full" out cuts the cloud obliquely: a slope fitted to the rest is held near 1.
    slope = float(np.clip(np.cov(x, y)[0, 1] / x.var(ddof=1), 0.8, 1.25))
    offset = float(np.median(y - slope * x))
    spread = y - offset - slope * x
    blur = float(np.sqrt(max(1.4826**2 * np.median(np.abs(spread)) ** 2 - _STEP_VARIANCE, 0.05**2)))
    return CrewEye(offset=offset, slope=slope, blur=min(blur, 0.3))


def rate_evidence(
    looks: Looks, *, eye: CrewEye, centre: Floats, volume_l: Floats, dispersion_l: float, day_variance: float
) -> tuple[Floats, Floats]:
    """Return (bins,) one observation of log rate (litres an hour) for each bin, and its variance (inf: none).

    `centre` (bins,): log rates around which to look; the level at a look is a rate x paced hours / volume, with a
    variance of `dispersion_l` x level / volume (deposits come in lumps) and `day_variance` x level**2 (days differ).
    """
    bins = len(volume_l)
    log_rate = centre[looks.bin_row, None] + _GRID
    level = np.exp(log_rate) * (looks.paced_h / volume_l[looks.bin_row])[:, None]
    level = np.minimum(level, 3.0)  # nothing is seen of what lies beside the bin
    lumps = dispersion_l * level / volume_l[looks.bin_row, None] + day_variance * level**2
    spread = np.sqrt(eye.blur**2 + eye.slope**2 * lumps)
    seen = eye.offset + eye.slope * level
    lower = np.where(looks.found <= _HALF_STEP, -np.inf, looks.found - _HALF_STEP)[:, None]
    upper = np.where(looks.found >= _FULL, np.inf, looks.found + _HALF_STEP)[:, None]
    likely = ndtr((upper - seen) / spread) - ndtr((lower - seen) / spread)
    # Some emptyings are never declared, and then a look tells of a longer time than we think: let it be wrong.
    log_likelihood = np.log((1 - _WRONG) * likely + _WRONG * 2 * _HALF_STEP)
    order = np.argsort(looks.bin_row, kind="stable")
    total = summed(log_likelihood[order], looks.bin_row[order], bins)
    total -= _GRID**2 / (2 * _VAGUE)
    weight = np.exp(total - total.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    mean = weight @ _GRID
    variance = np.maximum(weight @ _GRID**2 - mean**2, 1e-4)
    # What the vague prior gave is taken out again: the model brings its own.
    prior_variance = float(np.sum(np.exp(-(_GRID**2) / (2 * _VAGUE)) * _GRID**2))
    prior_variance /= float(np.sum(np.exp(-(_GRID**2) / (2 * _VAGUE))))
    precision = 1 / variance - 1 / prior_variance
    told = (np.bincount(looks.bin_row, minlength=bins) > 0) & (precision > 0.05)  # noqa: PLR2004 - hardly evidence
    precision = np.where(told, precision, 1.0)
    return centre + mean / variance / precision, np.where(told, 1 / precision, np.inf)
