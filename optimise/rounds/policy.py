"""Which bins tomorrow: what a stop at each one is worth, in the currency that driving costs.

A forecast says how full a bin will be when the vehicles are out and when they are out again a round later, if nobody
empties it. `leaving` prices what that means over weeks; this module says it of each bin in the problem's numbers. The
engine then weighs it against the detour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimise.rounds.leaving import Chances, Floats, foreseen, stop_worth_eur
from optimise.rounds.problem import EURO
from storage.errors import InputError
from storage.model import FillForecast

_DAY_S = 86_400
_LEAST_BETWEEN_S = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyOptions:
    """The weights of the policy.

    `overflow_eur`: one bin full for a day. It is the dial between kilometres and overflows; `voirie evaluate rounds`
    turns it until a promised service is kept. `horizon_days`: how far ahead a bin's next visits are weighed.
    `must_at_probability`: from this probability of being full at the time of service on, a bin is imposed instead of
    priced; None imposes none, so that a day short of vehicles leaves the least bad bins instead of having no plan.
    """

    overflow_eur: float = 20.0
    horizon_days: int = 21
    must_at_probability: float | None = None

    def __post_init__(self) -> None:
        if not self.overflow_eur >= 0:
            raise InputError(f"expected overflow_eur >= 0, got {self.overflow_eur}")
        if self.horizon_days < 1:
            raise InputError(f"expected horizon_days >= 1, got {self.horizon_days}")
        if self.must_at_probability is not None and not 0 < self.must_at_probability <= 1:
            raise InputError(f"expected must_at_probability in (0, 1], got {self.must_at_probability}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What is foreseen for one bin: at the time of service, and at the next chance if it is left."""

    place_id: str
    volume_l: float
    at_service: FillForecast
    at_next: FillForecast


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What the problem needs to know of one bin: litres to load, cost of leaving it (problem.EURO), imposed or not."""

    demand_l: int
    prize: int
    must: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision(Price):
    """A bin's price, with the outlook that it was made of."""

    outlook: Outlook


def decide(
    outlooks: Sequence[Outlook], *, detour_eur: Floats, options: PolicyOptions, must: frozenset[str] = frozenset()
) -> list[Decision]:
    """Price each bin. `must` names bins that somebody imposes, whatever the forecast says.

    `detour_eur` (n,): what a stop at each bin usually costs, its service included.
    """
    worth = _worth_eur(outlooks, detour_eur, options)
    return [
        _decision(outlook, float(eur), options, imposed=outlook.place_id in must)
        for outlook, eur in zip(outlooks, worth, strict=True)
    ]


def _worth_eur(outlooks: Sequence[Outlook], detour_eur: Floats, options: PolicyOptions) -> Floats:
    if not outlooks:
        return np.zeros(0)
    return stop_worth_eur(
        chances_of(outlooks, horizon=options.horizon_days), detour_eur=detour_eur, overflow_eur=options.overflow_eur
    )


def chances_of(outlooks: Sequence[Outlook], *, horizon: int) -> Chances:
    """Return the chances of bins (n,) over `horizon` days, from what is foreseen for two moments.

    The moments are the same of all bins, as they are read from one forecast.
    """
    first = outlooks[0]
    between_s = (first.at_next.valid_at - first.at_service.valid_at).total_seconds()
    moments = [(outlook.at_service, outlook.at_next) for outlook in outlooks]
    return foreseen(
        middle=np.array([[forecast.p50 for forecast in both] for both in moments]),
        high=np.array([[forecast.p95 for forecast in both] for both in moments]),
        full=np.array([outlook.at_next.probability_full for outlook in outlooks]),
        days_between=max(between_s, _LEAST_BETWEEN_S) / _DAY_S,
        horizon=horizon,
    )


def _decision(outlook: Outlook, worth_eur: float, options: PolicyOptions, *, imposed: bool) -> Decision:
    sure = options.must_at_probability
    return Decision(
        outlook=outlook,
        # At least a litre: a visit to an empty bin is still a bag to change.
        demand_l=max(1, round(outlook.volume_l * outlook.at_service.p50)),
        prize=round(EURO * worth_eur),
        must=imposed or (sure is not None and outlook.at_service.probability_full >= sure),
    )
