"""French public holidays (Code du travail, article L3133-1), with those of Alsace-Moselle and overseas. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_AFTER_EASTER_DAYS = (1, 39, 50)
"""Easter Monday, Ascension Day, Whit Monday."""

_ALSACE_MOSELLE = ("57", "67", "68")
# Code du travail, article L3422-2: the abolition of slavery.
_OVERSEAS = {"971": (5, 27), "972": (5, 22), "973": (6, 10), "974": (12, 20), "976": (4, 27)}


def is_holiday(day: date, commune_insee: str = "") -> bool:
    """Whether a local day is a public holiday in the commune, or everywhere in France when none is named."""
    return day in holidays_of(day.year, _law_of(commune_insee))


def _law_of(commune_insee: str) -> str:
    if commune_insee[:3] in _OVERSEAS:
        return commune_insee[:3]
    return "alsace-moselle" if commune_insee[:2] in _ALSACE_MOSELLE else ""


@lru_cache(maxsize=256)
def holidays_of(year: int, law: str = "") -> frozenset[date]:
    """Return a year's public holidays under a local law: "", "alsace-moselle", or an overseas department's number."""
    easter = easter_sunday(year)
    found = {date(year, month, day) for month, day in _FIXED}
    found |= {easter + timedelta(days=after) for after in _AFTER_EASTER_DAYS}
    if law == "alsace-moselle":
        found |= {easter - timedelta(days=2), date(year, 12, 26)}
    elif law in _OVERSEAS:
        found.add(date(year, *_OVERSEAS[law]))
    return frozenset(found)


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    a = year % 19
    b, c = divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)
