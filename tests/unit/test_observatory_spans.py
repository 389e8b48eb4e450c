"""Spans make up a period: each day once, by as few of them as there can be."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storage.observatory_spans import RolledFrom, Spans, next_month, season_of, spans_of

DAY = timedelta(days=1)
DAYS = st.dates(date(2023, 11, 1), date(2026, 3, 1))
LONG_AGO = RolledFrom(day=date(2000, 1, 1), month=date(2000, 1, 1))


def days_of(spans: Spans) -> list[date]:
    found = []
    for firsts, end_of in (
        (spans.seasons, lambda day: next_month(next_month(next_month(day)))),
        (spans.months, next_month),
        (spans.parts, lambda day: next_month(day) if day.day == 26 else day + 5 * DAY),
        (spans.days, lambda day: day + DAY),
    ):
        for first in firsts:
            found += [first + number * DAY for number in range((end_of(first) - first).days)]
    return sorted(found)


@given(
    since=DAYS,
    length=st.integers(1, 800),
    rolled=st.none() | st.builds(RolledFrom, day=DAYS, month=DAYS),
    seasons=st.booleans(),
)
def test_every_day_of_a_period_is_covered_once(*, since: date, length: int, rolled: RolledFrom | None, seasons: bool):
    until = since + length * DAY
    spans = spans_of(since, until, rolled=rolled, seasons=seasons)
    assert days_of(spans) == [since + number * DAY for number in range(length)]
    if rolled is None:
        assert not spans.parts
    else:
        assert all(first >= rolled.day for first in spans.parts)
        assert all(first >= rolled.month for first in spans.seasons)
    if rolled is None or not seasons:
        assert not spans.seasons
    assert all(season_of(first) == first for first in spans.seasons)


@given(since=DAYS, length=st.integers(330, 366))
def test_a_year_is_told_by_a_few_lines_of_each_place(since: date, length: int):
    spans = spans_of(since, since + length * DAY, rolled=LONG_AGO)
    assert len(spans.seasons) + len(spans.months) <= 7
    assert len(spans.parts) <= 10
    assert len(spans.days) <= 9
