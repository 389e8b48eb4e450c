"""Reasons: each bin has one, it is the right one, and its figures can be recomputed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from optimise.rounds.engines.schedule import solution_of
from optimise.rounds.explain import ExplainOptions, cut_off, left_out_reasons, no_forecast, served_reasons
from optimise.rounds.policy import Decision, Outlook
from optimise.rounds.problem import EURO, Problem, Window
from optimise.rounds.solution import Solution, VisitKind
from optimise.rounds.travel import Cutoff
from storage.errors import InputError
from storage.model import FillForecast, Reason
from tests.unit.rounds_samples import HOUR, day, vehicle

AT = datetime(2026, 3, 10, 8, tzinfo=UTC)


def line(**changes: object) -> Problem:
    """A depot, a site and four bins on a line, 100 s and 1000 m apart; bins 0 and 1 are served by `rounds`."""
    gaps = np.abs(np.arange(6)[:, None] - np.arange(6)[None, :])
    values = {
        "demand_l": np.array([400, 400, 100, 100], dtype=np.int64),
        "prize": np.array([9, 9, 9, 9], dtype=np.int64) * EURO,
        "vehicles": (vehicle(),),
        "duration_s": gaps * 100,
        "distance_m": gaps * 1000,
    }
    return day(bins=4, **(values | changes))


def rounds(problem: Problem) -> Solution:
    """Depot 0, bins 0 and 1 (rows 2 and 3), the site (row 1), home."""
    steps = [(VisitKind.STOP, 0), (VisitKind.STOP, 1), (VisitKind.DISPOSAL, 0)]
    return solution_of(problem, [(0, steps)], engine="by hand")


def decisions(problem: Problem, *, full: float = 0.1, then: float = 0.6) -> list[Decision]:
    def forecast(place_id: str, hours: int, probability: float) -> FillForecast:
        return FillForecast(
            place_id=place_id, valid_at=AT + timedelta(hours=hours),
            p05=0.1, p10=0.2, p50=0.4, p90=0.6, p95=0.7, probability_full=probability,
        )  # fmt: skip

    return [
        Decision(
            outlook=Outlook(
                place_id=place_id,
                volume_l=80,
                at_service=forecast(place_id, 0, full),
                at_next=forecast(place_id, 24, then),
            ),
            demand_l=int(demand_l),
            prize=int(prize),
            must=False,
        )
        for place_id, demand_l, prize in zip(problem.stop_ids, problem.demand_l, problem.prize, strict=True)
    ]


def served(problem: Problem, **forecast: float) -> dict[int, Reason]:
    return served_reasons(problem, rounds(problem), decisions(problem, **forecast), options=ExplainOptions())


def left(problem: Problem) -> dict[int, Reason]:
    return left_out_reasons(problem, rounds(problem), decisions(problem))


@pytest.mark.parametrize(
    ("full", "then", "codes"),
    [
        (0.7, 0.9, ["full_today", "full_today"]),
        (0.1, 0.6, ["overflow_risk", "overflow_risk"]),
        # Bin 0 lies on the way out and adds nothing; bin 1 lies 2 km farther out and back.
        (0.0, 0.1, ["on_the_way", "overflow_risk"]),
    ],
)
def test_why_a_bin_is_served(full: float, then: float, codes: list[str]):
    found = served(line(), full=full, then=then)
    assert [found[stop].code for stop in (0, 1)] == codes
    assert [found[stop].figures["detour_m"] for stop in (0, 1)] == [0, 2000]


def test_an_imposed_bin_says_so():
    found = served(line(must=np.array([True, False, False, False])), full=0.9)
    assert [found[stop].code for stop in (0, 1)] == ["must", "full_today"]


def test_a_bin_that_does_not_pay_its_detour_tells_it():
    # Bin 2 is a kilometre past bin 1: two more kilometres and 240 s, 3 + 3 euros.
    found = left(line(prize=np.array([9, 9, 5, 5], dtype=np.int64) * EURO))
    assert found[2].code == "not_worth_it"
    assert found[2].figures["detour_m"] == 2000
    assert found[2].figures["detour_s"] == 240
    assert found[2].figures["detour_eur"] == 6.0
    assert "2,0\N{NO-BREAK SPACE}km de détour" in found[2].text
    assert "60\N{NO-BREAK SPACE}%" in found[2].text


def test_a_bin_that_would_pay_but_finds_no_room_is_left_for_capacity():
    found = left(line(demand_l=np.array([450, 450, 200, 1200], dtype=np.int64), prize=np.full(4, 20 * EURO)))
    assert [found[stop].code for stop in (2, 3)] == ["capacity", "capacity"]


def test_a_bin_that_would_pay_but_finds_no_time_is_left_for_the_shift():
    busy = vehicle(shift_from_s=6 * HOUR, shift_until_s=6 * HOUR + 1300, break_s=0)
    problem = line(vehicles=(busy,), prize=np.full(4, 20 * EURO))
    assert [found.code for found in left(problem).values()] == ["shift", "shift"]


def test_a_bin_too_far_for_any_shift_is_left_for_the_shift_and_one_too_large_for_capacity():
    short = vehicle(shift_until_s=6 * HOUR + 60, break_s=0)
    problem = line(vehicles=(short,), must=np.array([True, False, False, False]))
    nobody = solution_of(problem, [], engine="by hand")
    assert left_out_reasons(problem, nobody, decisions(problem))[0].code == "shift"
    large = line(demand_l=np.full(4, 2000, dtype=np.int64), must=np.full(4, fill_value=True))
    nobody = solution_of(large, [], engine="by hand")
    assert {found.code for found in left_out_reasons(large, nobody, decisions(large)).values()} == {"capacity"}


def test_on_a_day_without_rounds_the_detour_is_a_round_of_its_own():
    problem = line()
    nobody = solution_of(problem, [], engine="by hand")
    found = left_out_reasons(problem, nobody, decisions(problem))
    assert {reason.code for reason in found.values()} == {"not_worth_it"}
    assert [found[stop].figures["detour_m"] for stop in range(4)] == [4000, 6000, 8000, 10_000]


def test_bins_kept_out_of_the_problem_have_their_reasons():
    assert no_forecast().code == "no_forecast"
    assert cut_off(Cutoff.NO_WAY, snap_m=3).code == "unreachable"
    assert "205\N{NO-BREAK SPACE}m" in cut_off(Cutoff.FAR_FROM_STREETS, snap_m=205.4).text


def test_certainty_is_never_claimed():
    found = served(line(), full=0.9999, then=1.0)
    assert "plus de 99\N{NO-BREAK SPACE}%" in found[0].text
    problem = line()
    small = [
        replace(d, outlook=replace(d.outlook, at_next=replace(d.outlook.at_next, probability_full=0.001)))
        for d in decisions(problem)
    ]
    assert "moins de 1\N{NO-BREAK SPACE}%" in left_out_reasons(problem, rounds(problem), small)[2].text


def test_thresholds_refuse_nonsense():
    with pytest.raises(InputError, match=r"expected risk_probability in \(0, 1\], got 0"):
        ExplainOptions(risk_probability=0)


EARLY = (Window(from_s=6 * HOUR, until_s=6 * HOUR + 60),)


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"crew": np.array([1, 1, 2, 1])}, "access", "il faut 2 agents"),
        ({"max_width_cm": np.array([0, 0, 180, 0]), "vehicles": (vehicle(width_cm=210),)}, "access",
         "largeur limitée à 1,80\N{NO-BREAK SPACE}m"),
        ({"windows": ((), (), EARLY, ())}, "window", "06h00-06h01"),
        ({"must_not": np.array([False, False, True, False])}, "must_not", "consigne"),
        ({"vehicles": (vehicle(range_m=6_000),)}, "range", "autonomie"),
        ({"vehicles": (vehicle(capacity_kg=20),), "demand_kg": np.full(4, 10)}, "capacity", "Plus de place"),
    ],
    ids=["crew", "width", "window", "left on order", "range", "weight"],
)  # fmt: skip
def test_a_bin_that_would_pay_tells_the_rule_that_bars_it(changes: dict[str, object], code: str, said: str):
    found = left(line(prize=np.full(4, 20 * EURO), **changes))
    assert found[2].code == code
    assert said in found[2].text
    assert found[2].figures["detour_m"] == 2000


def test_a_served_bin_tells_the_hours_and_the_crew_that_it_asked_for():
    hours = (Window(from_s=6 * HOUR, until_s=10 * HOUR),)
    found = served(line(windows=(hours, (), (), ()), crew=np.array([1, 2, 1, 1]), vehicles=(vehicle(crew=2),)))
    assert "Heures d'accès : 06h00-10h00." in found[0].text
    assert "il faut 2 agents" in found[1].text
