"""The state of a place by its rules: properties over every rule and moment, and the days on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.kerb.at_once import AtOnce
from storage.kerb.french_holidays import easter_sunday, holidays_of, is_holiday
from storage.kerb.rule_sets import rule_set_id, rules_as_json, rules_from_json
from storage.kerb.standing import NEAR_LIMIT_S, Known, Standing, known_at, overstay_s, stand
from storage.kerb.timetable import Timetable
from storage.kerb.words import duration, rule_in_words, standing_in_words
from storage.model import SENSOR_SILENT_AFTER, BayState, HolidayUse, Rule, RuleUse, VehicleClass

PARIS = ZoneInfo("Europe/Paris")
ALL_DAYS = (1, 2, 3, 4, 5, 6, 7)
TUESDAY_11 = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)  # 11:00 in Paris
ROUND_THE_CLOCK = {"days": ALL_DAYS, "starts": time(0), "ends": time(0)}


def rule(**changes: object) -> Rule:
    usual: dict[str, object] = {
        "days": (1, 2, 3, 4, 5, 6), "starts": time(7), "ends": time(20), "max_stay_s": 1800, "grace_s": 300,
    }  # fmt: skip
    return Rule(**(usual | changes))  # type: ignore[arg-type]


def timetable(*rules: Rule, commune_insee: str = "93051") -> Timetable:
    return Timetable(rules, zone=PARIS, commune_insee=commune_insee)


def judge(*rules: Rule, now: datetime, since: datetime | None) -> Standing:
    """Judge a place that is occupied since `since`, free when that is None."""
    return stand(Known(occupied=since is not None, since=since), timetable=timetable(*rules), now=now)


def local(*when: int, fold: int = 0) -> datetime:
    return datetime(*when, tzinfo=PARIS, fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("stay", "state"),
    [
        (timedelta(0), BayState.WITHIN_LIMIT),
        (timedelta(seconds=1800 - NEAR_LIMIT_S - 1), BayState.WITHIN_LIMIT),
        (timedelta(seconds=1800 - NEAR_LIMIT_S), BayState.NEAR_LIMIT),
        (timedelta(seconds=1800), BayState.NEAR_LIMIT),  # grace begins
        (timedelta(seconds=2100) - timedelta(microseconds=1), BayState.NEAR_LIMIT),
        (timedelta(seconds=2100), BayState.OVER_LIMIT),  # exactly limit and grace
        (timedelta(hours=3), BayState.OVER_LIMIT),
    ],
)
def test_a_stay_goes_through_its_states(stay: timedelta, state: BayState):
    judged = judge(rule(), now=TUESDAY_11, since=TUESDAY_11 - stay)
    assert judged.state is state
    assert judged.remaining_s == max(0.0, 1800 - stay.total_seconds())
    assert judged.overstay_s == (stay.total_seconds() - 1800 if state is BayState.OVER_LIMIT else None)
    assert judged.limit_at == TUESDAY_11 - stay + timedelta(seconds=1800)
    if state is BayState.OVER_LIMIT:
        assert judged.since == TUESDAY_11 - stay + timedelta(seconds=2100)


def test_outside_the_hours_no_rule_judges():
    for hour, in_force in ((6, False), (7, True), (19, True), (20, False)):
        now = local(2026, 3, 10, hour)
        judged = judge(rule(), now=now, since=now - timedelta(hours=5))
        assert (judged.state is not BayState.RULE_NOT_IN_FORCE) is in_force
    sunday = local(2026, 3, 15, 11)
    judged = judge(rule(), now=sunday, since=sunday - timedelta(hours=5))
    assert (judged.state, judged.occupied, judged.overstay_s) == (BayState.RULE_NOT_IN_FORCE, True, None)
    assert (judged.since, judged.rule_until) == (local(2026, 3, 14, 20), local(2026, 3, 16, 7))


def test_a_place_without_rules_is_ruled_by_none_since_nobody_knows_when():
    judged = judge(now=TUESDAY_11, since=TUESDAY_11 - timedelta(hours=5))
    assert (judged.state, judged.since, judged.rule_until) == (BayState.RULE_NOT_IN_FORCE, None, None)


def test_who_came_before_the_hours_is_counted_from_their_start():
    now = local(2026, 3, 10, 7, 10)
    judged = judge(rule(), now=now, since=now - timedelta(hours=9))
    assert (judged.state, judged.remaining_s) == (BayState.WITHIN_LIMIT, 1200)
    assert judged.counted_since == now - timedelta(minutes=10)


def test_a_limit_after_the_end_of_the_hours_is_none():
    now = local(2026, 3, 10, 19, 59)
    judged = judge(rule(), now=now, since=now - timedelta(minutes=10))
    assert (judged.state, judged.remaining_s) == (BayState.WITHIN_LIMIT, None)


def test_a_night_rule_belongs_to_the_day_it_starts_on():
    saturday_night = rule(days=(6,), starts=time(22), ends=time(4))
    for day, hour, in_force in (
        (14, 23, True),  # Saturday night
        (15, 3, True),  # Sunday, before dawn
        (15, 4, False),
        (14, 3, False),  # Saturday, before dawn: that night started on Friday
    ):
        judged = judge(saturday_night, now=local(2026, 3, day, hour), since=None)
        assert (judged.state is BayState.FREE) is in_force


def test_a_rule_of_day_and_night_counts_over_midnight():
    now = local(2026, 3, 10, 0, 20)
    judged = judge(rule(**ROUND_THE_CLOCK), now=now, since=now - timedelta(minutes=40))
    assert (judged.state, judged.overstay_s, judged.rule_until) == (BayState.OVER_LIMIT, 600, None)


@pytest.mark.parametrize(
    ("noon", "real_hours"),
    [
        ((2026, 3, 29, 12), 23),  # clocks go forward at 2:00
        ((2026, 10, 25, 12), 25),  # and back at 3:00
        ((2026, 3, 28, 12), 24),
    ],
)
def test_a_day_lasts_as_long_as_it_really_does(noon: tuple[int, ...], real_hours: int):
    moment = local(*noon)
    whole_day = rule(days=(moment.astimezone(PARIS).isoweekday(),), starts=time(0), ends=time(0))
    stretch = timetable(whole_day).at(moment)
    assert stretch.ends_at - stretch.starts_at == timedelta(hours=real_hours)


def test_a_stay_over_the_change_of_clocks_lasts_real_seconds():
    # 01:50 to 03:10 on the wall clock of the spring change is 20 minutes.
    judged = judge(rule(**ROUND_THE_CLOCK), now=local(2026, 3, 29, 3, 10), since=local(2026, 3, 29, 1, 50))
    assert (judged.state, judged.remaining_s) == (BayState.WITHIN_LIMIT, 600)
    # 02:50 to 02:10 of the autumn change, the second time round, is 20 minutes as well.
    now = local(2026, 10, 25, 2, 10, fold=1)
    judged = judge(rule(**ROUND_THE_CLOCK), now=now, since=local(2026, 10, 25, 2, 50))
    assert judged.remaining_s == 600


def test_hours_that_the_clock_skips_are_none_and_those_it_shows_twice_begin_once():
    night = rule(days=ALL_DAYS, starts=time(2, 15), ends=time(2, 45))
    skipped = timetable(night).at(local(2026, 3, 29, 3, 20))
    assert skipped.rule == night  # 2:15 is 3:15 by the new clock
    assert skipped.ends_at == local(2026, 3, 29, 3, 45)
    assert timetable(night).at(local(2026, 10, 25, 2, 30)).rule == night
    assert timetable(night).at(local(2026, 10, 25, 2, 30, fold=1)).rule is None


def test_the_highest_priority_holds_and_of_equals_the_first():
    market = rule(
        days=(2,), starts=time(6), ends=time(14), use=RuleUse.NO_STOPPING, max_stay_s=0, grace_s=0, priority=5
    )
    zone = rule(max_stay_s=3600)
    market_time = timetable(rule(), zone, market).at(TUESDAY_11)
    assert (market_time.rule, market_time.ends_at) == (market, local(2026, 3, 10, 14))
    afternoon = timetable(rule(), zone, market).at(local(2026, 3, 10, 15))
    assert (afternoon.rule, afternoon.starts_at) == (rule(), local(2026, 3, 10, 14))


def test_who_may_not_stop_is_over_at_once_and_after_the_grace():
    market = rule(use=RuleUse.NO_STOPPING, max_stay_s=0, grace_s=120)
    for stay_s, state in ((60, BayState.NEAR_LIMIT), (120, BayState.OVER_LIMIT)):
        judged = judge(market, now=TUESDAY_11, since=TUESDAY_11 - timedelta(seconds=stay_s))
        assert (judged.state, judged.remaining_s) == (state, 0)


def test_what_is_unrestricted_for_a_time_lifts_the_rules_below():
    pause = Rule(use=RuleUse.UNRESTRICTED, starts=time(10), ends=time(12), priority=1)
    assert judge(rule(), pause, now=TUESDAY_11, since=None).state is BayState.RULE_NOT_IN_FORCE
    after = local(2026, 3, 10, 12, 20)
    judged = judge(rule(), pause, now=after, since=after - timedelta(hours=2))
    assert judged.counted_since == local(2026, 3, 10, 12)


def test_a_limit_runs_on_where_one_rule_follows_another():
    """Big lorries until ten, small ones after: a stay from 9:30 is over at 10:10, whoever may stand there now."""
    morning = rule(starts=time(6), ends=time(10), max_mass_t=19.0)
    day = rule(starts=time(10), ends=time(19), max_mass_t=3.5)
    judged = judge(morning, day, now=local(2026, 3, 10, 10, 10), since=local(2026, 3, 10, 9, 30))
    assert (judged.state, judged.rule, judged.overstay_s) == (BayState.OVER_LIMIT, day, 600)


def test_public_holidays_seasons_and_lives_bound_a_rule():
    easter_monday, all_saints = local(2026, 4, 6, 11), local(2026, 11, 1, 11)
    for holidays, on_easter_monday, on_all_saints in (
        (HolidayUse.AS_USUAL, True, False),  # a Monday and a Sunday
        (HolidayUse.EXCEPT, False, False),
        (HolidayUse.ONLY, True, True),
        (HolidayUse.ALSO, True, True),
    ):
        one = timetable(rule(holidays=holidays))
        assert (one.at(easter_monday).rule is not None) is on_easter_monday, holidays
        assert (one.at(all_saints).rule is not None) is on_all_saints, holidays
    winter = timetable(rule(season_from="11-15", season_until="02-28"))
    assert [winter.at(local(2026, *day, 11)).rule is not None for day in ((1, 5), (3, 3), (11, 16))] == [
        True, False, True,
    ]  # fmt: skip
    life = timetable(rule(valid_from=date(2026, 3, 10), valid_until=date(2026, 3, 10)))
    assert [life.at(local(2026, 3, day, 11)).rule is not None for day in (9, 10, 11)] == [False, True, False]


def test_holidays_are_those_of_the_law_and_of_the_department():
    assert [easter_sunday(year) for year in (2000, 2024, 2025, 2026, 2038)] == [
        date(2000, 4, 23), date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25),
    ]  # fmt: skip
    days = "1-1 4-6 5-1 5-8 5-14 5-25 7-14 8-15 11-1 11-11 12-25"
    assert sorted(holidays_of(2026)) == [date(2026, *map(int, day.split("-"))) for day in days.split()]
    saint_stephen, good_friday = date(2026, 12, 26), date(2026, 4, 3)
    assert is_holiday(saint_stephen, "67482")
    assert is_holiday(good_friday, "57463")
    assert not is_holiday(saint_stephen, "93051")
    assert is_holiday(date(2026, 12, 20), "97411")


moments = st.integers(1_735_689_600, 1_830_297_600).map(lambda second: datetime.fromtimestamp(second, UTC))  # 2025-2027
clock_times = st.times().map(lambda value: value.replace(second=0, microsecond=0, fold=0))
rules = st.builds(
    Rule,
    days=st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    starts=clock_times,
    ends=clock_times,
    holidays=st.sampled_from(HolidayUse),
    max_stay_s=st.none() | st.integers(1, 86_400),
    grace_s=st.integers(0, 3_600),
    priority=st.integers(-2, 2),
)
layers = st.lists(rules, min_size=1, max_size=3)


@given(given_rules=layers, now=moments, silent_s=st.integers(1, 10**7), occupied=st.booleans())
def test_a_silent_sensor_is_never_free(given_rules: list[Rule], now: datetime, silent_s: int, *, occupied: bool):
    measured_at = now - SENSOR_SILENT_AFTER - timedelta(seconds=silent_s)
    known = known_at(
        now,
        measured_at=measured_at,
        occupied=occupied,
        since=measured_at,
        silent_after_s=SENSOR_SILENT_AFTER.total_seconds(),
    )
    judged = stand(known, timetable=timetable(*given_rules), now=now)
    assert judged.state in {BayState.UNKNOWN, BayState.RULE_NOT_IN_FORCE}
    assert (judged.occupied, judged.remaining_s, judged.overstay_s) == (None, None, None)
    if judged.state is BayState.UNKNOWN:
        assert judged.since == measured_at


@given(given_rules=layers, now=moments, stay_s=st.integers(0, 100_000))
def test_the_figures_agree_with_the_state(given_rules: list[Rule], now: datetime, stay_s: int):
    since = now - timedelta(seconds=stay_s)
    judged = judge(*given_rules, now=now, since=since)
    assert judged.occupied is True
    assert (judged.state is BayState.RULE_NOT_IN_FORCE) is (judged.rule is None)
    assert judged.rule_until is None or judged.rule_until > now
    assert judged.since is None or judged.since <= now
    if judged.state is BayState.OVER_LIMIT:
        assert judged.rule is not None
        assert judged.rule.max_stay_s is not None
        assert judged.overstay_s is not None
        assert judged.rule.grace_s <= judged.overstay_s <= stay_s - judged.rule.max_stay_s
        assert judged.remaining_s == 0
    else:
        assert judged.overstay_s is None
    if judged.remaining_s is not None:
        assert judged.rule is not None
        assert judged.rule.max_stay_s is not None
        assert judged.remaining_s <= judged.rule.max_stay_s


@given(given_rules=layers, now=moments, later_s=st.integers(0, 600))
def test_time_alone_never_ends_an_overstay_within_the_hours(given_rules: list[Rule], now: datetime, later_s: int):
    since = now - timedelta(seconds=90_000)
    before = judge(*given_rules, now=now, since=since)
    later = now + timedelta(seconds=later_s)
    if before.state is BayState.OVER_LIMIT and (before.rule_until is None or later < before.rule_until):
        assert judge(*given_rules, now=later, since=since).state is BayState.OVER_LIMIT


@settings(deadline=None)
@given(given_rules=layers, now=moments)
def test_stretches_cover_all_time_once_and_each_has_the_rule_of_its_moments(given_rules: list[Rule], now: datetime):
    one = timetable(*given_rules)
    alone = [(candidate, timetable(candidate)) for candidate in given_rules]
    until = now + timedelta(days=3)
    stretches = list(one.between(now, until))
    assert stretches[0].starts_at <= now
    assert stretches[-1].ends_at >= until
    for earlier, later in pairwise(stretches):
        assert earlier.ends_at == later.starts_at or earlier.rule == later.rule
    for step in range(12):
        moment = now + timedelta(hours=6 * step + step / 7)
        held = [candidate for candidate, itself in alone if itself.at(moment).rule is not None]
        highest = max(held, key=lambda candidate: candidate.priority, default=None)
        found = one.at(moment).rule
        assert (found is None) is (highest is None)
        assert found is None or highest is None or found.priority == highest.priority


@given(
    given_rules=st.lists(rules, max_size=3),
    now=moments,
    known=st.tuples(st.none() | st.booleans(), st.none() | st.integers(0, 100_000)),
)
def test_many_places_are_judged_as_single_ones_are(
    given_rules: list[Rule], now: datetime, known: tuple[bool | None, int | None]
):
    occupied, ago_s = known
    since = None if ago_s is None else now - timedelta(seconds=ago_s)
    one = timetable(*given_rules)
    single = stand(Known(occupied=occupied, since=since), timetable=one, now=now)
    assert AtOnce(one, now).judge(occupied=occupied, since=since) == (single.state, single.since, single.limit_at)


def test_an_overstay_of_a_whole_stay_is_what_somebody_would_have_seen():
    one = timetable(rule())
    came = local(2026, 3, 10, 9)
    for minutes, over_s in ((20, 0), (30, 0), (34, 0), (35, 300), (95, 65 * 60)):
        assert overstay_s(one, arrived_at=came, left_at=came + timedelta(minutes=minutes)) == over_s
    # From Monday evening to Tuesday morning: half an hour of each day's hours is allowed.
    assert overstay_s(one, arrived_at=local(2026, 3, 9, 19), left_at=local(2026, 3, 10, 8)) == 2 * 1800
    assert overstay_s(one, arrived_at=local(2026, 3, 15, 9), left_at=local(2026, 3, 15, 19)) is None


@given(given_rules=layers, came=moments, stay_s=st.integers(1, 200_000))
def test_an_overstay_of_a_whole_stay_agrees_with_its_last_moment(given_rules: list[Rule], came: datetime, stay_s: int):
    left = came + timedelta(seconds=stay_s)
    total = overstay_s(timetable(*given_rules), arrived_at=came, left_at=left)
    last = judge(*given_rules, now=left - timedelta(microseconds=1), since=came)
    assert total is None or 0 <= total <= stay_s
    if last.state is BayState.OVER_LIMIT:
        assert total is not None
        assert total > 0


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            rule(holidays=HolidayUse.EXCEPT),
            "Livraisons, 30 min au plus (tolérance 5 min), du lundi au samedi de 7 h à 20 h, sauf jours fériés",
        ),
        (Rule(max_stay_s=5400), "Livraisons, 1 h 30 au plus, tous les jours jour et nuit"),
        (
            Rule(days=(2, 4), starts=time(16, 30), holidays=HolidayUse.ALSO, max_mass_t=3.5),
            "Livraisons, 3,5 t au plus, le mardi et le jeudi et jours fériés de 16 h 30 à 24 h",
        ),
        (
            Rule(use=RuleUse.RESERVED, vehicle_classes=(VehicleClass.TAXI,), season_from="06-01", season_until="09-15"),
            "Emplacement réservé, taxis, tous les jours jour et nuit, du 1er juin au 15 septembre",
        ),
        (
            Rule(use=RuleUse.NO_STOPPING, max_stay_s=0, days=(), holidays=HolidayUse.ONLY, ends=time(14)),
            "Arrêt et stationnement interdits, les jours fériés de 0 h à 14 h",
        ),
        (Rule(days=(1, 5, 6, 7), valid_until=date(2026, 5, 1)),
         "Livraisons, du vendredi au lundi jour et nuit, jusqu'au 01/05/2026"),
    ],
)  # fmt: skip
def test_rules_are_told_as_people_say_them(one: Rule, words: str):
    assert rule_in_words(one) == words


@pytest.mark.parametrize(
    ("stay_s", "words"),
    [
        (None, "Libre depuis 2 h 05"),
        (600, "Occupé, reste 20 min"),
        (1900, "Durée atteinte, tolérance en cours"),
        (7500, "En dépassement de 1 h 35"),
    ],
)
def test_states_are_told_as_people_say_them(stay_s: int | None, words: str):
    since = TUESDAY_11 - timedelta(seconds=7500 if stay_s is None else stay_s)
    known = Known(occupied=stay_s is not None, since=since)
    judged = stand(known, timetable=timetable(rule()), now=TUESDAY_11)
    assert standing_in_words(judged, now=TUESDAY_11, zone=PARIS) == words


def test_durations_are_short():
    assert [duration(s) for s in (0, 59, 60, 3599, 3600, 7260, 86400, 100000)] == [
        "0 s", "59 s", "1 min", "59 min", "1 h", "2 h 01", "1 j", "1 j 3 h",
    ]  # fmt: skip


@given(given_rules=layers)
def test_rules_survive_being_stored_and_equal_ones_have_one_name(given_rules: list[Rule]):
    again = rules_from_json(rules_as_json(given_rules))
    assert again == tuple(given_rules)
    assert rule_set_id(again) == rule_set_id(given_rules)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"days": (0,)}, r"days within 1\.\.7"),
        ({"days": (2, 1)}, "days in order"),
        ({"days": ()}, "some days"),
        ({"season_from": "06-01"}, "both ends of a season"),
        ({"season_from": "06-32", "season_until": "07-01"}, "MM-DD"),
        ({"valid_from": date(2026, 2, 1), "valid_until": date(2026, 1, 1)}, "valid_until not before"),
        ({"max_stay_s": 0}, "max_stay_s > 0"),
        ({"use": RuleUse.NO_STOPPING}, "max_stay_s = 0"),
        ({"use": RuleUse.UNRESTRICTED}, "no max_stay_s"),
        ({"grace_s": -1}, "grace_s"),
        ({"priority": 5000}, "priority"),
        ({"max_mass_t": 0}, "max_mass_t"),
    ],
)
def test_rules_refuse_nonsense(wrong: dict[str, object], complaint: str):
    with pytest.raises(ValueError, match=complaint):
        rule(**wrong)
