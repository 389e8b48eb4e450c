"""What who reads for a territory is told: sums of whole months, of places enough (docs/decisions/0032). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from fastapi import HTTPException

FEWEST_PLACES = 5
"""Figures of fewer bays and spaces are those of a few doors; public statistics ask for three of a kind at least."""
_DAY = timedelta(days=1)


def last_month(before: date) -> tuple[date, date]:
    """Return the first and the last day of the newest month that ended before a day."""
    last = before.replace(day=1) - _DAY
    return last.replace(day=1), last


def require_whole_months(first: date, last: date, *, before: date) -> None:
    """Raise HTTPException 403 unless the days from `first` to `last`, both included, are whole months before a day.

    Of a month that still goes on, what is told tomorrow less what is told today would be a day.
    """
    if first.day != 1 or (last + _DAY).day != 1:
        raise HTTPException(
            403, f"a territory reads whole months, from the first of one to the last of one; got {first} to {last}"
        )
    if last >= before:
        raise HTTPException(403, f"a territory reads months that are over, until {last_month(before)[1]}; got {last}")


def withheld[Key](periods: Sequence[Mapping[Key, int]], *, fewest: int = FEWEST_PLACES) -> set[Key]:
    """Return the groups that are not told, where `periods` are the places of each group in each period (or month).

    A group of fewer than `fewest` places is not told. What is left out is the difference between all and what is told:
    where that would be of too few places, the next smallest groups are left out as well.
    """
    out = {key for places in periods for key, count in places.items() if count < fewest}
    changed = True
    while changed:  # what one period leaves out is left out of the others as well
        changed = False
        for places in periods:
            told = places.keys() - out
            if 0 < sum(count for key, count in places.items() if key in out) < fewest and told:
                out.add(min(told, key=lambda key: (places[key], str(key))))
                changed = True
    return out


def require_enough(chosen: int, every: int, *, fewest: int = FEWEST_PLACES) -> None:
    """Raise HTTPException 403 when a choice of places, or all but it, is of too few."""
    if chosen < fewest or 0 < every - chosen < fewest:
        raise HTTPException(403, f"a territory reads no figures of fewer than {fewest} bays and spaces")
