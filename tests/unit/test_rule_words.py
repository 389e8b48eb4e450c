"""Rules in French and in English: both say the same, and whatever changes a rule changes what is said of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.kerb.english_words import rule_in_english
from storage.kerb.words import rule_in_words
from storage.model.kerb import HolidayUse, Rule, RuleUse, VehicleClass

TIMED = [RuleUse.DELIVERY, RuleUse.SHORT_STAY, RuleUse.PARKING, RuleUse.RESERVED]
HALF_HOURS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
FIELDS = {
    "use": st.sampled_from(TIMED),
    "days": st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    "starts": HALF_HOURS,
    "ends": HALF_HOURS,
    "holidays": st.sampled_from(HolidayUse),
    "max_stay_s": st.none() | st.sampled_from([600, 1800, 5400, 7200, 93_600, 172_800]),
    "grace_s": st.sampled_from([0, 300, 600]),
    "vehicle_classes": st.sets(st.sampled_from(VehicleClass)).map(lambda found: tuple(sorted(found))),
    "max_mass_t": st.none() | st.sampled_from([3.5, 7.5, 19.0]),
    "valid_from": st.none() | st.dates(date(2026, 1, 1), date(2026, 6, 30)),
    "valid_until": st.none() | st.dates(date(2026, 7, 1), date(2026, 12, 31)),
}
RULES = st.fixed_dictionaries(FIELDS).map(lambda values: Rule(**values))


@pytest.mark.parametrize(
    ("rule", "english"),
    [
        (
            Rule(days=(1, 2, 3, 4, 5, 6), starts=time(7), ends=time(20), max_stay_s=1800, grace_s=300),
            "Deliveries, 30 min at most (5 min of grace), Monday to Saturday 7:00 to 20:00",
        ),
        (
            Rule(use=RuleUse.NO_STOPPING, days=(1, 5, 6, 7), starts=time(16, 30), max_stay_s=0),
            "No stopping, Friday to Monday 16:30 to 24:00",  # over Sunday
        ),
        (
            Rule(use=RuleUse.PARKING, max_stay_s=5400, holidays=HolidayUse.EXCEPT, max_mass_t=3.5),
            "Parking, 3.5 t at most, 1 h 30 at most, every day, day and night, not on public holidays",
        ),
        (
            Rule(
                use=RuleUse.RESERVED, vehicle_classes=(VehicleClass.TAXI,), days=(2,),
                season_from="06-15", season_until="09-01", valid_from=date(2026, 3, 2), holidays=HolidayUse.ALSO,
            ),
            "Reserved, taxis, Tuesday and public holidays, day and night, 15 June to 1 September, from 2 March 2026",
        ),
        (
            Rule(days=(), holidays=HolidayUse.ONLY, starts=time(9), ends=time(12)),
            "Deliveries, public holidays 9:00 to 12:00",
        ),
    ],
)  # fmt: skip
def test_rules_read_as_people_say_them(rule: Rule, english: str):
    assert rule_in_english(rule) == english


@given(rule=RULES, data=st.data(), changed=st.sampled_from(sorted(FIELDS)))
def test_what_changes_a_rule_changes_both_sentences_or_neither(rule: Rule, data: st.DataObject, changed: str):
    other = replace(rule, **{changed: data.draw(FIELDS[changed])})
    french, english = rule_in_words(rule) == rule_in_words(other), rule_in_english(rule) == rule_in_english(other)
    assert french is english
    unsaid = {"grace_s"} if rule.max_stay_s is None else set()  # without a limit there is no grace
    if HolidayUse.ONLY in {rule.holidays, other.holidays}:
        unsaid |= {"days"}
    if changed not in unsaid:
        assert english is (getattr(rule, changed) == getattr(other, changed))


@given(rule=RULES)
def test_english_is_english_and_leaves_no_figure_out(rule: Rule):
    words = rule_in_english(rule)
    assert words.isascii()
    assert not re.search(r"\b(du|au|le|les|de|sauf|tous)\b", words)
    for moment in (rule.starts, rule.ends):
        if (rule.starts, rule.ends) != (time(), time()):
            assert f"{moment.hour or ''}:{moment.minute:02d}" in words or (moment == time() and "24:00" in words)
