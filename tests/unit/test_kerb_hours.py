"""Hours as by-laws write them and as OpenStreetMap does: read as meant, or refused with what is not understood."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import InputError
from storage.kerb.french_hours import parse_french_hours
from storage.kerb.opening_hours import parse_opening_hours
from storage.kerb.spans import Span, rules_of
from storage.kerb.timetable import Timetable
from storage.kerb.words import rule_in_words
from storage.model import HolidayUse, Rule
from storage.place_files.cds_hours import parse_cds_hours
from storage.place_files.lines import hours_of

PARIS = ZoneInfo("Europe/Paris")
WEEK = (1, 2, 3, 4, 5, 6, 7)
MO_SA = (1, 2, 3, 4, 5, 6)
MO_FR = (1, 2, 3, 4, 5)


def told(spans: tuple[Span, ...]) -> list[tuple[tuple[int, ...], str, str]]:
    return [(span.days, f"{span.starts:%H:%M}-{span.ends:%H:%M}", span.holidays.value) for span in spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("06:00-10:00", [(WEEK, "06:00-10:00", "as_usual")]),
        (
            "du lundi au samedi de 7h à 10h et de 16h30 à 19h, sauf jours fériés",
            [(MO_SA, "07:00-10:00", "except"), (MO_SA, "16:30-19:00", "except")],
        ),
        (
            "de 7h00 à 10h00 et 16 h 30 \u2013 19 h du lundi au samedi sauf les jours fériés",
            [(MO_SA, "07:00-10:00", "except"), (MO_SA, "16:30-19:00", "except")],
        ),
        ("Du mardi au samedi", [((2, 3, 4, 5, 6), "00:00-00:00", "as_usual")]),
        ("24h/24 7j/7", [(WEEK, "00:00-00:00", "as_usual")]),
        ("Permanent", [(WEEK, "00:00-00:00", "as_usual")]),
        ("lundi, mercredi et vendredi de 8 h à 12 h", [((1, 3, 5), "08:00-12:00", "as_usual")]),
        (
            "du lundi au vendredi 8h-12h et samedi 9h-11h",
            [(MO_FR, "08:00-12:00", "as_usual"), ((6,), "09:00-11:00", "as_usual")],
        ),
        (
            "lun-ven 07:00-19:00 ; sam. 07:00-midi",
            [(MO_FR, "07:00-19:00", "as_usual"), ((6,), "07:00-12:00", "as_usual")],
        ),
        ("8h à midi, sauf dimanche et jours fériés", [(MO_SA, "08:00-12:00", "except")]),
        ("tous les jours sauf le dimanche, entre 7h et 20h", [(MO_SA, "07:00-20:00", "as_usual")]),
        ("jours ouvrables 7h/20h", [(MO_SA, "07:00-20:00", "as_usual")]),
        ("tous les jours y compris jours fériés 6h-11h", [(WEEK, "06:00-11:00", "also")]),
        ("le week-end de 9h à 12h", [((6, 7), "09:00-12:00", "as_usual")]),
        ("de 22h à minuit", [(WEEK, "22:00-00:00", "as_usual")]),
        ("22h à 6h", [(WEEK, "22:00-06:00", "as_usual")]),
    ],
)
def test_french_hours_are_read_as_meant(text: str, expected: list[object]):
    assert told(parse_french_hours(text)) == expected


def test_french_seasons_are_read():
    (summer,) = parse_french_hours("du 15 juin au 1er septembre, de 6h à 11h")
    assert (summer.season_from, summer.season_until, summer.starts) == ("06-15", "09-01", time(6))
    (months,) = parse_french_hours("de juin à février, 7 h 30 - 11 h")
    assert (months.season_from, months.season_until) == ("06-01", "02-29")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("selon affichage", "cannot be read from 'selon affichage'"),
        ("7h à 10h sauf marché", "from 'sauf marche'"),
        ("de 25h à 26h", "no clock shows"),
        ("du 31 juin au 15 septembre 6h-11h", "juin has no day 31"),
        ("  ", "expected hours"),
        ("et", "neither days nor hours"),
    ],
)
def test_what_is_not_understood_in_french_is_refused(text: str, complaint: str):
    with pytest.raises(InputError, match=complaint):
        parse_french_hours(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24/7", [(WEEK, "00:00-00:00", "as_usual")]),
        ("Mo-Sa 07:00-19:00", [(MO_SA, "07:00-19:00", "as_usual")]),
        (
            "Mo-Fr 08:00-12:00,13:00-17:30; Sa 08:00-12:00; PH off",
            [(MO_FR, "08:00-12:00", "except"), (MO_FR, "13:00-17:30", "except"), ((6,), "08:00-12:00", "except")],
        ),
        ("Mo-Sa,PH 07:00-19:00", [(MO_SA, "07:00-19:00", "also")]),
        ("PH 10:00-12:00", [((), "10:00-12:00", "only")]),
        ("Mo-Su 08:00-20:00; PH 10:00-12:00", [(WEEK, "08:00-20:00", "except"), ((), "10:00-12:00", "only")]),
        # What is said later of a day is what holds on it ...
        ("Mo-Fr 08:00-12:00; We 14:00-16:00", [((1, 2, 4, 5), "08:00-12:00", "as_usual"),
                                               ((3,), "14:00-16:00", "as_usual")]),
        ("Mo-Su 08:00-12:00; Su,PH off", [(MO_SA, "08:00-12:00", "except")]),
        # ... and after a comma it is added.
        ("Mo-Fr 08:00-12:00, We 14:00-16:00", [(MO_FR, "08:00-12:00", "as_usual"), ((3,), "14:00-16:00", "as_usual")]),
        ("Fr-Mo 22:00-26:00", [((1, 5, 6, 7), "22:00-02:00", "as_usual")]),
        ("Mo 00:00-24:00", [((1,), "00:00-00:00", "as_usual")]),
        ('Mo-Sa 08:00-19:00 "sauf marché"', [(MO_SA, "08:00-19:00", "as_usual")]),
    ],
)  # fmt: skip
def test_opening_hours_are_read_as_specified(text: str, expected: list[object]):
    assert told(parse_opening_hours(text)) == expected


def test_hours_of_a_season_replace_those_of_the_year_in_it():
    spans = parse_opening_hours("Mo-Fr 08:00-12:00; Jul-Aug Mo-Fr 09:00-10:00; Dec 24-Jan 02 off")
    timetable = Timetable(rules_of(spans, Rule()), zone=PARIS, commune_insee="93051")

    def holds(month: int, day: int, hour: int) -> bool:
        return timetable.at(datetime(2026, month, day, hour, 30, tzinfo=PARIS).astimezone(UTC)).rule is not None

    assert [holds(6, 30, hour) for hour in (8, 9, 11)] == [True, True, True]
    assert [holds(7, 1, hour) for hour in (8, 9, 11)] == [False, True, False]
    assert [holds(12, day, 9) for day in (23, 24, 31)] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Mo[1] 08:00-10:00", "nth weekday"),
        ("sunrise-sunset", "sun's hours"),
        ("SH Mo-Fr 08:00-12:00", "school holidays"),
        ("week 1-10 Mo 08:00-10:00", "weeks of the year"),
        ("2026 Mo 08:00-10:00", "years"),
        ("Mo 08:00+", "hours without an end"),
        ("Mo 08:00-10:00 || Tu", "fallback"),
        ("Mo 25:00-26:00", "no clock shows"),
        ("Feb 30 off", "Feb has no day 30"),
        ("Jul-Aug off", "only when nothing holds"),
        ("Mo-Fr 8h-10h", "cannot be read from"),
        ("Mo 08:00-10:00 off", "hours that are off"),
        ("", "expected opening hours"),
    ],
)
def test_what_is_not_understood_of_opening_hours_is_refused(text: str, complaint: str):
    with pytest.raises(InputError, match=complaint):
        parse_opening_hours(text)


def test_both_forms_of_time_spans_are_read_and_what_else_they_say_is_refused():
    own = '[{"days_of_week":["mon","tue"],"times_of_day":[["08:00","12:00"],["14:00","24:00"]]}]'
    assert told(parse_cds_hours(own)) == [((1, 2), "08:00-12:00", "as_usual"), ((1, 2), "14:00-00:00", "as_usual")]
    curb = '[{"days_of_week":["sat"],"time_of_day_start":"08:00","time_of_day_end":"12:00"}]'
    assert told(parse_cds_hours(curb)) == [((6,), "08:00-12:00", "as_usual")]
    for wrong in ("[]", "{", '[{"days_of_week":["lundi"]}]', '[{"designated_period":"snow"}]',
                  '[{"times_of_day":[["8"]]}]', '[{"times_of_day":"08:00"}]', "[1]"):  # fmt: skip
        with pytest.raises(InputError):
            parse_cds_hours(wrong)


@given(st.text(max_size=60))
def test_no_text_breaks_a_reader(text: str):
    for read in (parse_french_hours, parse_opening_hours, parse_cds_hours, hours_of):
        try:
            spans = read(text)
        except InputError:
            continue
        assert spans


clock_times = st.times().map(lambda value: value.replace(minute=value.minute // 15 * 15, second=0, microsecond=0))


@given(
    days=st.sets(st.integers(1, 7), min_size=1),
    starts=clock_times,
    ends=clock_times,
    holidays=st.sampled_from([HolidayUse.AS_USUAL, HolidayUse.EXCEPT]),
)
def test_what_is_told_in_words_is_read_back(days: set[int], starts: time, ends: time, holidays: HolidayUse):
    rule = Rule(days=tuple(sorted(days)), starts=starts, ends=ends, holidays=holidays)
    words = rule_in_words(rule).removeprefix("Livraisons, ")
    (span,) = parse_french_hours(words)
    expected = Span(days=rule.days, starts=starts, ends=ends, holidays=holidays)
    # From midnight to midnight is said as a whole day, and from any other hour to itself as hours.
    assert span == expected
