"""What a check is worth: the chance on arrival times its severity, minus the walk."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.kerb.standing import Known, stand
from storage.kerb.stay_law import EDGES_S, StayLaw
from storage.kerb.timetable import Timetable
from storage.kerb.worth import Rater, Suspicion, WorthOptions, foresee, trust
from storage.model import BayState, CheckReason, Rule, RuleUse

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
DELIVERY = Rule(max_stay_s=1800, grace_s=300)
BAY = Timetable([DELIVERY], zone=PARIS)
LAW, OPTIONS = StayLaw(), WorthOptions()


def worth(timetable: Timetable = BAY, *, minutes: float, walk_s: float = 0.0, right: float = 1.0):
    suspicion = Suspicion(since=NOW - timedelta(minutes=minutes), timetable=timetable, right=right, law=LAW)
    return foresee(suspicion, now=NOW, walk_s=walk_s, options=OPTIONS)


@given(minutes=st.floats(0, 2000), walk_s=st.floats(0, 3600), right=st.floats(0.01, 1))
def test_it_is_what_the_page_says(minutes: float, walk_s: float, right: float):
    found = worth(minutes=minutes, walk_s=walk_s, right=right)
    then = stand(
        Known(occupied=True, since=NOW - timedelta(minutes=minutes)),
        timetable=BAY,
        now=NOW + timedelta(seconds=walk_s),
    )
    assert (found is not None) == (then.state is BayState.OVER_LIMIT)
    if found is not None:
        assert found.worth_min == pytest.approx(found.chance * found.severity_min - walk_s / 60)
        assert 0 < found.chance <= right
        assert 10 <= found.severity_min <= 20
        assert found.reason is (CheckReason.OVER_LIMIT if found.over_since <= NOW else CheckReason.SOON_OVER)


def test_the_longer_the_walk_the_less_it_is_worth():
    values = [worth(minutes=60, walk_s=walk_s) for walk_s in (0, 60, 300, 900)]
    assert all(a and b and a.worth_min > b.worth_min and a.chance > b.chance for a, b in pairwise(values))


def test_a_rule_that_ends_before_the_arrival_leaves_nothing_to_check():
    until_noon = Timetable([Rule(starts=time(7), ends=time(11, 5), max_stay_s=1200)], zone=PARIS)  # it is 11:00
    assert worth(until_noon, minutes=60) is not None
    assert worth(until_noon, minutes=60, walk_s=301) is None


def test_where_nobody_may_stop_it_is_worth_more_and_at_once():
    market = Timetable([Rule(use=RuleUse.NO_STOPPING, max_stay_s=0)], zone=PARIS)
    found, delivery = worth(market, minutes=1), worth(minutes=36)
    assert found is not None
    assert delivery is not None
    assert found.reason is CheckReason.NO_STOPPING
    assert found.severity_min > delivery.severity_min


@given(
    counts=st.lists(st.integers(0, 10_000), min_size=13, max_size=13),
    ages=st.tuples(st.floats(0, 2e5), st.floats(0, 2e4), st.floats(0, 2e4)),
)
def test_a_law_of_stays_is_one(counts: list[int], ages: tuple[float, float, float]):
    law = StayLaw(counts)
    age_s, first_s, then_s = ages
    assert 0 < law.longer(age_s) <= 1
    assert law.longer(age_s + first_s) <= law.longer(age_s)
    together = law.stays(age_s=age_s, for_s=first_s + then_s)
    assert together == pytest.approx(
        law.stays(age_s=age_s, for_s=first_s) * law.stays(age_s=age_s + first_s, for_s=then_s), rel=1e-6
    )


def test_a_law_of_many_stays_says_what_they_say():
    counts = [0] * 13
    counts[4], counts[8] = 60_000, 40_000  # 20 to 30 min, 90 min to 2 h
    law = StayLaw(counts)
    assert law.longer(EDGES_S[4]) == pytest.approx(0.4, abs=0.001)
    assert law.longer(EDGES_S[8]) == pytest.approx(0.0, abs=0.001)
    assert law.stays(age_s=1800, for_s=1800) == pytest.approx(1.0, abs=0.001)
    with pytest.raises(ValueError, match="13 counts"):
        StayLaw([1, 2])


def test_sensors_are_trusted_by_what_was_found():
    assert trust(right=0, wrong=0) == 0.95
    assert trust(right=0, wrong=3) < trust(right=0, wrong=1) < trust(right=5, wrong=1) < trust(right=50, wrong=1) < 1


def test_options_refuse_nonsense():
    for wrong in ({"walking_m_s": 0.0}, {"detour_factor": 0.9}, {"unjudged_certainty": 1.1}, {"delivery_min": -1.0}):
        with pytest.raises(ValueError, match="expected"):
            WorthOptions(**wrong)


@given(
    minutes=st.floats(0, 3000),
    walk_s=st.floats(0, 4 * 3600),
    right=st.floats(0.01, 1),
    hour=st.integers(0, 23),
    limit_min=st.sampled_from([None, 0, 15, 30, 120]),
)
def test_rating_thousands_is_judging_each(
    minutes: float, walk_s: float, right: float, hour: int, limit_min: int | None
):
    use = RuleUse.NO_STOPPING if limit_min == 0 else RuleUse.DELIVERY
    stay_s = None if limit_min is None else 60 * limit_min
    timetable = Timetable(
        [
            Rule(use=use, starts=time(hour), ends=time((hour + 5) % 24), max_stay_s=stay_s, grace_s=60),
            Rule(starts=time(9), ends=time(12), max_stay_s=900),
        ],
        zone=PARIS,
    )
    suspicion = Suspicion(since=NOW - timedelta(minutes=minutes), timetable=timetable, right=right, law=LAW)
    whole = foresee(suspicion, now=NOW, walk_s=walk_s, options=OPTIONS)
    rated = Rater(timetable, NOW, OPTIONS).worth_min(suspicion.since, walk_s=walk_s, right=right, law=LAW)
    assert rated == (None if whole is None else pytest.approx(whole.worth_min))
