"""What each bin is like: which activities surround it, how much it gets a day, its regulars, its market.

Drawn once for the commune. Part of it follows from the surroundings that OpenStreetMap shows, part is a smooth field
over the town, part is the bin's own: no regression sees all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.bins import PlacedBins
from simulators.habits import ACTIVITIES
from simulators.local_time import WEEK_HOURS
from simulators.osm_tags import POINT_KINDS
from simulators.randomness import Stream, stream

_MEAN_DAILY_FILL = 0.30
"""The town's mean day fills this share of a bin; pull and character spread it from a tenth of that to five times."""
_NEIGHBOURHOOD_M = 250.0
_NEIGHBOURHOOD_SIGMA = 0.38
_PERSONAL_SIGMA = 0.34
_REGULARS_PER_BIN = 0.7
_DUMPINGS_PER_DAY = 0.012
_MARKET_RADIUS_M = 130.0
_DENSE_SHARE = 0.25


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Character:
    """n bins, r regulars. Litres are loose litres, as thrown in.

    `mix`: (n, activities), rows sum to 1; `daily_l`: (n,) mean litres a day; `restlessness`: (n,) sigma of the day's
    own factor; `dumping_rate`: (n,) dumpings a day; `compaction`: (n,) how strongly layers press those below, 0 is not
    at all; `volume_l`: (n,); `regular_bin`, `regular_l`: (r,); `regular_hours`: bool (r, 168) by local hour of the
    week; `market_l`: (n, 168) extra litres by local hour of the week.
    """

    mix: NDArray[np.float64]
    daily_l: NDArray[np.float64]
    restlessness: NDArray[np.float64]
    dumping_rate: NDArray[np.float64]
    compaction: NDArray[np.float64]
    volume_l: NDArray[np.float64]
    regular_bin: NDArray[np.int64]
    regular_l: NDArray[np.float64]
    regular_hours: NDArray[np.bool_]
    market_l: NDArray[np.float64]


def characters(placed: PlacedBins, *, seed: int) -> Character:
    """Draw the character of every bin."""
    generator = stream(seed, Stream.CHARACTER)
    count = len(placed.bins)
    volume = np.array([item.volume_l for item in placed.bins])
    pull = _saturated(placed)
    mix = _mix(pull, generator)
    field = _smooth_field(placed.metres, generator)
    own = generator.normal(0.0, _PERSONAL_SIGMA, count)
    attraction = 0.35 + pull @ np.array([0.8, 1.2, 0.8, 0.4, 0.5, 0.8, 0.2, 0.4, 0.6])
    daily = attraction * np.exp(_NEIGHBOURHOOD_SIGMA * field + own)
    daily *= _MEAN_DAILY_FILL * volume.mean() / daily.mean()
    regulars = int(generator.poisson(_REGULARS_PER_BIN * count))
    dense = generator.random(count) < _DENSE_SHARE + 0.4 * mix[:, ACTIVITIES.index("meals")]
    return Character(
        mix=mix,
        daily_l=daily,
        restlessness=generator.uniform(0.15, 0.45, count),
        dumping_rate=_DUMPINGS_PER_DAY * generator.gamma(0.5, 2.0, count),
        compaction=np.where(dense, generator.uniform(0.2, 0.6, count), 0.0),
        volume_l=volume,
        regular_bin=generator.choice(count, size=regulars, p=daily / daily.sum()),
        regular_l=generator.lognormal(np.log(3.0), 0.5, regulars),
        regular_hours=_regular_hours(regulars, generator),
        market_l=_markets(placed, generator),
    )


def _saturated(placed: PlacedBins) -> NDArray[np.float64]:
    """Return the pulls as shares of saturation, (n, kinds + 1), the last for bustle: the tenth shop adds little."""
    half = {"shop": 3.0, "food": 3.0, "transport": 1.0, "school": 0.6, "park": 0.6, "market": 0.5}
    bustle = placed.bustle / max(float(np.median(placed.bustle)), 1e-9)
    columns = [
        placed.draw[:, column] / (placed.draw[:, column] + half.get(kind, 2.0))
        for column, kind in enumerate(POINT_KINDS)
    ]
    return np.column_stack([*columns, bustle / (bustle + 1.0)])


def _mix(pull: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return each bin's share of activities, blurred: the map does not say who really passes."""
    kind = {name: pull[:, column] for column, name in enumerate(POINT_KINDS)}
    weights = np.column_stack(
        [
            np.full(len(pull), 0.35),
            kind["shop"] + 0.4 * kind["market"],
            kind["food"] + 0.3 * kind["office"],
            0.9 * kind["transport"] + 0.3 * kind["office"],
            0.8 * kind["school"],
            0.9 * kind["park"] + 0.6 * kind["leisure"],
        ]
    )
    weights = (weights + 0.04) * generator.gamma(3.0, 1.0 / 3.0, weights.shape)
    shares: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _smooth_field(metres: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a Gaussian field of unit variance at each bin, (n,), with a length scale of _NEIGHBOURHOOD_M.

    Random Fourier features of the squared exponential kernel (Rahimi and Recht, 2007, NIPS 20).
    """
    waves = 200
    frequency = generator.normal(0.0, 1.0 / _NEIGHBOURHOOD_M, (2, waves))
    phase = generator.uniform(0.0, 2 * np.pi, waves)
    amplitude = generator.normal(0.0, 1.0, waves)
    field: NDArray[np.float64] = np.sqrt(2.0 / waves) * np.cos(metres @ frequency + phase) @ amplitude
    return field


def _regular_hours(regulars: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Return when each regular comes, (r, 168): one fixed hour on some fixed weekdays."""
    hours = np.zeros((regulars, 7, 24), dtype=np.bool_)
    hour = generator.choice([7, 8, 9, 12, 13, 17, 18, 19, 21], size=regulars)
    working = generator.random(regulars) < 0.6  # noqa: PLR2004 - most come on working days, others on a few of the seven
    days = np.where(working[:, None], np.arange(7) < 5, generator.random((regulars, 7)) < 0.4)  # noqa: PLR2004
    hours[np.arange(regulars), :, hour] = days
    return hours.reshape(regulars, WEEK_HOURS)


def _markets(placed: PlacedBins, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return what one or two open-air markets bring, (n, 168): two mornings a week in a few streets."""
    litres = np.zeros((len(placed.bins), WEEK_HOURS))
    market = placed.draw[:, POINT_KINDS.index("market")]
    likely = placed.bustle / placed.bustle.sum() + 3.0 * market / max(float(market.sum()), 1e-9)
    for _ in range(2):
        middle = placed.metres[generator.choice(len(likely), p=likely / likely.sum())]
        distance = np.hypot(*(placed.metres - middle).T)
        strength = np.where(distance <= _MARKET_RADIUS_M, generator.uniform(3.0, 9.0, len(distance)), 0.0)
        first = int(generator.integers(1, 4))
        for day in (first, first + 3):
            litres[:, day * 24 + 8 : day * 24 + 14] += strength[:, None]
    return litres
