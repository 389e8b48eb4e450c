"""OpenStreetMap's `opening_hours`, the part of it in which by-laws are written. Pure.

Taken: weekdays and their ranges and lists, PH (public holidays), months and days of the year, 24/7, several hours a
day, hours past midnight, `off`/`closed`, and `;` (says anew what holds on these days) or `,` (adds to it) between
rules. Everything else is refused by name, never passed over. Source: OpenStreetMap wiki, Key:opening_hours,
specification 0.7.3; docs/decisions says why no library reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import time

from storage.errors import InputError
from storage.kerb.spans import Span, clock
from storage.model.kerb import EVERY_DAY, MIDNIGHT, HolidayUse

_DAYS = {"mo": 1, "tu": 2, "we": 3, "th": 4, "fr": 5, "sa": 6, "su": 7}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LAST_DAY = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_TIME = r"\d{1,2}:\d{2}"
_TIMES = re.compile(rf"\s*({_TIME})\s*-\s*({_TIME})\s*(,(?=\s*\d))?", re.ASCII)
_DAY = r"(?:mo|tu|we|th|fr|sa|su|ph)"
_DAY_LIST = re.compile(rf"\s*({_DAY}(?:\s*-\s*{_DAY})?(?:\s*,\s*{_DAY}(?:\s*-\s*{_DAY})?)*)(?![a-z\[])\s*:?")
_MONTH = rf"(?:{'|'.join(_MONTHS)})"
_SEASON = re.compile(
    rf"\s*({_MONTH})(?:\s*(\d{{1,2}})(?!\s*:|\d))?(?:\s*-\s*({_MONTH})?(?:\s*(\d{{1,2}})(?!\s*:|\d))?)?(?![a-z])\s*:?"
)
_STATE = re.compile(r"\s*(off|closed|open)\b")
_SEPARATOR = re.compile(r"\s*([;,])\s*")
_COMMENT = re.compile(r'"[^"]*"')
_REFUSED = (
    (re.compile(r"\|\|"), "fallback rules (||)"),
    (re.compile(r"sunrise|sunset|dawn|dusk"), "the sun's hours"),
    (re.compile(r"\bsh\b"), "school holidays (SH)"),
    (re.compile(r"\bweek\b"), "weeks of the year"),
    (re.compile(r"\[-?\d"), "the nth weekday of a month"),
    (re.compile(r"\beaster\b"), "days from Easter"),
    (re.compile(r"\d{4}"), "years"),
    (re.compile(r"\d\s*\+"), "hours without an end (+)"),
    (re.compile(r"/\s*\d{1,2}(?!\d*$)"), "repeating hours (/)"),
    (re.compile(r"\bunknown\b"), "unknown hours"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Selector:
    days: tuple[int, ...] = EVERY_DAY
    holidays: HolidayUse = HolidayUse.AS_USUAL
    season_from: str | None = None
    season_until: str | None = None


def parse_opening_hours(text: str) -> tuple[Span, ...]:
    """Return the hours that `text` says. Raises InputError with what cannot be read."""
    plain = _COMMENT.sub("", text).strip().lower()
    if not plain:
        raise InputError("expected opening hours, got nothing")
    if plain == "24/7":
        return (Span(),)
    for pattern, what in _REFUSED:
        if pattern.search(plain):
            raise InputError(f"opening hours {text!r}: {what} cannot be read")
    spans: list[Span] = []
    for rank, (adds, selector, hours) in enumerate(_Reader(plain, text).rules()):
        if not adds:
            spans = _said_anew(spans, selector, rank)
        spans += [
            Span(
                days=selector.days,
                holidays=selector.holidays,
                season_from=selector.season_from,
                season_until=selector.season_until,
                starts=starts,
                ends=ends,
                rank=rank if selector.season_from else 0,
            )
            for starts, ends in hours
        ]
    if all(span.blocks for span in spans):
        raise InputError(f"opening hours {text!r}: they say only when nothing holds")
    # What says a day anew within a season stands before what blocks the day: the first of equals holds.
    return tuple(sorted(spans, key=lambda span: (-span.rank, span.blocks)))


def _said_anew(spans: list[Span], selector: _Selector, rank: int) -> list[Span]:
    """Return what is left of `spans` when other hours (or none) are said of the selector's days."""
    if selector.season_from is not None:
        block = Span(
            days=selector.days,
            holidays=selector.holidays,
            season_from=selector.season_from,
            season_until=selector.season_until,
            rank=rank,
            blocks=True,
        )
        return [*spans, block]
    left = []
    for span in spans:
        days = span.days
        holidays = span.holidays
        if selector.holidays is not HolidayUse.ONLY:
            days = tuple(day for day in days if day not in selector.days)
        if selector.holidays in {HolidayUse.ONLY, HolidayUse.ALSO}:
            if holidays is HolidayUse.ONLY:
                continue
            holidays = HolidayUse.EXCEPT
        if days:
            left.append(replace(span, days=days, holidays=holidays))
        elif holidays in {HolidayUse.ONLY, HolidayUse.ALSO} and selector.days != EVERY_DAY:
            # A holiday is a weekday too: where every weekday is said anew, nothing of it is left.
            left.append(replace(span, days=(), holidays=HolidayUse.ONLY))
    return left


class _Reader:
    """Reads rule after rule from the left."""

    def __init__(self, plain: str, text: str) -> None:
        self._plain = plain
        self._text = text
        self._at = 0

    def rules(self) -> Iterator[tuple[bool, _Selector, list[tuple[time, time]]]]:
        """Yield (adds to what was said, selector, hours)."""
        adds = True
        while self._at < len(self._plain):
            yield adds, *self._rule()
            if self._at >= len(self._plain):
                return
            separator = self._match(_SEPARATOR)
            if separator is None:
                raise self._unreadable()
            adds = separator[1] == ","

    def _rule(self) -> tuple[_Selector, list[tuple[time, time]]]:
        began = self._at
        selector = self._season(_Selector())
        selector = self._days(selector)
        hours = self._hours()
        state = self._match(_STATE)
        if self._at == began:
            raise self._unreadable()
        if state is not None and state[1] in {"off", "closed"}:
            if hours:
                raise InputError(
                    f"opening hours {self._text!r}: hours that are off cannot be read; say when it is open"
                )
            return selector, []
        return selector, hours or [(MIDNIGHT, MIDNIGHT)]

    def _season(self, selector: _Selector) -> _Selector:
        found = self._match(_SEASON)
        if found is None:
            return selector
        first = _MONTHS.index(found[1])
        first_day = int(found[2] or 1)
        ranged = "-" in found[0]
        last = _MONTHS.index(found[3]) if found[3] else first
        if ranged and found[3] is None and found[4] is None:
            raise self._unreadable()
        last_day = int(found[4]) if found[4] else (first_day if found[2] and not ranged else _LAST_DAY[last])
        for month, day in ((first, first_day), (last, last_day)):
            if not 1 <= day <= _LAST_DAY[month]:
                raise InputError(f"opening hours {self._text!r}: {_MONTHS[month].title()} has no day {day}")
        return replace(
            selector, season_from=f"{first + 1:02d}-{first_day:02d}", season_until=f"{last + 1:02d}-{last_day:02d}"
        )

    def _days(self, selector: _Selector) -> _Selector:
        found = self._match(_DAY_LIST)
        if found is None:
            return selector
        days: set[int] = set()
        holidays = False
        for part in found[1].split(","):
            ends = [end.strip() for end in part.split("-")]
            if "ph" in ends:
                if len(ends) > 1:
                    raise self._unreadable()
                holidays = True
                continue
            first, last = _DAYS[ends[0]], _DAYS[ends[-1]]
            days |= {(first - 1 + step) % 7 + 1 for step in range((last - first) % 7 + 1)}
        if not days:
            return replace(selector, days=(), holidays=HolidayUse.ONLY)
        return replace(
            selector,
            days=tuple(sorted(days)),
            holidays=HolidayUse.ALSO if holidays else HolidayUse.AS_USUAL,
        )

    def _hours(self) -> list[tuple[time, time]]:
        hours = []
        while (found := self._match(_TIMES)) is not None:
            starts, ends = (
                clock(*map(int, side.split(":")), most=most) for side, most in ((found[1], 24), (found[2], 26))
            )
            if starts is None or ends is None:
                raise InputError(f"opening hours {self._text!r}: no clock shows {found[1]}-{found[2]}")
            hours.append((starts, ends))
            if found[3] is None:
                break
        return hours

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._plain, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _unreadable(self) -> InputError:
        return InputError(f"opening hours {self._text!r} cannot be read from {self._plain[self._at :][:40]!r} on")
