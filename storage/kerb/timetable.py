"""Which rule holds when: rules of by-laws laid over each other. Pure.

A rule's stretch belongs to the local day on which it starts: weekday, holiday, season and life are that day's.
Stretches are half-open and computed on UTC moments, so that they last as long as they really do when clocks change; an
hour that the wall clock shows twice is the first one, one that it skips is the one after.

Of rules in force at once the one of the highest priority holds; of those, the one given first (a place's own rules come
before those of what it is part of). While an unrestricted rule holds, nothing is ruled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from storage.kerb.french_holidays import is_holiday
from storage.model.kerb import HolidayUse, Rule, RuleUse

_DAY = timedelta(days=1)
_NEIGHBOUR_DAYS = 8
"""Stretches are joined over so many days on either side; what is further changes nothing that a person can act on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """[starts_at, ends_at), UTC, in which `rule` (None: nothing is ruled) holds without interruption.

    `counts_from` and `counts_until` bound the stretches in a row that limit a stay, this one among them: a limit runs
    on where one limiting rule follows another. Both are None where nothing limits. `begins` and `ends` are false where
    it really lasts longer: nobody looked further than a week.
    """

    starts_at: datetime
    ends_at: datetime
    rule: Rule | None
    begins: bool = True
    ends: bool = True
    counts_from: datetime | None = None
    counts_until: datetime | None = None


class Timetable:
    """The rules of one place in its commune's local time."""

    def __init__(self, rules: Sequence[Rule], *, zone: ZoneInfo, commune_insee: str = "") -> None:
        self.rules = tuple(rules)
        self._zone = zone
        self._insee = commune_insee
        self._around = lru_cache(maxsize=64)(self._laid_around)

    def at(self, moment: datetime) -> Stretch:
        """Return the stretch that a moment falls into."""
        starts, stretches = self._around(moment.astimezone(self._zone).date())
        return stretches[bisect_right(starts, moment) - 1]

    def between(self, since: datetime, until: datetime) -> Iterator[Stretch]:
        """Yield the stretches that touch [since, until), in order; the outer ones are not cut."""
        moment = since
        while moment < until:
            stretch = self.at(moment)
            yield stretch
            moment = stretch.ends_at

    def next_in_force(self, moment: datetime) -> Stretch | None:
        """Return the next stretch after `moment` in which something is ruled, None within a week or so."""
        starts, stretches = self._around(moment.astimezone(self._zone).date())
        later = stretches[bisect_right(starts, moment) :]
        return next((one for one in later if one.rule is not None), None)

    def _laid_around(self, day: date) -> tuple[list[datetime], list[Stretch]]:
        first, last = day - _NEIGHBOUR_DAYS * _DAY, day + _NEIGHBOUR_DAYS * _DAY
        whole = (self._midnight(first), self._midnight(last + _DAY))
        pieces = [
            (max(piece[0], whole[0]), min(piece[1], whole[1]), index)
            for index, rule in enumerate(self.rules)
            for piece in self._pieces(rule, first - _DAY, last)
            if piece[1] > whole[0]
        ]
        bounds = sorted({*whole, *(piece[0] for piece in pieces), *(piece[1] for piece in pieces)})
        found: list[tuple[datetime, datetime, Rule | None]] = []
        for starts_at, ends_at in pairwise(bounds):
            holding = [index for since, until, index in pieces if since <= starts_at < until]
            rule = self.rules[min(holding, key=self._rank)] if holding else None
            if rule is not None and rule.use is RuleUse.UNRESTRICTED:
                rule = None
            if found and found[-1][2] == rule:
                found[-1] = (found[-1][0], ends_at, rule)
            else:
                found.append((starts_at, ends_at, rule))
        stretches = list(_counted(found))
        return [one.starts_at for one in stretches], stretches

    def _rank(self, index: int) -> tuple[int, int]:
        return -self.rules[index].priority, index

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, datetime.min.time(), self._zone).astimezone(UTC)

    def _pieces(self, rule: Rule, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
        day = first
        while day <= last:
            if self._is_of(rule, day):
                ends_on = day if rule.ends > rule.starts else day + _DAY
                starts_at = datetime.combine(day, rule.starts, self._zone).astimezone(UTC)
                ends_at = datetime.combine(ends_on, rule.ends, self._zone).astimezone(UTC)
                if ends_at > starts_at:
                    yield starts_at, ends_at
            day += _DAY

    def _is_of(self, rule: Rule, day: date) -> bool:
        if (rule.valid_from is not None and day < rule.valid_from) or (
            rule.valid_until is not None and day > rule.valid_until
        ):
            return False
        if rule.season_from is not None and rule.season_until is not None:
            of_year = f"{day:%m-%d}"
            inside = rule.season_from <= of_year <= rule.season_until
            if rule.season_from > rule.season_until:
                inside = of_year >= rule.season_from or of_year <= rule.season_until
            if not inside:
                return False
        on_weekday = day.isoweekday() in rule.days
        match rule.holidays:
            case HolidayUse.AS_USUAL:
                return on_weekday
            case HolidayUse.EXCEPT:
                return on_weekday and not is_holiday(day, self._insee)
            case HolidayUse.ONLY:
                return is_holiday(day, self._insee)
            case HolidayUse.ALSO:
                return on_weekday or is_holiday(day, self._insee)


def _counted(found: Sequence[tuple[datetime, datetime, Rule | None]]) -> Iterator[Stretch]:
    first = 0
    while first < len(found):
        last = first
        if _limits(found[first][2]):
            while last + 1 < len(found) and _limits(found[last + 1][2]):
                last += 1
        limiting = _limits(found[first][2])
        for starts_at, ends_at, rule in found[first : last + 1]:
            yield Stretch(
                starts_at=starts_at,
                ends_at=ends_at,
                rule=rule,
                begins=starts_at != found[0][0],
                ends=ends_at != found[-1][1],
                counts_from=found[first][0] if limiting else None,
                counts_until=found[last][1] if limiting else None,
            )
        first = last + 1


def _limits(rule: Rule | None) -> bool:
    return rule is not None and rule.max_stay_s is not None
