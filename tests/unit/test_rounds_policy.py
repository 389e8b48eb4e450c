"""The policy: a stop is worth more the likelier the bin overflows, in euros that can be computed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from optimise.rounds.leaving import Chances, stop_worth_eur, usual_detours_eur
from optimise.rounds.policy import Outlook, PolicyOptions, chances_of, decide
from optimise.rounds.problem import EURO, Prices
from optimise.rounds.travel import Matrices
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


def worth(*outlooks: Outlook, detour_eur: float = 1.0, options: PolicyOptions | None = None) -> list[float]:
    detours = np.full(len(outlooks), detour_eur)
    found = decide(outlooks, detour_eur=detours, options=options or PolicyOptions())
    return [decision.prize / EURO for decision in found]


def test_a_bin_whose_time_has_come_is_worth_its_usual_stop_and_the_risk_less_a_day_of_its_life():
    # Fills up in ten days for sure; a stop costs 10, so a day of its life costs 1 while waiting costs nothing.
    chances = Chances(left=np.array([[0.25, 1.0, 1.0]]), emptied=np.zeros((1, 3)))
    # Emptied, it lasts the whole horizon: 10 / 3 a day. Left for one chance: 10 + 40 x 0.25 - 10 / 3.
    assert stop_worth_eur(chances, detour_eur=np.array([10.0]), overflow_eur=40) == pytest.approx(20 - 10 / 3)


def test_a_bin_that_can_wait_is_worth_the_days_that_it_has_lived():
    # It lasts four days. Emptied at the first chance after two of them, it has two more to live: half a stop.
    lasting = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    chances = Chances(left=np.array([[0.0, 0.0, 1.0, 1.0, 1.0, 1.0]]), emptied=np.array([lasting]))
    assert stop_worth_eur(chances, detour_eur=np.array([8.0]), overflow_eur=1e6) == pytest.approx(4.0)


def test_a_bin_just_emptied_is_worth_nothing():
    same = np.array([[0.0, 0.1, 0.6, 1.0]])
    assert stop_worth_eur(Chances(left=same, emptied=same), detour_eur=np.array([3.0]), overflow_eur=10) == 0


@given(then=some.floats(0, 1), more=some.floats(0.01, 0.5), detour_eur=some.floats(0.1, 20))
def test_more_risk_is_never_worth_less(then: float, more: float, detour_eur: float):
    base, riskier = worth(outlook(then=then), outlook(then=min(1, then + more)), detour_eur=detour_eur)
    assert riskier >= base


def test_a_fuller_bin_that_fills_as_fast_is_worth_more_though_neither_risks_anything():
    empty, fuller = worth(outlook(level=0.1, then_level=0.3), outlook(level=0.4, then_level=0.6))
    assert 0 <= empty < fuller


def test_chances_only_get_worse_and_begin_with_the_forecast_itself():
    found = chances_of([outlook(then=0.07)], horizon=9)
    assert found.left.shape == found.emptied.shape == (1, 9)
    assert found.left[0, 0] == 0.07
    assert (np.diff(found.left[0]) >= 0).all()
    assert (np.diff(found.emptied[0]) >= 0).all()
    assert (found.emptied <= found.left).all()


def test_a_stop_costs_the_way_to_a_neighbour_and_its_own_time():
    metres = np.array([[0, 100, 300], [100, 0, 200], [300, 200, 0]])
    matrices = Matrices(duration_s=metres // 10, distance_m=metres, snap_m=(0.0,) * 3, kerb=(False,) * 3)
    prices = Prices(per_metre=2 * EURO, per_second=EURO, per_vehicle=0)
    found = usual_detours_eur(matrices, service_s=np.array([10.0, 0.0, 0.0]), prices=prices)
    # Of three places the third nearest is the farther of two.
    assert found == pytest.approx([300 * 2 + 30 + 10, 200 * 2 + 20, 300 * 2 + 30])


def test_a_decision_says_what_the_problem_needs():
    (found,) = decide([outlook(then=0.5, level=0.4)], detour_eur=np.array([2.0]), options=PolicyOptions())
    assert (found.demand_l, found.must) == (32, False)
    assert found.prize == round(EURO * worth(outlook(then=0.5, level=0.4), detour_eur=2.0)[0])


def test_an_empty_bin_still_weighs_a_litre():
    (found,) = decide([outlook(level=0.0)], detour_eur=np.ones(1), options=PolicyOptions())
    assert found.demand_l == 1


def test_bins_are_imposed_by_name_or_by_certainty():
    sure = replace(outlook(now=0.99, then=1.0), place_id="COR-0002")
    options = PolicyOptions(must_at_probability=0.98)
    found = decide(
        [outlook(), sure, replace(outlook(), place_id="COR-0003")],
        detour_eur=np.ones(3),
        options=options,
        must=frozenset({"COR-0003"}),
    )
    assert [decision.must for decision in found] == [False, True, True]
    assert not any(decision.must for decision in decide([sure], detour_eur=np.ones(1), options=PolicyOptions()))


def test_weights_refuse_nonsense():
    with pytest.raises(InputError, match="expected overflow_eur >= 0, got -1"):
        PolicyOptions(overflow_eur=-1)
    with pytest.raises(InputError, match=r"expected must_at_probability in \(0, 1\], got 1.5"):
        PolicyOptions(must_at_probability=1.5)
