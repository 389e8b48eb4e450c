"""Where the deliveries that areas see come from: shops near them, and shops that nobody measures. Pure.

What was wanted of an area is shared out to the shops within reach by exp(-distance / 50 m). Shops out of reach of every
measured area are taken to want as much as the others do, in the mean, at the same hours: that is an assumption, and the
deliveries of such shops are counted apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimise.occupancy.advice.scene import Origin, Scene, distances_m, week_sum

_SCALE_M = 50.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Demand:
    """Streams of vehicles, n of them: each comes from an origin and aims at an area.

    `origin` (n,) and `aim` (n,) are indices, `aim` -1 where no area is in reach; `short` (n, 3, 24) vehicles an hour
    that deliver, `long` (n, 3, 24) others; `measured` (n,): an area's sensors saw it. `long_per_place` (3, 24): the
    others that come to one place in the mean, and would to a new one.
    """

    origins: tuple[Origin, ...]
    origin: NDArray[np.int64]
    aim: NDArray[np.int64]
    short: NDArray[np.float64]
    long: NDArray[np.float64]
    measured: NDArray[np.bool_]
    long_per_place: NDArray[np.float64]

    def scaled(self, factors: NDArray[np.float64]) -> Demand:
        """Return the demand with what aims at each area (m,) multiplied; what is not measured by their mean."""
        known = self.measured & (self.aim >= 0)
        mean = float(np.average(factors[self.aim[known]])) if known.any() else 1.0
        by = np.where(known, factors[np.maximum(self.aim, 0)], mean)[:, None, None]
        return Demand(
            origins=self.origins,
            origin=self.origin,
            aim=self.aim,
            short=self.short * by,
            long=self.long * np.where(known, by[:, 0, 0], 1.0)[:, None, None],
            measured=self.measured,
            long_per_place=self.long_per_place,
        )


def demand_of(scene: Scene, *, within_m: float) -> Demand:
    """Return the demand of a town; areas without a sensor tell none of their own."""
    origins = list(scene.origins)
    apart = distances_m([one.at for one in origins], [area.at for area in scene.areas])
    shops = np.array([one.shops for one in origins], dtype=np.float64)
    streams: list[tuple[int, int, NDArray[np.float64], NDArray[np.float64], bool]] = []
    weights = shops[:, None] * np.exp(-apart / _SCALE_M) * (apart <= within_m) if origins else apart
    others, places = np.zeros((3, 24)), 0
    wanted_by_shops, served = np.zeros((3, 24)), np.zeros(len(scene.origins))
    for index, area in enumerate(scene.areas):
        if area.wanted is None or area.short is None:
            continue
        short, other = area.wanted * area.short, area.wanted * (1 - area.short)
        others += other
        places += area.places
        column = weights[:, index] if len(scene.origins) else np.zeros(0)
        total = float(column.sum())
        if total <= 0:
            origins.append(Origin(longitude_deg=area.longitude_deg, latitude_deg=area.latitude_deg, shops=0))
            streams.append((len(origins) - 1, index, short, other, True))
            continue
        for row in np.flatnonzero(column > 0.01 * total).tolist():
            share = float(column[row]) / total
            streams.append((row, index, short * share, other * share, True))
        served = np.maximum(served, (column > 0).astype(np.float64))
        wanted_by_shops += short
    measured_shops = float((served * shops).sum())
    per_shop = wanted_by_shops / measured_shops if measured_shops else np.zeros((3, 24))
    if week_sum(per_shop) > 0:
        nearest = apart.argmin(axis=1) if len(scene.areas) else np.zeros(0, np.int64)
        for row in np.flatnonzero((served == 0) & (shops > 0)).tolist():
            aim = int(nearest[row]) if apart[row, nearest[row]] <= within_m else -1
            streams.append((row, aim, per_shop * shops[row], np.zeros((3, 24)), False))
    return Demand(
        origins=tuple(origins),
        origin=np.array([one[0] for one in streams], dtype=np.int64),
        aim=np.array([one[1] for one in streams], dtype=np.int64),
        short=np.array([one[2] for one in streams]).reshape(-1, 3, 24),
        long=np.array([one[3] for one in streams]).reshape(-1, 3, 24),
        measured=np.array([one[4] for one in streams], dtype=np.bool_),
        long_per_place=others / places if places else others,
    )
