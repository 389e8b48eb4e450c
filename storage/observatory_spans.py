"""The spans whose kept sums a period is made of: seasons, months, parts of months, days. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)
_PART_DAYS = 5
_LAST_PART = 26
_SEASON_MONTHS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Spans:
    """First days of spans that cover each day of a period once; a part is five days of a month, or its last ones."""

    seasons: tuple[date, ...] = ()
    months: tuple[date, ...] = ()
    parts: tuple[date, ...] = ()
    days: tuple[date, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RolledFrom:
    """Parts are whole from `day` on, seasons from `month` on: what was before is forgotten, or nothing ever was."""

    day: date
    month: date


def spans_of(since: date, until: date, *, rolled: RolledFrom | None, seasons: bool = True) -> Spans:
    """Return the largest spans that make up [since, until); without `rolled` months and days alone, as on request."""
    found: dict[str, list[date]] = {"seasons": [], "months": [], "parts": [], "days": []}
    day = since
    while day < until:
        for name, end in _beginning_at(day):
            if end > until:
                continue
            if name == "parts" and (rolled is None or day < rolled.day):
                continue
            if name == "seasons" and (not seasons or rolled is None or day < rolled.month):
                continue
            found[name].append(day)
            day = end
            break
    return Spans(**{name: tuple(firsts) for name, firsts in found.items()})


def season_of(day: date) -> date:
    """Return the first day of the three months that a day is in."""
    return date(day.year, day.month - (day.month - 1) % _SEASON_MONTHS, 1)


def next_month(day: date) -> date:
    """Return the first day of the month after that of a day."""
    return (day.replace(day=1) + 32 * _DAY).replace(day=1)


def _beginning_at(day: date) -> Iterator[tuple[str, date]]:
    """Yield the spans that begin on a day, the longest first, and the day after each."""
    if day.day == 1:
        if season_of(day) == day:
            yield "seasons", next_month(next_month(next_month(day)))
        yield "months", next_month(day)
    if day.day <= _LAST_PART and (day.day - 1) % _PART_DAYS == 0:
        yield "parts", next_month(day) if day.day == _LAST_PART else day + _PART_DAYS * _DAY
    yield "days", day + _DAY
