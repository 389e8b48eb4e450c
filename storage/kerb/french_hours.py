"""Hours as French by-laws and tables write them: « du lundi au samedi de 7h à 10h et 16h30 à 19h, sauf fériés ».

Pure. What is left over when all that is known has been read is refused by name, never passed over.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import time

from storage.errors import InputError
from storage.kerb.spans import Span, clock
from storage.model.kerb import EVERY_DAY, MIDNIGHT, HolidayUse

_DAYS = {"lun": 1, "mar": 2, "mer": 3, "jeu": 4, "ven": 5, "sam": 6, "dim": 7}
_DAY = r"(?:lundis?|lun|mardis?|mar|mercredis?|mer|jeudis?|jeu|vendredis?|ven|samedis?|sam|dimanches?|dim)\b\.?"
_MONTHS = (
    "janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre",
    "decembre",
)  # fmt: skip
_LAST_DAY = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTH = rf"(?:{'|'.join(_MONTHS)})"
_HOUR = r"(?:(\d{1,2})\s*(?:h|:|heures?)\s*(\d{2})?(?:\s*mn|\s*min)?|(midi)|(minuit))"
_TO = r"\s*(?:-|a|au|jusqu'a|->|/)\s*"
_FILLER = re.compile(r"[\s,;.:()]+|\b(?:et|le|les|la|de|du|des|en|uniquement|seulement|horaires?|livraisons?|inclus)\b")

_TYPOGRAPHY = {0x2019: "'", 0x2013: "-", 0x2014: "-", 0x2212: "-", 0x0153: "oe"}

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("except_holidays", re.compile(r"(?:sauf|hors|excepte|a l'exception)\s+(?:les\s+|des\s+)?(?:jours\s+)?feries")),
    ("only_holidays", re.compile(r"(?:uniquement|seulement)\s+(?:les\s+)?(?:jours\s+)?feries")),
    ("also_holidays", re.compile(r"(?:y compris|et|,)\s*(?:les\s+)?(?:jours\s+)?feries")),
    (
        "except_both",
        re.compile(
            rf"(?:sauf|hors|excepte)\s+(?:les?\s+)?({_DAY}(?:\s*(?:,|et|ou)\s*(?:les?\s+)?{_DAY})*)"
            r"\s*(?:,|et|ou)\s*(?:les\s+)?(?:jours\s+)?feries"
        ),
    ),
    (
        "except_days",
        re.compile(rf"(?:sauf|hors|excepte)\s+(?:les?\s+)?({_DAY}(?:\s*(?:,|et|ou|les?)\s*(?:les?\s+)?{_DAY})*)"),
    ),
    ("season", re.compile(rf"(?:du\s+)?(\d{{1,2}}|1er)\s+({_MONTH})\s+au\s+(\d{{1,2}}|1er)\s+({_MONTH})")),
    ("months", re.compile(rf"(?:de\s+|du mois de\s+)?({_MONTH})\s+(?:a|au mois de)\s+({_MONTH})")),
    ("hours", re.compile(rf"entre\s+{_HOUR}\s+et\s+{_HOUR}")),
    ("hours", re.compile(rf"(?:de\s+)?{_HOUR}{_TO}{_HOUR}")),
    ("whole_day", re.compile(r"24\s*h(?:eures)?\s*(?:/|sur)\s*24(?:\s*h)?|jour et nuit|permanente?s?|en permanence")),
    ("every_day", re.compile(r"tous les jours|tlj|7\s*j(?:ours)?\s*(?:/|sur)\s*7(?:\s*j)?|chaque jour|quotidien")),
    ("working", re.compile(r"jours ouvrables")),
    ("office", re.compile(r"jours ouvres|en semaine")),
    ("weekend", re.compile(r"week-?\s?ends?|fin de semaine")),
    ("day_range", re.compile(rf"(?:du\s+)?({_DAY})\s*(?:-|au|a)\s*({_DAY})")),
    ("day", re.compile(rf"({_DAY})")),
)


def parse_french_hours(text: str) -> tuple[Span, ...]:
    """Return the hours that `text` says. Raises InputError with what cannot be read.

    Hours belong to the days that are named with them: before them, or after them when none were. Parts between
    semicolons stand for themselves.
    """
    if not text.strip():
        raise InputError("expected hours, got nothing")
    spans: list[Span] = []
    for part in re.split(r"[;\n]", text):
        if part.strip():
            spans += _part(part, text)
    if not spans:
        raise InputError(f"hours {text!r}: neither days nor hours in it")
    return tuple(dict.fromkeys(spans))


def _plain(text: str) -> str:
    """Return the text in lower case without accents, with plain apostrophes and dashes."""
    letters = unicodedata.normalize("NFKD", text.lower().translate(_TYPOGRAPHY))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


type _Groups = list[tuple[set[int], list[tuple[time, time]]]]
"""Days and the hours that belong to them."""


@dataclass(slots=True)
class _Common:
    """What a part says of all its hours."""

    without: set[int] = field(default_factory=set)
    holidays: HolidayUse = HolidayUse.AS_USUAL
    season: tuple[str, str] | None = None


def _part(part: str, text: str) -> list[Span]:
    plain = _plain(part)
    common = _Common()
    groups: _Groups = [(set(), [])]
    at = 0
    while at < len(plain):
        for name, pattern in _PATTERNS:
            found = pattern.match(plain, at)
            if found is not None:
                _take(name, found, common, groups, text)
                at = found.end()
                break
        else:
            filler = _FILLER.match(plain, at)
            if filler is None:
                raise InputError(f"hours {text!r} cannot be read from {plain[at:][:40]!r} on")
            at = filler.end()
    return _spans(common, groups)


def _take(
    name: str,
    found: re.Match[str],
    common: _Common,
    groups: _Groups,
    text: str,
) -> None:
    match name:
        case "except_holidays" | "only_holidays" | "also_holidays":
            common.holidays = HolidayUse(name.removesuffix("_holidays"))
        case "except_days" | "except_both":
            common.without |= {_DAYS[day[:3]] for day in re.findall(_DAY, found[1])}
            if name == "except_both":
                common.holidays = HolidayUse.EXCEPT
        case "season":
            common.season = (_day_of_year(found[1], found[2], text), _day_of_year(found[3], found[4], text))
        case "months":
            last_day = str(_LAST_DAY[_MONTHS.index(found[2])])
            common.season = (_day_of_year("1", found[1], text), _day_of_year(last_day, found[2], text))
        case "hours":
            groups[-1][1].append(_hours(found, text))
        case "whole_day":
            groups[-1][1].append((MIDNIGHT, MIDNIGHT))
        case _:
            days = _named_days(name, found)
            # Days after hours begin another group, unless the hours still wait for their days.
            if groups[-1][1] and groups[-1][0]:
                groups.append((set(), []))
            groups[-1][0].update(days)


def _named_days(name: str, found: re.Match[str]) -> set[int]:
    match name:
        case "every_day":
            return set(EVERY_DAY)
        case "working":
            return {1, 2, 3, 4, 5, 6}
        case "office":
            return {1, 2, 3, 4, 5}
        case "weekend":
            return {6, 7}
        case "day_range":
            first, last = _DAYS[found[1][:3]], _DAYS[found[2][:3]]
            return {(first - 1 + step) % 7 + 1 for step in range((last - first) % 7 + 1)}
        case _:
            return {_DAYS[found[1][:3]]}


def _hours(found: re.Match[str], text: str) -> tuple[time, time]:
    ends = []
    for first in (1, 5):
        hour, minute, noon, _midnight = found.group(first, first + 1, first + 2, first + 3)
        told = time(12) if noon else clock(int(hour), int(minute or 0), most=24) if hour else MIDNIGHT
        if told is None:
            raise InputError(f"hours {text!r}: no clock shows {found[0].strip()!r}")
        ends.append(told)
    return ends[0], ends[1]


def _day_of_year(day: str, month: str, text: str) -> str:
    number = 1 if day == "1er" else int(day)
    index = _MONTHS.index(month)
    if not 1 <= number <= _LAST_DAY[index]:
        raise InputError(f"hours {text!r}: {month} has no day {number}")
    return f"{index + 1:02d}-{number:02d}"


def _spans(common: _Common, groups: _Groups) -> list[Span]:
    says_more = bool(common.without or common.season) or common.holidays is not HolidayUse.AS_USUAL
    season_from, season_until = common.season or (None, None)
    spans = []
    for days, hours in groups:
        if not (days or hours or (says_more and len(groups) == 1)):
            continue
        of_group = tuple(sorted((days or set(EVERY_DAY)) - common.without))
        spans += [
            Span(
                days=() if common.holidays is HolidayUse.ONLY else of_group,
                starts=starts,
                ends=ends,
                holidays=common.holidays,
                season_from=season_from,
                season_until=season_until,
            )
            for starts, ends in hours or [(MIDNIGHT, MIDNIGHT)]
        ]
    return spans
