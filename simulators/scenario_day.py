"""A scenario on its day in one commune: its effect on who stands where, and on what sensors say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.randomness import Stream, stream
from simulators.scenario import FaultKind, Scenario, Who, matching
from simulators.visits import Attempts

_EDGE_S = 30 * 60
"""Residents come within this after the bay is theirs, and leave within it before it is not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedStay:
    """Somebody who stands at a place (its index within its kind), whoever else wanted to; Unix seconds."""

    place: int
    arrive_s: int
    depart_s: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spell:
    """What befalls the sensor of a place within [`from_s`, `until_s`), Unix seconds."""

    place_id: str
    kind: FaultKind
    from_s: int
    until_s: int


class _Window(Protocol):
    @property
    def starts(self) -> time: ...
    @property
    def ends(self) -> time: ...


class ScenarioDay:
    """A scenario on a local `day` of a commune whose seed draws what it leaves open."""

    def __init__(self, scenario: Scenario, *, history_until: datetime, time_zone: str, seed: int) -> None:
        self._scenario = scenario
        self._zone = ZoneInfo(time_zone)
        self._seed = seed
        self.day: date = history_until.astimezone(self._zone).date() + timedelta(days=scenario.day)

    def spells(self, place_ids: Sequence[str]) -> list[Spell]:
        """Return what befalls the sensors of places."""
        return [
            Spell(place_id=place_ids[index], kind=fault.kind, from_s=from_s, until_s=until_s)
            for fault in self._scenario.sensor_faults
            for from_s, until_s in [self._span(fault)]
            for index in matching(fault.places, place_ids)
        ]

    def fixed(self, place_ids: Sequence[str], *, who: Who) -> list[FixedStay]:
        """Return the stays that the scenario imposes at places of a kind, by place and time; none overlap."""
        generator = stream(self._seed, Stream.SCENARIO, 0 if who is Who.DELIVERIES else 1)
        index_of = {place_id: index for index, place_id in enumerate(place_ids)}
        found: list[FixedStay] = []
        for stay in self._scenario.stays:
            if stay.place in index_of:
                arrive_s = self._moment_s(stay.at)
                found.append(
                    FixedStay(
                        place=index_of[stay.place], arrive_s=arrive_s, depart_s=arrive_s + round(60 * stay.minutes)
                    )
                )
        for use in self._scenario.double_use:
            from_s, until_s = self._span(use)
            edge_s = min(_EDGE_S, (until_s - from_s) // 4)
            for index in matching(use.places, place_ids):
                luck, early, late = generator.random(3)
                one = FixedStay(
                    place=index,
                    arrive_s=from_s + round(edge_s * float(early)),
                    depart_s=until_s - round(edge_s * float(late)),
                )
                if luck < use.share and not any(_overlap(one, other) for other in found):
                    found.append(one)
        return sorted(found, key=lambda one: (one.place, one.arrive_s))

    def change(self, usual: Attempts, place_ids: Sequence[str], *, who: Who, starts_s: NDArray[np.int64]) -> Attempts:
        """Return a week's attempts, which begins at `starts_s` [0], as the scenario has them."""
        week = (int(starts_s[0]), int(starts_s[-1]) + 3600)
        generator = stream(self._seed, Stream.SCENARIO, 2 if who is Who.DELIVERIES else 3, len(starts_s))
        place, arrive_s, dwell_s = usual.place, usual.arrive_s, usual.dwell_s
        for traffic in self._scenario.traffic:
            from_s, until_s = self._span(traffic)
            if traffic.who is not who or until_s <= week[0] or from_s >= week[1]:
                continue
            meant = np.isin(place, matching(traffic.places, place_ids)) & (arrive_s >= from_s) & (arrive_s < until_s)
            dwell_s = np.where(meant, np.maximum(60, dwell_s * traffic.dwell_times), dwell_s).astype(np.int64)
            copies = np.where(meant, _whole(np.full(len(place), traffic.times), generator), 1)
            again = np.repeat(np.arange(len(place)), copies)
            # Who comes besides comes at a moment of their own, in the same hour.
            extra = np.ones(len(again), dtype=bool)
            extra[np.unique(again, return_index=True)[1]] = False
            moved = np.clip(
                arrive_s[again] + generator.integers(-1800, 1800, len(again)), from_s, max(from_s, until_s - 1)
            )
            place, dwell_s = place[again], dwell_s[again]
            arrive_s = np.where(extra, moved, arrive_s[again])
        more = [self._illicit(place_ids, who=who, week=week, generator=generator)]
        return Attempts(
            place=np.concatenate([place, *(each.place for each in more)]),
            arrive_s=np.concatenate([arrive_s, *(each.arrive_s for each in more)]),
            dwell_s=np.concatenate([dwell_s, *(each.dwell_s for each in more)]),
        )

    def _illicit(
        self, place_ids: Sequence[str], *, who: Who, week: tuple[int, int], generator: np.random.Generator
    ) -> Attempts:
        del who  # patterns name the places
        rows: list[tuple[int, int, int]] = []
        for illicit in self._scenario.illicit:
            from_s, until_s = self._span(illicit)
            if until_s <= week[0] or from_s >= week[1]:
                continue
            for index in matching(illicit.places, place_ids):
                count = int(generator.poisson(illicit.an_hour * (until_s - from_s) / 3600))
                arrivals = generator.integers(from_s, until_s, count)
                minutes = generator.uniform(illicit.shortest_min, illicit.longest_min, count)
                rows += [
                    (index, int(arrive_s), round(60 * float(dwell)))
                    for arrive_s, dwell in zip(arrivals, minutes, strict=True)
                ]
        table = np.array(rows, dtype=np.int64).reshape(-1, 3)
        return Attempts(place=table[:, 0], arrive_s=table[:, 1], dwell_s=table[:, 2])

    def _moment_s(self, at: time) -> int:
        return int(datetime.combine(self.day, at, tzinfo=self._zone).astimezone(UTC).timestamp())

    def _span(self, window: _Window) -> tuple[int, int]:
        from_s, until_s = self._moment_s(window.starts), self._moment_s(window.ends)
        if window.ends <= window.starts:
            until_s = int(
                datetime.combine(self.day + timedelta(days=1), window.ends, tzinfo=self._zone)
                .astimezone(UTC)
                .timestamp()
            )
        return from_s, until_s


def _overlap(one: FixedStay, other: FixedStay) -> bool:
    return one.place == other.place and one.arrive_s < other.depart_s + 120 and other.arrive_s < one.depart_s + 120


def _whole(times: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.int64]:
    """Return whole numbers whose mean is `times`."""
    whole = np.floor(times)
    found: NDArray[np.int64] = (whole + (generator.random(len(times)) < times - whole)).astype(np.int64)
    return found
