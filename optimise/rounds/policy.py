"""Which bins tomorrow: what it costs to leave each one until the next chance, in the currency that driving costs.

A forecast says how full a bin will be when the vehicles are out and when they are out again a round later, if nobody
empties it. Leaving it risks that it overflows in between; this module prices that risk. The engine then weighs it
against the detour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from optimise.rounds.problem import EURO
from storage.errors import InputError
from storage.model import FillForecast


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyOptions:
    """The weights of the policy.

    `overflow_eur`: one bin found overflowing at the next round (sweeping round it, a complaint). `full_day_eur`: one
    bin full for a day before that. `excess_eur_per_l`: one litre beside the bin. `must_at_probability`: from this
    probability of being full at the time of service on, a bin is imposed instead of priced; None imposes none, so
    that a day short of vehicles leaves the least bad bins instead of having no plan.
    """

    overflow_eur: float = 12.0
    full_day_eur: float = 6.0
    excess_eur_per_l: float = 0.05
    must_at_probability: float | None = None

    def __post_init__(self) -> None:
        for name in ("overflow_eur", "full_day_eur", "excess_eur_per_l"):
            value = getattr(self, name)
            if not value >= 0:
                raise InputError(f"expected {name} >= 0, got {value}")
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
class Decision:
    """What the problem needs to know of one bin: litres to load, cost of leaving it (problem.EURO), imposed or not."""

    outlook: Outlook
    demand_l: int
    prize: int
    must: bool


def decide(
    outlooks: Iterable[Outlook], *, options: PolicyOptions, must: frozenset[str] = frozenset()
) -> list[Decision]:
    """Price each bin. `must` names bins that somebody imposes, whatever the forecast says."""
    return [_decision(outlook, options, imposed=outlook.place_id in must) for outlook in outlooks]


def _decision(outlook: Outlook, options: PolicyOptions, *, imposed: bool) -> Decision:
    sure = options.must_at_probability
    return Decision(
        outlook=outlook,
        # At least a litre: a visit to an empty bin is still a bag to change.
        demand_l=max(1, round(outlook.volume_l * outlook.at_service.p50)),
        prize=round(EURO * leaving_eur(outlook, options)),
        must=imposed or (sure is not None and outlook.at_service.probability_full >= sure),
    )


def leaving_eur(outlook: Outlook, options: PolicyOptions) -> float:
    """Return the expected cost, in euros, of leaving a bin until the next chance.

    The time spent full between the two rounds is taken as if the probability of being full grew evenly between them.
    """
    now, then = outlook.at_service, outlook.at_next
    days = max(0.0, (then.valid_at - now.valid_at).total_seconds() / 86_400)
    full_days = days * (now.probability_full + then.probability_full) / 2
    excess_l = outlook.volume_l * expected_excess_fraction(then)
    return (
        options.overflow_eur * then.probability_full
        + options.full_day_eur * full_days
        + options.excess_eur_per_l * excess_l
    )


def expected_excess_fraction(forecast: FillForecast) -> float:
    """Return the mean of what lies above a full bin, from the forecast's quantiles joined by straight lines."""
    shares = np.array([0.0, 0.05, 0.10, 0.50, 0.90, 0.95, 1.0])
    fills = np.array([forecast.p05, forecast.p05, forecast.p10, forecast.p50, forecast.p90, forecast.p95, forecast.p95])
    fine = np.linspace(0.0, 1.0, 401)
    return float(np.maximum(np.interp(fine, shares, fills) - 1.0, 0.0).mean())
