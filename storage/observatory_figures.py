"""What the observatory's figures say of a period: by bay, street, quarter, hour, class of day and month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from storage.database import Connection, statement
from storage.errors import InputError
from storage.kerb.usage import UsageSums
from storage.model import PlaceKind
from storage.observatory import rolled_from, summed
from storage.observatory_spans import RolledFrom, next_month, spans_of

_DAY = timedelta(days=1)
_LONGEST = timedelta(days=3660)
_KEYS = 6
"""Columns before the sums: place_id, street, quarter, month, hour, day_class."""


class By(StrEnum):
    """What figures are told by; together they make groups of groups."""

    BAY = "bay"
    STREET = "street"
    QUARTER = "quarter"
    HOUR = "hour"
    DAY_CLASS = "day_class"
    MONTH = "month"


_OF_HOURS = {By.HOUR, By.DAY_CLASS}
_SENSED = (PlaceKind.DELIVERY_BAY, PlaceKind.PARKING_SPACE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """The local days of [since, until), told by what, of which places.

    By hour or class of days the period is one of whole months, and single bays are not told. An answer of more than
    `most` lines (None: of any length) is refused.
    """

    since: date
    until: date
    by: frozenset[By] = frozenset()
    kind: PlaceKind | None = None
    street: str | None = None
    quarter: str | None = None
    place_ids: tuple[str, ...] | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        """Refuse nonsense, with InputError: people ask."""
        if not self.since < self.until:
            raise InputError(
                f"from {self.since}, to {self.until - _DAY}: expected a day to end with not before the first"
            )
        if self.until - self.since > _LONGEST:
            raise InputError(f"expected a period of at most {_LONGEST.days} days, got {(self.until - self.since).days}")
        if self.kind is not None and self.kind not in _SENSED:
            raise InputError(f"kind: expected {' or '.join(_SENSED)}, got {self.kind}")
        if self.of_hours and self.of_bays:
            raise InputError("by hour or class of days figures are of streets and quarters: leave the bays out")

    @property
    def of_hours(self) -> bool:
        """Whether hours of the day tell them apart."""
        return bool(self.by & _OF_HOURS)

    @property
    def of_bays(self) -> bool:
        """Whether single bays are told or named: streets' figures are not enough."""
        return By.BAY in self.by or self.place_ids is not None

    @property
    def of_streets(self) -> bool:
        """Whether streets are told or one is named."""
        return By.STREET in self.by or self.street is not None

    @property
    def period(self) -> tuple[date, date]:
        """The first day and the day after the last that the answer is of."""
        if not self.of_hours:
            return self.since, self.until
        last = self.until - _DAY
        return self.since.replace(day=1), next_month(last)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """One line of an answer: what it is of (None: not told by it; an empty street or quarter: none), and its sums."""

    place_id: str | None = None
    street: str | None = None
    quarter: str | None = None
    month: date | None = None
    hour: int | None = None
    day_class: str | None = None
    places: int | None = None
    sums: UsageSums

    @property
    def key(self) -> tuple[Any, ...]:
        """What two periods' lines are put side by side by."""
        return self.place_id, self.street, self.quarter, self.month, self.hour, self.day_class


def answer(connection: Connection, commune_insee: str, question: Question) -> list[Group]:
    """Return a line for each group that anything was awaited or known of, in the order of the groups.

    Raises InputError when there are more than the question has room for.
    """
    rolled = rolled_from(connection, commune_insee)
    asked = _parameters(commune_insee, question, rolled)
    name = _query(question, rolled)
    with connection.cursor(binary=True) as cursor:
        # Never prepared: which groups there are decides how it is best done.
        rows = cursor.execute(summed(name), asked, prepare=False).fetchall()
        if question.most is not None and len(rows) > question.most:
            told_by = ",".join(one for one in By if one in question.by)
            raise InputError(
                f"by {told_by}: expected at most {question.most} lines of answer, got more: ask for one street, "
                "quarter or kind, for some bays, or by less"
            )
        places: dict[tuple[Any, ...], int] = {}
        if not question.of_hours and By.BAY not in question.by:
            counted = cursor.execute(statement("observatory", "places"), asked, prepare=False)
            places = {tuple(row[:4]): row[4] for row in counted}
    one = 1 if By.BAY in question.by else None
    return [_group(row, places.get(row[:4], one)) for row in rows if row[_KEYS] is not None]


def _query(question: Question, rolled: RolledFrom | None) -> str:
    """Return the query whose tables have the fewest lines to add up."""
    if not question.of_hours:
        return "by_place" if question.of_bays else "by_street"
    return "by_hour" if rolled is None or _told_by(question) is None else "by_hour_span"


def _told_by(question: Question) -> str | None:
    """Return which sums of hours tell what a question asks, None where all is to be told apart."""
    if not question.of_streets:
        return "hour_class"
    if By.DAY_CLASS not in question.by:
        return "hour_street"
    return "class_street" if By.HOUR not in question.by else None


def _group(row: tuple[Any, ...], places: int | None) -> Group:
    place_id, street, quarter, month, hour, day_class, *sums = row
    (
        awaited_s, known_s, occupied_s, saturated_s, sessions, dwells, dwell_s, dwell_counts, limited, overstays,
        overstay_s, wanted, refused, refused_var,
    ) = sums  # fmt: skip
    return Group(
        place_id=place_id,
        street=street,
        quarter=quarter,
        month=month,
        hour=hour,
        day_class=day_class,
        places=places,
        sums=UsageSums(
            awaited_s=awaited_s,
            known_s=known_s,
            occupied_s=occupied_s,
            saturated_s=saturated_s,
            sessions=sessions,
            dwells=dwells,
            dwell_s=dwell_s,
            dwell_counts=tuple(count or 0 for count in dwell_counts or ()),
            limited=limited,
            overstays=overstays,
            overstay_s=overstay_s,
            wanted=wanted,
            refused=refused,
            refused_var=refused_var,
        ),
    )


def _parameters(commune_insee: str, question: Question, rolled: RolledFrom | None) -> dict[str, Any]:
    since, until = question.period
    seasons = By.MONTH not in question.by
    # Streets are few: their days and months are enough, and hours have spans of their own.
    in_spans = question.of_bays or _query(question, rolled) == "by_hour_span"
    whole = spans_of(since, until, rolled=rolled if in_spans else None, seasons=seasons)
    touched = spans_of(since.replace(day=1), next_month(until - _DAY), rolled=rolled, seasons=seasons)
    return {
        "commune_insee": commune_insee,
        "most": None if question.most is None else question.most + 1,
        "seasons": list(whole.seasons),
        "months": list(whole.months),
        "parts": list(whole.parts),
        "days": list(whole.days),
        "touched_seasons": list(touched.seasons),
        "touched_months": list(touched.months),
        "told_by": _told_by(question) if question.of_hours else None,
        "by_bay": By.BAY in question.by,
        "by_street": By.STREET in question.by,
        "by_quarter": By.QUARTER in question.by,
        "by_month": By.MONTH in question.by,
        "by_hour": By.HOUR in question.by,
        "by_day_class": By.DAY_CLASS in question.by,
        "with_quarter": By.QUARTER in question.by or question.quarter is not None,
        "kind": None if question.kind is None else question.kind.value,
        "street": question.street,
        "quarter": question.quarter,
        "place_ids": None if question.place_ids is None else list(question.place_ids),
    }
