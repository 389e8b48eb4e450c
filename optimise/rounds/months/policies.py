"""Policies: what each bin is worth a stop today. Each has one dial, which calibration turns to the promised service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimise.rounds.leaving import Chances, foreseen, stop_worth_eur, usual_detours_eur
from optimise.rounds.months.arrays import Floats
from optimise.rounds.months.fixed import FixedCalendar
from optimise.rounds.months.knowledge import Knowledge
from optimise.rounds.months.options import MonthsOptions
from optimise.rounds.months.street import Street
from optimise.rounds.months.town import Town

HORIZON_DAYS = 21
IMPOSED_EUR = 10_000.0
"""What a stop is worth that a calendar or a threshold asks for: it is only left when no vehicle has room or time."""
NEXT_CHANCE_LATER_S = 2 * 3600
"""A bin left today is emptied tomorrow, but perhaps at the end of a round: its next chance is a day and this later."""
_DETOUR_MEMORY = 0.15


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Wanted:
    """What a stop at each bin is worth today in euros, (n,), 0 for none; and the litres expected in it, (n,)."""

    worth_eur: Floats
    demand_l: Floats


class Policy(Protocol):
    """One way to decide which bins today."""

    def want(self, day: int, street: Street, knowledge: Knowledge) -> Wanted:
        """Decide for a day. Only who knows more than a forecast looks at the street."""
        ...

    def learn(self, bins: NDArray[np.int64], detour_eur: Floats) -> None:
        """Hear what the day's stops at bins (k,) cost, (k,)."""
        ...


class Fixed:
    """The calendar, whatever is in the bins."""

    def __init__(self, town: Town, calendar: FixedCalendar) -> None:
        self._town = town
        self._calendar = calendar
        self._volume_l = _volumes(town)

    def want(self, day: int, street: Street, knowledge: Knowledge) -> Wanted:  # noqa: ARG002 - a calendar asks nobody
        """Want the bins that are due."""
        due = self._calendar.due(day)
        # A crew that has driven the same round for years knows how much it loads.
        return Wanted(
            worth_eur=np.where(due, IMPOSED_EUR, 0.0), demand_l=street.fills(_at(self._town, day)) * self._volume_l
        )

    def learn(self, bins: NDArray[np.int64], detour_eur: Floats) -> None:
        """Learn nothing."""


class Threshold:
    """Every bin whose sensor says at least `level` in the morning; a silent one is visited every day."""

    def __init__(self, town: Town, *, level: float) -> None:
        self._level = level
        self._volume_l = _volumes(town)

    def want(self, day: int, street: Street, knowledge: Knowledge) -> Wanted:  # noqa: ARG002 - it looks at sensors alone
        """Want what is above the threshold."""
        levels = knowledge.last_levels(day)
        wanted = ~(levels < self._level)
        return Wanted(
            worth_eur=np.where(wanted, IMPOSED_EUR, 0.0), demand_l=np.nan_to_num(levels, nan=0.6) * self._volume_l
        )

    def learn(self, bins: NDArray[np.int64], detour_eur: Floats) -> None:
        """Learn nothing."""


class Knows(StrEnum):
    """What the prices are made of: the forecast; every bin's law and level; or the coming days themselves."""

    FORECAST = "ours"
    LAW = "informed"
    FUTURE = "perfect"


class Ours:
    """The product's: the forecast's chances of being full, priced by `leaving`; or those of somebody who knows more."""

    def __init__(self, town: Town, options: MonthsOptions, *, overflow_eur: float, knows: Knows) -> None:
        self._town = town
        self._overflow_eur = overflow_eur
        self._knows = knows
        self._options = options
        self._volume_l = _volumes(town)
        first = len(town.fleet.anchors)
        self.detour_eur = usual_detours_eur(
            town.matrices.of(range(first, first + len(town.bins))),
            service_s=np.array([item.service_s for item in town.bins]),
            prices=options.prices.prices(),
        )

    def want(self, day: int, street: Street, knowledge: Knowledge) -> Wanted:
        """Price each bin by what its next three weeks look like."""
        at_s = _at(self._town, day)
        last = self._town.days - day
        chances_s = at_s + 86_400 * np.arange(min(HORIZON_DAYS + 1, last), dtype=np.int64)
        chances_s[1:] += NEXT_CHANCE_LATER_S
        if self._knows is Knows.LAW:
            chances = self._town.law.chances(day, street.litres(street.morning_s(day)), self._town.full_l)
            middle = street.fills(at_s)
        elif self._knows is Knows.FUTURE:
            left, emptied = street.full_days(day, chances_s)
            chances = Chances(left=left[:, 1:], emptied=emptied[:, 1:])
            middle = street.fills(at_s)
        else:
            table = knowledge.forecast(
                day, chances_s[:2], retrain_days=self._options.retrain_days, folds=self._options.folds
            )
            chances = foreseen(
                middle=table.quantiles[:, :, 2],
                high=table.quantiles[:, :, 4],
                full=table.probability_full[:, 1],
                days_between=1.0 + NEXT_CHANCE_LATER_S / 86_400,
                horizon=HORIZON_DAYS,
            )
            middle = table.quantiles[:, 0, 2]
        worth = stop_worth_eur(chances, detour_eur=self.detour_eur, overflow_eur=self._overflow_eur)
        return Wanted(worth_eur=worth, demand_l=middle * self._volume_l)

    def learn(self, bins: NDArray[np.int64], detour_eur: Floats) -> None:
        """Let what stops really cost replace the first guess, a little each time."""
        self.detour_eur[bins] += _DETOUR_MEMORY * (detour_eur - self.detour_eur[bins])


def _at(town: Town, day: int) -> int:
    """Return when bins are served on a day, as far as one moment can say: the middle of the shifts, Unix seconds."""
    return int(town.calendar(day).middle(town.fleet.vehicles).timestamp())


def _volumes(town: Town) -> Floats:
    return np.array([item.volume_l for item in town.bins])
