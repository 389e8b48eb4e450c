"""The town's old rounds: the same bins on the same days, whatever is in them, and what the crews wrote down of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from simulators.fill_truth import FillTruth
from simulators.local_time import at_local, local_hours
from simulators.randomness import Stream, stream
from storage.model import Bin, ServiceEvent, ServiceEventKind

_CREWS = 4
_FIRST_STOP_S = 6 * 3600.0
_STOP_S = 75.0
_PERIODS = (1, 2, 3)
_ODD_BINS = 0.12
"""The share of bins whose round was set by history, not by need: some over-served, some under-served."""

_FORGOTTEN = 0.03
_SAYS_HOW_FULL = 0.35
_LATE_SIGMA_S = 240.0
_EYE_BIAS, _EYE_SIGMA = 0.04, 0.12
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "emptyings.voirie.example")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Calendar:
    """n bins: every `period_days` (n,) from `first_day` (n,), at `turn_s` (n,) seconds after local midnight."""

    period_days: NDArray[np.int64]
    first_day: NDArray[np.int64]
    turn_s: NDArray[np.float64]


def draw_calendar(
    bins: tuple[Bin, ...], metres: NDArray[np.float64], daily_fill: NDArray[np.float64], *, seed: int
) -> Calendar:
    """Return the calendar, set sector by sector on the mean of `daily_fill` (n,), which nobody measured well."""
    generator = stream(seed, Stream.FIXED_ROUNDS)
    names, sector = np.unique([item.sector or "" for item in bins], return_inverse=True)
    busy = np.bincount(sector, weights=daily_fill) / np.bincount(sector)
    guess = busy * generator.lognormal(0.0, 0.25, len(names))
    rank = np.argsort(np.argsort(-guess, kind="stable"), kind="stable") / max(len(names) - 1, 1)
    of_sector = np.where(rank < 0.45, 1, np.where(rank < 0.85, 2, 3))  # noqa: PLR2004 - daily, every 2nd, every 3rd day
    period = of_sector[sector]
    odd = generator.random(len(bins)) < _ODD_BINS
    period = np.where(odd, generator.choice(_PERIODS, len(bins)), period)
    # Parks are done with their sector but never less than every second day, as their lawns are watched.
    period = np.where([item.bin_kind == "park" for item in bins], np.minimum(period, 2), period)
    offset = generator.integers(0, 6, len(names))[sector]
    return Calendar(period_days=period, first_day=offset % period, turn_s=_order(sector, metres))


def _order(sector: NDArray[np.int64], metres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each bin's turn, seconds after local midnight (n,): crews share the sectors and sweep them by strips."""
    turn_s = np.empty(len(sector))
    crew_s = np.full(_CREWS, _FIRST_STOP_S)
    for number in range(int(sector.max()) + 1):
        members = np.flatnonzero(sector == number)
        crew = number % _CREWS
        # Streets are driven up and down: strips of 100 m, each in the other direction.
        strip = np.floor(metres[members, 1] / 100.0)
        along = np.where(strip % 2 == 0, metres[members, 0], -metres[members, 0])
        sweep = members[np.lexsort((along, strip))]
        turn_s[sweep] = crew_s[crew] + np.arange(len(sweep)) * _STOP_S
        crew_s[crew] += len(sweep) * _STOP_S
    return turn_s


def drive(
    calendar: Calendar,
    truth: FillTruth,
    bins: tuple[Bin, ...],
    *,
    seed: int,
    start: datetime,
    days: int,
    time_zone: str,
) -> tuple[ServiceEvent, ...]:
    """Empty the bins of `days` days in `truth`; return what the crews declared of it, by time.

    They forget a few, note the time roughly, and sometimes say how full the bin was, in quarters and a little high.
    """
    until = start + timedelta(days=days)
    _, dates = local_hours(start, days * 24, time_zone)
    declared: list[ServiceEvent] = []
    for date in np.unique(dates).tolist():
        generator = stream(seed, Stream.FIXED_ROUNDS, date)
        due = np.flatnonzero((date + calendar.first_day) % calendar.period_days == 0)
        today_s = calendar.turn_s[due] + generator.uniform(-600.0, 600.0, len(due))
        notes = stream(seed, Stream.DECLARATIONS, date)
        moments = [at_local(date, round(second), time_zone) for second in today_s.tolist()]
        written = [_Note.draw(notes) for _ in moments]
        stops = [stop for stop in zip(due.tolist(), moments, written, strict=True) if start <= stop[1] < until]
        found = truth.empty(
            np.array([index for index, _, _ in stops], dtype=np.int64),
            np.array([emptied_at.timestamp() for _, emptied_at, _ in stops], dtype=np.int64),
        )
        declared += [
            note.event(bins[index], emptied_at, fraction, not_after=until)
            for (index, emptied_at, note), fraction in zip(stops, found.tolist(), strict=True)
            if not note.forgotten
        ]
    return tuple(sorted(declared, key=lambda event: (event.happened_at, event.place_id)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Note:
    """How well a crew writes down one emptying."""

    forgotten: bool
    late_s: float
    says: bool
    misjudged: float

    @classmethod
    def draw(cls, generator: np.random.Generator) -> _Note:
        luck, says = generator.random(2)
        late, misjudged = generator.normal(size=2)
        return cls(
            forgotten=bool(luck < _FORGOTTEN),
            late_s=late * _LATE_SIGMA_S,
            says=bool(says < _SAYS_HOW_FULL),
            misjudged=_EYE_BIAS + misjudged * _EYE_SIGMA,
        )

    def event(self, place: Bin, emptied_at: datetime, found: float, *, not_after: datetime) -> ServiceEvent:
        happened_at = emptied_at + timedelta(seconds=round(self.late_s))
        return ServiceEvent(
            commune_insee=place.commune_insee,
            event_id=uuid.uuid5(_NAMESPACE, f"{place.commune_insee} {place.place_id} {emptied_at:%Y-%m-%dT%H:%M:%S}"),
            place_id=place.place_id,
            kind=ServiceEventKind.EMPTIED,
            happened_at=min(happened_at, not_after - timedelta(seconds=1)).astimezone(UTC),
            found_fraction=in_quarters(found + self.misjudged) if self.says else None,
        )


def in_quarters(fraction: float) -> float:
    """Return the quarter of 0..1 that a person would say."""
    return min(4, max(0, round(4 * fraction))) / 4
