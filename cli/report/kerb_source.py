"""What the page on delivery areas speaks of: the observatory's answers in several ways, and the last advice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from storage import advice, kerb_places
from storage import observatory_answers as answers
from storage.database import Connection
from storage.errors import InputError, NotFoundError
from storage.model import KerbPlace, PlaceKind
from storage.observatory_answers import Compared
from storage.observatory_figures import Question


@dataclass(frozen=True, kw_only=True)
class KerbSource:
    """What the page speaks of: delivery bays in a period, told in four ways, and the last advice (None: none yet)."""

    town: str
    whole: Compared
    by_hour: Compared
    by_street: Compared
    by_bay: Compared
    by_month: Compared
    bays: tuple[KerbPlace, ...]
    advice: dict[str, Any] | None
    extract: Path | None


def read_kerb(
    connection: Connection, insee: str, town: str, *, first: date, end: date, extract: Path | None
) -> KerbSource:
    """Return what the page says of the local days of [first, end). InputError where no bay has a sensor."""

    def told(by: str) -> Compared:
        question = Question(since=first, until=end, by=answers.by_of(by), kind=PlaceKind.DELIVERY_BAY)
        return answers.compared(connection, insee, question, None)

    whole = told("")
    if not whole.lines:
        raise InputError(f"commune {insee} has no delivery bay with a sensor between {first} and {whole.last}")
    try:
        last_advice = advice.latest(connection, insee)
    except NotFoundError:
        last_advice = None
    return KerbSource(
        town=town,
        whole=whole,
        by_hour=told("hour,day_class"),
        by_street=told("street"),
        by_bay=told("bay"),
        by_month=told("month"),
        bays=tuple(kerb_places.of_commune(connection, insee, kinds=[PlaceKind.DELIVERY_BAY])),
        advice=last_advice,
        extract=extract,
    )
