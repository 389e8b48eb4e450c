"""What a stop today is worth: what leaving the bin may cost until it is next visited, against what its days have cost.

A bin is renewed each time it is emptied. Let a stop at it usually cost c, and let a day on which it overflows cost v.
Emptied today and left for k chances, it costs c + v x (expected days full until then) over k days; the best k gives g,
the price of one day of that bin's life. Left today and emptied at chance k instead, it costs v x (days full until then)
+ c, but its k days had to be paid anyway: k x g. So a stop today is worth

    c + min over k of [ v x (days full until chance k, if left) - k x g ].

That is nothing for a bin just emptied, grows by about g a day, reaches c when its time has come, and rises above it
by what waiting one more day risks. A stop that costs less than usual today, because a vehicle passes by, is taken
early for a share of its price; one that costs more waits as long as the risk is small.

Source: the marginal cost of age replacement (Berg 1980, A marginal cost analysis for preventive replacement policies,
European Journal of Operational Research 4(2), 136-142), with the chance of being full in place of a hazard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from optimise.rounds.problem import EURO, Prices
from optimise.rounds.travel import Matrices
from storage.errors import InputError

type Floats = NDArray[np.float64]

_LEAST_GROWTH = 0.004
_LEAST_SD = 0.02
_P95_SD = 1.645
_NEAR = 3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Chances:
    """The next k days at which n bins could be emptied, tomorrow first: both (n, k), probabilities of being full.

    `left`: at each chance, if nobody comes until then, today included; `emptied`: if it is emptied today.
    """

    left: Floats
    emptied: Floats

    def __post_init__(self) -> None:
        if self.left.shape != self.emptied.shape or self.left.ndim != 2 or not self.left.shape[1]:  # noqa: PLR2004 - a table
            raise InputError(f"expected chances of one shape (n, k > 0), got {self.left.shape}, {self.emptied.shape}")


def stop_worth_eur(chances: Chances, *, detour_eur: Floats, overflow_eur: float) -> Floats:
    """Return what a stop today at each bin is worth in euros, (n,), never negative.

    `detour_eur` (n,): what a stop there usually costs, its service included; `overflow_eur`: a bin full for a day.
    """
    days = np.arange(1, chances.left.shape[1] + 1)
    usual = detour_eur[:, None]
    day_eur = ((usual + overflow_eur * np.cumsum(chances.emptied, axis=1)) / days).min(axis=1)
    left = overflow_eur * np.cumsum(chances.left, axis=1) - days * day_eur[:, None]
    return np.maximum(detour_eur + left.min(axis=1), 0.0)


def foreseen(*, middle: Floats, high: Floats, full: Floats, days_between: float, horizon: int) -> Chances:
    """Return the chances that follow from a forecast at two moments: the service and the next chance.

    `middle`, `high` (n, 2): the 50 % and 95 % quantiles of fill; `full` (n,): the probability of being full at the next
    chance, which is taken as it is. Beyond it, fill grows as between the two moments, and its variance too.
    """
    growth = np.maximum((middle[:, 1] - middle[:, 0]) / days_between, _LEAST_GROWTH)
    sd = np.maximum((high - middle) / _P95_SD, _LEAST_SD)
    # What one day adds to the variance: what the two moments differ by, but no less than deposits' own lumpiness.
    day_variance = np.maximum((sd[:, 1] ** 2 - sd[:, 0] ** 2) / days_between, (0.3 * growth) ** 2)
    later = np.arange(horizon)[None, :]
    left_middle = middle[:, 1:] + later * growth[:, None]
    left_sd = np.sqrt(sd[:, 1:] ** 2 + later * day_variance[:, None])
    left = ndtr((left_middle - 1.0) / left_sd)
    left[:, 0] = full
    days = later + days_between
    emptied = ndtr((days * growth[:, None] - 1.0) / np.sqrt(_LEAST_SD**2 + days * day_variance[:, None]))
    return Chances(left=np.maximum.accumulate(left, axis=1), emptied=emptied)


def usual_detours_eur(matrices: Matrices, *, service_s: Floats, prices: Prices) -> Floats:
    """Return about what one more stop costs at each of the matrices' n places among the others, (n,), in euros.

    A third of the bins is visited on a day: so the way to and from the third nearest, half of it the other's, and the
    stop's own time.
    """
    count = len(service_s)
    cost = matrices.distance_m * float(prices.per_metre) + matrices.duration_s * float(prices.per_second)
    near = np.zeros(count)
    if count > 1:
        both = np.sort((cost + cost.T) / 2 + np.diag(np.full(count, np.inf)), axis=1)
        near = both[:, min(_NEAR, count - 1) - 1]
    detours: Floats = (near + service_s * prices.per_second) / EURO
    return detours
