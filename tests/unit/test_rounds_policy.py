"""The policy: leaving a bin costs more the likelier it overflows, in euros that can be computed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from optimise.rounds.policy import Outlook, PolicyOptions, decide, expected_excess_fraction, leaving_eur
from optimise.rounds.problem import EURO
from storage.errors import InputError
from storage.model import FillForecast

SERVICE = datetime(2026, 3, 10, 8, tzinfo=UTC)


def forecast(*, hours: float = 0.0, level: float = 0.5, spread: float = 0.0, full: float = 0.0) -> FillForecast:
    return FillForecast(
        place_id="COR-0001",
        valid_at=SERVICE + timedelta(hours=hours),
        p05=level - spread,
        p10=level - spread,
        p50=level,
        p90=level + spread,
        p95=level + spread,
        probability_full=full,
    )


def outlook(*, now: float = 0.0, then: float = 0.0, level: float = 0.5, then_level: float = 0.8) -> Outlook:
    return Outlook(
        place_id="COR-0001",
        volume_l=80.0,
        at_service=forecast(level=level, full=now),
        at_next=forecast(hours=24, level=then_level, full=then),
    )


def test_the_cost_of_leaving_is_the_sum_of_its_three_parts():
    weights = PolicyOptions(overflow_eur=10, full_day_eur=4, excess_eur_per_l=0.5)
    # 10 x 0.6, then 4 x (0.2 + 0.6) / 2 for one day, then 0.5 x 80 l x 0.25.
    assert leaving_eur(outlook(now=0.2, then=0.6, then_level=1.25), weights) == pytest.approx(6 + 1.6 + 10)


def test_a_bin_that_is_surely_empty_costs_nothing_to_leave():
    assert leaving_eur(outlook(), PolicyOptions()) == 0


@given(now=some.floats(0, 1), then=some.floats(0, 1), more=some.floats(0.01, 0.5))
def test_more_risk_never_costs_less(now: float, then: float, more: float):
    weights = PolicyOptions()
    base = leaving_eur(outlook(now=now, then=then), weights)
    assert leaving_eur(outlook(now=now, then=min(1, then + more)), weights) >= base
    assert leaving_eur(outlook(now=min(1, now + more), then=then), weights) >= base


@pytest.mark.parametrize(
    ("level", "spread", "excess"),
    [
        (0.5, 0.2, 0.0),  # all below the rim
        (1.3, 0.0, 0.3),  # all above it, all the same
        (1.0, 0.2, 0.06),  # half above: from 50 to 90 % it rises to 0.2, then stays: 0.4 x 0.1 + 0.1 x 0.2
    ],
)
def test_what_lies_above_the_rim(level: float, spread: float, excess: float):
    assert expected_excess_fraction(forecast(level=level, spread=spread)) == pytest.approx(excess, abs=2e-3)


def test_a_decision_says_what_the_problem_needs():
    (found,) = decide([outlook(now=0.1, then=0.5, level=0.4)], options=PolicyOptions())
    assert (found.demand_l, found.must) == (32, False)
    assert found.prize == round(EURO * leaving_eur(outlook(now=0.1, then=0.5), PolicyOptions()))


def test_an_empty_bin_still_weighs_a_litre():
    (found,) = decide([outlook(level=0.0)], options=PolicyOptions())
    assert found.demand_l == 1


def test_bins_are_imposed_by_name_or_by_certainty():
    sure = replace(outlook(now=0.99, then=1.0), place_id="COR-0002")
    options = PolicyOptions(must_at_probability=0.98)
    found = decide(
        [outlook(), sure, replace(outlook(), place_id="COR-0003")], options=options, must=frozenset({"COR-0003"})
    )
    assert [decision.must for decision in found] == [False, True, True]
    assert not any(decision.must for decision in decide([sure], options=PolicyOptions()))


def test_weights_refuse_nonsense():
    with pytest.raises(InputError, match="expected overflow_eur >= 0, got -1"):
        PolicyOptions(overflow_eur=-1)
    with pytest.raises(InputError, match=r"expected must_at_probability in \(0, 1\], got 1.5"):
        PolicyOptions(must_at_probability=1.5)
