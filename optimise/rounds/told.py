"""What a saved plan says of how it was made: whoever changes it goes on with the same weights and orders. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from optimise.rounds.day import PriceOptions, WishOptions
from optimise.rounds.planner_options import PlannerOptions
from optimise.rounds.policy import PolicyOptions
from optimise.rounds.problem import Traffic
from storage.model import Plan


def options_of(plan: Plan, options: PlannerOptions) -> PlannerOptions:
    """Return the options with the weights and orders that a plan was made with, as far as it says."""
    inputs = plan.inputs
    told: dict[str, Any] = {}
    kinds: tuple[tuple[str, type[Any]], ...] = (
        ("policy", PolicyOptions),
        ("prices", PriceOptions),
        ("wishes", WishOptions),
        ("traffic", Traffic),
        ("must_serve", frozenset[str]),
        ("must_not_serve", frozenset[str]),
        ("closed_ways", frozenset[int]),
    )
    for name, kind in kinds:
        if inputs.get(name) is not None:
            told[name] = msgspec.convert(inputs[name], kind, strict=False)
    return replace(options, **told)
