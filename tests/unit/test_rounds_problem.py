"""A problem refuses what makes no sense, by the name of the rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optimise.rounds.problem import DayDisposal, Prices
from storage.errors import InputError
from tests.unit.rounds_samples import HOUR, day, vehicle


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"capacity_l": -3}, "expected capacity_l > 0, got -3"),
        ({"shift_until_s": 6 * HOUR}, "expected shift_from_s < shift_until_s"),
        ({"break_s": -1}, "expected break_s >= 0"),
        ({"break_until_s": 8 * HOUR + 60}, "does not fit between"),
    ],
    ids=["no capacity", "no shift", "negative break", "break longer than its window"],
)
def test_a_vehicle_refuses_nonsense(changes: dict[str, Any], rule: str):
    with pytest.raises(InputError, match=rule):
        vehicle(**changes)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"demand_l": np.zeros(3, dtype=np.int64)}, r"expected demand_l of shape \(30,\), got \(3,\)"),
        ({"prize": np.zeros(30)}, "expected prize of int64, got float64"),
        ({"must": np.zeros(30, dtype=np.int64)}, "expected must of bool"),
        ({"service_s": np.full(30, -1, dtype=np.int64)}, "expected service_s >= 0 everywhere, got -1"),
        ({"stop_ids": ("COR-0001",) * 30}, "expected every stop once"),
        ({"distance_m": np.zeros((2, 2), dtype=np.int64)}, "expected distance_m of shape"),
        ({"duration_s": np.ones((32, 32), dtype=np.int64)}, "expected duration_s 0 from a place to itself"),
        ({"vehicles": ()}, "at least one vehicle"),
        ({"vehicles": (vehicle(), vehicle())}, "expected every vehicle once"),
        ({"vehicles": (vehicle(depot=99),)}, r"expected locations in 0..31, got \[99\]"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_a_problem_refuses_nonsense(changes: dict[str, Any], rule: str):
    with pytest.raises(InputError, match=rule):
        day(**changes)


def test_a_disposal_site_and_prices_refuse_nonsense():
    with pytest.raises(InputError, match="expected unload_s >= 0, got -1"):
        DayDisposal(place_id="EXUTOIRE-1", location=0, unload_s=-1)
    with pytest.raises(InputError, match="expected per_metre >= 0"):
        Prices(per_metre=-1, per_second=0, per_vehicle=0)


def test_a_problem_cannot_be_changed():
    problem = day()
    with pytest.raises(ValueError, match="read-only"):
        problem.demand_l[0] = 1
