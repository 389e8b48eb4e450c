"""Who wants to park where and when: attempts at delivery bays and parking spaces, before anybody is in the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.local_time import DAY_S, HOUR_S

_DELIVERY_HOURS = (0, 0, 0, 0, 1, 5, 10, 13, 14, 14, 12, 9, 6, 6, 8, 8, 7, 6, 5, 4, 3, 2, 1, 1)
_DELIVERY_DAYS = (0.95, 1.05, 1.0, 1.05, 1.1, 0.75, 0.15)
_VISITOR_HOURS = (1, 0, 0, 0, 0, 1, 2, 5, 9, 10, 11, 11, 10, 9, 10, 11, 11, 11, 10, 8, 6, 4, 3, 2)
_VISITOR_DAYS = (0.9, 0.95, 1.05, 1.0, 1.1, 1.3, 0.7)
_RESIDENT_HOURS = (2, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 2, 2, 3, 6, 12, 16, 14, 10, 6, 5, 3)
_RESIDENT_DAYS = (1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 1.05)

_DELIVERY_MEDIAN_S, _DELIVERY_SIGMA = 12 * 60.0, 0.55
_LONG_STAY_SHARE = 0.12
_LONG_STAY_S = (45 * 60.0, 4 * HOUR_S)
_DELIVERIES_A_DAY = 23.0
"""Attempts; about a third find the bay taken and go round the block, which leaves some 15 sessions a working day."""

_VISITORS_A_DAY = {"standard": 3.3, "pmr": 2.4, "short_stay": 15.0}
_VISIT_MEDIAN_S = {"standard": 55 * 60.0, "pmr": 75 * 60.0, "short_stay": 11 * 60.0}
_RESIDENTS_A_DAY = {"standard": 1.3, "pmr": 0.5, "short_stay": 0.35}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Attempts:
    """k attempts to park, in no order: `place` (k,), `arrive_s` (k,) Unix seconds, `dwell_s` (k,), all int64."""

    place: NDArray[np.int64]
    arrive_s: NDArray[np.int64]
    dwell_s: NDArray[np.int64]


def week_shape(hours: tuple[int, ...], days: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the share of a mean day in each local hour of the week, (168,): sums to 7."""
    week = np.outer(days, np.asarray(hours) + 0.02).reshape(-1)
    shape: NDArray[np.float64] = 7.0 * week / week.sum()
    return shape


def delivery_attempts(
    popularity: NDArray[np.float64],
    *,
    hours: NDArray[np.int64],
    starts_s: NDArray[np.int64],
    generator: np.random.Generator,
) -> Attempts:
    """Return a week's attempts at n bays: `popularity` (n,) about 1, `hours` and `starts_s` (168,) of the week."""
    expected = popularity[:, None] * _DELIVERIES_A_DAY * week_shape(_DELIVERY_HOURS, _DELIVERY_DAYS)[hours]
    place, arrive = _arrivals(expected, starts_s, generator)
    dwell = generator.lognormal(np.log(_DELIVERY_MEDIAN_S), _DELIVERY_SIGMA, len(place))
    low, high = np.log(_LONG_STAY_S)
    stays = np.exp(generator.uniform(low, high, len(place)))
    dwell = np.where(generator.random(len(place)) < _LONG_STAY_SHARE, stays, dwell)
    return Attempts(place=place, arrive_s=arrive, dwell_s=np.maximum(dwell, 60).astype(np.int64))


def parking_attempts(
    kinds: tuple[str, ...],
    popularity: NDArray[np.float64],
    *,
    hours: NDArray[np.int64],
    starts_s: NDArray[np.int64],
    generator: np.random.Generator,
) -> Attempts:
    """Return a week's attempts at n spaces by visitors and residents; shapes as in `delivery_attempts`."""
    visitors = popularity * np.array([_VISITORS_A_DAY[kind] for kind in kinds])
    residents = np.array([_RESIDENTS_A_DAY[kind] for kind in kinds])
    medians = np.log([_VISIT_MEDIAN_S[kind] for kind in kinds])
    place, arrive = _arrivals(visitors[:, None] * week_shape(_VISITOR_HOURS, _VISITOR_DAYS)[hours], starts_s, generator)
    dwell = generator.lognormal(medians[place], 0.75)
    home, back = _arrivals(residents[:, None] * week_shape(_RESIDENT_HOURS, _RESIDENT_DAYS)[hours], starts_s, generator)
    # Most residents leave with the morning; some leave the car for days.
    nights = np.maximum(generator.normal(12.5, 2.5, len(home)), 0.5) * HOUR_S
    nights += np.where(generator.random(len(home)) < 0.12, generator.integers(1, 4, len(home)) * DAY_S, 0)  # noqa: PLR2004 - see above
    return Attempts(
        place=np.concatenate([place, home]),
        arrive_s=np.concatenate([arrive, back]),
        dwell_s=np.maximum(np.concatenate([dwell, nights]), 60).astype(np.int64),
    )


def _arrivals(
    expected: NDArray[np.float64], starts_s: NDArray[np.int64], generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return place and second of Poisson arrivals, (k,) each, given their expected number, (n, 168)."""
    counts = generator.poisson(expected)
    place, hour = np.nonzero(counts)
    repeats = counts[place, hour]
    place, hour = np.repeat(place, repeats), np.repeat(hour, repeats)
    return place.astype(np.int64), starts_s[hour] + generator.integers(0, HOUR_S, len(hour))
