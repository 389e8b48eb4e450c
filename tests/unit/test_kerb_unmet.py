"""Who found no place: Erlang's formula as printed, its inverse, and demand that sensors never saw, found again."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest

from optimise.occupancy.unmet import Cell, demands
from storage.kerb.loss import MOST_REFUSED, erlang_b, offered_load
from storage.kerb.usage import DWELL_BOUNDS_S, UsageSums, median_dwell_s, usage_of


@pytest.mark.parametrize(
    ("places", "load", "share"),
    # Tables of the Erlang B formula, as telephone engineers print them.
    [(1, 1.0, 0.5), (2, 1.0, 0.2), (5, 3.0, 0.1101), (5, 5.0, 0.2849), (10, 5.0, 0.0184), (20, 15.0, 0.0456)],
)
def test_erlangs_table(places: int, load: float, share: float):
    found = erlang_b(np.array([load]), np.array([places]))[0]
    assert found == pytest.approx(share, abs=5e-5)
    terms = [load**number / math.factorial(number) for number in range(places + 1)]
    assert found == pytest.approx(terms[-1] / sum(terms), rel=1e-12)


def test_what_was_offered_is_told_by_what_is_carried():
    places = np.array([1, 2, 3, 8, 8])
    load = np.array([0.3, 5.0, 2.5, 0.01, 9.0])
    carried = load * (1 - erlang_b(load, places))
    found, refused = offered_load(carried, places)
    assert found == pytest.approx(load, rel=1e-9)
    assert refused == pytest.approx(erlang_b(load, places), rel=1e-9)
    assert offered_load(np.array([0.0, 1.0, 3.0]), np.array([1, 1, 3]))[1].tolist() == pytest.approx(
        [0.0, MOST_REFUSED, MOST_REFUSED], abs=1e-6
    )


def play(places: int, per_h: float, hours: int, generator: np.random.Generator) -> tuple[int, int, float]:
    """Return who found a place and who did not in a loss system with lognormal dwells, and the seconds occupied."""
    now_s, end_s, taken, refused, occupied_s = 0.0, 3600.0 * hours, 0, 0, 0.0
    leaving: list[float] = []
    while (now_s := now_s + generator.exponential(3600 / per_h)) < end_s:
        while leaving and leaving[0] <= now_s:
            heapq.heappop(leaving)
        if len(leaving) == places:
            refused += 1
            continue
        dwell_s = float(generator.lognormal(math.log(900), 1.0))
        heapq.heappush(leaving, now_s + dwell_s)
        taken += 1
        occupied_s += min(dwell_s, end_s - now_s)
    return taken, refused, occupied_s


@pytest.mark.parametrize(("places", "per_h"), [(1, 1.0), (1, 3.0), (3, 6.0)])
def test_demand_that_nobody_saw_is_found_again_within_its_interval(places: int, per_h: float):
    generator = np.random.default_rng(places * 100 + round(per_h))
    inside, wanted = 0, []
    for _ in range(40):
        taken, refused, occupied_s = play(places, per_h, 80, generator)
        known_s = 3600.0 * 80 * places
        cell = Cell(
            pool="A", day_class="workday", hour=9, place_ids=tuple("ABC"[:places]), known_s=known_s,
            occupied_s=occupied_s, arrivals=taken,
        )  # fmt: skip
        (demand,) = demands([cell])
        estimate = demand.wanted_per_s * demand.refused_share * known_s
        spread = 1.96 * math.sqrt(estimate * (1 + demand.relative_var))
        inside += abs(refused - estimate) <= spread
        wanted.append(demand.wanted_per_s * known_s / 80)
    # 95 of 100 promised: of 40, fewer than 34 come by chance less than once in 200 times.
    assert inside >= 34
    assert np.mean(wanted) == pytest.approx(per_h, rel=0.05)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="expected 0 <= occupied_s <= known_s"):
        Cell(pool="A", day_class="workday", hour=0, place_ids=("A",), known_s=1, occupied_s=2, arrivals=0)
    with pytest.raises(ValueError, match="at least one place"):
        Cell(pool="A", day_class="workday", hour=0, place_ids=(), known_s=1, occupied_s=1, arrivals=0)


def test_figures_of_nothing_known_are_none():
    usage = usage_of(UsageSums(awaited_s=7200))
    assert (usage.offline_h, usage.offline_share) == (2.0, 1.0)
    assert usage.occupied_share is None
    assert usage.turnover_per_day is None
    assert usage.median_dwell_s is None
    assert usage.refused is None


def test_half_of_dwells_are_below_the_median():
    counts = [0] * 13
    assert median_dwell_s(counts) is None
    counts[2], counts[5] = 10, 10
    assert median_dwell_s(counts) == DWELL_BOUNDS_S[2]
    counts[2] = 0
    assert median_dwell_s(counts) == (DWELL_BOUNDS_S[4] + DWELL_BOUNDS_S[5]) / 2
