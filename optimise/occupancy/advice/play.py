"""Weeks of deliveries played on a town's areas: who finds a place, who looks for another, who finds none. Pure.

A discrete-event simulation. Arrivals are Poisson by hour; dwells are drawn from those that sensors told. Who comes to
an area that is full (or not kept for deliveries at that hour) tries the next within reach, the nearest to where it
delivers first, and is refused when all are full. A bay nearer than the one aimed at is tried first. The same seed gives
the same arrivals with the same dwells whatever the areas are like, so that two layouts are compared on the same weeks.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from optimise.occupancy.advice.demand import Demand
from optimise.occupancy.advice.measures import Layout
from optimise.occupancy.advice.options import AdviceOptions
from optimise.occupancy.advice.scene import CLASS_OF_HOUR, distances_m
from storage.kerb.usage import DWELL_BOUNDS_S

_DAY_S = 86_400.0
_SHORTEST_S = 60.0
_HOURS = np.arange(168) % 24
_TOWN_WEIGHT = 20.0


type _Laws = dict[bool, tuple[NDArray[np.float64], NDArray[np.float64]]]


class Dwells:
    """The dwells of areas, as quantile functions of those that deliver and of the others."""

    def __init__(self, counts: list[tuple[int, ...]], *, delivery_max_s: float) -> None:
        bounds = np.array([_SHORTEST_S, *DWELL_BOUNDS_S, 2 * _DAY_S])
        together = np.sum([row for row in counts if row], axis=0) if any(counts) else np.ones(len(bounds) - 1)
        # A few stays of its own do not make a law: the town's stand beside them.
        prior = together / max(together.sum(), 1) * _TOWN_WEIGHT
        cut = int(np.searchsorted(bounds, delivery_max_s))
        self._laws = [self._law(prior + (np.array(row) if row else 0), bounds, cut) for row in [*counts, ()]]

    @staticmethod
    def _law(counts: NDArray[np.float64], bounds: NDArray[np.float64], cut: int) -> _Laws:
        found: _Laws = {}
        for short, part in ((True, slice(0, cut)), (False, slice(cut, None))):
            mass = counts[part] + 1e-9
            ends = bounds[: cut + 1] if short else bounds[cut:]
            found[short] = (np.concatenate([[0.0], np.cumsum(mass) / mass.sum()]), np.log(ends))
        return found

    def draw(self, area: NDArray[np.int64], luck: NDArray[np.float64], *, short: bool) -> NDArray[np.float64]:
        """Return the dwells (k,), seconds, at `luck` (k,) of the laws of areas (k,); -1 or a new one: the town's."""
        dwell_s = np.empty(len(area))
        for index in np.unique(area).tolist():
            known = 0 <= index < len(self._laws) - 1
            share, ends = self._laws[index if known else -1][short]
            mine = area == index
            dwell_s[mine] = np.exp(np.interp(luck[mine], share, ends))
        return dwell_s


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Arrivals:
    """A week's vehicles by time, k of them.

    `at_s` (k,) seconds since Monday 0:00, `stream` (k,) indices of the demand's streams, `dwell_s` (k,), `short` (k,):
    it delivers; `duty` (k,) 0 to 1: the lower, the sooner it obeys. `rates` (3, 24) are of others at a new place.
    """

    at_s: NDArray[np.float64]
    stream: NDArray[np.int64]
    dwell_s: NDArray[np.float64]
    short: NDArray[np.bool_]
    duty: NDArray[np.float64]
    rates: NDArray[np.float64]
    dwells: Dwells
    seed: tuple[int, int]

    def others(self, place: str) -> list[tuple[float, float]]:
        """Return when others would come to a new place, and for how long, by time: the same whatever else is done."""
        generator = np.random.default_rng([*self.seed, zlib.crc32(place.encode())])
        counts = generator.poisson(self.rates[CLASS_OF_HOUR, _HOURS])
        hour = np.repeat(np.arange(168), counts)
        at_s = np.sort((hour + generator.random(len(hour))) * 3600.0)
        town = np.full(len(hour), -1, dtype=np.int64)
        dwell_s = self.dwells.draw(town, generator.random(len(hour)), short=False)
        return list(zip(at_s.tolist(), dwell_s.tolist(), strict=True))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Played:
    """What came of w weeks: `refused` (w,) deliveries without a place, `wanted` (w,) deliveries that came.

    `refused_of` (o,) is by origin, all weeks together, `unmeasured` (w,) those refused whose demand nobody measures;
    `found` (m,) vehicles that found a place, by area, all weeks together.
    """

    refused: NDArray[np.float64]
    wanted: NDArray[np.float64]
    unmeasured: NDArray[np.float64]
    refused_of: NDArray[np.float64]
    found: NDArray[np.float64]


def arrivals_of_week(demand: Demand, dwells: Dwells, *, seed: int, week: int) -> Arrivals:
    """Return the vehicles of one week."""
    generator = np.random.default_rng([seed, week])
    parts = []
    for is_short, rates in ((True, demand.short), (False, demand.long)):
        counts = generator.poisson(rates[:, CLASS_OF_HOUR, _HOURS])
        stream, hour = np.nonzero(counts)
        repeats = counts[stream, hour]
        stream, hour = np.repeat(stream, repeats), np.repeat(hour, repeats)
        at_s = (hour + generator.random(len(hour))) * 3600.0
        dwell_s = dwells.draw(demand.aim[stream], generator.random(len(hour)), short=is_short)
        parts.append((at_s, stream, dwell_s, np.full(len(hour), is_short), generator.random(len(hour))))
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.argsort(joined[0], kind="stable")
    at_s, stream, dwell_s, short, duty = (column[order] for column in joined)
    return Arrivals(
        at_s=at_s,
        stream=stream.astype(np.int64),
        dwell_s=dwell_s,
        short=short,
        duty=duty,
        rates=demand.long_per_place,
        dwells=dwells,
        seed=(seed, week),
    )


def play(demand: Demand, setting: Layout, weeks: Sequence[Arrivals], options: AdviceOptions) -> Played:
    """Return what comes of `weeks` on the areas of `setting`."""
    tries = _tries(demand, setting, options.within_m)
    street = _Street(setting, obeys_share=options.obeys_share)
    refused, wanted, unmeasured = (np.zeros(len(weeks)) for _ in range(3))
    refused_of = np.zeros(len(demand.origins))
    measured, origin_of, aim_of = demand.measured.tolist(), demand.origin.tolist(), demand.aim.tolist()
    for number, week in enumerate(weeks):
        street.clear()
        for at_s, stream, dwell_s, short, duty in _vehicles(week, setting):
            if not short:
                aim = aim_of[stream] if stream >= 0 else -1 - stream
                if aim >= 0:
                    street.stand(aim, at_s, dwell_s, duty)
                continue
            wanted[number] += 1
            if not any(street.deliver(area, at_s, dwell_s, duty) for area in tries[stream]):
                refused[number] += 1
                refused_of[origin_of[stream]] += 1
                unmeasured[number] += not measured[stream]
    return Played(
        refused=refused,
        wanted=wanted,
        unmeasured=unmeasured,
        refused_of=refused_of,
        found=np.array(street.found, dtype=np.float64),
    )


class _Street:
    """The areas while weeks are played: who leaves each when. `found` counts who found a place."""

    def __init__(self, setting: Layout, *, obeys_share: float) -> None:
        self._places = setting.places
        self._limits = setting.limits
        self._extended = {index: _by_hour(hours) for index, hours in setting.extended.items()}
        self._shared = {index: _by_hour(hours) for index, hours in setting.shared.items()}
        self._obeys_share = obeys_share
        self._leaving: list[list[float]] = []
        self.found = [0] * len(setting.areas)

    def clear(self) -> None:
        """Begin a week with empty areas."""
        self._leaving = [[] for _ in self._places]

    def deliver(self, area: int, at_s: float, dwell_s: float, duty: float) -> bool:
        """Stop to deliver; False where the area is full or shared with others at that hour."""
        shared = self._shared.get(area)
        if shared is not None and shared[int(at_s // 3600)]:
            return False
        limit_s = self._limits.get(area)
        if limit_s is not None and duty < self._obeys_share:
            dwell_s = min(dwell_s, limit_s)
        return self._park(area, at_s, dwell_s)

    def stand(self, area: int, at_s: float, dwell_s: float, duty: float) -> None:
        """Stand there without a delivery, unless a measure forbids it at that hour and it obeys."""
        extended = self._extended.get(area)
        if extended is None or not extended[int(at_s // 3600)] or duty >= self._obeys_share:
            self._park(area, at_s, dwell_s)

    def _park(self, area: int, at_s: float, dwell_s: float) -> bool:
        there = self._leaving[area]
        while there and there[0] <= at_s:
            heapq.heappop(there)
        if len(there) >= self._places[area]:
            return False
        heapq.heappush(there, at_s + dwell_s)
        self.found[area] += 1
        return True


type _Vehicle = tuple[float, int, float, bool, float]


def _vehicles(week: Arrivals, setting: Layout) -> Iterator[_Vehicle]:
    """Yield a week's vehicles by time, with the others that come to the new areas (whose stream is -1 - the area)."""
    own = zip(
        week.at_s.tolist(), week.stream.tolist(), week.dwell_s.tolist(), week.short.tolist(), week.duty.tolist(),
        strict=True,
    )  # fmt: skip
    others = [
        [(at_s, -1 - area, dwell_s, False, 1.0) for at_s, dwell_s in week.others(setting.areas[area].area_id)]
        for area in range(setting.before, len(setting.areas))
    ]
    return heapq.merge(own, *others, key=itemgetter(0))


def _by_hour(hours: NDArray[np.bool_]) -> list[bool]:
    """Return the 168 hours of a week of (3, 24)."""
    found: list[bool] = hours[CLASS_OF_HOUR, _HOURS].tolist()
    return found


def _tries(demand: Demand, setting: Layout, within_m: float) -> list[list[int]]:
    """Return the areas that each stream tries, in order: new ones that are nearer, the one aimed at, then others."""
    apart = distances_m([one.at for one in demand.origins], [area.at for area in setting.areas])
    standing = np.array(setting.places) > 0
    tries = []
    for origin, aim in zip(demand.origin.tolist(), demand.aim.tolist(), strict=True):
        row = apart[origin]
        near = [int(index) for index in np.argsort(row, kind="stable") if row[index] <= within_m and standing[index]]
        if aim >= 0 and standing[aim]:
            nearer = [index for index in near if index >= setting.before and row[index] < row[aim]]
            near = [*nearer, aim, *(index for index in near if index != aim and index not in nearer)]
        tries.append(near)
    return tries
